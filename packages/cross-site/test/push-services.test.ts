// What a push and a comparison do for services besides user sessions, and who hears of a push.
import { expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import type { PushInfo, PushMode } from '../src/index.js'
import { inStep, isState, openSite, openTwo, passes, REALM, signIn, type TestSite, until } from './support.js'

const fail = async ({ failures }: TestSite, user: string, times = 1) => {
  for (let n = 0; n < times; n++) await failures.recordFailure(REALM, user)
}
const countAt = async ({ failures }: TestSite, user: string) =>
  (await failures.get(REALM, user))?.numFailures ?? 0

const isOver = async ({ sites }: TestSite, { id }: PushInfo) =>
  (await sites.pushes()).find((push) => push.id === id && push.status === 'done')

describeWith(redis, 'login failures of two sites', () => {
  test('are compared, and each site is told what it lacks', async () => {
    const { a, b } = await openTwo()
    await fail(a, 'alice')
    await fail(b, 'alice')
    await fail(b, 'bob', 3)
    await fail(a, 'carol')
    await a.failures.clear(REALM, 'carol')
    await inStep(a, b)
    const equal = await a.sites.verify('b', { spi: 'login-failure' })
    expect(equal).toMatchObject({ isEqual: true, differences: [], notCompared: [] })
    expect(equal.push.scanned).toBe(4)

    // One site goes without what was remembered for it.
    await a.sites.takeOffline('b')
    await fail(a, 'alice')
    await fail(a, 'dave')
    await a.sites.caughtUp()
    await a.sites.bringOnline('b', { push: 'none' })
    await isState(a, 'b', 'online')
    const { isEqual, differences } = await a.sites.verify('b', { spi: 'login-failure' })
    expect(isEqual).toBe(false)
    expect(differences.reduce((sum, { parts }) => sum + parts, 0)).toBe(2)
    expect(differences.reduce((sum, { here, there }) => sum + here - there, 0)).toBe(1)
    expect((await a.sites.verify('b', { repair: true })).isEqual).toBe(true)
    expect([await countAt(b, 'alice'), await countAt(b, 'dave')]).toEqual([3, 1])
  })

  test('are told again if they were written since a moment', async () => {
    const { a, b } = await openTwo()
    await fail(a, 'early')
    await inStep(a)
    await passes(a, 20)
    const since = a.connection.clock.now()
    await passes(a, 20)
    await fail(a, 'late')
    await inStep(a)
    const asked = await a.sites.push('b', { spi: 'login-failure', since })
    expect(await until(() => isOver(a, asked))).toMatchObject({ scanned: 2, sent: 1 })
    expect(await countAt(b, 'late')).toBe(1)
  })
})

describeWith(redis, 'a push of a mirror', () => {
  test('spares what the receiver wrote since it was asked for, of every service', async () => {
    const { a, b, toB, prefixA } = await openTwo()
    await fail(a, 'known', 2)
    await fail(a, 'lost', 2)
    const [known, lost] = [await signIn(a, 'known'), await signIn(a, 'lost')]
    await inStep(a, b)
    await passes(a, 100)
    // The teller lost some of it, and does not know that it was there.
    const raw = openRedis()
    for (const id of [lost.id, 'lost']) await raw.unlink(...(await raw.keys(`${prefixA}:{*:${id}`)))
    raw.disconnect()
    // What the receiver writes now, the teller does not hear of before it is done.
    await b.sites.takeOffline('a')
    toB.cut()
    const asked = await a.sites.push('b', { mode: 'mirror' })
    const fresh = await signIn(b, 'fresh')
    await fail(b, 'fresh')
    toB.heal()
    await isState(a, 'b', 'online')
    await a.sites.controlPush(asked.id, 'resume')
    await until(() => isOver(a, asked))
    const left = await Promise.all([known, lost, fresh].map(({ id }) => b.users.get(REALM, id)))
    expect(left.map((session) => session?.userId)).toEqual(['known', undefined, 'fresh'])
    const counts = await Promise.all(['known', 'lost', 'fresh'].map((user) => countAt(b, user)))
    expect(counts).toEqual([2, 0, 1])

    await b.sites.bringOnline('a')
    await inStep(a, b)
    expect((await a.sites.verify('b')).isEqual).toBe(true)
    expect([await countAt(a, 'fresh'), await countAt(a, 'lost')]).toEqual([1, 0])
  })
})

describeWith(redis, 'who listens', () => {
  test('hears of a push as it begins, waits and ends, on every node of the site', async () => {
    const { a, b, toB, prefixA, prefixB } = await openTwo({
      config: { takeOffline: { afterFailures: 0, minWaitMs: 0 }, heartbeatMs: 10 },
    })
    const second = await openSite({
      name: 'a',
      prefix: prefixA,
      others: { b: { prefix: prefixB, url: toB.url } },
    })
    await signIn(a)
    await inStep(a)
    const heard = [a, second].map((node) => {
      const statuses = new Set<string>()
      node.sites.on('push', ({ push }) => statuses.add(`${push.mode} ${push.status}`))
      return statuses
    })
    const hears = (mode: PushMode, status: string) =>
      until(async () => heard.every((statuses) => statuses.has(`${mode} ${status}`)))
    toB.cut()
    const asked = await a.sites.push('b')
    await hears('full', 'paused')
    toB.heal()
    await isState(a, 'b', 'online')
    await a.sites.controlPush(asked.id, 'resume')
    await hears('full', 'done')
    toB.cut()
    const { id } = await a.sites.push('b', { mode: 'mirror' })
    await hears('mirror', 'paused')
    await a.sites.controlPush(id, 'cancel')
    await hears('mirror', 'cancelled')
    expect(await b.users.count(REALM)).toBe(1)
  })
})
