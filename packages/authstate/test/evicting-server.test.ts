// A small Redis under a policy that evicts, filled until it does: what goes first, and what that does to who uses it.

import { FakeClock } from '@authstate/conformance'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { start, type Topology } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { createdSession } from '../../user-session/src/conformance/fixture.js'
import { type AuthState, createAuthState } from '../src/index.js'

const REALM = 'r'
const HOUR = 3_600_000
const USED = 20

/** Makes every key look as if it was used so many seconds earlier. The clock by which Redis counts ticks once a second. */
const AGE = `
for _, key in ipairs(redis.call('KEYS', '*')) do
  local ttl = redis.call('PTTL', key)
  local idle = redis.call('OBJECT', 'IDLETIME', key) + ARGV[1]
  if ttl > 0 or ttl == -1 then
    redis.call('RESTORE', key, math.max(ttl, 0), redis.call('DUMP', key), 'REPLACE', 'IDLETIME', idle)
  end
end`

/** Makes every key look as if it was used just now. */
const ALIKE = `for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('TOUCH', key) end`

/** Of so many keys Redis evicts the oldest. A sample that is large leaves little to chance. */
const EXACT = 64

describeWith(serverBinary, 'a server that evicts', () => {
  let server: Topology
  let admin: Redis
  beforeAll(async () => {
    server = await start('single')
    admin = new Redis(server.basePort, '127.0.0.1')
  })
  beforeEach(async () => {
    await admin.flushall()
  })
  afterAll(async () => {
    admin.disconnect()
    await server.stop()
  })

  const open = (clock: FakeClock, name: string) =>
    createAuthState({
      provider: 'redis',
      redis: { url: `redis://127.0.0.1:${server.basePort}` },
      keyring: { current: 'a', keys: { a: 'x'.repeat(32) } },
      node: { name },
      clock,
      spi: { 'user-session': { sweepIntervalMs: 0 } },
    })

  const keys = (pattern: string) => admin.keys(`authstate:{*}:${pattern}`)

  /** How many keys there are of each kind. */
  async function census(): Promise<(kind: string) => number> {
    const counts = new Map<string, number>()
    for (const key of await admin.keys('*')) {
      const kind = /^authstate:(?:\{..\}:)?([^:]+)/.exec(key)?.[1] ?? key
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
    }
    return (kind) => counts.get(kind) ?? 0
  }

  /** Lowers the memory of the server until it has evicted a share of its keys, and then lifts the limit. */
  async function evict(share: number): Promise<void> {
    const evicted = async () => Number(/evicted_keys:(\d+)/.exec(await admin.info('stats'))?.[1])
    const goal = (await evicted()) + share * (await admin.dbsize())
    let limit = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
    while ((await evicted()) < goal) {
      limit -= 4_000
      await admin.config('SET', 'maxmemory', limit)
    }
    await admin.config('SET', 'maxmemory', 0)
  }

  /** Writes so many keys that nobody uses. Beside what they hold, the buffers of a connection weigh little. */
  async function fill(count: number): Promise<void> {
    const pipeline = admin.pipeline()
    for (let n = 0; n < count; n++) pipeline.set(`other:${n}`, 'x'.repeat(1_000), 'EX', 36_000)
    await pipeline.exec()
  }

  async function world(policy: string, samples = 5) {
    await admin.config('SET', 'maxmemory-policy', policy)
    await admin.config('SET', 'maxmemory-samples', samples)
    const clock = new FakeClock()
    const state = await open(clock, 'a')
    const pass = async (seconds: number) => {
      clock.advance(seconds * 1000)
      if (policy.endsWith('lru')) await admin.eval(AGE, 0, seconds)
    }
    const login = async (n: number) => {
      const user = { userId: `u${n}`, loginUsername: `u${n}` }
      const broker = { brokerUserId: `b${n}`, brokerSessionId: `s${n}` }
      const { id } = await state.userSessions
        .create(REALM, {
          ...user,
          ...broker,
          client: { clientId: `app${n % 3}` },
        })
        .then(createdSession)
      return { id, userId: user.userId, clientId: `app${n % 3}` }
    }
    const logins = (count: number) => Promise.all(Array.from({ length: count }, (_, n) => login(n)))
    return { state, clock, pass, logins, [Symbol.asyncDispose]: () => state.close() }
  }

  const isListed = async (state: AuthState, userId: string, id: string) =>
    (await state.userSessions.listByUser(REALM, userId)).items.some((session) => session.id === id)

  async function listAll(state: AuthState): Promise<number> {
    let listed = 0
    let cursor: string | undefined
    do {
      const page = await state.userSessions.list(REALM, { limit: 100, ...(cursor && { cursor }) })
      listed += page.items.length
      cursor = page.cursor
    } while (cursor !== undefined)
    return listed
  }

  describe('what goes first', () => {
    /** Sessions, a sixth of them in use for ten minutes, and a few of everything else; then half of all is evicted. */
    async function half(policy: string) {
      const { state, pass, logins, ...rest } = await world(policy, policy.endsWith('lru') ? EXACT : 5)
      await using _ = rest
      const sessions = await logins(120)
      const later = { lifespanMs: 10 * HOUR }
      for (let n = 0; n < 120; n++) {
        await state.authSessions.createRoot(REALM)
        await state.actionTokens.put(REALM, 'code', `c${n}`, later)
        await state.actionTokens.revoke(REALM, `jti${n}`, 10 * HOUR)
        await state.userSessions.removeByUser(REALM, `gone${n}`)
        await state.cluster.withLock(`l${n}`, {}, () => {})
      }
      const used = sessions.slice(0, USED)
      // What was written first is not older than what was written last, however long the writing took.
      if (policy.endsWith('lru')) await admin.eval(ALIKE, 0)
      for (let n = 0; n < 20; n++) {
        await pass(30)
        for (const { id, clientId } of used) await state.userSessions.refresh(REALM, id, { clientId })
      }
      const before = await census()
      await evict(0.5)
      const after = await census()
      const gone = (kind: string) => 1 - after(kind) / before(kind)
      let [kept, indexed] = [0, 0]
      for (const { id, userId } of used) {
        kept += (await keys(`us:${REALM}:${id}`)).length
        indexed += (await keys(`uu:${REALM}:${userId}`)).length
      }
      return { gone, after, kept, indexed }
    }

    test.each(['volatile-lru', 'allkeys-lru'])(
      '%s: what was used longest ago, records and indexes alike; a session in use keeps both',
      async (policy) => {
        const { gone, after, kept, indexed } = await half(policy)
        expect({ kept, indexed }).toEqual({ kept: USED, indexed: USED })
        for (const kind of ['us', 'uu', 'ub', 'ui', 'auth', 'ao', 'av', 'uf'])
          expect([kind, gone(kind) > 0.2]).toEqual([kind, true])
        if (policy === 'volatile-lru') expect(after('layout')).toBe(1)
      },
    )

    test('volatile-lfu: what was written and not looked at since, then what is idle', async () => {
      const { gone, kept, indexed } = await half('volatile-lfu')
      // Redis counts by chance.
      expect(Math.min(kept, indexed)).toBeGreaterThan(USED * 0.7)
      for (const kind of ['uf', 'ao']) expect([kind, gone(kind) > gone('us') + 0.1]).toEqual([kind, true])
    })

    test('volatile-ttl: what ends next, in use or not; indexes after their sessions', async () => {
      const { gone, after, kept } = await half('volatile-ttl')
      expect(gone('auth')).toBeGreaterThan(0.9)
      expect(gone('us')).toBeGreaterThan(gone('uu'))
      expect(kept).toBeLessThan(USED)
      for (const kind of ['av', 'ao']) expect([kind, gone(kind) < 0.1]).toEqual([kind, true])
      expect(after('cf') + after('cl') + after('layout')).toBeGreaterThan(2)
    })

    test('volatile-random: anything but what never expires', async () => {
      const { gone, kept } = await half('volatile-random')
      expect(kept).toBeLessThan(USED)
      for (const kind of ['us', 'uu', 'ub', 'ui', 'auth', 'ao', 'av', 'uf'])
        expect([kind, gone(kind) > 0.2]).toEqual([kind, true])
      for (const kind of ['cf', 'cl', 'layout']) expect([kind, gone(kind)]).toEqual([kind, 0])
    })
  })

  describe.each(['volatile-lru', 'allkeys-lru', 'volatile-random'])('%s', (policy) => {
    test('a session whose indexes went is in its lists again after its next use, and removeByUser finds it', async () => {
      const { state, pass, logins, ...rest } = await world(policy)
      await using _ = rest
      const sessions = await logins(150)
      await pass(60)
      await evict(0.4)
      let unlisted = 0
      let alive = 0
      for (const { id, userId, clientId } of sessions) {
        await pass(0)
        if ((await keys(`us:${REALM}:${id}`)).length === 0) continue
        alive += 1
        if ((await keys(`uu:${REALM}:${userId}`)).length === 0) unlisted += 1
        const refreshed = await state.userSessions.refresh(REALM, id, { clientId })
        expect(refreshed?.id).toBe(id)
        expect(await isListed(state, userId, id)).toBe(true)
        expect((await state.userSessions.findByBrokerSession(REALM, userId.replace('u', 's')))?.id).toBe(id)
      }
      // Else nothing was shown: some were alive and in no list.
      expect(unlisted).toBeGreaterThan(0)
      expect(await state.userSessions.count(REALM)).toBe(alive)
      expect(await listAll(state)).toBe(alive)
      let removed = 0
      for (const { userId } of sessions) removed += await state.userSessions.removeByUser(REALM, userId)
      expect(removed).toBe(alive)
      for (const { id } of sessions) expect(await state.userSessions.get(REALM, id)).toBeUndefined()
    })

    test('a count is never above its list', async () => {
      const { state, pass, logins, ...rest } = await world(policy)
      await using _ = rest
      await logins(150)
      await pass(60)
      for (let round = 0; round < 4; round++) {
        await evict(0.2)
        const counted = await state.userSessions.count(REALM)
        const byClient = await state.userSessions.countByClient(REALM, 'app1')
        expect(await listAll(state)).toBe(counted)
        const { items } = await state.userSessions.listByClient(REALM, 'app1', { limit: 100 })
        expect(items).toHaveLength(byClient)
      }
    })

    test('a value of the second level is not given out once what says that it is untrue went', async () => {
      const { state, clock, pass, ...rest } = await world(policy)
      await using _ = rest
      const options = { secondLevelTtlMs: HOUR }
      const COUNT = 200
      const region = state.realmCache.region<string>('realms', options)
      for (let n = 0; n < COUNT; n++) await region.get(`k${n}`, () => 'old', { tags: [`t${n}`] })
      for (let n = 0; n < COUNT; n++) await region.invalidate({ tag: `t${n}` })
      await pass(60)
      // Each partition has its own entry of a tag. Redis takes samples: on until enough values are there whose tag went.
      const undeclared = async () => {
        let count = 0
        for (const value of await admin.keys('authstate:{*}:rv:realms:*'))
          count += 1 - (await admin.exists(value.replace(':rv:', ':rt:').replace(/:k(\d+)$/, ':t$1')))
        return count
      }
      await evict(0.4)
      for (let round = 0; round < 5 && (await undeclared()) < 5; round++) await evict(0.1)
      expect(await undeclared()).toBeGreaterThanOrEqual(5)
      await using other = await open(clock, 'b')
      const elsewhere = other.realmCache.region<string>('realms', options)
      for (let n = 0; n < COUNT; n++)
        expect(await elsewhere.get(`k${n}`, () => 'new', { tags: [`t${n}`] })).toBe('new')
    })
  })

  test('a session in constant use is in its lists in each second, while the server evicts', async () => {
    const { state, pass, logins, ...rest } = await world('volatile-lru', EXACT)
    await using _ = rest
    const used = await logins(10)
    await pass(60)
    for (let second = 0; second < 10; second++) {
      await fill(400)
      await pass(1)
      for (const { id } of used) expect(await state.userSessions.touch(REALM, id)).toBeDefined()
      await evict(0.2)
      for (const { id, userId } of used) expect(await isListed(state, userId, id)).toBe(true)
      // The index of the realm is looked at every ten seconds.
      expect(await state.userSessions.count(REALM)).toBeLessThanOrEqual(used.length)
    }
    await pass(10)
    for (const { id } of used) await state.userSessions.touch(REALM, id)
    expect(await state.userSessions.count(REALM)).toBe(used.length)
  })
})
