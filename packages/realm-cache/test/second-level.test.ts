import { type ClusterProvider, clusterSpi } from '@authstate/cluster'
import { FakeClock, faultyClient, openInspector, RecordingLogger } from '@authstate/conformance'
import { type RedisClient, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import type { Keyring, ProviderFactory } from '@authstate/spi'
import fc from 'fast-check'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { eventually, heldLoad, Source } from '../src/conformance/fixture.js'
import { type CacheRegion, type RealmCacheProvider, type RegionOptions, realmCacheSpi } from '../src/index.js'
import { redisRealmCache } from '../src/redis.js'
import * as scripts from '../src/scripts.js'
import { TOPIC } from '../src/wire.js'

const LIFE_MS = 10_000
const lost = new Error('Connection is closed.')

type Handler = Parameters<ClusterProvider['subscribe']>[1]

/** A cluster of two nodes that hears what the test says, and keeps what it was told to publish. */
class ScriptedCluster {
  readonly published: unknown[] = []
  nodes = 2
  #handler: Handler = () => {}
  #onGap: () => void = () => {}
  #onViewChange: Parameters<ClusterProvider['onViewChange']>[0] = () => {}

  constructor(readonly clock: FakeClock) {}

  readonly factory: ProviderFactory<ClusterProvider> = {
    spi: clusterSpi,
    id: 'scripted',
    create: () =>
      ({
        channel: () => ({ state: 'live', heardAt: this.clock.now() }),
        onChannelChange: () => () => {},
        subscribe: (topic: string, handler: Handler, options: { onGap: () => void }) => {
          if (topic !== TOPIC) return () => {}
          this.#handler = handler
          this.#onGap = options.onGap
          return () => {}
        },
        onViewChange: (listener: Parameters<ClusterProvider['onViewChange']>[0]) => {
          this.#onViewChange = listener
          return () => {}
        },
        view: () => ({ nodes: Array.from({ length: this.nodes }) }),
        publish: async (_: string, event: unknown) => {
          this.published.push(event)
        },
      }) as unknown as ClusterProvider,
  }

  hear(event: unknown): void {
    this.#handler(event as never, {} as never)
  }

  miss(): void {
    this.#onGap()
  }

  crashed(): void {
    this.#onViewChange({} as never, { joined: [], left: [], crashed: [{}] } as never)
  }
}

interface Node {
  readonly cache: RealmCacheProvider
  readonly region: CacheRegion<string>
  readonly cluster: ScriptedCluster
  readonly logger: RecordingLogger
  close(): Promise<void>
}

const shared: RegionOptions = { secondLevelTtlMs: LIFE_MS }

describeWith(redis, 'the second level', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())
  let prefix: string
  let clock: FakeClock
  let database: Source
  const opened: Node[] = []

  async function open({
    over = client,
    keyring,
    nodes = 2,
    commandTimeoutMs = 5_000,
  }: {
    readonly over?: RedisClient
    readonly keyring?: Keyring
    readonly nodes?: number
    readonly commandTimeoutMs?: number
  } = {}): Promise<Node> {
    const logger = new RecordingLogger()
    const cluster = new ScriptedCluster(clock)
    cluster.nodes = nodes
    const registry = createProviderRegistry({
      factories: [redisRealmCache(), cluster.factory, redisConnection()],
      config: {
        redis: { client: over, prefix, commandTimeoutMs },
        spi: { 'realm-cache': { provider: 'redis', redis: { maxSilenceMs: 86_400_000 } } },
      },
      clock,
      logger,
      ...(keyring && { keyring }),
    })
    await registry.start()
    const cache = registry.get(realmCacheSpi)
    const region = cache.region<string>('r', shared)
    const node = { cache, region, cluster, logger, close: () => registry.close() }
    opened.push(node)
    return node
  }

  const level = (region: CacheRegion) => region.stats().secondLevel
  /** Asks, and waits until the answer is there for the others. */
  async function put(region: CacheRegion<string>, key: string, value: string): Promise<void> {
    const before = level(region)?.stored ?? 0
    database.rows.set(key, value)
    expect(await database.read(region, key)).toBe(value)
    await eventually(() => expect(level(region)?.stored).toBe(before + 1))
    database.asked = 0
  }
  async function keysOf(kind: string): Promise<string[]> {
    const keys = await (await openInspector(client)).keys(prefix)
    return keys.filter((key) => key.includes(`:${kind}:`))
  }

  beforeEach((context) => {
    prefix = `second-level-${process.pid}-${context.task.id}`
    clock = new FakeClock()
    database = new Source()
  })
  afterEach(async () => {
    for (const node of opened.splice(0)) await node.close()
    await (await openInspector(client)).clear(prefix)
  })

  test('a value is found for secondLevelTtlMs to the millisecond; Redis drops it a minute later', async () => {
    const { region } = await open()
    await put(region, 'k', 'old')
    const [key = ''] = await keysOf('rv')
    const ttlMs = await client.pttl(key)
    expect(ttlMs).toBeGreaterThan(LIFE_MS)
    expect(ttlMs).toBeLessThanOrEqual(LIFE_MS + 60_000)
    database.rows.set('k', 'new')
    clock.advance(LIFE_MS - 1)
    expect(await database.read((await open()).region, 'k')).toBe('old')
    clock.advance(1)
    expect(await database.read((await open()).region, 'k')).toBe('new')
  })

  describe('what Redis evicted', () => {
    const tags = { tags: ['group:staff'] }
    const get = (region: CacheRegion<string>, value: string) => region.get('k', () => value, tags)

    test('of a tag does not make a value true that was declared untrue', async () => {
      const { region } = await open()
      await get(region, 'old')
      await eventually(() => expect(level(region)?.stored).toBe(1))
      await region.invalidate({ tag: 'group:staff' })
      await client.del(...(await keysOf('rt')))
      expect(await get((await open()).region, 'new')).toBe('new')
    })

    test('of a tag, between the question to the source and its answer, does not make the answer true', async () => {
      const { region } = await open()
      const load = heldLoad<string>()
      const asking = region.get('k', load.load, tags)
      await load.called
      await (await open()).region.invalidate({ tag: 'group:staff' })
      await client.del(...(await keysOf('rt')))
      load.finish('old')
      await asking
      await eventually(() => expect((level(region)?.stored ?? 0) + (level(region)?.refused ?? 0)).toBe(1))
      expect(await get((await open()).region, 'new')).toBe('new')
    })

    test('of nothing costs nothing: a value with a tag is found, also long after another was put', async () => {
      const { region } = await open()
      await get(region, 'old')
      await eventually(() => expect(level(region)?.stored).toBe(1))
      expect(await get((await open()).region, 'new')).toBe('old')
      for (const key of await keysOf('rt')) expect(await client.pttl(key)).toBeGreaterThan(24 * 3_600_000)
    })
  })

  test('close waits for what is on its way', async () => {
    const { region, close } = await open()
    database.rows.set('k', 'v')
    await database.read(region, 'k')
    await close()
    expect(await database.read((await open()).region, 'k')).toBe('v')
    expect(database.asked).toBe(1)
  })

  describe('with a keyring', () => {
    const secret = (name: string) => `${name}, a secret that is long enough for anybody`
    const old: Keyring = { current: 'old', keys: { old: secret('old') } }
    const rotated: Keyring = { current: 'new', keys: { new: secret('new'), old: secret('old') } }
    const other: Keyring = { current: 'old', keys: { old: secret('another') } }

    test('no value is in Redis in the clear; keys can be rotated', async () => {
      await put((await open({ keyring: old })).region, 'k', 'canary')
      const [key = ''] = await keysOf('rv')
      expect(await client.get(key)).toMatch(/^s1 [^\n]*\n\["old","[\w-]+"\]$/)
      const { region } = await open({ keyring: rotated })
      expect(await database.read(region, 'k')).toBe('canary')
      expect(database.asked).toBe(0)
      await put(region, 'k2', 'v')
      const texts = await Promise.all((await keysOf('rv')).map((key) => client.get(key)))
      expect(texts.some((text) => text?.includes('["new",'))).toBe(true)
    })

    test.each([
      ['without a keyring', undefined],
      ['with another secret', other],
    ])('%s it cannot be read: the source is asked, and what it says can be', async (_, keyring) => {
      await put((await open({ keyring: old })).region, 'k', 'sealed')
      database.rows.set('k', 'from the source')
      const { region } = await open(keyring && { keyring })
      expect(await database.read(region, 'k')).toBe('from the source')
      expect(level(region)).toMatchObject({ hits: 0, misses: 1, failures: 0 })
      await eventually(() => expect(level(region)?.stored).toBe(1))
      expect(await database.read((await open(keyring && { keyring })).region, 'k')).toBe('from the source')
      expect(database.asked).toBe(1)
    })

    test('a value that was moved to another key is not read', async () => {
      const { region } = await open({ keyring: old })
      await put(region, 'mallory', 'admin: false')
      await put(region, 'root', 'admin: true')
      const [mallory, root] = (await keysOf('rv')).sort()
      await client.set(mallory as string, (await client.get(root as string)) as string)
      expect(await database.read((await open({ keyring: old })).region, 'mallory')).toBe('admin: false')
      expect(database.asked).toBe(1)
    })
  })

  describe('what it cannot do is no error of a reader', () => {
    test.each([
      ['before it was sent', { when: 'before', error: lost }],
      ['after it was applied', { when: 'after', error: lost }],
      ['without any word', { when: 'drop' }],
    ] as const)('a look that was lost %s: the source is asked, for a second without it', async (_, fault) => {
      await put((await open()).region, 'k', 'shared')
      database.rows.set('k', 'from the source')
      const faulty = faultyClient(client)
      const { region } = await open({ over: faulty.client, commandTimeoutMs: 250 })
      faulty.arm(scripts.look, fault)
      expect(await database.read(region, 'k')).toBe('from the source')
      expect(await database.read(region, 'k2')).toBeUndefined()
      expect(level(region)).toMatchObject({ hits: 0, misses: 0, failures: 1, bypasses: 1 })
      // Nobody said that it is untrue.
      expect(await database.read((await open()).region, 'k')).toBe('shared')
      clock.advance(1_000)
      expect(await database.read(region, 'k3')).toBeUndefined()
      expect(level(region)).toMatchObject({ misses: 1, failures: 1, bypasses: 1 })
    })

    test.each([
      ['before it was sent', { when: 'before', error: lost }, 1],
      ['after it was applied', { when: 'after', error: lost }, 0],
    ] as const)('an offer that was lost %s: its reader has the value', async (_, fault, asked) => {
      const faulty = faultyClient(client)
      const { region } = await open({ over: faulty.client })
      faulty.arm(scripts.offer, fault)
      database.rows.set('k', 'v')
      expect(await database.read(region, 'k')).toBe('v')
      await eventually(() => expect(level(region)).toMatchObject({ stored: 0, failures: 1 }))
      database.asked = 0
      expect(await database.read((await open()).region, 'k')).toBe('v')
      expect(database.asked).toBe(asked)
    })
  })

  describe('what it was not told, nobody finds', () => {
    test.each([
      ['before it was sent', { when: 'before', error: lost }],
      ['after it was applied', { when: 'after', error: lost }],
    ] as const)(
      'a declaration that was lost %s: an error, here gone, and the others are told that it was',
      async (_, fault) => {
        const faulty = faultyClient(client)
        const { region, cluster } = await open({ over: faulty.client })
        const other = await open()
        await put(region, 'k', 'old')
        await put(region, 'k2', 'old')
        database.rows.set('k', 'new')
        database.rows.set('k2', 'new')
        faulty.arm(scripts.invalidate, fault)
        await expect(region.invalidate('k')).rejects.toMatchObject({
          code: 'ERR_STORE_UNAVAILABLE',
          applied: 'unknown',
        })
        expect(cluster.published).toEqual([[{ r: 'r', k: ['k'] }]])
        // Here it is not used before it is empty.
        expect(await database.read(region, 'k')).toBe('new')
        for (const event of cluster.published) other.cluster.hear(event)
        for (const key of ['k', 'k2']) expect(await database.read(other.region, key)).toBe('new')
      },
    )

    test('one that arrived is told so, and another node goes on using what is there', async () => {
      const { region, cluster } = await open()
      const other = await open()
      await put(region, 'k', 'v')
      await put(region, 'k2', 'v')
      await region.invalidate('k')
      expect(cluster.published).toEqual([[{ r: 'r', s: 1, k: ['k'] }]])
      for (const event of cluster.published) other.cluster.hear(event)
      for (const key of ['k', 'k2']) expect(await database.read(other.region, key)).toBe('v')
      expect(database.asked).toBe(1)
    })

    test.each([
      ['a gap', (node: Node) => node.cluster.miss()],
      ['a crash of another node', (node: Node) => node.cluster.crashed()],
      ['an event that cannot be understood', (node: Node) => node.cluster.hear({ from: 'the future' })],
      ['a word that everything is untrue', (node: Node) => node.cluster.hear([{ c: 1 }])],
      [
        'a word of a node that has no second level',
        (node: Node) => node.cluster.hear([{ r: 'r', k: ['x'] }]),
      ],
    ])('after %s it is emptied before it is used', async (_, happens) => {
      const other = await open()
      for (const key of ['k', 'k2']) await put(other.region, key, 'old')
      for (const key of ['k', 'k2']) database.rows.set(key, 'new')
      const node = await open()
      happens(node)
      expect(await database.read(node.region, 'k')).toBe('new')
      expect(level(node.region)).toMatchObject({ hits: 0, misses: 1, bypasses: 0 })
      expect(await database.read((await open()).region, 'k2')).toBe('new')
    })

    test('a node that starts alone does not trust what it finds', async () => {
      await put((await open()).region, 'k', 'old')
      database.rows.set('k', 'new')
      expect(await database.read((await open({ nodes: 1 })).region, 'k')).toBe('new')
    })

    test.each([
      ['of this region', [{ r: 'later', k: ['k'] }], 'new'],
      ['of another', [{ r: 'other', k: ['k'] }], 'old'],
      ['of this region, and told', [{ r: 'later', s: 1, k: ['x'] }], 'old'],
    ])('what was heard %s before the region was made counts', async (_, event, expected) => {
      const first = (await open()).cache.region<string>('later', shared)
      await put(first, 'k', 'old')
      database.rows.set('k', 'new')
      const { cache, cluster } = await open()
      cluster.hear(event)
      expect(await database.read(cache.region<string>('later', shared), 'k')).toBe(expected)
    })

    test('while a declaration is on its way the one who declares does not look', async () => {
      const faulty = faultyClient(client)
      const { region } = await open({ over: faulty.client })
      await put(region, 'k', 'old')
      const gate = heldLoad<undefined>()
      faulty.arm(scripts.invalidate, { when: 'delay', until: gate.load() })
      const declared = region.invalidate('k')
      database.rows.set('k', 'new')
      expect(await database.read(region, 'k')).toBe('new')
      expect(level(region)).toMatchObject({ bypasses: 1 })
      gate.finish(undefined)
      await declared
      expect(await database.read((await open()).region, 'k')).toBe('new')
    })
  })

  describe('what somebody else left there', () => {
    test.each([
      ['a list', (key: string) => client.rpush(key, 'foreign'), { failures: 1 }],
      ['a text of another', (key: string) => client.set(key, 'foreign'), { misses: 1 }],
      ['a format from the future', (key: string) => client.set(key, 'v2 a b'), { misses: 1 }],
    ])('%s is no value', async (_, leave, stats) => {
      await put((await open()).region, 'k', 'v')
      const [key = ''] = await keysOf('rv')
      await client.del(key)
      await leave(key)
      const { region } = await open()
      expect(await database.read(region, 'k')).toBe('v')
      expect(level(region)).toMatchObject({ hits: 0, ...stats })
      await region.invalidate('k')
      expect(await client.exists(key)).toBe(0)
    })

    test('whatever it is: a value that was put here, or the source', async () => {
      const node = await open()
      await put(node.region, 'k', 'shared')
      const [key = ''] = await keysOf('rv')
      const [head = '', data = ''] = String(await client.get(key)).split('\n')
      const parts = head.split(' ')
      const part = (index: number) =>
        fc.oneof(fc.constant(parts[index] ?? ''), fc.string(), fc.nat().map(String))
      const text = fc.oneof(
        fc.string(),
        fc
          .tuple(
            part(0),
            part(1),
            part(2),
            part(3),
            part(4),
            part(5),
            fc.oneof(part(6), fc.json()),
            fc.oneof(fc.constant(data), fc.string()),
          )
          .map((all) => `${all.slice(0, -1).join(' ')}\n${all.at(-1)}`),
      )
      await fc.assert(
        fc.asyncProperty(text, async (said) => {
          await client.set(key, said)
          const region = node.cache.region<string>('r')
          node.cluster.hear([{ r: 'r', s: 1, k: ['k'] }])
          const value = await region.get('k', () => 'source')
          if (value === 'source' || value === 'shared') return
          // Only what reads as a value of ours is given out.
          expect(said).toMatch(/^[vn]1 /)
          expect(value).toEqual(
            said.startsWith('n') ? undefined : JSON.parse(said.slice(said.indexOf('\n') + 1)),
          )
        }),
        { numRuns: 300 },
      )
      expect(level(node.region)?.failures).toBe(0)
    })
  })

  test('without a connection: an error where the configuration wants it, a word where the code does', async () => {
    const configured = (regions: object) => {
      const logger = new RecordingLogger()
      const registry = createProviderRegistry({
        factories: [redisRealmCache(), new ScriptedCluster(clock).factory],
        config: { spi: { 'realm-cache': { provider: 'redis', redis: { regions } } } },
        logger,
      })
      return { registry, logger }
    }
    await expect(configured({ r: shared }).registry.start()).rejects.toThrow(
      'realm-cache: "secondLevelTtlMs" needs a connection to Redis ("redis")',
    )
    const { registry, logger } = configured({})
    await registry.start()
    const region = registry.get(realmCacheSpi).region<string>('r', shared)
    expect(await region.get('k', () => 'v')).toBe('v')
    expect(region.stats().secondLevel).toBeUndefined()
    expect(logger.entries.map(({ message }) => message)).toContain(
      'realm-cache: without a connection to Redis there is no second level',
    )
    await registry.close()
  })
})
