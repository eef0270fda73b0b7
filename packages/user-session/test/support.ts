import { FakeClock, RecordingLogger } from '@authstate/conformance'
import { type ChangeConsumer, type RedisClient, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import type { Keyring, RealmSettingsSource } from '@authstate/spi'
import { type UserSessionProvider, userSessionSpi } from '../src/index.js'
import { redisUserSessions } from '../src/redis.js'

/** What a node of a test is made of. */
export interface NodeOptions {
  readonly client: RedisClient
  readonly prefix: string
  readonly clock?: FakeClock
  readonly logger?: RecordingLogger
  readonly keyring?: Keyring
  readonly realms?: RealmSettingsSource
  readonly commandTimeoutMs?: number
  readonly properties?: Readonly<Record<string, unknown>>
  readonly partitions?: number
  /** Where the node claims its deployment. */
  readonly layout?: 1 | 2
  /** Of changes. */
  readonly consumers?: readonly ChangeConsumer[]
}

/** A node over a client of the test; its sweep runs only when asked. */
export async function openNode(options: NodeOptions): Promise<UserSessionProvider & AsyncDisposable> {
  const { client, prefix, clock = new FakeClock(), logger = new RecordingLogger(), keyring, realms } = options
  const registry = createProviderRegistry({
    factories: [redisUserSessions(), redisConnection()],
    config: {
      redis: {
        client,
        prefix,
        ...(options.partitions && { partitions: options.partitions }),
        ...(options.layout && { layout: options.layout }),
        commandTimeoutMs: options.commandTimeoutMs ?? 10_000,
        ...(options.consumers && { changes: { consumers: options.consumers } }),
      },
      spi: { 'user-session': { provider: 'redis', redis: { sweepIntervalMs: 0, ...options.properties } } },
    },
    clock,
    logger,
    ...(realms && { realms }),
    ...(keyring && { keyring }),
  })
  await registry.start()
  const provider = registry.get(userSessionSpi)
  return Object.assign(provider, { [Symbol.asyncDispose]: () => registry.close() })
}

/** A command as it was sent, in the order of sending. */
export interface SentCommand {
  readonly name: string
  readonly parameters: readonly (string | number)[]
  /** Commands of one round trip have the same number. */
  readonly trip: number
}

const COUNTED = ['evalsha', 'eval', 'hgetall', 'hvals', 'hmget', 'get', 'zcount'] as const

/**
 * A client that notes each command, and after how many answers it was sent.
 *
 * Another file may flush the scripts of the server at any time: a command that has to be sent again with its source is
 * noted once, as it was sent first.
 */
export function countingClient(client: RedisClient): { client: RedisClient; sent: SentCommand[] } {
  const sent: SentCommand[] = []
  let trip = 1
  let answered = false
  let withoutSource = 0
  const counted =
    (name: string) =>
    async (...parameters: (string | number)[]) => {
      const send = () =>
        (client as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[name]?.(...parameters)
      if (name === 'eval' && withoutSource > 0) {
        withoutSource -= 1
        return send()
      }
      if (answered) trip += 1
      answered = false
      sent.push({ name, parameters, trip })
      try {
        const reply = await send()
        answered = true
        return reply
      } catch (error) {
        if ((error as Error).message.startsWith('NOSCRIPT')) withoutSource += 1
        else answered = true
        throw error
      }
    }
  const methods = Object.fromEntries(COUNTED.map((name) => [name, counted(name)]))
  return {
    sent,
    client: new Proxy(client, {
      get: (target, name) => {
        if (typeof name === 'string' && name in methods) return methods[name]
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    }),
  }
}

/** A client whose server says that it has a `maxmemory-policy`. */
export function underPolicy<C extends RedisClient>(client: C, policy: string): C {
  const { info } = client as unknown as { info: (...args: unknown[]) => Promise<unknown> }
  return Object.assign(client, {
    info: (...args: unknown[]) =>
      args[0] === 'memory' ? Promise.resolve(`maxmemory_policy:${policy}`) : info.apply(client, args),
  })
}

/** Bytes of a command on the wire. @see Redis serialization protocol */
export function bytesOf({ name, parameters }: SentCommand): number {
  const words = [name, ...parameters].map(String)
  return words.reduce(
    (bytes, word) => bytes + `$${Buffer.byteLength(word)}\r\n`.length + Buffer.byteLength(word) + 2,
    `*${words.length}\r\n`.length,
  )
}
