#!/usr/bin/env node
// Starts the command of @authstate/cli, which is installed beside this package or not at all.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

function commandBeside(folder) {
  try {
    const manifest = createRequire(folder).resolve('@authstate/cli/package.json')
    return pathToFileURL(join(dirname(manifest), 'bin', 'authstate.mjs')).href
  } catch {
    return undefined
  }
}

const command = commandBeside(join(process.cwd(), 'package.json')) ?? commandBeside(import.meta.url)
if (command === undefined) {
  console.error(
    'authstate: the command is a package of its own. Install it with: npm install --save-dev @authstate/cli',
  )
  process.exitCode = 3
} else await import(command)
