// What is left in Redis of sessions that are gone, and what lies between two steps of one call.
import { FakeClock, faultyClient, openInspector, RecordingLogger } from '@authstate/conformance'
import { createKeySpace, type RedisClient, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { afterAll, afterEach, expect, onTestFinished, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { webSessionSpi } from '../src/index.js'
import { SessionKeys } from '../src/redis/session-keys.js'
import { sessionVersions } from '../src/redis/session-text.js'
import { redisWebSessions } from '../src/redis.js'
import * as scripts from '../src/scripts.js'

const MINUTE_MS = 60_000

describeWith(redis, 'leftovers', () => {
  const raw = openRedis()
  const prefix = `web-session-leftovers-${process.pid}`
  const key = (...parts: string[]) => [`${prefix}:{00}`, ...parts].join(':')
  /** The index that has the sessions of a user, and of nobody else in these tests. */
  const ofUser = (userId: string) => new SessionKeys(space).index(0, { realmId: 'r', kind: 'user', userId })
  const space = createKeySpace(prefix, 1)
  const clock = new FakeClock()
  const logger = new RecordingLogger()
  const open = async (client: RedisClient = raw, maxDataBytes = 4_096) => {
    const registry = createProviderRegistry({
      factories: [redisWebSessions(), redisConnection()],
      config: {
        redis: { client, prefix, partitions: 1 },
        spi: { 'web-session': { provider: 'redis', redis: { maxDataBytes } } },
      },
      clock,
      logger,
    })
    await registry.start()
    const provider = registry.get(webSessionSpi)
    return Object.assign(provider, { [Symbol.asyncDispose]: () => registry.close() })
  }
  afterEach(async () => (await openInspector(raw)).clear(prefix))
  afterAll(() => raw.disconnect())

  /** Redis forgets keys with time, and this clock goes without it. */
  const forgets = (...keys: string[]) => raw.unlink(...keys)
  /** Commands of one connection are answered in turn: the members were read before. */
  const listedMembers = (slow: { count(realmId: string): Promise<number> }) => slow.count('r')
  const ends = { data: {}, lifespanMs: MINUTE_MS }

  test.each(['removeByUser', 'removeByLabel'] as const)(
    '%s ends no session of somebody else that has an id of before',
    async (verb) => {
      await using provider = await open()
      const end = () =>
        verb === 'removeByUser' ? provider.removeByUser('r', 'a') : provider.removeByLabel('r', 'l', 'a')
      await provider.save('r', 's', { ...ends, userId: 'a', labels: { l: 'a' } })
      await provider.save('r', 'longer', {
        ...ends,
        lifespanMs: 60 * MINUTE_MS,
        userId: 'a',
        labels: { l: 'a' },
      })
      // By the same instant, as with an end of day.
      const expiresAt = clock.now() + MINUTE_MS
      await forgets(key('wo', 'r', 's'))
      clock.advance(1)
      await provider.save('r', 's', { data: {}, expiresAt, userId: 'b', labels: { l: 'b' } })
      expect(await end()).toBe(1)
      expect((await provider.get('r', 's'))?.userId).toBe('b')
      expect((await provider.listByUser('r', 'b')).items).toHaveLength(1)
      expect((await provider.listByLabel('r', 'l', 'b')).items).toHaveLength(1)
      expect((await provider.list('r')).items.map(({ id }) => id)).toEqual(['s'])
      expect(await raw.exists(verb === 'removeByUser' ? ofUser('a') : key('wl', 'r', 'l', 'a'))).toBe(0)
      expect(await provider.removeByUser('r', 'b')).toBe(1)
    },
  )

  test('an index ends what it has, whatever the way in which an end was written', async () => {
    await using provider = await open()
    const user = { userId: 'a', labels: { l: 'a' } }
    const lifespans = [1, 999, 1_000, MINUTE_MS, 30 * MINUTE_MS, 12 * 3_600_000 - 1]
    for (const [n, lifespanMs] of lifespans.entries()) {
      await provider.save('r', `saved ${n}`, { data: {}, lifespanMs, ...user })
      await provider.save('r', `touched ${n}`, { ...ends, ...user })
      await provider.update('r', `touched ${n}`, { lifespanMs })
      await provider.save('r', `given ${n}`, { ...ends, labels: user.labels })
      await provider.update('r', `given ${n}`, { userId: 'a', expiresAt: clock.now() + lifespanMs })
      await provider.save('r', `again ${n}`, { ...ends, ...user, generation: '1' })
      await provider.save('r', `again ${n}`, { data: {}, lifespanMs, ...user, generation: '2' })
    }
    expect(await provider.removeByLabel('r', 'l', 'a')).toBe(4 * lifespans.length)
    expect(await provider.count('r')).toBe(0)
  })

  test('a session that changes its user or labels leaves nothing in the indexes of before', async () => {
    await using provider = await open()
    const before = [ofUser('a'), key('wl', 'r', 'l', 'a')]
    const changes = [
      () => provider.save('r', 's', { ...ends, userId: 'b', labels: { l: 'b' } }),
      () => provider.save('r', 's', { ...ends, userId: 'b', labels: { l: 'b' }, generation: 'b' }),
      () => provider.save('r', 's', ends),
      () => provider.remove('r', 's', { generation: 'a' }),
      () => provider.removeByUser('r', 'a'),
      () => provider.removeByRealm('r'),
    ]
    for (const [n, change] of changes.entries()) {
      const id = { generation: n === 1 || n === 3 ? 'a' : '' }
      await raw.unlink(key('wo', 'r', 's'))
      clock.advance(1)
      await provider.save('r', 's', { ...ends, ...id, userId: 'a', labels: { l: 'a' } })
      expect(await raw.exists(...before), String(n)).toBe(2)
      await change()
      expect(await raw.exists(...before), String(n)).toBe(0)
      await provider.removeByRealm('r')
    }
  })

  test("a listing hands out no session that is another user's by then", async () => {
    const faulty = faultyClient(raw)
    await using provider = await open()
    await using slow = await open(faulty.client)
    await provider.save('r', 's', { ...ends, userId: 'a', labels: { l: 'a' } })
    for (const list of [() => slow.listByUser('r', 'a'), () => slow.listByLabel('r', 'l', 'a')]) {
      let give = () => {}
      faulty.arm('get', { when: 'delay', until: new Promise<void>((resolve) => (give = resolve)) })
      await provider.save('r', 's', { ...ends, userId: 'a', labels: { l: 'a' } })
      const listed = list()
      await listedMembers(slow)
      await provider.save('r', 's', { ...ends, userId: 'b', labels: { l: 'b' } })
      give()
      expect((await listed).items).toEqual([])
    }
  })

  test('removeByLabel ends also a session whose end moves back while it walks', async () => {
    const faulty = faultyClient(raw)
    await using provider = await open()
    await using slow = await open(faulty.client)
    const labels = { l: 'a' }
    for (let n = 0; n < 201; n++)
      await provider.save('r', `s${n}`, { data: {}, lifespanMs: MINUTE_MS + n, labels })
    // So that the server has the source, and the next call is one command.
    await slow.removeByLabel('r', 'l', 'none')
    let goOn = () => {}
    faulty.arm(scripts.endAll, { when: 'delay', until: Promise.resolve() })
    faulty.arm(scripts.endAll, { when: 'delay', until: new Promise<void>((resolve) => (goOn = resolve)) })
    const removed = slow.removeByLabel('r', 'l', 'a')
    while ((await provider.count('r')) === 201) await new Promise(setImmediate)
    await provider.update('r', 's200', { lifespanMs: 1_000 })
    goOn()
    expect(await removed).toBe(201)
    expect(await provider.get('r', 's200')).toBeUndefined()
  })

  test('removeByLabel of many spares what is made while it walks', async () => {
    const faulty = faultyClient(raw)
    await using provider = await open()
    await using slow = await open(faulty.client)
    const labels = { l: 'a' }
    for (let n = 0; n < 201; n++)
      await provider.save('r', `s${n}`, { data: {}, lifespanMs: MINUTE_MS + n, labels })
    await slow.removeByLabel('r', 'l', 'none')
    let goOn = () => {}
    faulty.arm(scripts.endAll, { when: 'delay', until: Promise.resolve() })
    faulty.arm(scripts.endAll, { when: 'delay', until: new Promise<void>((resolve) => (goOn = resolve)) })
    const removed = slow.removeByLabel('r', 'l', 'a')
    while ((await provider.count('r')) === 201) await new Promise(setImmediate)
    clock.advance(1)
    await provider.save('r', 'later', { data: {}, lifespanMs: 60 * MINUTE_MS, labels })
    goOn()
    expect(await removed).toBe(201)
    expect((await provider.list('r')).items.map(({ id }) => id)).toEqual(['later'])
  })

  test('what is refused as too large keeps its time to live', async () => {
    await using provider = await open()
    await using smaller = await open(raw, 1_024)
    await provider.save('r', 's', { ...ends, data: { a: 1, big: 'x'.repeat(2_000) } })
    await expect(smaller.update('r', 's', { unset: ['a'] })).rejects.toThrow(RangeError)
    expect(await raw.pttl(key('wo', 'r', 's'))).toBeGreaterThan(0)
  })

  test('indexes are pruned, at whatever last digits sessions end', async () => {
    await using provider = await open()
    clock.set(1_700_000_000_000)
    // Ends at 23:59:59.999 of days, as frameworks write them.
    for (let n = 0; n < 10; n++)
      await provider.save('r', `s${n}`, { data: {}, expiresAt: clock.now() + 999, userId: 'a' })
    await provider.save('r', 'longer', { data: {}, expiresAt: clock.now() + 3_600_999, userId: 'a' })
    // An index scores a session by a minute more.
    clock.advance(62_000)
    for (let n = 0; n < 4; n++) {
      await provider.save('r', `t${n}`, { data: {}, expiresAt: 1_700_003_600_999, userId: 'a' })
      clock.advance(1)
    }
    expect([await raw.zcard(ofUser('a')), await raw.zcard(key('wr', 'r'))]).toEqual([5, 5])
  })

  test('a page is full, however many have ended that indexes still have', async () => {
    await using provider = await open()
    const labels = { l: 'a' }
    for (let n = 0; n < 250; n++)
      await provider.save('r', `ended ${n}`, { data: {}, lifespanMs: 1_000, userId: 'a', labels })
    for (let n = 0; n < 5; n++) await provider.save('r', `s${n}`, { ...ends, userId: 'a', labels })
    clock.advance(1_000)
    const pages = [
      await provider.list('r', { limit: 3 }),
      await provider.listByUser('r', 'a', { limit: 3 }),
      await provider.listByLabel('r', 'l', 'a', { limit: 3 }),
    ]
    for (const { items, cursor } of pages) expect([items.length, typeof cursor]).toEqual([3, 'string'])
    expect(await provider.count('r')).toBe(5)
    expect(await raw.zcard(key('wr', 'r'))).toBe(255)
  })

  test('find sees a living session behind hundreds that bore its alias and are gone', async () => {
    await using provider = await open()
    await provider.save('r', 'living', { ...ends, alias: 'x' })
    clock.advance(1)
    for (let n = 0; n < 250; n++) await provider.save('r', `gone ${n}`, { ...ends, userId: 'a', alias: 'x' })
    expect(await provider.removeByUser('r', 'a')).toBe(250)
    expect((await provider.find('r', 'x'))?.id).toBe('living')
  })

  test('a record of an older version is read as if it were of now', async () => {
    await using provider = await open()
    await provider.save('r', 'old', { ...ends, data: { a: 1 } })
    const session = await provider.get('r', 'old')
    expect(session?.data).toEqual({ a: 1 })
    const text = (await raw.get(key('wo', 'r', 'old'))) ?? ''
    sessionVersions.upcasters.set('old', (older) => older.replace('old:', '2:'))
    onTestFinished(() => void sessionVersions.upcasters.delete('old'))
    await raw.set(key('wo', 'r', 'old'), text.replace('2:', 'old:'), 'KEEPTTL')
    expect(await provider.get('r', 'old')).toEqual(session)
  })

  test('a record of another version is absent, and counted', async () => {
    await using provider = await open()
    for (const id of ['future', 'broken', 'no json'])
      await provider.save('r', id, { ...ends, userId: 'a', alias: 'x', labels: { l: 'v' } })
    await raw.set(key('wo', 'r', 'future'), '3:what another version wrote', 'KEEPTTL')
    await raw.set(key('wo', 'r', 'broken'), '', 'KEEPTTL')
    const text = (await raw.get(key('wo', 'r', 'no json'))) ?? ''
    await raw.set(key('wo', 'r', 'no json'), `${text.slice(0, -1)}]`, 'KEEPTTL')
    for (const id of ['future', 'broken', 'no json']) expect(await provider.get('r', id), id).toBeUndefined()
    expect((await provider.list('r')).items).toEqual([])
    expect((await provider.listByUser('r', 'a')).items).toEqual([])
    expect(await provider.find('r', 'x')).toBeUndefined()
    expect(await provider.update('r', 'future', { set: { a: 1 } })).toBeUndefined()
    expect(await provider.remove('r', 'future')).toBe(false)
    expect(await provider.save('r', 'future', ends)).toEqual({ outcome: 'refused' })
    expect(await provider.save('r', 'broken', ends)).toEqual({ outcome: 'stored', version: 1 })
    expect((await provider.get('r', 'broken'))?.data).toEqual({})
    expect(JSON.stringify(logger.entries)).toContain('a stored session')
  })
})
