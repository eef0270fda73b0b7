// A site is told everything, or what was written since; two sites are compared, and told what each lacks.
import { afterAll, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import type { PushInfo } from '../src/index.js'
import { inStep, isState, openSite, openTwo, passes, REALM, signIn, type TestSite, until } from './support.js'

const OVER = ['done', 'cancelled', 'failed', 'paused']

/** Looks at a push until it is so. */
const pushWhen = (
  { sites }: TestSite,
  { id }: PushInfo,
  isSo: (push: PushInfo) => boolean = ({ status }) => OVER.includes(status),
): Promise<PushInfo> => until(async () => (await sites.pushes()).find((push) => push.id === id && isSo(push)))

const signInMany = (site: TestSite, count: number, name = 'user') =>
  Promise.all(Array.from({ length: count }, (_, n) => signIn(site, `${name}-${n}`)))

const idsAt = async ({ users }: TestSite, ids: readonly { readonly id: string }[]) => {
  const found = await Promise.all(ids.map(({ id }) => users.get(REALM, id)))
  return found.flatMap((session) => (session === undefined ? [] : [session.id]))
}

describeWith(redis, 'a push', () => {
  const raw = openRedis()
  afterAll(() => raw.disconnect())

  /** A site loses all but what says which site it is, so that nobody notices. */
  async function loseRecords(prefix: string) {
    const keys = await raw.keys(`${prefix}:{*`)
    await raw.unlink(...keys.filter((key) => !/:x[nh]/.test(key)))
  }

  /** Two sites of which one says to the other nothing of what it remembers. */
  async function openApart() {
    const two = await openTwo()
    await two.a.sites.takeOffline('b')
    return two
  }

  test('scenario 38: tells a site that lost its data everything; what was removed stays removed', async () => {
    const { a, b, prefixB } = await openTwo()
    const sessions = await signInMany(a, 30)
    // What nobody was told of needs no removal.
    await inStep(a)
    const [removed, ...others] = sessions
    await a.users.remove(REALM, removed?.id as string)
    await inStep(a)
    await loseRecords(prefixB)
    expect(await b.users.count(REALM)).toBe(0)
    const asked = await a.sites.push('b')
    expect(asked).toMatchObject({ from: 'a', to: 'b', spi: 'all', mode: 'full', status: 'queued' })
    const push = await pushWhen(a, asked)
    expect(push).toMatchObject({ status: 'done', scanned: 30, sent: 30, conflicts: 0 })
    expect(push.partitions).toEqual({ done: 2, total: 2 })
    expect(push.bytes).toBeGreaterThan(30 * 100)
    expect((await idsAt(b, others)).length).toBe(29)
    expect(await b.users.get(REALM, removed?.id as string)).toBeUndefined()
    expect((await a.sites.verify('b')).isEqual).toBe(true)
  })

  test('of what was written since tells no more than that; a pull brings what the other one has', async () => {
    const { a, b, prefixB } = await openTwo()
    await signInMany(a, 20)
    await inStep(a)
    await passes(a, 5)
    const since = a.connection.clock.now()
    const [session] = await signInMany(a, 1, 'late')
    await inStep(a)
    await loseRecords(prefixB)
    const push = await pushWhen(a, await a.sites.push('b', { since, spi: 'user-session' }))
    expect(push).toMatchObject({ mode: 'delta', since, status: 'done', scanned: 21, sent: 1, changed: 1 })
    expect(await b.users.count(REALM)).toBe(1)
    expect(await b.users.get(REALM, session?.id as string)).toBeDefined()

    const pull = await pushWhen(b, await b.sites.pull('a'))
    expect(pull).toMatchObject({ from: 'a', to: 'b', status: 'done', sent: 21, changed: 20 })
    expect((await b.sites.verify('a')).isEqual).toBe(true)
  })

  test('scenario 34: goes on where a node that did it ended, and no record is looked at twice', async () => {
    const { a, b, prefixA, prefixB } = await openTwo({ config: { maxRecordsPerSecond: 400 } })
    await a.sites.takeOffline('b')
    await signInMany(a, 200)
    await a.sites.caughtUp()
    const second = await openSite({
      name: 'a',
      prefix: prefixA,
      others: { b: { prefix: prefixB } },
      starts: false,
    })
    await a.sites.bringOnline('b', { push: 'none' })
    const asked = await a.sites.push('b')
    await pushWhen(a, asked, ({ scanned }) => scanned >= 60)
    await a.close()
    await second.start()
    const push = await pushWhen(second, asked)
    expect(push).toMatchObject({ status: 'done', scanned: 200, partitions: { done: 2, total: 2 } })
    expect(await b.users.count(REALM)).toBe(200)
  })

  test('scenario 35: that is cancelled ends within a second, harms nobody, and another one completes', async () => {
    const { a, b } = await openTwo({ config: { maxRecordsPerSecond: 50 } })
    await a.sites.takeOffline('b')
    await signInMany(a, 100)
    await a.sites.caughtUp()
    await a.sites.bringOnline('b', { push: 'none' })
    const asked = await a.sites.push('b')
    expect((await a.sites.push('b')).id).toBe(asked.id)
    await pushWhen(a, asked, ({ sent }) => sent > 0)
    expect(await a.sites.controlPush(asked.id, 'pause')).toMatchObject({ status: 'paused' })
    expect(await a.sites.pushes({ active: true })).toHaveLength(1)
    expect(await a.sites.controlPush(asked.id, 'resume')).toMatchObject({ status: 'running' })
    const at = a.connection.clock.now()
    expect(await a.sites.controlPush(asked.id, 'cancel')).toMatchObject({ status: 'cancelled' })
    const { sent } = await pushWhen(a, asked)
    await passes(a, 300)
    const after = await pushWhen(a, asked)
    expect(after.sent).toBe(sent)
    expect(after.finishedAt).toBeLessThan(at + 1_000)
    expect(await a.sites.controlPush(asked.id, 'resume')).toMatchObject({ status: 'cancelled' })
    expect(await a.sites.controlPush('nobody', 'cancel')).toBeUndefined()
    for (const site of [a, b]) expect((await signIn(site, 'zoe')).id).toBeDefined()
    await inStep(a, b)
    expect(await b.users.count(REALM)).toBeLessThan(102)
    expect((await pushWhen(a, await a.sites.push('b'))).status).toBe('done')
    expect(await b.users.count(REALM)).toBe(102)
  })

  test('scenario 33: is not needed where a link was cut: only what changed meanwhile is told, both ways', async () => {
    const { a, b, toA, toB } = await openTwo()
    const before = await signInMany(a, 40)
    await inStep(a, b)
    toA.cut()
    toB.cut()
    for (const { id } of before.slice(0, 5)) await a.users.update(REALM, id, { notes: { a: '1' } })
    for (const { id } of before.slice(3, 9)) await b.users.update(REALM, id, { notes: { b: '1' } })
    await signInMany(b, 10, 'late')
    for (const { sites } of [a, b]) await sites.caughtUp()
    const behind = async ({ sites }: TestSite) => (await sites.links()).map((link) => link.behind)
    expect([await behind(a), await behind(b)]).toEqual([[5], [16]])
    toA.heal()
    toB.heal()
    await inStep(a, b)
    expect(await a.sites.pushes()).toEqual([])
    expect((await b.sites.verify('a')).isEqual).toBe(true)
    expect([await a.users.count(REALM), await b.users.count(REALM)]).toEqual([50, 50])
  })

  test('that finds nobody there waits, and goes on when it is asked to', async () => {
    const { a, b, toB } = await openTwo({ config: { takeOffline: { afterFailures: 0, minWaitMs: 0 } } })
    const [session] = await signInMany(a, 1)
    await inStep(a)
    toB.cut()
    const asked = await a.sites.push('b')
    const paused = await pushWhen(a, asked)
    expect(paused).toMatchObject({ status: 'paused', error: 'the site "b" did not answer', sent: 0 })
    toB.heal()
    await isState(a, 'b', 'online')
    expect(await a.sites.controlPush(asked.id, 'resume')).not.toHaveProperty('error')
    const push = await pushWhen(a, asked)
    expect(push).toMatchObject({ status: 'done', sent: 1 })
    expect(await b.users.get(REALM, session?.id as string)).toBeDefined()
  })

  test('of a mirror takes away what the teller knows nothing of, but for what was written since', async () => {
    const { a, b, prefixA } = await openTwo()
    const sessions = await signInMany(a, 10)
    await inStep(a)
    await passes(a, 300)
    // The teller lost some of it, and does not know that it was there.
    const [lost, kept] = [sessions.slice(0, 4), sessions.slice(4)]
    for (const { id } of lost) await raw.unlink(...(await raw.keys(`${prefixA}:{*${id}`)))
    const full = await pushWhen(a, await a.sites.push('b'))
    expect(full.status).toBe('done')
    expect((await idsAt(b, lost)).length).toBe(4)
    const push = await pushWhen(a, await a.sites.push('b', { mode: 'mirror' }))
    expect(push.status).toBe('done')
    expect(await idsAt(b, lost)).toEqual([])
    expect((await idsAt(b, kept)).length).toBe(6)
    const fresh = await signIn(b, 'fresh')
    await inStep(b)
    expect(await a.users.get(REALM, fresh.id)).toBeDefined()
    expect((await a.sites.verify('b')).isEqual).toBe(true)
  })

  test('is refused by name where it makes no sense', async () => {
    const { a } = await openApart()
    await expect(a.sites.push('x')).rejects.toThrow('"site" must be one of "b"')
    await expect(a.sites.push('b', { mode: 'delta' })).rejects.toThrow('"options.since" is allowed only with')
    await expect(a.sites.push('b', { mode: 'full', since: 1 })).rejects.toThrow(
      '"options.since" is allowed only with',
    )
    await expect(a.sites.push('b', { spi: 'vault' })).rejects.toThrow("kept in step: 'user-session'")
    await expect(a.sites.push('b', { since: -1 })).rejects.toThrow('"options.since" must be a whole number')
    await expect(a.sites.push('b', { sinse: 1 } as never)).rejects.toThrow('sinse')
    await expect(a.sites.controlPush('x', 'stop' as never)).rejects.toThrow("'cancel', 'pause', 'resume'")
    await expect(a.sites.bringOnline('b', { push: 'all' as never })).rejects.toThrow('"options.push"')
  })

  test('of both directions is asked for by a site that comes back', async () => {
    const { a, b } = await openApart()
    await signInMany(a, 3)
    const asked = await a.sites.bringOnline('b', { push: 'both' })
    expect(asked.map(({ from, to, mode }) => `${from} ${to} ${mode}`)).toEqual(['a b delta', 'b a delta'])
    for (const push of asked) expect((await pushWhen(a, push)).status).toBe('done')
    expect(await b.users.count(REALM)).toBe(3)
  })
})

describeWith(redis, 'a comparison of two sites', () => {
  const raw = openRedis()
  afterAll(() => raw.disconnect())

  test('is equal whatever was done to sessions, and names what differs by partition', async () => {
    const { a, b, prefixB } = await openTwo()
    const sessions = await signInMany(a, 12)
    await inStep(a)
    for (const [n, { id }] of sessions.entries()) {
      const site = n % 2 === 0 ? a : b
      await site.users.update(REALM, id, { notes: { n: `${n}` }, state: 'LOGGED_IN' })
      if (n % 3 === 0) await site.users.refresh(REALM, id, { clientId: 'shop' })
      if (n % 4 === 0) await site.users.removeClientSession(REALM, id, 'shop')
      if (n % 5 === 0) await site.users.update(REALM, id, { notes: { n: null } })
      if (n % 6 === 0)
        await site.users.restart(REALM, id, { userId: `user-${n}`, loginUsername: `user-${n}` })
      if (n === 11) await site.users.remove(REALM, id)
    }
    await inStep(a, b)
    const equal = await a.sites.verify('b', { spi: 'user-session' })
    expect(equal).toMatchObject({ site: 'b', isEqual: true, differences: [], notCompared: [] })
    expect(equal.push).toMatchObject({ mode: 'verify', status: 'done', sent: 0 })

    const [lost] = sessions
    const keys = await raw.keys(`${prefixB}:{*}:[uo]s:*${lost?.id}`)
    await raw.unlink(...keys)
    const report = await a.sites.verify('b')
    expect(report.isEqual).toBe(false)
    const [difference] = report.differences
    expect(difference).toMatchObject({ spi: 'user-session', isRepaired: false })
    const repaired = await a.sites.verify('b', { repair: true })
    expect(repaired.push.sent).toBeLessThan(12)
    expect((await a.sites.verify('b')).isEqual).toBe(true)

    // Of one session nothing but a note differs: both count the same.
    await a.sites.takeOffline('b')
    await a.users.update(REALM, sessions[1]?.id as string, { notes: { untold: '1' } })
    await a.sites.caughtUp()
    // A node gathers changes for two milliseconds before it sends them.
    await passes(a, 100)
    await a.sites.bringOnline('b', { push: 'none' })
    await isState(a, 'b', 'online')
    const { differences } = await a.sites.verify('b')
    expect(differences).toMatchObject([{ parts: 1 }])
    expect(differences[0]?.here).toBe(differences[0]?.there)
    expect((await a.sites.verify('b', { repair: true })).isEqual).toBe(true)
    expect((await b.users.get(REALM, sessions[1]?.id as string))?.notes['untold']).toBe('1')
  })
})
