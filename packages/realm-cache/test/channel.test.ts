import { type ClusterProvider, clusterSpi } from '@authstate/cluster'
import { redisCluster } from '@authstate/cluster/redis'
import { faultyClient, openInspector, RecordingLogger } from '@authstate/conformance'
import { type RedisClient, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { type Clock, systemClock } from '@authstate/spi'
import type { Redis } from 'ioredis'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { killReaders, openRedis } from '../../../tools/testing/redis-targets.js'
import { eventually, Source } from '../src/conformance/fixture.js'
import { type RealmCacheEvent, type RealmCacheProvider, realmCacheSpi } from '../src/index.js'
import { redisRealmCache } from '../src/redis.js'

interface Node {
  readonly cache: RealmCacheProvider
  readonly cluster: ClusterProvider
  readonly logger: RecordingLogger
  readonly client: Redis
  readonly events: RealmCacheEvent[]
}

describeWith(redis, 'the cache and its channel', () => {
  const control = openRedis()
  afterAll(() => control.disconnect())
  let prefix: string
  let worlds = 0
  const opened: { registry: ReturnType<typeof createProviderRegistry>; client: Redis }[] = []
  beforeEach(() => {
    prefix = `cache-${process.pid}-${++worlds}`
  })
  afterEach(async () => {
    for (const { registry, client } of opened.splice(0)) {
      await registry.close()
      client.disconnect()
    }
    await (await openInspector(control)).clear(prefix)
  })

  async function open({
    clock = systemClock,
    cluster = {},
    cache = {},
    over,
  }: {
    readonly clock?: Clock
    readonly cluster?: Readonly<Record<string, unknown>>
    readonly cache?: Readonly<Record<string, unknown>>
    readonly over?: RedisClient
  } = {}): Promise<Node> {
    const logger = new RecordingLogger()
    const client = openRedis()
    const registry = createProviderRegistry({
      factories: [redisRealmCache(), redisCluster(), redisConnection()],
      config: {
        redis: { client: over ?? client, prefix },
        spi: {
          cluster: { provider: 'redis', redis: { readWaitMs: 50, ...cluster } },
          'realm-cache': { provider: 'redis', redis: { ...cache } },
        },
      },
      clock,
      logger,
    })
    opened.push({ registry, client })
    await registry.start()
    const events: RealmCacheEvent[] = []
    const provider = registry.get(realmCacheSpi)
    provider.on((event) => events.push(event))
    return { cache: provider, cluster: registry.get(clusterSpi), logger, client, events }
  }

  test('100 readers killed under writes: 0 stale entries on any node', { timeout: 60_000 }, async () => {
    const nodes = [await open(), await open(), await open()]
    const database = new Source<number>()
    const keys = Array.from({ length: 50 }, (_, n) => `k${n}`)
    let loads = 0
    const load = async ({ key }: { readonly key: string }) => {
      const row = database.rows.get(key)
      for (let trips = loads++ % 4; trips > 0; trips--) await control.ping()
      return row
    }
    let killed = 0
    let writes = 0
    let staleReads = 0
    const goesOn = () => killed < 100 || writes <= 200
    const write = async () => {
      while (goesOn()) {
        const key = keys[writes % keys.length] as string
        database.rows.set(key, ++writes)
        await nodes[writes % nodes.length]?.cache.region('users').invalidate(key)
      }
    }
    const read = async (node: Node) => {
      for (let turn = 0; goesOn(); turn++) {
        await node.cache.region<number>('users').get(keys[(turn * 7) % keys.length] as string, load)
        if (turn % 20 === 0) await control.ping()
      }
    }
    const kill = async () => {
      while (goesOn()) {
        killed += await killReaders(control)
        await eventually(() => {
          for (const { cluster } of nodes) expect(cluster.channel().state).toBe('live')
        })
      }
    }
    await Promise.all([write(), ...nodes.map(read), kill()])
    await eventually(() => {
      for (const { cluster } of nodes) expect(cluster.channel().state).toBe('live')
    })
    // The last word of each writer has arrived when a word after it has.
    const marks = nodes.map(({ cache }) => cache.region<string>('marks'))
    for (const mark of marks) await mark.get('mark', () => 'old')
    for (const { cache } of nodes) await cache.region('marks').invalidate('mark')
    await eventually(() => {
      for (const mark of marks) expect(mark.peek('mark')).toBeUndefined()
    })
    let kept = 0
    for (const { cache } of nodes) {
      for (const key of keys) {
        const value = cache.region<number>('users').peek(key)
        if (value === undefined) continue
        kept += 1
        if (value !== database.rows.get(key)) staleReads += 1
      }
    }
    expect(staleReads).toBe(0)
    const stats = nodes.map(({ cache }) => cache.region('users').stats())
    expect(Math.max(...stats.map(({ outages }) => outages))).toBeGreaterThan(5)
    expect(Math.max(...stats.map(({ bypasses }) => bypasses))).toBeGreaterThan(0)
    expect(Math.max(...stats.map(({ hits }) => hits))).toBeGreaterThan(0)
    expect(kept).toBeGreaterThan(0)
  })

  test('without a connection the source answers; back without a gap, what is kept is true and answers again', async () => {
    const node = await open()
    const region = node.cache.region<string>('realms')
    await region.get('k', () => 'kept')
    let calls = 0
    const load = () => {
      calls += 1
      return 'from the source'
    }
    // The state changes when the socket ends; reading in the same turn is too early to see it.
    const gone = new Promise<void>((resolve) => {
      node.cluster.onChannelChange(({ state }) => {
        if (state !== 'disconnected') return
        expect(region.peek('k')).toBeUndefined()
        void region.get('k', load).then((value) => {
          expect(value).toBe('from the source')
          resolve()
        })
      })
    })
    await killReaders(control)
    await gone
    expect(calls).toBe(1)
    await eventually(() => expect(region.peek('k')).toBe('kept'))
    const { outages, outageMs, bypasses } = region.stats()
    expect({ outages, bypasses }).toEqual({ outages: 1, bypasses: 1 })
    expect(outageMs).toBeGreaterThanOrEqual(0)
    expect(node.events.map(({ type }) => type)).toEqual(['distrusted', 'trusted'])
    expect(node.events[0]).toEqual({ type: 'distrusted', reason: 'disconnected' })
  })

  test('A13/178: what was declared untrue while a node was cut off is gone when it is back', async () => {
    const [a, b] = [await open(), await open()]
    const region = b.cache.region<string>('realms')
    await region.get('k', () => 'old')
    for (let round = 0; round < 10; round++) {
      await killReaders(control)
      await a.cache.region('realms').invalidate('k')
      await eventually(() => expect(b.cluster.channel().state).toBe('live'))
      await eventually(() => expect(region.peek('k')).toBeUndefined())
      await region.get('k', () => `v${round}`)
    }
  })

  test('after a gap the regions are empty, what was being loaded is not kept, and it is said', async () => {
    const node = await open()
    const region = node.cache.region<string>('realms')
    await region.get('k', () => 'kept')
    let finish: (value: string) => void = () => {}
    const slow = region.get(
      'slow',
      () =>
        new Promise<string>((resolve) => {
          finish = resolve
        }),
    )
    const inspector = await openInspector(control)
    const [events = ''] = (await inspector.keys(prefix)).filter((key) => key.split(':')[2] === 'ce')
    await control.del(events)
    await killReaders(control)
    await eventually(() =>
      expect(node.events).toContainEqual({ type: 'cleared', region: 'realms', by: 'gap' }),
    )
    finish('read before')
    expect(await slow).toBe('read before')
    await eventually(() => expect(node.cluster.channel().state).toBe('live'))
    expect([region.peek('k'), region.peek('slow')]).toEqual([undefined, undefined])
    await region.get('k', () => 'new')
    expect(region.peek('k')).toBe('new')
  })

  test('a process that was blocked past the bound notices at its first read', async () => {
    const node = await open({ cache: { maxSilenceMs: 300 } })
    const region = node.cache.region<string>('realms')
    await region.get('k', () => 'kept')
    expect(region.peek('k')).toBe('kept')
    const first = new Promise<string | undefined>((resolve) => {
      setImmediate(() => setImmediate(() => resolve(region.peek('k'))))
    })
    await new Promise<void>((resolve) =>
      setImmediate(() => {
        const until = performance.now() + 400
        while (performance.now() < until);
        resolve()
      }),
    )
    expect(await first).toBeUndefined()
  })

  test('a node that dies may have changed something: the others empty', async () => {
    const properties = { heartbeatMs: 600_000, deadAfterMs: 3_600_000 }
    let now = 1_000_000
    const clock = { now: () => now }
    const cache = { maxSilenceMs: 86_400_000 }
    const [a, b] = [
      await open({ clock, cluster: properties, cache }),
      await open({ clock, cluster: properties, cache }),
    ]
    const region = a.cache.region<string>('realms')
    await a.cluster.refresh()
    await region.get('k', () => 'perhaps old')
    b.client.disconnect()
    for (let beats = 0; beats < 7 && a.cluster.view().nodes.length > 1; beats++) {
      now += 600_000
      await a.cluster.refresh()
    }
    expect(a.cluster.view().nodes).toHaveLength(1)
    expect(region.peek('k')).toBeUndefined()
    expect(a.events).toContainEqual({ type: 'distrusted', reason: 'crash' })
  })

  test('an invalidation that cannot be told is an error, has happened here, and empties the others later', async () => {
    const faulty = faultyClient(control)
    const b = await open()
    const a = await open({ over: faulty.client, cluster: { publishTimeoutMs: 50 } })
    const { publish } = await import('../../cluster/src/scripts.js')
    for (const { cache } of [a, b]) await cache.region<string>('realms').get('k', () => 'old')
    const fail = () => {
      for (let n = 0; n < 5; n++)
        faulty.arm(publish, { when: 'before', error: new Error('Connection is closed.') })
    }
    fail()
    await expect(a.cache.region('realms').invalidate('k')).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    })
    expect(a.cache.region('realms').peek('k')).toBeUndefined()
    await eventually(() => expect(b.cache.region('realms').peek('k')).toBeUndefined())
    expect(b.events).toContainEqual({ type: 'distrusted', reason: 'gap' })

    fail()
    const result = await a.cache.inUnitOfWork((unit) => {
      unit.region('realms').invalidate('k')
      return 'committed'
    })
    expect(result).toBe('committed')
    expect(a.logger.entries.filter(({ message }) => message.includes('could not be notified'))).toHaveLength(
      1,
    )
  })

  test('a word that cannot be read may have said anything', async () => {
    const [a, b] = [await open(), await open()]
    for (const word of [{}, [{}], 'text', [{ x: 1 }]]) {
      const region = b.cache.region<string>('realms')
      await region.get('k', () => 'v')
      await a.cluster.publish('realm-cache', word)
      await eventually(() => expect(region.peek('k')).toBeUndefined())
    }
  })

  test('keys and tags travel, values never', async () => {
    const [a, b] = [await open(), await open()]
    const region = a.cache.region<string>('users')
    for (const { cache } of [a, b]) {
      await cache.region<string>('users').get('key-canary', () => 'value-canary', { tags: ['tag-canary'] })
    }
    await region.invalidate({ tag: 'tag-canary', keys: ['key-canary'] })
    await a.cache.clearAll()
    const inspector = await openInspector(control)
    let seen = ''
    for (const key of await inspector.keys(prefix)) {
      const type = await control.type(key)
      if (type === 'stream') seen += JSON.stringify(await control.xrange(key, '-', '+'))
      if (type === 'hash') seen += JSON.stringify(await control.hgetall(key))
    }
    expect(seen).toContain('key-canary')
    expect(seen).toContain('tag-canary')
    expect(seen).not.toContain('value-canary')
    for (const { logger } of [a, b]) expect(JSON.stringify(logger.entries)).not.toContain('canary')
  })
})
