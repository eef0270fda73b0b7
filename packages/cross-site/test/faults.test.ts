// What is wrong with a link, and what comes of it: no call at a site fails or waits for it, and nothing is lost.
import { FakeClock } from '@authstate/conformance'
import { afterAll, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import type { LinkInfo, SiteEvents } from '../src/index.js'
import {
  freshPrefix,
  inStep,
  isState,
  openSite,
  openTwo,
  openWay,
  REALM,
  signIn,
  type TestSite,
  until,
} from './support.js'

const linkOf = async ({ sites }: TestSite, to = 'b') =>
  (await sites.links()).find((link) => link.to === to) as LinkInfo

/** Two sites that go by clocks of the test. */
async function openWithClocks(more: Parameters<typeof openTwo>[0] = {}) {
  const clocks = { a: new FakeClock(), b: new FakeClock() }
  const [prefixA, prefixB] = [freshPrefix(), freshPrefix()]
  const [toA, toB] = [await openWay(), await openWay()]
  const begin = (name: 'a' | 'b') =>
    openSite({
      ...more,
      name,
      prefix: name === 'a' ? prefixA : prefixB,
      others:
        name === 'a' ? { b: { prefix: prefixB, url: toB.url } } : { a: { prefix: prefixA, url: toA.url } },
      clock: clocks[name],
      clocks,
    })
  const [a, b] = [await begin('a'), await begin('b')]
  await isState(a, 'b', 'online')
  await isState(b, 'a', 'online')
  return { a, b, toA, toB, clocks, begin }
}

describeWith(redis, 'a link', () => {
  const raw = openRedis()
  afterAll(() => raw.disconnect())

  test('scenario 29: goes offline without any load, three heartbeats after minWaitMs at most', async () => {
    const { a, toB, clocks } = await openWithClocks()
    toB.cut()
    await until(async () => (await linkOf(a)).failures >= 5)
    expect((await linkOf(a)).state).toBe('suspect')
    clocks.a.advance(30_000)
    clocks.b.advance(30_000)
    const { failures } = await linkOf(a)
    await isState(a, 'b', 'offline')
    expect((await linkOf(a)).failures - failures).toBeLessThanOrEqual(3)
  })

  test('scenario 30: is offline for every node of a site, and never in part', async () => {
    const config = { takeOffline: { afterFailures: 2, minWaitMs: 0 } }
    const { a, toB, prefixA, prefixB } = await openTwo({ config })
    const others = { b: { prefix: prefixB, url: toB.url } }
    const second = await openSite({ name: 'a', prefix: prefixA, others, config })
    await isState(second, 'b', 'online')
    const mixed: string[] = []
    for (const { sites } of [a, second])
      sites.onLink(({ services }) => {
        const states = new Set(Object.values(services).map(({ state }) => state))
        if (states.has('offline') && states.size > 1) mixed.push([...states].join())
      })
    toB.cut()
    await signIn(a)
    await Promise.all([isState(a, 'b', 'offline'), isState(second, 'b', 'offline')])
    expect((await linkOf(second)).changedAt).toBe((await linkOf(a)).changedAt)
    expect(mixed).toEqual([])
  })

  test.each([
    ['link', { state: 'offline', reason: 'with:login-failure' }],
    ['spi', { state: 'online' }],
  ] as const)(
    'scenario 31: goes offline for a service that fails alone, and with scope %s for the others as that says',
    async (scope, expected) => {
      const config = { takeOffline: { afterFailures: 2, minWaitMs: 0, scope } }
      const { a, b, prefixB } = await openTwo({ config })
      await a.failures.recordFailure(REALM, 'alice')
      await inStep(a)
      // The other site takes no more failures of this user, and everything else.
      const [record = ''] = await raw.keys(`${prefixB}:*:lf:${REALM}:alice`)
      await raw.set(record, 'not a hash')
      await a.failures.recordFailure(REALM, 'alice')
      await isState(a, 'b', 'offline')
      const { services } = await linkOf(a)
      const { 'login-failure': failed, ...others } = services
      expect(failed).toMatchObject({ state: 'offline', reason: 'auto' })
      expect(Object.keys(others)).toEqual(['user-session', 'action-token', 'web-session'])
      for (const service of Object.values(others)) expect(service).toMatchObject(expected)
      const { id } = await signIn(a)
      await a.sites.caughtUp()
      expect((await b.users.get(REALM, id)) !== undefined).toBe(scope === 'spi')
    },
  )

  test('scenario 39: works with clocks 29 s apart and says so; at 31 s it is blocked until they are right', async () => {
    const { a, b, clocks } = await openWithClocks()
    const heard: SiteEvents['clock'][] = []
    a.sites.on('clock', (event) => heard.push(event))
    clocks.b.advance(29_000)
    await until(async () => heard.length > 0)
    expect(heard).toEqual([{ type: 'clock', to: 'b', offsetMs: 29_000, isOff: true }])
    const { id } = await signIn(a)
    await inStep(a)
    expect(await b.users.get(REALM, id)).toBeDefined()
    clocks.b.advance(2_000)
    await isState(a, 'b', 'blocked')
    expect(await linkOf(a)).toMatchObject({
      reason: 'clock',
      message: expect.stringContaining('31000 ms'),
    })
    const later = await signIn(a)
    clocks.b.advance(-31_000)
    await isState(a, 'b', 'online')
    await inStep(a)
    expect(await b.users.get(REALM, later.id)).toBeDefined()
    expect(heard.at(-1)).toMatchObject({ isOff: false })
  })

  test('that is cut one way: the other site is sent to, and sees that it cannot be reached back', async () => {
    const config = { takeOffline: { afterFailures: 2, minWaitMs: 0 } }
    const { a, b, toB } = await openTwo({ config })
    const heard: SiteEvents['one-way'][] = []
    b.sites.on('one-way', (event) => heard.push(event))
    toB.cut()
    await isState(a, 'b', 'offline')
    await until(async () => heard.length > 0)
    expect(heard).toEqual([{ type: 'one-way', to: 'a', peerSeesUs: 'offline' }])
    expect(await linkOf(b, 'a')).toMatchObject({ state: 'online', peerSeesUs: 'offline' })
    const [atA, atB] = [await signIn(a), await signIn(b)]
    await inStep(b)
    expect(await a.users.get(REALM, atB.id)).toBeDefined()
    expect(await b.users.get(REALM, atA.id)).toBeUndefined()
  })

  test('to a site that was away for longer than removals are remembered is blocked until an operator decides', async () => {
    const { a, b, toA, toB, clocks } = await openWithClocks({
      config: { tombstoneMs: '1h', takeOffline: { afterFailures: 0, minWaitMs: 0 } },
    })
    for (const way of [toA, toB]) way.cut()
    await isState(a, 'b', 'suspect')
    for (const clock of Object.values(clocks)) clock.advance(3_700_000)
    for (const way of [toA, toB]) way.heal()
    await isState(a, 'b', 'blocked')
    expect(await linkOf(a)).toMatchObject({
      reason: 'away-too-long',
      message: expect.stringContaining('acceptResurrection'),
    })
    const { id } = await signIn(a)
    await a.sites.bringOnline('b')
    await a.sites.caughtUp()
    expect((await linkOf(a)).state).toBe('blocked')
    expect(await b.users.get(REALM, id)).toBeUndefined()
    await a.sites.bringOnline('b', { acceptResurrection: true })
    await isState(a, 'b', 'online')
    await until(async () => b.users.get(REALM, id))
  })

  test('to a site that speaks another protocol is blocked, and says what both speak', async () => {
    const { a, b, prefixB } = await openTwo()
    await b.close()
    await raw.hset(`${prefixB}:site`, 'protocol', '9')
    await isState(a, 'b', 'blocked')
    expect(await linkOf(a)).toMatchObject({ reason: 'version', message: expect.stringMatching(/9.*1/) })
    expect((await signIn(a)).id).toBeDefined()
  })

  test('of which two nodes send at once harms nothing', async () => {
    const { a, b, toB, prefixA, prefixB } = await openTwo()
    const others = { b: { prefix: prefixB, url: toB.url } }
    const second = await openSite({ name: 'a', prefix: prefixA, others })
    const { id } = await signIn(a)
    const gone = await signIn(a)
    for (let turn = 0; turn < 30; turn++) {
      // Whoever comes next takes the lease, and the other one believes that it holds it still.
      await raw.unlink(`${prefixA}:{00}:xl:sites`, `${prefixA}:{01}:xl:sites`)
      await (turn % 2 === 0 ? a : second).users.update(REALM, id, { notes: { turn: `${turn}` } })
      if (turn === 15) await second.users.remove(REALM, gone.id)
    }
    await inStep(a, second)
    await until(async () => (await b.users.get(REALM, id))?.notes['turn'] === '29')
    expect(await b.users.get(REALM, gone.id)).toBeUndefined()
    expect((await a.sites.verify('b')).isEqual).toBe(true)
  })
})
