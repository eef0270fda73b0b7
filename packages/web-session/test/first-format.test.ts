// Sessions as the first format had them: decimal times, the end itself as the score in each index, an index for each user.
import { FakeClock, openInspector } from '@authstate/conformance'
import { createKeySpace, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { type WebSessionProvider, webSessionSpi } from '../src/index.js'
import { SessionKeys } from '../src/redis/session-keys.js'
import { redisWebSessions } from '../src/redis.js'

const MINUTE_MS = 60_000

describeWith(redis, 'sessions of the first format', () => {
  const raw = openRedis()
  const prefix = `web-session-first-${process.pid}`
  const keys = new SessionKeys(createKeySpace(prefix, 1))
  const clock = new FakeClock()
  let provider: WebSessionProvider
  let close = async () => {}

  /** A node of a deployment of some layout, in the place of the one before. */
  async function open(layout: 1 | 2): Promise<void> {
    await close()
    await (await openInspector(raw)).clear(prefix)
    const registry = createProviderRegistry({
      factories: [redisWebSessions(), redisConnection()],
      config: {
        redis: { client: raw, prefix, partitions: 1, layout },
        spi: { 'web-session': { provider: 'redis' } },
      },
      clock,
    })
    await registry.start()
    provider = registry.get(webSessionSpi)
    close = () => registry.close()
  }
  beforeEach(() => open(2))
  afterEach(async () => {
    await close()
    await (await openInspector(raw)).clear(prefix)
  })
  afterAll(() => raw.disconnect())

  const former = {
    wr: () => keys.index(0, { realmId: 'r', kind: 'realm' }),
    wu: (userId: string) => keys.former(0, 'r', userId),
    wl: () => keys.index(0, { realmId: 'r', kind: 'label', name: 'sid', value: 'x' }),
  }

  /** What the version before wrote when it saved a session of `userId` with a label and an alias. */
  async function store(id: string, userId: string, ms = MINUTE_MS): Promise<void> {
    const now = clock.now()
    const [ends, member] = [now + ms, keys.member(id)]
    const since = userId === '' ? 0 : now - 5
    const text = `1:${ends}:7:${now - 1}:${since}::${now}::${userId}::sid{x}:3,1,3,7:{"a":1,"b":{"c":2}}`
    await raw.set(keys.record({ realmId: 'r', id }), text, 'PX', ms + MINUTE_MS)
    const indexes = [former.wr(), former.wl(), ...(userId === '' ? [] : [former.wu(userId)])]
    for (const index of indexes) {
      await raw.zadd(index, ends, member)
      await raw.pexpire(index, ms + MINUTE_MS)
    }
  }

  const ids = (page: { readonly items: readonly { readonly id: string }[] }) =>
    page.items.map(({ id }) => id).sort()

  test('are read, listed and counted as what they were', async () => {
    await store('s', 'u')
    await store('t', '')
    await provider.save('r', 'new', { data: {}, lifespanMs: MINUTE_MS, userId: 'u', labels: { sid: 'x' } })
    const now = clock.now()
    expect(await provider.get('r', 's')).toEqual({
      id: 's',
      data: { a: 1, b: { c: 2 } },
      userId: 'u',
      authenticatedAt: now - 5,
      labels: { sid: 'x' },
      generation: '',
      createdAt: now - 1,
      savedAt: now,
      expiresAt: now + MINUTE_MS,
      version: 7,
    })
    expect(await provider.get('r', 't')).not.toHaveProperty('userId')
    expect(ids(await provider.list('r'))).toEqual(['new', 's', 't'])
    expect(await provider.count('r')).toBe(3)
    expect(ids(await provider.listByUser('r', 'u'))).toEqual(['new', 's'])
    expect(ids(await provider.listByLabel('r', 'sid', 'x'))).toEqual(['new', 's', 't'])
    clock.advance(MINUTE_MS)
    expect(ids(await provider.list('r'))).toEqual([])
    expect(await provider.count('r')).toBe(0)
    expect(ids(await provider.listByUser('r', 'u'))).toEqual([])
  })

  test('come over pages, each once, before and behind those of now', async () => {
    for (let n = 0; n < 9; n++) await store(`old ${n}`, 'u', MINUTE_MS + n)
    for (let n = 0; n < 9; n++)
      await provider.save('r', `new ${n}`, { data: {}, lifespanMs: MINUTE_MS, userId: 'u' })
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await provider.listByUser('r', 'u', { limit: 4, ...(cursor && { cursor }) })
      seen.push(...ids(page))
      cursor = page.cursor
    } while (cursor !== undefined)
    expect(seen.sort()).toEqual(
      Array.from({ length: 9 }, (_, n) => [`new ${n}`, `old ${n}`])
        .flat()
        .sort(),
    )
  })

  const changes = {
    'a touch': () => provider.update('r', 's', { lifespanMs: 2 * MINUTE_MS }),
    'a touch that leaves the end where it is': () =>
      provider.update('r', 's', { expiresAt: clock.now() + MINUTE_MS }),
    'an update': () => provider.update('r', 's', { set: { n: [] }, unset: ['b'] }),
    'an update of a certain version': () => provider.update('r', 's', { set: { n: [] }, ifVersion: 7 }),
    'another user': () => provider.update('r', 's', { userId: 'v' }),
    'a save': () =>
      provider.save('r', 's', { data: { n: 1 }, lifespanMs: MINUTE_MS, userId: 'u', labels: { sid: 'x' } }),
    'a save with nothing': () => provider.save('r', 's', { data: {}, lifespanMs: MINUTE_MS }),
    'another generation': () => provider.save('r', 's', { data: {}, lifespanMs: MINUTE_MS, generation: 'b' }),
  }

  test.each(Object.entries(changes))('%s brings a session into the indexes of now', async (_, change) => {
    await store('s', 'u')
    const { createdAt = 0 } = (await provider.get('r', 's')) ?? {}
    expect(await change()).toBeTruthy()
    expect(await raw.exists(former.wu('u'))).toBe(0)
    const session = await provider.get('r', 's')
    expect(await raw.zcard(former.wr())).toBe(1)
    if (session?.generation === '') expect(session.createdAt).toBe(createdAt)
    expect(ids(await provider.list('r'))).toEqual(['s'])
    expect(await provider.count('r')).toBe(1)
    for (const userId of ['u', 'v'])
      expect(ids(await provider.listByUser('r', userId))).toEqual(session?.userId === userId ? ['s'] : [])
    expect(ids(await provider.listByLabel('r', 'sid', 'x'))).toEqual(session?.labels['sid'] ? ['s'] : [])
    expect(await provider.removeByRealm('r')).toBe(1)
    expect((await raw.keys(`${prefix}:{*`)).sort()).toEqual([keys.record({ realmId: 'r', id: 's' })])
  })

  test.each(Object.entries(changes))(
    '%s leaves a session as it was while layout 1 is written',
    async (_, change) => {
      await open(1)
      await store('s', 'u')
      const before = await provider.get('r', 's')
      expect(await change()).toBeTruthy()
      const session = await provider.get('r', 's')
      const {
        expiresAt = 0,
        version,
        createdAt,
        authenticatedAt = 0,
        savedAt,
        data = {},
        labels = {},
        userId,
      } = session ?? {}
      if (session?.generation === '') expect(createdAt).toBe(before?.createdAt)
      const lengths = Object.entries(data).flatMap(([name, value]) => [
        name.length + 2,
        JSON.stringify(value).length,
      ])
      const [text = '', ended = ''] = [await raw.get(keys.record({ realmId: 'r', id: 's' }))].flatMap(
        (held) => [held ?? '', held?.split(':')[5] ?? ''],
      )
      const label = labels['sid'] ? 'sid{x}' : ''
      const rest = `${session?.generation}:${userId ?? ''}::${label}:${lengths}:${JSON.stringify(data)}`
      expect(text).toBe(
        `1:${expiresAt}:${version}:${createdAt}:${authenticatedAt}:${ended}:${savedAt}:${rest}`,
      )
      const scored = async (index: string) => await raw.zrange(index, '0', '-1', 'WITHSCORES')
      const entry = [keys.member('s'), String(expiresAt)]
      expect(await scored(former.wr())).toEqual(entry)
      for (const user of ['u', 'v'])
        expect(await scored(former.wu(user))).toEqual(userId === user ? entry : [])
      expect(await scored(former.wl())).toEqual(label === '' ? [] : entry)
      expect(await raw.keys(`${prefix}:*:wm:*`)).toEqual([])
      for (const user of ['u', 'v'])
        expect(ids(await provider.listByUser('r', user))).toEqual(userId === user ? ['s'] : [])
      expect([ids(await provider.list('r')), await provider.count('r')]).toEqual([['s'], 1])
    },
  )

  test('a session of now stays so at a node that does not write it yet, until it is saved whole', async () => {
    await provider.save('r', 's', { data: { a: 1 }, lifespanMs: MINUTE_MS, userId: 'u', alias: 'x' })
    await raw.hset(`${prefix}:layout`, { _v: 1 })
    const registry = createProviderRegistry({
      factories: [redisWebSessions(), redisConnection()],
      config: {
        redis: { client: raw, prefix, partitions: 1 },
        spi: { 'web-session': { provider: 'redis' } },
      },
      clock,
    })
    await registry.start()
    const behind = registry.get(webSessionSpi)
    const record = keys.record({ realmId: 'r', id: 's' })
    expect(await behind.update('r', 's', { set: { b: 2 }, lifespanMs: 5 * MINUTE_MS })).toBe(2)
    expect(await raw.get(record)).toMatch(/^2:/)
    await behind.save('r', 's', { data: { a: 2 }, lifespanMs: MINUTE_MS, userId: 'u', alias: 'x' })
    expect(await raw.get(record)).toMatch(/^1:/)
    expect(await raw.keys(`${prefix}:*:wm:*`)).toEqual([])
    expect([ids(await behind.listByUser('r', 'u')), ids(await behind.list('r'))]).toEqual([['s'], ['s']])
    expect((await behind.find('r', 'x'))?.data).toEqual({ a: 2 })
    expect(await behind.removeByUser('r', 'u')).toBe(1)
    await registry.close()
  })

  test.each(['remove', 'removeByUser', 'removeByLabel', 'removeByRealm'] as const)(
    '%s ends them',
    async (verb) => {
      await store('s', 'u')
      await store('t', '')
      const ended = {
        remove: async () => Number(await provider.remove('r', 's')),
        removeByUser: () => provider.removeByUser('r', 'u'),
        removeByLabel: () => provider.removeByLabel('r', 'sid', 'x'),
        removeByRealm: () => provider.removeByRealm('r'),
      }
      const both = verb === 'removeByLabel' || verb === 'removeByRealm'
      expect(await ended[verb]()).toBe(both ? 2 : 1)
      expect(ids(await provider.list('r'))).toEqual(both ? [] : ['t'])
      expect(await raw.exists(former.wu('u'))).toBe(0)
      expect(await raw.zcard(former.wr())).toBe(both ? 0 : 1)
      expect(await provider.save('r', 's', { data: {}, lifespanMs: MINUTE_MS })).toEqual({
        outcome: 'refused',
      })
    },
  )

  test('removeByUser ends thousands of them in steps, and spares the one that stays', async () => {
    for (let n = 0; n < 1_200; n++) await store(`s${n}`, 'u', MINUTE_MS + (n % 7))
    for (let n = 0; n < 1_200; n++)
      await provider.save('r', `n${n}`, { data: {}, lifespanMs: MINUTE_MS, userId: 'u' })
    expect(await provider.removeByUser('r', 'u', { except: 's700' })).toBe(2_399)
    expect(ids(await provider.listByUser('r', 'u'))).toEqual(['s700'])
    expect(await provider.count('r')).toBe(1)
  })

  test('a mark of a removal that finds another generation leaves one as it is', async () => {
    await store('s', 'u')
    expect(await provider.remove('r', 's', { generation: 'other' })).toBe(false)
    expect(ids(await provider.listByUser('r', 'u'))).toEqual(['s'])
    expect((await provider.get('r', 's'))?.version).toBe(7)
    expect(await provider.update('r', 's', { lifespanMs: MINUTE_MS })).toBe(8)
    expect(ids(await provider.listByUser('r', 'u'))).toEqual(['s'])
    expect(await provider.save('r', 's', { data: {}, lifespanMs: 1, generation: 'other' })).toEqual({
      outcome: 'refused',
    })
  })
})
