#!/usr/bin/env node
import { createRequire } from 'node:module'
import { runCli } from './cli/run-cli.js'

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }

const status = await runCli(process.argv.slice(2), {
  cwd: process.cwd(),
  env: process.env,
  version,
  print: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
})
// A provider that left something open, or never answered, does not keep the command from ending.
process.stdout.write('', () => process.exit(status))
