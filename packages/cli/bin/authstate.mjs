#!/usr/bin/env node
// The command `authstate`. In a clone of the repository, where nothing need be built, it runs from source.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const source = new URL('../../../tools/lib/source.mjs', import.meta.url)
if (existsSync(source)) {
  const { sourceFlags } = await import(source.href)
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  // Ctrl-C reaches both: the command decides what it means.
  process.on('SIGINT', () => {})
  const { status, signal } = spawnSync(process.execPath, [...sourceFlags, main, ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  // Ctrl-C before the command could decide.
  process.exitCode = status ?? (signal === 'SIGINT' ? 130 : 1)
} else await import('../dist/main.js')
