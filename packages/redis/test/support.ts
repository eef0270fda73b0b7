import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { inspect } from 'node:util'
import { RecordingLogger } from '@authstate/conformance'
import type { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { connect, defineScript, type RedisConnection, type RedisOptions } from '../src/index.js'

/** Adds to a counter: a step that shows when it was applied twice. */
export const count = defineScript({
  name: 'test.count',
  lua: "return redis.call('INCRBY', KEYS[1], ARGV[1])",
  record: 'test',
  change: 'full',
  keys: ['counter'],
  args: ['by'],
  decode: Number,
})

/** Passes once a server that others are busy with has answered so often. */
export async function roundTrips(client: Redis, times: number): Promise<void> {
  for (let n = 0; n < times; n++) await client.ping()
}

/** A script whose source no server has seen. */
export const unseenScript = () =>
  defineScript({
    name: 'test.unseen',
    lua: `return {KEYS[1], ARGV[1], '${randomUUID()}'}`,
    record: 'test',
    change: 'none',
    keys: ['key'],
    args: ['value'],
    decode: (reply) => (reply as string[]).slice(0, 2),
  })

export const freshPrefix = (): string => `redis-test-${randomUUID()}`

/** A connection that is closed when the test ends. */
export async function open(
  target: string | RedisOptions,
  logger: RecordingLogger = new RecordingLogger(),
): Promise<RedisConnection> {
  // A machine that is busy may take longer to connect than a user would wait.
  const options = typeof target === 'string' ? { url: target } : target
  const connection = await connect({ connectTimeoutMs: 30_000, ...options }, { logger })
  onTestFinished(() => connection.close())
  return connection
}

/** A server on loopback that takes connections and, unless it is told to, says nothing. */
export async function listen(path?: string): Promise<{ port: number; connections: () => number }> {
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    socket.on('error', () => {})
    onTestFinished(() => void socket.destroy())
  })
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, '127.0.0.1', resolve)
    else server.listen(path, resolve)
  })
  onTestFinished(() => void server.close())
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    connections: () => connections,
  }
}

/** What a caller, a log or a crash report would get to see of a value. */
export const everythingIn = (...values: unknown[]): string =>
  values
    .map((value) =>
      [
        inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null }),
        value instanceof Error ? `${value.stack}` : '',
        JSON.stringify(value, (_, item) =>
          item instanceof Error ? { ...item, message: item.message } : item,
        ),
      ].join('\n'),
    )
    .join('\n')

/** What a promise rejects with. */
export const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => {
      throw new Error('it did not fail')
    },
    (error: unknown) => error,
  )
