import { type AddressInfo, createServer } from 'node:net'
import { RecordingLogger } from '@authstate/conformance'
import { ConfigurationError, StoreUnavailableError } from '@authstate/spi'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { ask, start, type Topology, type TopologyKind, until } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary, tls } from '../../../tools/testing/capabilities.js'
import { connect, type RedisOptions } from '../src/index.js'
import { count, everythingIn, failureOf, open } from './support.js'

function topology(kind: TopologyKind, options?: Parameters<typeof start>[1]): () => Topology {
  let started: Topology | undefined
  beforeAll(async () => {
    started = await start(kind, options)
  })
  afterAll(() => started?.stop())
  return () => started as Topology
}

async function expectToWork(options: RedisOptions): Promise<void> {
  const connection = await open(options)
  const everywhere = connection.keys.all.map((partition) => ({
    keys: { counter: connection.keys.key(partition, 'n') },
    args: { by: 1 },
  }))
  expect(await connection.runEach(count, everywhere)).toEqual(connection.keys.all.map(() => 1))
}

describeWith(serverBinary, 'a user with a password', () => {
  const acl = topology('acl')
  const address = () => `127.0.0.1:${acl().basePort}`

  test('in the options', () =>
    expectToWork({ url: `redis://${address()}`, prefix: 'app:a', ...acl().users.app }))

  test('in the address, escaped', async () => {
    const { username, password } = acl().users.app
    const url = `redis://${username}:${password.replace('-', '%2d')}@${address()}`
    await expectToWork({ url, prefix: 'app:b' })
  })

  test.each<[string, (port: number) => RedisOptions]>([
    ['options', (port) => ({ url: `redis://127.0.0.1:${port}`, username: 'app', password: 's3cret-wrong' })],
    ['address', (port) => ({ url: `redis://app:s3cret-wrong@127.0.0.1:${port}` })],
    ['RESP2', (port) => ({ url: `redis://app:s3cret-wrong@127.0.0.1:${port}`, ioredis: { protocol: 2 } })],
  ])('a wrong one in the %s: refused at once, and never shown', async (_, options) => {
    const logger = new RecordingLogger()
    const begun = performance.now()
    const error = await failureOf(connect(options(acl().basePort), { logger }))
    expect(performance.now() - begun).toBeLessThan(2_000)
    expect(String(error)).toContain(`could not connect to ${address()}: WRONGPASS`)
    expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', applied: 'no' })
    expect(everythingIn(error, logger.entries)).not.toContain('s3cret')
  })

  test('none where one is needed', async () => {
    const error = await failureOf(connect(`redis://${address()}`))
    expect(String(error)).toMatch(/could not connect to 127\.0\.0\.1:\d+: NOAUTH/)
  })

  test('a user who may not use the keys is told so, without them', async () => {
    const options = { url: `redis://${address()}`, prefix: 's3cret-prefix', ...acl().users.app }
    const error = await failureOf(connect(options))
    expect(String(error)).toContain('redis.read-clock: Redis refused the command (NOPERM)')
    expect(error).toMatchObject({ applied: 'no' })
    expect(everythingIn(error)).not.toContain('s3cret')
  })
})

describeWith(tls, 'TLS', () => {
  const server = topology('tls')
  const url = () => `rediss://127.0.0.1:${server().basePort}`

  test('with an authority of its own, on both sides', () => expectToWork({ url: url(), tls: server().tls }))

  test('with an authority that nobody trusts: the reason is said', async () => {
    const error = await failureOf(connect(url()))
    expect(String(error)).toMatch(/could not connect to 127\.0\.0\.1:\d+: (SELF_SIGNED|UNABLE_TO_VERIFY)/)
  })

  test('writes in batches', () =>
    expectToWork({ url: url(), tls: server().tls, batchWrites: 2, prefix: 'b' }))
})

describeWith(tls, 'TLS behind sentinels', () => {
  const server = topology('tls', { sentinels: true })
  const clear = () => server().sentinels.slice(0, 1)
  const overTls = () => server().sentinels.slice(1)
  // The server takes nothing but TLS: who gets through has encrypted.
  const common = () => ({
    name: server().name,
    sentinelPassword: server().sentinelPassword,
    tls: server().tls,
  })

  test('sentinels in the clear, all else encrypted', () =>
    expectToWork({ ...common(), sentinels: clear(), sentinelTls: false, prefix: 'clear' }))

  test('sentinels over TLS as well', () =>
    expectToWork({ ...common(), sentinels: overTls(), sentinelTls: server().tls, prefix: 'tls' }))

  test('a server in the clear is never sent a password where TLS was asked for', async () => {
    const heard: Buffer[] = []
    const plain = createServer((socket) =>
      socket.on('error', () => {}).on('data', (chunk) => heard.push(chunk)),
    )
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void plain.close())
    const { port } = plain.address() as AddressInfo
    const auth = { auth: ['default', server().sentinelPassword] }
    await ask(clear()[0]?.port ?? 0, ['SENTINEL', 'MONITOR', 'plain', '127.0.0.1', String(port), '1'], auth)
    const error = await failureOf(
      connect({
        ...common(),
        name: 'plain',
        sentinels: clear(),
        sentinelTls: false,
        username: 'user',
        password: 's3cret-pass',
        connectTimeoutMs: 500,
      }),
    )
    expect(error).toBeInstanceOf(StoreUnavailableError)
    // The sentinel itself says PING and INFO there, as it would to a server.
    const first = heard.filter((chunk) => chunk[0] === 0x16)
    expect(first).not.toEqual([])
    expect(Buffer.concat(heard).toString('latin1')).not.toContain('s3cret-pass')
  })

  test('a given client that would send all in the clear is refused', async () => {
    const { name } = server()
    const client = new Redis({ sentinels: clear(), name, tls: server().tls, lazyConnect: true })
    onTestFinished(() => client.disconnect())
    const error = await failureOf(connect({ client }))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(String(error)).toContain('its option "tls" has no effect unless "enableTLSForSentinelMode" is set')
  })
})

describeWith(serverBinary, 'sentinels', () => {
  const sentinel = topology('sentinel', { downAfterMs: 500 })

  test('lead to the master, also to the next one', async () => {
    const logger = new RecordingLogger()
    const connection = await open(
      { sentinels: sentinel().sentinels, name: sentinel().name, commandTimeoutMs: 300 },
      logger,
    )
    // What could be better about the servers was said at the start.
    logger.entries.length = 0
    const counter = connection.keys.key(0, 'n')
    const add = () => connection.run(count, { counter }, { by: 1 })
    expect(await add()).toBe(1)
    await sentinel().nodes[0]?.stop({ crash: true })
    const applied = new Set<unknown>()
    const answer = await until('the next master', () =>
      add().catch((error: { applied?: string }) => {
        applied.add(error.applied)
      }),
    )
    expect(answer).toBeGreaterThanOrEqual(1)
    expect(applied).toContain('no')
    expect(logger.entries.map(({ level }) => level)).toEqual(['warn', 'info'])
  })

  test('that know no such master', async () => {
    const error = await failureOf(
      connect({ sentinels: sentinel().sentinels.slice(0, 1), name: 'nobody', connectTimeoutMs: 300 }),
    )
    expect(String(error)).toContain('could not connect to master "nobody" of the sentinels')
  })
})

describeWith(serverBinary, 'a Cluster', () => {
  const cluster = topology('cluster')

  describe('from some of its nodes', () => {
    test('a burst right after the start reaches all of them', async () => {
      const nodes = cluster().startupNodes.slice(0, 1)
      for (let round = 0; round < 5; round++) await expectToWork({ nodes, prefix: `burst-${round}` })
    })

    test('one of them being away', async () => {
      const nodes = ['127.0.0.1:1', ...cluster().startupNodes]
      await expectToWork({ nodes, prefix: 'away' })
    })
  })

  test('a master that crashes: what fails says so, and all goes on', async () => {
    await cluster().replicasListed()
    const connection = await open({ nodes: cluster().startupNodes, prefix: 'crash', commandTimeoutMs: 5_000 })
    const keys = connection.keys.all.map((partition) => connection.keys.key(partition, 'n'))
    const succeeded = new Map(keys.map((key) => [key, 0]))
    const unclear = new Map(keys.map((key) => [key, 0]))
    const last = new Map<string, number>()
    let failures = 0
    const addTo = (counter: string) =>
      connection.run(count, { counter }, { by: 1 }).then(
        (value) => {
          succeeded.set(counter, (succeeded.get(counter) ?? 0) + 1)
          last.set(counter, value)
          return true
        },
        (error: { code?: string; applied?: string }) => {
          expect(error.code).toBe('ERR_STORE_UNAVAILABLE')
          if (error.applied === 'unknown') unclear.set(counter, (unclear.get(counter) ?? 0) + 1)
          failures += 1
          return false
        },
      )
    await Promise.all(keys.map(addTo))
    await cluster().nodes[0]?.stop({ crash: true })
    await until(
      'all partitions',
      async () => (await Promise.all(keys.map(addTo))).every(Boolean) && failures > 0,
      { timeoutMs: 50_000, everyMs: 20 },
    )
    for (const key of keys) {
      const most = (succeeded.get(key) ?? 0) + (unclear.get(key) ?? 0)
      expect(last.get(key)).toBeLessThanOrEqual(most)
    }
  })
})
