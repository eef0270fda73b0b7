import { tracingChannel } from 'node:diagnostics_channel'
import { isError } from '@authstate/spi/internal'
import type { SentCommand } from './client.js'
import { shared } from './shared.js'

// Instrumentation takes EVALSHA for harmless and prints its keys and arguments: session ids, tokens, notes. It reads
// them off the command, and so do ioredis' errors and debug output; only the socket gets to see the real ones.

const HIDDEN = '?'
// Whichever copy of this library stands before a client, it hides what any of them sends.
const { nothing, shownBySha, sources } = shared('concealed', () => ({
  nothing: [HIDDEN] as unknown[],
  shownBySha: new Map<string, unknown[]>(),
  sources: new Set<string>(),
}))
const tracing = tracingChannel('ioredis:command')

/** Makes known what a script looks like on its way to Redis. Called once per script, when it is defined. */
export function concealScript(sha1: string, source: string): void {
  shownBySha.set(sha1, [sha1, HIDDEN])
  sources.add(source)
}

/**
 * Hides keys, arguments and reply of a command of authstate from other observers. Other commands stay as they are.
 *
 * @param heads What the keys of ours start with.
 * @returns the reply, for the caller only; `undefined` when the command is not ours
 */
export function concealCommand(command: SentCommand, heads: readonly string[]): Promise<unknown> | undefined {
  const { args, promise, toWritable } = command
  const shown = shownFor(command, heads)
  if (shown === undefined) return undefined
  command.args = shown
  command.toWritable = (socket) => {
    command.args = args
    try {
      return toWritable.call(command, socket)
    } finally {
      command.args = shown
    }
  }
  if (tracing.hasSubscribers) {
    // The tracing channel tells when this promise settles, and what with.
    command.promise = promise.then(() => HIDDEN)
    command.promise.catch(() => {})
  } else {
    // Somebody who comes while the command waits for a connection would be told of the real reply.
    command.isTraced = true
  }
  return promise
}

/** Whether a command on its way is one of ours. */
export function isConcealed({ args }: SentCommand): boolean {
  return args === nothing || (args.length === 2 && shownBySha.get(args[0] as string) === args)
}

/** What may be seen of a command of ours: the hash of a script, nothing else. `undefined` for other commands. */
function shownFor({ name, args }: SentCommand, heads: readonly string[]): unknown[] | undefined {
  if (name === 'evalsha') return shownBySha.get(args[0] as string)
  if (name === 'eval') return sources.has(args[0] as string) ? nothing : undefined
  for (const item of args) {
    if (typeof item !== 'string') continue
    for (const head of heads) if (item.startsWith(head)) return nothing
  }
  return undefined
}

/** Redis repeats what it did not understand: a password behind HELLO, a key behind a command it does not know. */
const REPEATED = /,? with args beginning with: .*/is

/** Takes arguments out of an error that a Redis client raised, so that it can be logged as a `cause`. */
export function concealError<E>(error: E): E {
  if (typeof error !== 'object' || error === null) return error
  const { command, lastNodeError } = error as { command?: { args?: unknown }; lastNodeError?: unknown }
  if (Array.isArray(command?.args)) command.args = command.args.map(() => HIDDEN)
  if (isError(error) && REPEATED.test(error.message)) {
    error.message = error.message.replace(REPEATED, '')
    error.stack = `${error.name}: ${error.message}`
  }
  if (lastNodeError !== undefined) concealError(lastNodeError)
  return error
}
