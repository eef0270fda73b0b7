import { AsyncLocalStorage } from 'node:async_hooks'
import { type Channel, channel } from 'node:diagnostics_channel'
import { type ClientInternals, internals, type RedisClient, type SentCommand } from './client.js'

// Instrumentation takes EVALSHA for harmless and prints its keys and arguments: session ids, tokens, notes. What
// is ours is recognised by a script's hash or source or by the prefix of its key, and hidden before a listener reads it.

const HIDDEN = '?'
const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
const scripts = new Set<string>()
const prefixes = new Set<string>()

/** Makes the arguments of a script unreadable for tracing. Called once per script, when it is defined. */
export function concealScript(sha1: string, source: string): void {
  scripts.add(sha1)
  scripts.add(source)
  watchTracing()
}

/** Makes the keys under a prefix unreadable for tracing, in commands that are no scripts. */
export function concealPrefix(prefix: string): void {
  prefixes.add(`${prefix}:`)
}

function isOurs(argument: unknown): boolean {
  if (typeof argument !== 'string') return false
  if (scripts.has(argument)) return true
  for (const prefix of prefixes) if (argument.includes(prefix)) return true
  return false
}

/** Takes keys and arguments out of an error that a Redis client raised, so that it can be logged as a `cause`. */
export function concealError<E>(error: E): E {
  if (typeof error !== 'object' || error === null) return error
  const { command, lastNodeError } = error as { command?: { args?: unknown }; lastNodeError?: unknown }
  if (command !== undefined && Array.isArray(command.args)) command.args = command.args.map(() => HIDDEN)
  if (lastNodeError !== undefined) concealError(lastNodeError)
  return error
}

/**
 * Hides our arguments from instrumentation that wraps `sendCommand`, as OpenTelemetry's does: it joins the list of
 * arguments into the text of a span, so that list joins to nothing readable. Free while nobody has wrapped it.
 */
export function concealCommands(client: RedisClient): void {
  const target = internals(client)
  const prototype = Object.getPrototypeOf(client) as ClientInternals
  let node = client.isCluster ? undefined : prototype
  target.sendCommand = (command: SentCommand, ...rest: unknown[]) => {
    node ??= nodePrototype(client)
    if ((node === undefined || isWrapped(node)) && isOurs(command.args[0])) {
      Object.defineProperty(command.args, 'join', { value: () => HIDDEN, configurable: true })
    }
    return prototype.sendCommand?.call(client, command, ...rest)
  }
}

/** A Cluster hands each command to a client of one node, and that is what gets instrumented. */
function nodePrototype(cluster: RedisClient): ClientInternals | undefined {
  const [node] = internals(cluster).nodes?.('all') ?? []
  return node && (Object.getPrototypeOf(node) as ClientInternals)
}

/** The mark that shimmer, and everything built on it, leaves on a function it wrapped. */
function isWrapped({ sendCommand }: ClientInternals): boolean {
  return (sendCommand as { __wrapped?: boolean } | undefined)?.__wrapped === true
}

let watching = false

/**
 * Puts us before every listener of ioredis' tracing channel, from the moment there is one.
 *
 * A bound store is run before any subscriber, whoever came first; binding one is put off until somebody subscribes,
 * since an observed channel makes ioredis build a context for each command.
 */
function watchTracing(): void {
  if (watching) return
  watching = true
  const channels = EVENTS.map((event) => channel(`tracing:ioredis:command:${event}`))
  if (channels.some((one) => one.hasSubscribers)) {
    concealChannel(channels)
    return
  }
  for (const one of channels) {
    for (const method of ['subscribe', 'bindStore'] as const) {
      Object.defineProperty(one, method, {
        configurable: true,
        value: (...args: unknown[]) => {
          for (const each of channels) {
            Reflect.deleteProperty(each, 'subscribe')
            Reflect.deleteProperty(each, 'bindStore')
          }
          concealChannel(channels)
          return (one[method] as (...args: unknown[]) => unknown)(...args)
        },
      })
    }
  }
}

function concealChannel(channels: readonly Channel[]): void {
  const start = channels[0] as unknown as {
    bindStore(store: unknown, transform: (context: unknown) => unknown): void
  }
  start.bindStore(new AsyncLocalStorage(), (context: unknown) => {
    concealContext(context as { args?: unknown[]; error?: unknown })
    return undefined
  })
}

function concealContext(context: { args?: unknown[]; error?: unknown }): void {
  if (!isOurs(context.args?.[0])) return
  context.args =
    context.args?.map((argument, index) => (index === 0 && isHash(argument) ? argument : HIDDEN)) ?? []
  let error: unknown
  Object.defineProperty(context, 'error', {
    configurable: true,
    enumerable: true,
    get: () => error,
    set: (value: unknown) => {
      error = concealError(value)
    },
  })
}

const isHash = (argument: unknown) => typeof argument === 'string' && /^[0-9a-f]{40}$/.test(argument)
