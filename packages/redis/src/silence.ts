import type { Logger } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import { internals, type RedisClient } from './client.js'
import { isConcealed } from './conceal.js'

/** How often a connection is looked at within the time that it may be silent. */
const LOOKS = 8

const hostsNextTick = process.nextTick

/** What is known of the silence of a connection. */
export interface SilencePolicy {
  /** How long nothing may be heard while something is due. */
  readonly timeoutMs: number
  /** How long Redis may hold back an answer on purpose (BLOCK); `undefined`: without bound, so only connecting is watched. */
  readonly holdMs?: number | undefined
  /** Whether every command on the client is of this library. */
  readonly isOurs: boolean
  readonly logger: Logger
}

/** Raised on a connection that was cut because nothing was heard on it. */
export class ConnectionSilent extends Error {
  constructor(ms: number) {
    super(`nothing was heard for ${ms} ms`)
    this.name = 'ConnectionSilent'
  }
}

/**
 * Cuts connections of a client that went silent, so that it connects again: a server that is frozen, or that was cut off
 * without a word, closes nothing, and a client waits for it without end.
 *
 * Silent is a connection on which an answer was due, or which was being made, and on which not one byte came for
 * `timeoutMs`. It costs a look at counters eight times in that span, and nothing per command. A span in which this process
 * itself stood still does not count.
 *
 * @returns how to stop
 */
export function watchSilence(client: RedisClient, policy: SilencePolicy): () => void {
  const watch = new SilenceWatch(client, policy)
  const timer = timers.setInterval(() => watch.look(), policy.timeoutMs / LOOKS).unref()
  return () => timers.clearInterval(timer)
}

interface Quiet {
  /** The socket, or the state in which there is none. */
  readonly of: unknown
  readonly bytes: number
  looks: number
}

export class SilenceWatch {
  readonly #client: RedisClient
  readonly #policy: SilencePolicy
  readonly #quiet = new WeakMap<RedisClient, Quiet>()
  #saidBlocked = false

  constructor(client: RedisClient, policy: SilencePolicy) {
    this.#client = client
    this.#policy = policy
  }

  /** One look at every connection. */
  look(): void {
    if (!this.#client.isCluster) {
      this.#lookAt(this.#client)
      return
    }
    if (this.#client.status === 'reconnecting') this.#hurry(this.#client)
    for (const node of internals(this.#client).nodes?.('all') ?? []) this.#lookAt(node)
  }

  #lookAt(node: RedisClient): void {
    if (node.status === 'reconnecting') {
      this.#hurry(node)
      return
    }
    const { stream } = internals(node)
    const looksToCut = this.#looksToCut(node)
    if (stream?.destroyed !== false || looksToCut === undefined) {
      this.#quiet.delete(node)
      return
    }
    if (this.#looksWithout(node, stream, stream.bytesRead ?? 0) < looksToCut || !this.#mayCut(node)) return
    this.#quiet.delete(node)
    const { timeoutMs, logger } = this.#policy
    const fields = { host: stream.remoteAddress, port: stream.remotePort, timeoutMs }
    // A server that goes on saying nothing to those who come again is the same outage.
    const level = node.status === 'ready' ? 'warn' : 'debug'
    logger[level](fields, 'a connection to Redis went silent; it is replaced')
    stream.destroy?.(new ConnectionSilent(timeoutMs))
  }

  /** After how many quiet looks a connection is cut; `undefined`: nothing is due on it. */
  #looksToCut(node: RedisClient): number | undefined {
    const { status } = node
    const { holdMs, timeoutMs } = this.#policy
    if (status === 'connecting') return LOOKS
    if ((internals(node).commandQueue?.length ?? 0) === 0) return undefined
    if (status === 'connect') return LOOKS
    if (status !== 'ready' || holdMs === undefined) return undefined
    return LOOKS + Math.ceil((holdMs / timeoutMs) * LOOKS)
  }

  /** How many looks in a row have found the same. Looks, and not time: between two of them what has arrived was read. */
  #looksWithout(node: RedisClient, of: unknown, bytes: number): number {
    const known = this.#quiet.get(node)
    if (known === undefined || known.of !== of || known.bytes !== bytes) {
      this.#quiet.set(node, { of, bytes, looks: 0 })
      return 0
    }
    known.looks += 1
    return known.looks
  }

  /** A given client is the application's: it is cut when commands of ours wait, and not behind one that may take its time. */
  #mayCut(node: RedisClient): boolean {
    if (this.#policy.isOurs || node.status !== 'ready') return true
    const waiting = internals(node).commandQueue?.toArray?.() ?? []
    const first = waiting[0]?.command.name ?? ''
    if (BLOCKING.test(first)) {
      if (!this.#saidBlocked) {
        const text = 'the given Redis client is blocked by a command of the application: calls wait behind it'
        this.#policy.logger.warn({ command: first }, text)
      }
      this.#saidBlocked = true
      return false
    }
    return waiting.some(({ command }) => isConcealed(command) || PLAIN.has(command.name))
  }

  /** A client that waits long before it connects again is connected at half the time-out, whatever its own pace. */
  #hurry(client: RedisClient): void {
    // A client that begins to connect while a test runner holds the ticks never gets on, not even afterwards.
    if (process.nextTick !== hostsNextTick) return
    if (this.#looksWithout(client, 'reconnecting', 0) < LOOKS / 2) return
    this.#quiet.delete(client)
    const inside = internals(client)
    // It was ended meanwhile: ioredis leaves one that waits to connect again in that state.
    if (inside.manuallyClosing) return
    // Left behind, it would connect a client that was ended meanwhile.
    if (inside.reconnectTimeout) timers.clearTimeout(inside.reconnectTimeout)
    inside.reconnectTimeout = null
    client.connect().catch(() => {})
  }
}

/** Commands that may wait on purpose, for as long as their arguments say. */
const BLOCKING = /^(b[lrz]\w*|xread(group)?)$/i

/** What this library sends, except scripts and reads of its keys. */
const PLAIN: ReadonlySet<string> = new Set(['ping', 'wait', 'time'])
