import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { defineScript, type RedisClient, type RedisConnection, redisConnectionSpi } from '@authstate/redis'
import { defineSpi, type Provider, type ProviderFactory } from '@authstate/spi'
import { Cluster, Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import {
  type Capability,
  cluster,
  clusterNodes,
  describeWith,
  redis,
  redisUrl,
} from '../../../tools/testing/capabilities.js'
import { openCluster, openRedis } from '../../../tools/testing/redis-targets.js'
import {
  checkKeySpace,
  checkSuite,
  defineSuite,
  faultyClient,
  type KeySpaceRules,
  openInspector,
  redisTarget,
  together,
} from '../src/index.js'

const off = { autoResendUnfulfilledCommands: false }
const stores: readonly [string, Capability, () => RedisClient][] = [
  ['redis', redis, () => openRedis()],
  ['redis with keyPrefix', redis, () => new Redis(redisUrl(), { ...off, keyPrefix: 'app:' })],
  ['redis with RESP2', redis, () => new Redis(redisUrl(), { ...off, protocol: 2 })],
  ['redis with RESP3 replies', redis, () => new Redis(redisUrl(), { ...off, replyMapping: 'resp3' })],
  ['ioredis 5', redis, () => new Redis5(redisUrl(), off)],
  ['redis cluster', cluster, openCluster],
  [
    'redis cluster with keyPrefix',
    cluster,
    () => new Cluster(clusterNodes(), { keyPrefix: 'app:', retryDelayOnFailover: 0, redisOptions: off }),
  ],
]

interface Raw {
  set(key: string, value: string, ...rest: unknown[]): Promise<unknown>
  hset(key: string, values: object): Promise<unknown>
  zadd(key: string, ...scored: (string | number)[]): Promise<unknown>
  pexpire(key: string, ms: number): Promise<unknown>
}

const NOW = 1_000_000
const rules: KeySpaceRules = {
  records: ['rec', 'clock'],
  indexes: { idx: (member, head) => `${head}:rec:${member}` },
  immortal: ['clock'],
}

describe.each(stores)('the key space on %s', (_, needs, make) => {
  describeWith(needs, 'is checked', () => {
    const client = make()
    afterAll(() => client.disconnect())
    const raw = client as unknown as Raw

    /** What the check says of a store that `write` has written to. */
    async function faultsOf(write: (prefix: string) => Promise<unknown>): Promise<unknown> {
      const prefix = `kit-${randomUUID()}`
      const inspector = await openInspector(client)
      onTestFinished(async () => {
        await inspector.clear(prefix)
        expect(await inspector.keys(prefix)).toEqual([])
        inspector.close()
      })
      await write(prefix)
      return checkKeySpace(inspector, prefix, rules, NOW).then(
        () => [],
        (error: { actual?: unknown }) => error.actual,
      )
    }
    const record = async (key: string, ttlMs = 5_000) => {
      await raw.hset(key, { a: '1' })
      if (ttlMs > 0) await raw.pexpire(key, ttlMs)
    }
    const index = async (key: string, members: Record<string, number>, ttlMs = 5_000) => {
      for (const [member, score] of Object.entries(members)) await raw.zadd(key, score, member)
      if (ttlMs > 0) await raw.pexpire(key, ttlMs)
    }

    test('order is no fault', async () => {
      const write = async (prefix: string) => {
        await record(`${prefix}:layout`, 0)
        await record(`${prefix}:{0a}:rec:1`)
        await record(`${prefix}:{0a}:clock`, 0)
        await index(`${prefix}:{0a}:idx:realm`, { '1': NOW + 1, gone: NOW, longGone: 1 })
      }
      expect(await faultsOf(write)).toEqual([])
    })

    test.each<[string, (prefix: string) => Promise<unknown>, string]>([
      [
        'an index entry without its record',
        (prefix) => index(`${prefix}:{0a}:idx:realm`, { '1': NOW + 1 }),
        'an entry of index "idx" without its record',
      ],
      [
        'an index entry whose record lies in another partition',
        async (prefix) => {
          await record(`${prefix}:{0b}:rec:1`)
          await index(`${prefix}:{0a}:idx:realm`, { '1': NOW + 1 })
        },
        'an entry of index "idx" without its record',
      ],
      [
        'a record without a TTL',
        (prefix) => record(`${prefix}:{0a}:rec:1`, 0),
        'a key of kind "rec" without a TTL',
      ],
      [
        'an index without a TTL',
        (prefix) => index(`${prefix}:{0a}:idx:realm`, { gone: 1 }, 0),
        'a key of kind "idx" without a TTL',
      ],
      ['an unknown kind', (prefix) => record(`${prefix}:{0a}:stray:1`), 'a key of the unknown kind "stray"'],
      ['a key without a hash tag', (prefix) => record(`${prefix}:rec:1`), 'a key without a partition'],
      [
        'a key with another hash tag',
        (prefix) => record(`${prefix}:{user}:rec:1`),
        'a key without a partition',
      ],
      [
        'an index of another type',
        (prefix) => record(`${prefix}:{0a}:idx:realm`),
        'a key of kind "idx" is no sorted set',
      ],
    ])('%s is found', async (_, write, fault) => {
      expect(await faultsOf(write)).toEqual([fault])
    })

    test('every fault is named', async () => {
      const write = async (prefix: string) => {
        for (const partition of ['00', '0a', 'ff']) await record(`${prefix}:{${partition}}:stray:1`)
        await index(`${prefix}:{0a}:idx:realm`, { a: NOW + 1, b: NOW + 1 })
      }
      expect(await faultsOf(write)).toHaveLength(5)
    })

    test('what it finds is told to who wants to know', async () => {
      const prefix = `kit-${randomUUID()}`
      const inspector = await openInspector(client)
      await record(`${prefix}:{0a}:rec:1`)
      await index(`${prefix}:{0a}:idx:realm`, { '1': NOW + 1 })
      const heard: unknown[] = []
      await checkKeySpace(inspector, prefix, rules, NOW, (...item) => heard.push(item))
      expect(heard.sort()).toEqual([
        ['idx', 'zset', []],
        ['rec', 'hash', ['a']],
      ])
      expect(await inspector.hash(`${prefix}:{0a}:rec:1`)).toEqual({ a: '1' })
      await inspector.clear(prefix)
      inspector.close()
      expect(client.status).toBe('ready')
    })
  })
})

/** Keeps texts in Redis, with a bug on request. */
interface Jar extends Provider {
  put(name: string): Promise<void>
  has(name: string): Promise<boolean>
  drop(name: string): Promise<void>
}
const jarSpi = defineSpi<Jar>('jar')
type Bug = 'none' | 'no ttl' | 'no record' | 'another prefix' | 'read then write'
/** Where jars have been: one prefix per case. */
const prefixes = new Set<string>()

const script = (name: string, lua: string) =>
  defineScript({
    name: `jar.${name}`,
    lua,
    record: 'jar',
    change: 'full',
    keys: ['record', 'index'],
    args: ['name', 'expiresAt'],
    decode: Number,
  })
const put = script(
  'put',
  `redis.call('HSET', KEYS[1], 'x', ARGV[2]) redis.call('PEXPIRE', KEYS[1], 5000)
   redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1]) redis.call('PEXPIRE', KEYS[2], 5000) return 1`,
)
const putWithoutTtl = script('put-without-ttl', put.lua.replace("redis.call('PEXPIRE', KEYS[1], 5000)", ''))
const drop = script('drop', "redis.call('DEL', KEYS[1]) redis.call('ZREM', KEYS[2], ARGV[1]) return 1")
const dropRecord = script('drop-record', "redis.call('DEL', KEYS[1]) return 1")
const jarRules: KeySpaceRules = {
  records: ['jar'],
  indexes: { jars: (member, head) => `${head}:jar:${member}` },
}

class RedisJar implements Jar {
  readonly #redis: RedisConnection
  readonly #bug: Bug
  readonly #expiresAt: number
  constructor(redis: RedisConnection, bug: Bug, expiresAt: number) {
    this.#redis = redis
    this.#bug = bug
    this.#expiresAt = expiresAt
    prefixes.add(redis.keys.prefix)
  }
  #run(what: typeof put, name: string): Promise<number> {
    const { keys } = this.#redis
    const record = this.#bug === 'another prefix' ? `elsewhere:{00}:jar:${name}` : keys.key(0, 'jar', name)
    return this.#redis.run(what, { record, index: keys.key(0, 'jars') }, { name, expiresAt: this.#expiresAt })
  }
  async put(name: string) {
    if (this.#bug === 'read then write' && (await this.has(name))) return
    await this.#run(this.#bug === 'no ttl' ? putWithoutTtl : put, name)
  }
  async has(name: string) {
    const [found] = await this.#redis.hmget('jar.has', this.#redis.keys.key(0, 'jar', name), ['x'])
    return found !== null
  }
  async drop(name: string) {
    await this.#run(this.#bug === 'no record' ? dropRecord : drop, name)
  }
}

const jars = (bug: Bug): ProviderFactory<Jar> => ({
  spi: jarSpi,
  id: 'redis',
  dependsOn: [redisConnectionSpi],
  create: ({ get, clock }) => new RedisJar(get(redisConnectionSpi), bug, clock.now() + 5_000),
})

const jarSuite = defineSuite(jarSpi, ({ basic, cluster: onCluster }) => {
  basic('put: there until it is dropped', 'here', async ({ provider }) => {
    await provider.put('a')
    assert.equal(await provider.has('a'), true)
    await provider.drop('a')
    assert.equal(await provider.has('a'), false)
  })
  onCluster('put: one command, seen by every node', 'here', async ({ provider, anotherNode, commands }) => {
    const other = await anotherNode()
    await provider.put('warm')
    const before = commands?.() ?? 0
    await provider.put('a')
    assert.equal((commands?.() ?? 0) - before, 1)
    assert.equal(await other.has('a'), true)
  })
})

describeWith(redis, 'a Redis target', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())
  const run = async (bug: Bug) => {
    const results = await checkSuite(
      jarSuite,
      redisTarget({
        name: bug,
        spi: jarSpi,
        factories: [jars(bug)],
        client: () => client,
        keySpace: jarRules,
      }),
    )
    return results.map((item) => (item.outcome === 'failed' ? item.failure.message : item.outcome))
  }

  test.each<[Bug, string[]]>([
    ['none', ['passed', 'passed']],
    ['no ttl', ['passed', 'a key of kind "jar" without a TTL']],
    ['no record', ['an entry of index "jars" without its record', 'passed']],
    ['read then write', ['passed', 'expected   1\n  got        2']],
  ])('with the bug: %s', async (bug, expected) => {
    const outcomes = await run(bug)
    expect(outcomes).toHaveLength(expected.length)
    for (const [index, outcome] of outcomes.entries()) expect(outcome).toContain(expected[index])
  })

  test('a key outside the prefix is found, also when the verbs work', async () => {
    const suite = defineSuite(jarSpi, ({ basic }) =>
      basic('drop: answers', 'here', async ({ provider }) => provider.drop('a')),
    )
    const factories = [jars('another prefix')]
    const [result] = await checkSuite(
      suite,
      redisTarget({ name: 'outside', spi: jarSpi, factories, client: () => client, keySpace: jarRules }),
    )
    assert.ok(result?.outcome === 'failed')
    expect(result.failure.message).toContain('a command was given keys outside the prefix')
  })

  test('leaves nothing behind, whether its cases pass or fail', async () => {
    prefixes.clear()
    for (const bug of ['none', 'no ttl', 'no record'] as const) await run(bug)
    expect(prefixes.size).toBe(6)
    for (const prefix of prefixes) expect(await client.keys(`${prefix}*`)).toEqual([])
  })
})

describeWith(redis, 'a faulty client', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())
  const fresh = () => {
    const key = `kit-${randomUUID()}`
    onTestFinished(() => void client.del(key))
    return key
  }
  // No server has seen this source before: the first call is answered NOSCRIPT.
  const count = script('count', `return redis.call('INCRBY', KEYS[1], 1) -- ${randomUUID()}`)
  const lost = new Error('Connection is closed.')
  /** What the library does: the hash first, the source where the server wants it. */
  const send = (over: RedisClient, key: string) =>
    over.evalsha(count.sha1, 2, key, key, 'a', 1).catch((error: Error) => {
      if (!error.message.startsWith('NOSCRIPT')) throw error
      return over.eval(count.lua, 2, key, key, 'a', 1)
    })

  test('after: it is applied once, also when the server wants the source', async () => {
    const [faulty, key] = [faultyClient(client), fresh()]
    faulty.arm(count, { when: 'after', error: lost })
    await expect(send(faulty.client, key)).rejects.toBe(lost)
    expect(await client.get(key)).toBe('1')
    faulty.arm(count, { when: 'after', error: lost })
    await expect(send(faulty.client, key)).rejects.toBe(lost)
    expect(await send(faulty.client, key)).toBe(3)
  })

  test('before: it is not applied', async () => {
    const [faulty, key] = [faultyClient(client), fresh()]
    faulty.arm(count, { when: 'before', error: lost })
    await expect(send(faulty.client, key)).rejects.toBe(lost)
    expect(await client.get(key)).toBeNull()
    expect(await send(faulty.client, key)).toBe(1)
  })

  test('drop: it is applied, and nothing is ever heard of it', async () => {
    const [faulty, key] = [faultyClient(client), fresh()]
    await send(faulty.client, key)
    faulty.arm(count, { when: 'drop' })
    let settled = false
    void send(faulty.client, key).finally(() => {
      settled = true
    })
    await expect.poll(() => client.get(key)).toBe('2')
    await client.ping()
    expect(settled).toBe(false)
  })

  test('delay: it is sent when told', async () => {
    const [faulty, key] = [faultyClient(client), fresh()]
    let go = () => {}
    faulty.arm(count, { when: 'delay', until: new Promise<void>((resolve) => (go = resolve)) })
    const late = send(faulty.client, key)
    expect(await send(faulty.client, key)).toBe(1)
    go()
    expect(await late).toBe(2)
  })

  test('faults are used up in order, one per call', async () => {
    const [faulty, key] = [faultyClient(client), fresh()]
    const errors = [new Error('first'), new Error('second')] as const
    for (const error of errors) faulty.arm(count, { when: 'before', error })
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => send(faulty.client, key)))
    expect(outcomes.map((item) => (item.status === 'rejected' ? item.reason : item.value))).toEqual([
      ...errors,
      1,
    ])
  })

  test('reads fail by their name, others do not', async () => {
    const [faulty, key] = [faultyClient(client), fresh()]
    await client.hset(key, { a: '1' })
    for (const read of ['hgetall', 'hvals', 'hmget', 'get', 'zcount'] as const)
      faulty.arm(read, { when: 'before', error: lost })
    await expect(faulty.client.hgetall(key)).rejects.toBe(lost)
    await expect(faulty.client.hmget(key, 'a')).rejects.toBe(lost)
    await expect(faulty.client.get(key)).rejects.toBe(lost)
    await expect(faulty.client.zcount(key, 0, 1)).rejects.toBe(lost)
    expect(await faulty.client.hgetall(key)).toEqual({ a: '1' })
    expect(await faulty.client.ping()).toBe('PONG')
    expect(faulty.client.status).toBe('ready')
  })

  test('is as good as its client when nothing is armed', async () => {
    const [faulty, key] = [faultyClient(client), fresh()]
    expect(await together(50, () => send(faulty.client, key))).toHaveLength(50)
    expect(await client.get(key)).toBe('50')
  })
})
