import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { faultyClient, RecordingLogger } from '@authstate/conformance'
import { createProviderRegistry } from '@authstate/registry'
import { StoreUnavailableError } from '@authstate/spi'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freeBase } from '../../../tools/servers/topology.mjs'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import {
  connect,
  type RedisClient,
  type RedisOptions,
  redisConnection,
  redisConnectionSpi,
} from '../src/index.js'
import { count, everythingIn, failureOf, freshPrefix, listen, open, unseenScript } from './support.js'

/** The server under test as a client brought by the application, which ends with the test. */
function given(client: RedisClient & { disconnect(): void }): RedisClient {
  onTestFinished(() => client.disconnect())
  return client
}
const off = { autoResendUnfulfilledCommands: false }

describeWith(redis, 'connect', () => {
  const { hostname, port } = new URL(redisUrl())

  test.each<[string, () => RedisOptions | string]>([
    ['an address', () => redisUrl()],
    ['options', () => ({ url: redisUrl(), db: 3 })],
    ['a client of ioredis 6', () => ({ client: given(new Redis(redisUrl(), off)) })],
    ['a client of ioredis 5', () => ({ client: given(new Redis5(redisUrl(), off)) })],
    [
      'a client that nobody has connected',
      () => ({ client: given(new Redis(redisUrl(), { ...off, lazyConnect: true })) }),
    ],
  ])('takes %s', async (_, target) => {
    const connection = await open(target())
    const key = `${freshPrefix()}:counter`
    expect(await connection.run(count, { counter: key }, { by: 2 })).toBe(2)
    await expect(connection.checkHealth()).resolves.toBeUndefined()
    const { sent, reloaded, ...rest } = connection.stats()
    // Two for the clock, one each for the rights, the layout and the policy; of the health four, and the count.
    expect(sent - reloaded).toBe(10)
    expect(rest).toEqual({ failed: 0, pending: 0 })
    const cleaner = given(new Redis(redisUrl())) as Redis
    await cleaner.del(key)
  })

  test('explicit options win over what an address carries', async () => {
    const url = `${redisUrl()}/5?family=4&connectionName=mine`
    const connection = await open({ url, prefix: freshPrefix(), ioredis: { connectionName: 'other' } })
    const reader = (await connection.openReader()) as Redis
    expect(reader.options).toMatchObject({
      db: 5,
      family: 4,
      connectionName: 'other',
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
    })
  })

  test('reads what scripts wrote', async () => {
    const connection = await open({ url: redisUrl(), prefix: freshPrefix() })
    const raw = given(new Redis(redisUrl())) as Redis
    const [hash, zset, text] = ['hash', 'zset', 'text'].map((name) => connection.keys.shared(name)) as [
      string,
      string,
      string,
    ]
    await raw.multi().hset(hash, { a: '1', b: '2' }).pexpire(hash, 5_000).exec()
    await raw.multi().zadd(zset, 1, 'a', 2, 'b', 3, 'c').pexpire(zset, 5_000).exec()
    await raw.set(text, 'a', 'PX', 5_000)
    expect(await connection.get('test.read', text)).toBe('a')
    expect(await connection.hgetall('test.read', hash)).toEqual({ a: '1', b: '2' })
    expect([...(await connection.hvals('test.read', hash))].sort()).toEqual(['1', '2'])
    expect(await connection.hmget('test.read', hash, ['b', 'x', 'a'])).toEqual(['2', null, '1'])
    expect(await connection.countAfter('test.read', zset, 1)).toBe(2)
    expect(await connection.hgetall('test.read', connection.keys.shared('none'))).toEqual({})
    expect(await connection.hvals('test.read', connection.keys.shared('none'))).toEqual([])
    expect(await connection.hmget('test.read', connection.keys.shared('none'), ['a'])).toEqual([null])
    expect(await connection.get('test.read', connection.keys.shared('none'))).toBeNull()
    expect(await connection.countAfter('test.read', connection.keys.shared('none'), 0)).toBe(0)
  })

  test('runEach of a script that only looks waits for every answer, too, and did nothing', async () => {
    const faulty = faultyClient(given(new Redis(redisUrl(), off)))
    const connection = await open({ client: faulty.client, prefix: freshPrefix() })
    const look = unseenScript()
    let answer: () => void = () => {}
    const until = new Promise<void>((resolve) => {
      answer = resolve
    })
    faulty.arm(look, { when: 'before', error: new Error('LOADING Redis is loading the dataset in memory') })
    faulty.arm(look, { when: 'delay', until })
    let ended = false
    const calls = ['a', 'b'].map((key) => ({ keys: { key }, args: { value: 1 } }))
    const failed = connection.runEach(look, calls).catch((error: Error) => {
      ended = true
      return error
    })
    await connection.checkHealth()
    expect(ended).toBe(false)
    answer()
    expect(await failed).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', applied: 'no' })
  })

  test('runEach waits for every answer, then throws the first failure', async () => {
    const connection = await open({ url: redisUrl(), prefix: freshPrefix() })
    const raw = given(new Redis(redisUrl())) as Redis
    const [good, bad] = [connection.keys.shared('good'), connection.keys.shared('bad')]
    await raw.multi().set(bad, 'text', 'PX', 5_000).set(good, 0, 'PX', 5_000).exec()
    const calls = [bad, good, good].map((counter) => ({ keys: { counter }, args: { by: 1 } }))
    await expect(connection.runEach(count, calls)).rejects.toBeInstanceOf(StoreUnavailableError)
    expect(await raw.get(good)).toBe('2')
    expect(await connection.runEach(count, calls.slice(1))).toEqual([3, 4])
    expect(await connection.runEach(count, [])).toEqual([])
  })

  test('a provider gets it through the registry', async () => {
    const registry = createProviderRegistry({
      factories: [redisConnection()],
      config: { redis: { url: redisUrl(), prefix: freshPrefix() } },
      logger: new RecordingLogger(),
    })
    await registry.start()
    onTestFinished(() => registry.close())
    expect(registry.get(redisConnectionSpi).keys.partitions).toBe(16)
    expect(await registry.health()).toMatchObject({ ok: true })
  })

  test('a given client that has ended is no client', async () => {
    const client = given(new Redis(redisUrl()))
    client.disconnect()
    await new Promise((resolve) => client.on('end', resolve as () => void))
    const error = await failureOf(connect({ client }, { logger: new RecordingLogger() }))
    expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', applied: 'no' })
    expect(String(error)).toContain('the client of the application at 127.0.0.1:')
  })

  test('options of a given client that break a guarantee are told, once each', async () => {
    const logger = new RecordingLogger()
    await open({ client: given(new Redis(redisUrl())), prefix: freshPrefix() }, logger)
    const warnings = logger.entries.filter(({ level }) => level === 'warn')
    expect(warnings.map(({ fields }) => fields)).toEqual([{ option: 'autoResendUnfulfilledCommands' }])
  })

  test('a given client whose replies would be misread is refused', async () => {
    const client = given(new Redis(redisUrl(), { stringNumbers: true }))
    await expect(connect({ client })).rejects.toMatchObject({ code: 'ERR_PROVIDER_CONFIGURATION' })
  })

  test('a database that is not there: an error, and not another database', async () => {
    for (const ioredis of [{ protocol: 3 }, { protocol: 2 }]) {
      const error = await failureOf(connect({ url: redisUrl(), db: 999_999, prefix: freshPrefix(), ioredis }))
      expect(error).toBeInstanceOf(StoreUnavailableError)
      expect(String(error)).toMatch(/could not connect to .*: ERR DB index is out of range/)
    }
  })

  test('the server is where the address says', async () => {
    const reader = (await (await open(redisUrl())).openReader()) as Redis
    expect(reader.options).toMatchObject({ host: hostname, port: Number(port) })
  })
})

describe('without Redis', () => {
  const secret = { username: 'user', password: 's3cret-pass' }
  const inUrl = 'user:s3cret-pass@'

  test.each<[string, (port: number) => RedisOptions, (port: number) => string]>([
    [
      'an address',
      (port) => ({ url: `redis://${inUrl}127.0.0.1:${port}` }),
      (port) => `127.0.0.1:${port}: ECONNREFUSED`,
    ],
    [
      'options',
      (port) => ({ url: `redis://127.0.0.1:${port}`, ...secret }),
      (port) => `127.0.0.1:${port}: ECONNREFUSED`,
    ],
    [
      'TLS',
      (port) => ({ url: `rediss://${inUrl}127.0.0.1:${port}` }),
      (port) => `127.0.0.1:${port}: ECONNREFUSED`,
    ],
    [
      'a Cluster',
      (port) => ({ nodes: [`127.0.0.1:${port}`, { host: '127.0.0.1', port: port + 1 }], ...secret }),
      (port) => `the Cluster at 127.0.0.1:${port}, 127.0.0.1:${port + 1}: `,
    ],
    [
      'sentinels',
      (port) => ({ sentinels: [`127.0.0.1:${port}`], name: 'm', sentinelPassword: 's3cret-pass', ...secret }),
      (port) => `master "m" of the sentinels 127.0.0.1:${port}: `,
    ],
    [
      'a unix socket',
      () => ({ url: 'unix:///nowhere/redis.sock', ...secret }),
      () => 'a unix socket: ENOENT',
    ],
  ])('%s: an error in time that says where, and never the password', async (_, target, text) => {
    const port = await freeBase(2)
    const logger = new RecordingLogger()
    const begun = performance.now()
    const error = await failureOf(connect({ ...target(port), connectTimeoutMs: 1_000 }, { logger }))
    expect(performance.now() - begun).toBeLessThan(1_500)
    expect(error).toBeInstanceOf(StoreUnavailableError)
    expect(error).toMatchObject({ applied: 'no' })
    expect(String(error)).toContain(`redis: could not connect to ${text(port)}`)
    expect(everythingIn(error, logger.entries)).not.toContain('s3cret')
  })

  test('a server that takes the connection and never answers: an error when the time is over', async () => {
    const { port, connections } = await listen()
    const begun = performance.now()
    const error = await failureOf(
      connect({ url: `redis://${inUrl}127.0.0.1:${port}`, connectTimeoutMs: 150 }),
    )
    const tookMs = performance.now() - begun
    expect(tookMs).toBeGreaterThan(140)
    expect(tookMs).toBeLessThan(1_000)
    expect(String(error)).toContain(`127.0.0.1:${port}: no answer within 150 ms`)
    expect(everythingIn(error)).not.toContain('s3cret')
    expect(connections()).toBe(1)
  })

  test('a given client that is still trying: the reason is the one it has heard', async () => {
    const port = await freeBase(1)
    const client = given(new Redis({ port, host: '127.0.0.1' }))
    client.on('error', () => {})
    const error = await failureOf(
      connect({ client, connectTimeoutMs: 200 }, { logger: new RecordingLogger() }),
    )
    expect(String(error)).toContain(`the client of the application at 127.0.0.1:${port}: ECONNREFUSED`)
    expect(client.status).not.toBe('end')
  })

  test('a unix socket is where the address says', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'authstate-socket-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const path = join(folder, 'redis.sock')
    const { connections } = await listen(path)
    await failureOf(connect({ url: `unix://${path}?db=2`, connectTimeoutMs: 100 }))
    expect(connections()).toBe(1)
  })
})
