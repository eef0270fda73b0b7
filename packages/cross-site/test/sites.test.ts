// Two sites, each with its own Redis, keep user sessions in step: also where the way between them was cut.
import { FakeClock } from '@authstate/conformance'
import { afterAll, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { freshPrefix, inStep, isState, openSite, openTwo, openWay, passes, REALM, signIn } from './support.js'

const shared = <T extends { readonly clients: ReadonlyMap<string, unknown> }>(session: T | undefined) =>
  session && { ...session, clients: [...session.clients] }

describeWith(redis, 'two sites', () => {
  const raw = openRedis()
  afterAll(() => raw.disconnect())

  test('hold the same session after a login at one of them, and nothing goes back', async () => {
    const { a, b, prefixA, prefixB } = await openTwo()
    const session = await signIn(a)
    await a.users.update(REALM, session.id, { notes: { acr: '1' }, state: 'LOGGED_IN' })
    await inStep(a)
    const there = await b.users.get(REALM, session.id)
    expect(shared(there)).toEqual(shared(await a.users.get(REALM, session.id)))
    expect((await b.users.listByUser(REALM, 'alice')).items.map(({ id }) => id)).toEqual([session.id])
    expect(await b.users.countByClient(REALM, 'shop')).toBe(1)
    await inStep(a, b)
    // A join notes nothing: what one site tells another never comes back.
    const notes = await Promise.all(
      [prefixA, prefixB].map(async (prefix) => {
        const lengths = await Promise.all(['00', '01'].map((n) => raw.xlen(`${prefix}:{${n}}:xn`)))
        return lengths.reduce((sum, length) => sum + length, 0)
      }),
    )
    // One entry per partition keeps the place.
    expect(notes).toEqual([4, 2])
  })

  test('scenario 3: never make a refresh older, whoever refreshes', async () => {
    const { a, b } = await openTwo()
    const { id } = await signIn(a)
    await inStep(a)
    // What a site was not told yet is no older there: their clocks differ by some.
    const latest = new Map([
      [a, 0],
      [b, 0],
    ])
    for (let turn = 0; turn < 20; turn++) {
      const site = turn % 2 === 0 ? a : b
      const session = await site.users.refresh(REALM, id, { clientId: 'shop' })
      expect(session?.lastRefreshAt).toBeGreaterThanOrEqual(latest.get(site) ?? 0)
      latest.set(site, session?.lastRefreshAt ?? 0)
      if (turn % 3 === 0) await inStep(site)
    }
    await inStep(a, b)
    const [atA, atB] = await Promise.all([a, b].map(({ users }) => users.get(REALM, id)))
    expect([atA?.lastRefreshAt, atB?.lastRefreshAt]).toEqual([1, 2].map(() => Math.max(...latest.values())))
    expect(shared(atB)).toEqual(shared(atA))
  })

  test('scenario 4, 5: sign out together, also where the way was cut and the other one was in use meanwhile', async () => {
    const { a, b, toA, toB } = await openTwo()
    const { id } = await signIn(a)
    await inStep(a)
    toA.cut()
    toB.cut()
    expect(await a.users.remove(REALM, id)).toBeTruthy()
    for (let turn = 0; turn < 10; turn++)
      expect(await b.users.refresh(REALM, id, { clientId: 'shop' })).toBeDefined()
    toA.heal()
    toB.heal()
    await inStep(a, b)
    for (const { users } of [a, b]) {
      expect(await users.get(REALM, id)).toBeUndefined()
      expect(await users.refresh(REALM, id, { clientId: 'shop' })).toBeUndefined()
      expect(await users.count(REALM)).toBe(0)
    }
  })

  test('scenario 7: keep notes of both from a time without each other; of one note the later stands', async () => {
    const { a, b, toA, toB } = await openTwo()
    const { id } = await signIn(a)
    await inStep(a)
    toA.cut()
    toB.cut()
    await a.users.update(REALM, id, { notes: { ofA: 'x', both: 'sooner' } })
    await b.users.update(REALM, id, { notes: { ofB: 'y', both: 'later' } })
    toA.heal()
    toB.heal()
    await inStep(a, b)
    for (const { users } of [a, b])
      expect((await users.get(REALM, id))?.notes).toEqual({ ofA: 'x', ofB: 'y', both: 'later' })
  })

  test('scenario 6: end what began before a removal of all sessions of a user, and spare what it spared', async () => {
    const { a, b, toA, toB } = await openTwo()
    const current = await signIn(a)
    await inStep(a)
    toA.cut()
    toB.cut()
    const before = await signIn(b)
    await a.users.removeByUser(REALM, 'alice', { except: current.id })
    // By then the clocks of both sites are sure of what came first.
    await passes(b, 300)
    const after = await signIn(b)
    toA.heal()
    toB.heal()
    await inStep(a, b, a)
    for (const { users } of [a, b]) {
      expect(await users.get(REALM, before.id)).toBeUndefined()
      expect(await users.get(REALM, current.id)).toBeDefined()
      expect(await users.get(REALM, after.id)).toBeDefined()
    }
  })

  test('scenario 8, 9: detach a client that the other one refreshed, and restart what the other one wrote to', async () => {
    const { a, b, toA, toB } = await openTwo()
    const [detached, restarted] = [await signIn(a), await signIn(a)]
    await inStep(a)
    toA.cut()
    toB.cut()
    await b.users.refresh(REALM, detached.id, { clientId: 'shop' })
    await b.users.update(REALM, restarted.id, { notes: { old: 'x' } })
    await a.users.removeClientSession(REALM, detached.id, 'shop')
    await a.users.restart(REALM, restarted.id, { userId: 'alice', loginUsername: 'alice' })
    toA.heal()
    toB.heal()
    await inStep(a, b)
    for (const { users } of [a, b]) {
      expect((await users.get(REALM, detached.id))?.clients.size).toBe(0)
      expect((await users.get(REALM, restarted.id))?.notes).toEqual({})
    }
    expect(shared(await b.users.get(REALM, restarted.id))).toEqual(
      shared(await a.users.get(REALM, restarted.id)),
    )
  })

  test('tell a site that comes new what was there before, and one that lost its data everything', async () => {
    const [prefixA, prefixB] = [freshPrefix(), freshPrefix()]
    const others = { a: { prefix: prefixA }, b: { prefix: prefixB } }
    const a = await openSite({ name: 'a', prefix: prefixA, others: { b: others.b }, starts: false })
    const sessions = [await signIn(a), await signIn(a, 'bob'), await signIn(a, 'carol')]
    await a.start()
    const [link] = await a.sites.links()
    expect(link?.state).not.toBe('online')
    const b = await openSite({ name: 'b', prefix: prefixB, others: { a: others.a } })
    await isState(a, 'b', 'online')
    await inStep(a)
    expect(await b.users.count(REALM)).toBe(3)

    await a.users.remove(REALM, sessions[0]?.id as string)
    await inStep(a)
    await b.close()
    await raw.unlink(...(await raw.keys(`${prefixB}:*`)))
    const again = await openSite({ name: 'b', prefix: prefixB, others: { a: others.a } })
    for (;;) {
      await inStep(a)
      if ((await again.users.count(REALM)) === 2) break
    }
    expect(await again.users.get(REALM, sessions[1]?.id as string)).toBeDefined()
  })

  test('scenario 32: remember what changes while an operator has taken one offline, once per record', async () => {
    const { a, b } = await openTwo()
    const { id } = await signIn(a)
    await inStep(a)
    const heard: string[] = []
    a.sites.onLink(({ to, state, reason }) => heard.push(`${to} ${state} ${reason}`))
    await a.sites.takeOffline('b')
    for (let turn = 0; turn < 5; turn++) await a.users.update(REALM, id, { notes: { turn: `${turn}` } })
    await signIn(a, 'bob')
    await a.sites.caughtUp()
    const [link] = await a.sites.links()
    expect(link).toMatchObject({ state: 'offline', reason: 'manual', behind: 2 })
    expect(a.sites.warnings().join()).toContain('nothing is sent to')
    expect(a.connection.warnings()).toEqual(a.sites.warnings())
    expect(a.connection.stats().sites).toMatchObject({
      b: { state: 'offline', behind: expect.any(Number), lagMs: expect.any(Number) },
    })
    expect(await b.users.count(REALM)).toBe(1)
    await a.sites.bringOnline('b')
    await isState(a, 'b', 'online')
    await inStep(a)
    expect(a.connection.warnings()).toEqual([])
    expect(await b.users.count(REALM)).toBe(2)
    expect((await b.users.get(REALM, id))?.notes).toEqual({ turn: '4' })
    expect(heard[0]).toBe('b offline manual')
    await expect(a.sites.takeOffline('x')).rejects.toThrow('"site" must be one of "b"')
  })

  test('go on where a node that told ended, and lose nothing', async () => {
    const { a, b, prefixA, prefixB, toB } = await openTwo()
    const second = await openSite({
      name: 'a',
      prefix: prefixA,
      others: { b: { prefix: prefixB, url: toB.url } },
    })
    toB.cut()
    const { id } = await signIn(a)
    await a.sites.caughtUp()
    await a.close()
    toB.heal()
    await isState(second, 'b', 'online')
    await inStep(second)
    expect(await b.users.get(REALM, id)).toBeDefined()
  })

  test('scenario 36: tell everything again where more changed than notes are kept', async () => {
    const [prefixA, prefixB] = [freshPrefix(), freshPrefix()]
    const others = { a: { prefix: prefixA }, b: { prefix: prefixB } }
    const a = await openSite({ name: 'a', prefix: prefixA, others: { b: others.b }, maxNotes: 1_000 })
    const b = await openSite({ name: 'b', prefix: prefixB, others: { a: others.a } })
    await isState(a, 'b', 'online')
    await inStep(a)
    await a.sites.close()
    const { id } = await signIn(a)
    const gone = await signIn(a)
    await a.users.remove(REALM, gone.id)
    for (let n = 0; n < 1_200; n += 100) {
      const some = Array.from({ length: 100 }, (_, k) => n + k)
      await Promise.all(some.map((k) => a.users.update(REALM, id, { notes: { n: `${k}` } })))
    }
    await a.start()
    await isState(a, 'b', 'online')
    await inStep(a)
    expect((await b.users.get(REALM, id))?.notes).toEqual((await a.users.get(REALM, id))?.notes)
    expect(await b.users.count(REALM)).toBe(1)
  })
})

describeWith(redis, 'a site that cannot work', () => {
  test('does not start: its own Redis as another site, another name there, another number of partitions', async () => {
    const prefix = freshPrefix()
    const itself = openSite({ name: 'a', prefix, others: { b: { prefix } } })
    await expect(itself).rejects.toThrow('crossSite.sites.b: leads to the Redis of this site itself')

    const [prefixC, prefixD] = [freshPrefix(), freshPrefix()]
    await openSite({ name: 'c', prefix: prefixC, others: { d: { prefix: prefixD } } })
    const wrongName = openSite({ name: 'd', prefix: prefixD, others: { e: { prefix: prefixC } } })
    await expect(wrongName).rejects.toThrow('this Redis belongs to the site "c"')
    const prefixF = freshPrefix()
    const wrongCount = openSite({
      name: 'f',
      prefix: prefixF,
      others: { c: { prefix: prefixC } },
      partitions: 4,
    })
    await expect(wrongCount).rejects.toThrow(/configured with 4, the deployment .* has 2/)
    const wrongSite = openSite({ name: 'g', prefix: prefixC, others: { d: { prefix: prefixD } } })
    await expect(wrongSite).rejects.toThrow('the Redis of this node belongs to the site "c"')
  })

  test('scenario 39: tells nothing to one whose clock is off, and goes on once it is right', async () => {
    const [prefixA, prefixB] = [freshPrefix(), freshPrefix()]
    const [clockA, clockB] = [new FakeClock(1_700_000_000_000), new FakeClock(1_700_000_000_000)]
    const b = await openSite({
      name: 'b',
      prefix: prefixB,
      others: { a: { prefix: prefixA } },
      clock: clockB,
    })
    // The clock of the other site is that of its Redis, which is years ahead of this one.
    const a = await openSite({
      name: 'a',
      prefix: prefixA,
      others: { b: { prefix: prefixB } },
      clock: clockA,
    })
    const { id } = await signIn(a)
    await a.sites.caughtUp()
    const [link] = await a.sites.links()
    expect(link).toMatchObject({ state: 'blocked', reason: 'clock' })
    expect(link?.message).toMatch(/^the clock of the site "b" is \d+ ms ahead/)
    expect(await b.users.get(REALM, id)).toBeUndefined()
    expect(a.sites.warnings().join()).toContain('blocked')
  })

  test('serves as ever while the other one is away', async () => {
    const way = await openWay()
    way.cut()
    const prefix = freshPrefix()
    const a = await openSite({ name: 'a', prefix, others: { b: { prefix: freshPrefix(), url: way.url } } })
    const { id } = await signIn(a)
    expect(await a.users.refresh(REALM, id)).toBeDefined()
    await a.sites.caughtUp()
    const [link] = await a.sites.links()
    expect(link).toMatchObject({ to: 'b' })
    expect(link?.behind).toBeGreaterThanOrEqual(2)
    expect(['connecting', 'suspect']).toContain(link?.state)
  })
})
