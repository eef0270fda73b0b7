#!/usr/bin/env node
import { createRequire } from 'node:module'
import { run } from './run.js'
import { terminal } from './terminal.js'

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
const surroundings = terminal()
process.exitCode = await run(process.argv.slice(2), surroundings, version)
// What was under way is not waited for: a store that says nothing would hold the process up.
if (surroundings.interrupted.aborted) process.exit()
