// One site decides about a key for another, in one step: with what the other knows of the token, and only if both have the same sites.
import { randomUUID } from 'node:crypto'
import { RecordingLogger } from '@authstate/conformance'
import {
  type ConnectionSites,
  connect,
  type RedisClient,
  type RedisConnection,
  redisConnection,
  redisConnectionSpi,
} from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { type Plant, planted } from '../../../tools/testing/planted-connection.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { type ActionTokenProvider, actionTokenSpi } from '../src/index.js'
import { actionTokenJoiner } from '../src/redis/joiner.js'
import { redisActionTokens } from '../src/redis.js'

const REALM = 'r'
const LIFE = { lifespanMs: 600_000, data: { n: 1 } }
const MAX_MS = 900_000
const MEMBERSHIP = '1 a,b'

interface Site {
  readonly tokens: ActionTokenProvider
  readonly connection: RedisConnection
  /** The way of another site to its Redis. */
  readonly peer: RedisConnection
}

describeWith(redis, 'a site that decides for another', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())

  async function open(): Promise<Site> {
    const prefix = `deciding-${randomUUID()}`
    const given = { client: client as RedisClient, prefix, partitions: 1 }
    const registry = createProviderRegistry({
      factories: [redisActionTokens(), redisConnection()],
      config: {
        redis: given,
        spi: { 'action-token': { provider: 'redis', redis: { maxLifespanMs: MAX_MS } } },
      },
      logger: new RecordingLogger(),
    })
    await registry.start()
    const peer = await connect(given, { isGuest: true })
    onTestFinished(async () => {
      await peer.close()
      await registry.close()
      const keys = await client.keys(`${prefix}:*`)
      if (keys.length > 0) await client.unlink(...keys)
    })
    return { tokens: registry.get(actionTokenSpi), connection: registry.get(redisConnectionSpi), peer }
  }

  /** Two sites. The second one asks the first about every key, once it is told to. */
  async function openTwo(plant: Plant) {
    const [a, b] = [await open(), await open()]
    await client.set(a.connection.keys.key(0, 'xd'), MEMBERSHIP)
    const there = planted(a.peer, plant)
    const asks = (membership: string): ConnectionSites => ({
      site: 'b',
      isReady: () => true,
      changing: () => {},
      follow: (_, run) => run(),
      deciders: {
        sites: ['a', 'b', 'c'],
        membership,
        endsMs: 600_000,
        aheadMs: 30_000,
        deciderOf: () => 'a',
        async decide(_, __, run) {
          const answer = await run({ site: 'a', connection: there })
          if (answer === 'stale') throw new Error('stale')
          return answer
        },
      },
    })
    return { a, b, ask: (membership = MEMBERSHIP) => b.connection.goWithSites(asks(membership)) }
  }

  const stale = /^stale$/
  const rules: Readonly<Record<string, (plant: Plant) => Promise<void>>> = {
    async 'redeems what the other site alone knew, which knows of it then'(plant) {
      const { a, b, ask } = await openTwo(plant)
      await b.tokens.put(REALM, 'code', 'k', LIFE)
      ask()
      expect(await b.tokens.consume(REALM, 'code', 'k')).toEqual({ outcome: 'consumed', data: { n: 1 } })
      for (const { tokens } of [a, b])
        expect((await tokens.get(REALM, 'code', 'k'))?.consumedAt).toBeDefined()
    },
    async 'gives away what the other site alone knew, and both forget it'(plant) {
      const { a, b, ask } = await openTwo(plant)
      await b.tokens.put(REALM, 'code', 'k', LIFE)
      ask()
      expect((await b.tokens.take(REALM, 'code', 'k'))?.data).toEqual({ n: 1 })
      for (const { tokens } of [a, b]) expect(await tokens.has(REALM, 'code', 'k')).toBe(false)
    },
    async 'stores a key once, and not where the other site alone has it'(plant) {
      const { a, b, ask } = await openTwo(plant)
      await b.tokens.put(REALM, 'jti', 'old', LIFE)
      ask()
      expect(await b.tokens.putIfAbsent(REALM, 'jti', 'old', LIFE)).toBe(false)
      expect(await b.tokens.putIfAbsent(REALM, 'jti', 'new', LIFE)).toBe(true)
      expect(await a.tokens.putIfAbsent(REALM, 'jti', 'new', LIFE)).toBe(false)
      expect(await b.tokens.has(REALM, 'jti', 'new')).toBe(true)
    },
    async 'decides nothing for a site that has other sites, and keeps nothing of it'(plant) {
      const { a, b, ask } = await openTwo(plant)
      await a.tokens.put(REALM, 'code', 'k', LIFE)
      ask('1 a,b,c')
      const { tokens } = b
      await expect(tokens.consume(REALM, 'code', 'k')).rejects.toThrow(stale)
      await expect(tokens.take(REALM, 'code', 'k')).rejects.toThrow(stale)
      await expect(tokens.putIfAbsent(REALM, 'code', 'new', LIFE)).rejects.toThrow(stale)
      await expect(tokens.countUse(REALM, 'otp', 'k', { windowMs: 60_000 })).rejects.toThrow(stale)
      expect((await a.tokens.get(REALM, 'code', 'k'))?.consumedAt).toBeUndefined()
      expect(await a.tokens.has(REALM, 'code', 'new')).toBe(false)
      expect((await a.tokens.countUse(REALM, 'otp', 'k', { windowMs: 60_000 })).count).toBe(1)
    },
    async 'remembers for all other sites what it decided for one of them, once'(plant) {
      const { a, b, ask } = await openTwo(plant)
      for (const key of ['used', 'taken']) await a.tokens.put(REALM, 'code', key, LIFE)
      ask()
      await b.tokens.consume(REALM, 'code', 'used')
      await b.tokens.take(REALM, 'code', 'taken')
      await b.tokens.put(REALM, 'code', 'stored', LIFE)
      const names = ['used', 'taken', 'stored'].map((key) => `ao:${REALM}:code:${key}`)
      const remembered = () => client.zrange(a.connection.keys.key(0, 'xb', 'b'), '0', '-1')
      expect(await remembered()).toEqual(names)
      expect(await client.zrange(a.connection.keys.key(0, 'xb', 'c'), '0', '-1')).toEqual(names)
      await client.unlink(a.connection.keys.key(0, 'xb', 'b'))
      expect((await b.tokens.consume(REALM, 'code', 'unheard of')).outcome).toBe('unknown')
      expect(await b.tokens.putIfAbsent(REALM, 'code', 'stored', LIFE)).toBe(false)
      expect(await remembered()).toEqual([])
    },
  }

  test.each(Object.entries(rules))('%s', (_, rule) => rule({}))

  test('refuses a family of which a token was redeemed twice for as long as one of its tokens may live, and says so once', async () => {
    const { tokens, connection } = await open()
    await tokens.put(REALM, 'code', 'k', { ...LIFE, family: 'grant' })
    const { keys, clock } = connection
    await client.zadd(keys.key(0, 'xc'), 1, `single-use-conflict ao:${REALM}:code:k`)
    const before = clock.now()
    const settled = await actionTokenJoiner.settle?.(connection, 0)
    expect(settled).toEqual([{ realmId: REALM, kind: 'code', family: 'grant' }])
    const until = Number(await client.zscore(keys.key(0, 'ax', REALM), 'grant'))
    expect(until).toBeGreaterThanOrEqual(before + MAX_MS)
    expect(until).toBeLessThanOrEqual(clock.now() + MAX_MS)
    expect(await actionTokenJoiner.settle?.(connection, 0)).toEqual([])
  })

  test('tells of a token that it settled although the next one fails, and settles that one later', async () => {
    const { tokens, connection } = await open()
    const conflictsKey = connection.keys.key(0, 'xc')
    for (const [at, key] of ['first', 'second'].entries()) {
      await tokens.put(REALM, 'code', key, { ...LIFE, family: key })
      await client.zadd(conflictsKey, at, `single-use-conflict ao:${REALM}:code:${key}`)
    }
    let isAway = true
    const get = async (operation: string, key: string, read: (text: string | null) => unknown) => {
      if (isAway && key.endsWith(':second')) throw new Error('away')
      return connection.get(operation, key, read)
    }
    const failing = { ...connection, get } as unknown as RedisConnection
    const settle = () => actionTokenJoiner.settle?.(failing, 0)
    expect(await settle()).toEqual([{ realmId: REALM, kind: 'code', family: 'first' }])
    expect(await client.zcard(conflictsKey)).toBe(1)
    await expect(settle()).rejects.toThrow('away')
    isAway = false
    expect(await settle()).toEqual([{ realmId: REALM, kind: 'code', family: 'second' }])
    expect(await client.zcard(conflictsKey)).toBe(0)
  })

  const JOINS = 'join_token(key, cjson'
  const ANSWERS = 'return { reply, cjson'
  const IS_MEMBER = "if redis.call('GET', membership_key) ~= membership"
  const [redeems, gives, stores, nothing, remembers] = Object.keys(rules) as [
    string,
    string,
    string,
    string,
    string,
  ]
  const [NO_JOIN, NO_ANSWER] = [
    'local function none() end none(key, cjson',
    'return { reply, false and cjson',
  ]
  test.each<[string, string, string, string, string]>([
    ['does not join what the other knows', 'consume', JOINS, NO_JOIN, redeems],
    ['does not answer what is known', 'consume', ANSWERS, NO_ANSWER, redeems],
    ['does not join what the other knows', 'take', JOINS, NO_JOIN, gives],
    ['does not answer what is known', 'take', ANSWERS, NO_ANSWER, gives],
    ['does not join what the other knows', 'put', JOINS, NO_JOIN, stores],
    ['does not answer what is known', 'put', ANSWERS, NO_ANSWER, stores],
    ['decides for every site', 'consume', IS_MEMBER, 'if false', nothing],
    ['decides for every site', 'take', IS_MEMBER, 'if false', nothing],
    ['decides for every site', 'put', IS_MEMBER, 'if false', nothing],
    ['decides for every site', 'count-use', "redis.call('GET', KEYS[3]) ~= ARGV[5]", 'false', nothing],
    ['forgets that other sites have to hear of it', 'consume', '~= before', '~= before and false', remembers],
    ['forgets that other sites have to hear of it', 'take', '~= before', '~= before and false', remembers],
    ['forgets that other sites have to hear of it', 'put', '~= before', '~= before and false', remembers],
  ])('is found to be wrong if it %s: %s', async (_, verb, from, to, rule) => {
    const plant = { [`action-token.decide-${verb}`]: [from, to] as const }
    await expect(rules[rule]?.(plant)).rejects.toMatchObject({ name: 'AssertionError' })
  })
})
