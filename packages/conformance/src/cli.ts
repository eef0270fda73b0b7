#!/usr/bin/env node
import { createRequire } from 'node:module'
import { runCli } from './cli/run-cli.js'

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }

// A provider that ends the process must not end it as if all were well.
let isDone = false
process.on('exit', () => {
  if (isDone) return
  process.stderr.write(
    'the process was ended from within before there was a report: process.exit, or a promise that nothing keeps\n',
  )
  process.exitCode = 2
})

const status = await runCli(process.argv.slice(2), {
  cwd: process.cwd(),
  env: process.env,
  version,
  print: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
  isTerminal: process.stderr.isTTY === true,
})
// A provider that left something open, or never answered, does not keep the command from ending.
isDone = true
process.stdout.write('', () => process.exit(status))
