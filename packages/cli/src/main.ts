#!/usr/bin/env node
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline/promises'
import { text } from 'node:stream/consumers'
import { run } from './run.js'
import type { Output } from './surroundings.js'

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
const interruption = new AbortController()
process.once('SIGINT', () => interruption.abort())

const outputOf = (stream: NodeJS.WriteStream): Output => ({
  write: (text) => void stream.write(text),
  isTerminal: stream.isTTY === true,
  columns: stream.columns ?? 100,
})

// A reader that has seen enough, such as `head`, closes the pipe: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

process.exitCode = await run(
  process.argv.slice(2),
  {
    cwd: process.cwd(),
    env: process.env,
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    canAsk: process.stdin.isTTY === true && process.stderr.isTTY === true,
    async ask(question) {
      const asking = createInterface({ input: process.stdin, output: process.stderr })
      try {
        return await asking.question(question, { signal: interruption.signal })
      } finally {
        asking.close()
      }
    },
    readInput: () => text(process.stdin),
    interrupted: interruption.signal,
    now: Date.now,
  },
  version,
)
