import { userInfo } from 'node:os'
import type { Output, Surroundings } from './surroundings.js'

/**
 * The surroundings of this process: its streams, its variables, its working directory. Ctrl-C is the command's from now on: it
 * stops waiting and says what is left.
 */
export function terminal(): Surroundings {
  const interruption = new AbortController()
  process.once('SIGINT', () => interruption.abort())
  // A reader that has seen enough, such as `head`, closes the pipe: that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
  return {
    cwd: process.cwd(),
    env: process.env,
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    canAsk: process.stdin.isTTY === true && process.stderr.isTTY === true,
    async ask(question) {
      const { createInterface } = await import('node:readline/promises')
      const asking = createInterface({ input: process.stdin, output: process.stderr })
      try {
        return await asking.question(question, { signal: interruption.signal })
      } finally {
        asking.close()
      }
    },
    readInput: async () => (await import('node:stream/consumers')).text(process.stdin),
    interrupted: interruption.signal,
    user: userName(),
    now: Date.now,
  }
}

/** The person who runs the command; with `sudo` the person who called it. A user without a name has a number. */
function userName(): string {
  const { SUDO_USER: asked } = process.env
  if (asked !== undefined && asked !== '') return asked
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`
  }
}

const outputOf = (stream: NodeJS.WriteStream): Output => ({
  write: (text) => void stream.write(text),
  isTerminal: stream.isTTY === true,
  columns: stream.columns ?? 100,
})
