// What nodes of one site say on the work channel is heard by the nodes of the others; no site serves what is no longer true elsewhere.
import type { EventInfo } from '@authstate/cluster'
import { afterAll, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { freshPrefix, inStep, isState, openSite, openTwo, type TestSite } from './support.js'

/** All that a site hears of a topic. */
function ear({ cluster }: TestSite, topic = 'news') {
  const heard: unknown[] = []
  const infos: EventInfo[] = []
  const gaps: string[] = []
  cluster.subscribe(
    topic,
    (event, info) => {
      heard.push(event)
      infos.push(info)
    },
    { onGap: (reason) => void gaps.push(reason) },
  )
  return { heard, infos, gaps }
}

/** Passes once the channel of a site has brought what was said on it. */
async function hears(site: TestSite): Promise<void> {
  const topic = 'hears'
  await new Promise<void>((resolve) => {
    const stop = site.cluster.subscribe(topic, () => {
      stop()
      resolve()
    })
    void site.cluster.publish(topic, 1, { scope: 'site' })
  })
}

describeWith(redis, 'the work channel of two sites', () => {
  const raw = openRedis()
  afterAll(() => raw.disconnect())

  /** Two sites that have begun to tell each other what is said. */
  const openTellers = async (more: Parameters<typeof openTwo>[0] = {}) => {
    const two = await openTwo(more)
    for (const prefix of [two.prefixA, two.prefixB])
      while ((await raw.keys(`${prefix}:*:xw:*`)).length === 0) await inStep(two.a, two.b)
    await inStep(two.a, two.b)
    return two
  }

  test('brings what is said to all to the other site, in order and once, and never back', async () => {
    const { a, b } = await openTellers()
    const [atA, atB] = [ear(a), ear(b)]
    for (const n of [1, 2, 3]) await a.cluster.publish('news', n)
    await b.cluster.publish('news', 4, { scope: 'other-sites' })
    await inStep(a, b, a, b)
    await hears(b)
    await hears(a)
    expect(atB.heard.filter((n) => n !== 4)).toEqual([1, 2, 3])
    expect([...atA.heard].sort()).toEqual([1, 2, 3, 4])
    const [first] = atB.infos.filter((_, index) => atB.heard[index] === 1)
    expect(first?.sender).toMatchObject({ name: a.cluster.node.name, site: 'a' })
    expect(new Set(atB.infos.map(({ id }) => id)).size).toBe(atB.infos.length)
    expect([atA.gaps, atB.gaps]).toEqual([[], []])
  })

  test('keeps what is for the site, or for the other nodes of it, at its site', async () => {
    const { a, b } = await openTellers()
    const atB = ear(b)
    await a.cluster.publish('news', 'site', { scope: 'site' })
    await a.cluster.publish('news', 'others', { scope: 'others' })
    await a.cluster.runOnce('a task', {}, () => {})
    await a.cluster.publish('news', 'all')
    await inStep(a)
    await hears(b)
    expect(atB.heard).toEqual(['all'])
  })

  test('brings nothing where the service stays at its site', async () => {
    const config = { spi: { cluster: { strategy: 'none' } } } as const
    const { a, b } = await openTellers({ config })
    const atB = ear(b)
    await a.cluster.publish('news', 1)
    await inStep(a)
    await hears(b)
    expect(atB.heard).toEqual([])
  })

  test('an invalidation empties the other site as well, and its second level before its nodes', async () => {
    const { a, b } = await openTellers()
    const options = { secondLevelTtlMs: 60_000 }
    const [usersA, usersB] = [
      a.cache.region<string>('users', options),
      b.cache.region<string>('users', options),
    ]
    let source = 'old'
    for (const region of [usersA, usersB])
      for (const key of ['alice', 'bob']) expect(await region.get(key, async () => source)).toBe('old')
    source = 'new'
    await usersA.invalidate(['alice'])
    await inStep(a)
    await hears(b)
    expect(await usersB.get('alice', async () => source)).toBe('new')
    // Neither this site's memory nor its second level had to forget what is still true.
    expect(await usersB.get('bob', async () => source)).toBe('old')
    expect(usersB.stats().secondLevel?.bypasses ?? 0).toBe(0)
    await inStep(b)
    await hears(a)
    expect(await usersA.get('bob', async () => source)).toBe('old')
  })

  test('what was said while the way was cut is heard once it is back', async () => {
    const { a, b, toB } = await openTellers()
    const atB = ear(b)
    toB.cut()
    for (const n of [1, 2]) await a.cluster.publish('news', n)
    toB.heal()
    await isState(a, 'b', 'online')
    await inStep(a)
    await hears(b)
    expect(atB.heard).toEqual([1, 2])
    expect(atB.gaps).toEqual([])
  })

  test('a site that was offline empties its caches once, and hears what was said meanwhile', async () => {
    const { a, b } = await openTellers()
    const atB = ear(b)
    const users = b.cache.region<string>('users')
    const cleared: string[] = []
    b.cache.on('cleared', ({ region }) => void cleared.push(region))
    await users.get('alice', async () => 'old')
    await a.sites.takeOffline('b')
    await a.cluster.publish('news', 1)
    await a.sites.caughtUp()
    expect(atB.heard).toEqual([])
    await a.sites.bringOnline('b')
    await isState(a, 'b', 'online')
    await inStep(a)
    await hears(b)
    expect(await users.get('alice', async () => 'new')).toBe('new')
    expect([atB.heard, atB.gaps, cleared]).toEqual([[1], [], ['users']])
  })

  test('where more was said than is kept, the other site hears of a gap, and empties its caches', async () => {
    const { a, b, toB, prefixA } = await openTellers()
    const atB = ear(b)
    const users = b.cache.region<string>('users')
    await users.get('alice', async () => 'old')
    toB.cut()
    await a.cluster.publish('news', 1)
    const [stream = ''] = await raw.keys(`${prefixA}:*:ce`)
    await raw.xtrim(stream, 'MAXLEN', 0)
    await a.cluster.publish('news', 2)
    toB.heal()
    await isState(a, 'b', 'online')
    await inStep(a)
    await a.cluster.publish('news', 3)
    await inStep(a)
    await hears(b)
    expect(atB.gaps).toEqual(['abandoned'])
    expect(atB.heard).toEqual([2, 3])
    expect(await users.get('alice', async () => 'new')).toBe('new')
  })

  test('a site that lost what it had heard, or what it had told, hears of a gap', async () => {
    const { a, b, prefixA, prefixB } = await openTellers()
    await a.cluster.publish('news', 1)
    await inStep(a)
    const atB = ear(b)
    const [told = ''] = await raw.keys(`${prefixA}:*:xw:b`)
    await raw.hset(told, 'heard', '1-1')
    await a.cluster.publish('news', 2)
    await inStep(a)
    await hears(b)
    expect(atB).toMatchObject({ heard: [2], gaps: ['abandoned'] })
    const [heard = ''] = await raw.keys(`${prefixB}:*:xw:a`)
    await raw.hdel(heard, 'from')
    await a.cluster.publish('news', 3)
    await inStep(a)
    await hears(b)
    expect(atB).toMatchObject({ heard: [2, 3], gaps: ['abandoned', 'abandoned'] })
  })

  test('a node that dies between the telling and the word of it makes nothing be heard twice', async () => {
    const { a, b, prefixA } = await openTellers()
    const atB = ear(b)
    await a.cluster.publish('news', 1)
    await inStep(a)
    const [told = ''] = await raw.keys(`${prefixA}:*:xw:b`)
    const before = await raw.hgetall(told)
    await a.cluster.publish('news', 2)
    await inStep(a)
    await raw.hset(told, before)
    await a.cluster.publish('news', 3)
    await inStep(a)
    await hears(b)
    expect(atB.heard).toEqual([1, 2, 3])
    expect(atB.gaps).toEqual([])
  })

  test('a site alone has none of it', async () => {
    const prefix = freshPrefix()
    const a = await openSite({ name: 'a', prefix, others: { b: { prefix: freshPrefix() } }, starts: false })
    await a.cluster.publish('news', 1)
    expect(await raw.keys(`${prefix}:*:xw*`)).toEqual([])
  })
})
