// Three sites that all know each other: one way is cut, a site comes, a site goes; and what a site does that comes back by itself.
import { expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { CrossSiteError, type PushInfo } from '../src/index.js'
import {
  freshPrefix,
  inStep,
  isState,
  openMesh,
  openSite,
  openTwo,
  REALM,
  signIn,
  type TestSite,
  until,
} from './support.js'

const AT_ONCE = { takeOffline: { afterFailures: 2, minWaitMs: 0 }, recovery: { stableMs: 0 } }

const isDone = ({ sites }: TestSite, { id }: PushInfo) =>
  until(async () => (await sites.pushes()).some((push) => push.id === id && push.status === 'done'))

/** Whether a site holds a session. */
const holds = async ({ users }: TestSite, { id }: { readonly id: string }) =>
  (await users.get(REALM, id)) !== undefined

describeWith(redis, 'three sites', () => {
  test('with one way cut, the third brings both what they miss by a push; nothing is relayed by itself', async () => {
    const { site, both } = await openMesh(['a', 'b', 'c'], { config: AT_ONCE })
    const [a, b, c] = [site('a'), site('b'), site('c')]
    const removed = await signIn(a, 'removed')
    await inStep(a, b, c)
    both('a', 'b', 'cut')
    await isState(a, 'b', 'offline')
    const atA = await signIn(a, 'at-a')
    await a.users.remove(REALM, removed.id)
    const atB = await signIn(b, 'at-b')
    await until(async () => (await holds(c, atA)) && (await holds(c, atB)) && !(await holds(c, removed)))
    expect([await holds(b, atA), await holds(a, atB), await holds(b, removed)]).toEqual([false, false, true])
    await isDone(c, await c.sites.push('a'))
    await isDone(c, await c.sites.push('b'))
    expect([await holds(b, atA), await holds(a, atB), await holds(b, removed)]).toEqual([true, true, false])
    both('a', 'b', 'heal')
    await inStep(a, b, c)
    for (const [one, other] of [
      [a, 'b'],
      [b, 'c'],
      [c, 'a'],
    ] as const)
      expect((await one.sites.verify(other)).isEqual).toBe(true)
  })

  test('a verb waits for all of them or for the first, and each site has its own policy', async () => {
    const config = {
      spi: { 'user-session': { strategy: 'sync', timeoutMs: 300, await: 'any', onFailure: 'fail' } },
    } as const
    const any = await openMesh(['a', 'b', 'c'], { config })
    any.ways['a']?.['b']?.cut()
    const made = await signIn(any.site('a'))
    expect(await holds(any.site('c'), made)).toBe(true)
    any.ways['a']?.['c']?.cut()
    await expect(signIn(any.site('a'))).rejects.toBeInstanceOf(CrossSiteError)

    const each = await openMesh(
      ['a', 'b', 'c'],
      {},
      {
        a: {
          spi: {
            'user-session': {
              ...{ strategy: 'sync', timeoutMs: 300, onFailure: 'fail' },
              perSite: { b: { onFailure: 'ignore' } },
            },
            'login-failure': { perSite: { c: { strategy: 'none' } } },
          },
        },
      },
    )
    const [a, b, c] = [each.site('a'), each.site('b'), each.site('c')]
    each.ways['a']?.['b']?.cut()
    const kept = await signIn(a)
    expect(await holds(c, kept)).toBe(true)
    const links = await a.sites.links()
    expect(links.map(({ to, unconfirmed }) => [to, unconfirmed])).toEqual([
      ['b', 1],
      ['c', 0],
    ])
    each.ways['a']?.['c']?.cut()
    const error = await signIn(a).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(CrossSiteError)
    expect((error as CrossSiteError).sites.map(({ site }) => site)).toEqual(['b', 'c'])
    each.ways['a']?.['b']?.heal()
    each.ways['a']?.['c']?.heal()
    await a.failures.recordFailure(REALM, 'alice')
    await inStep(a)
    const counted = await Promise.all([a, b, c].map(({ failures }) => failures.get(REALM, 'alice')))
    expect(counted.map((record) => record?.numFailures)).toEqual([1, 1, undefined])
  })

  test('one that comes is started empty, filled by one of them, and then named at the others; one that goes is forgotten', async () => {
    const { site, prefixes } = await openMesh(['a', 'b'])
    const [a, b] = [site('a'), site('b')]
    const session = await signIn(a)
    const gone = await signIn(a, 'gone')
    await inStep(a, b)
    await a.users.remove(REALM, gone.id)
    await inStep(a)
    const others = Object.fromEntries(['a', 'b'].map((name) => [name, { prefix: prefixes[name] as string }]))
    const prefixC = freshPrefix()
    const c = await openSite({ name: 'c', prefix: prefixC, others, config: { membershipVersion: 2 } })
    await isState(c, 'a', 'online')
    const [pull] = await c.sites.bringOnline('a', { push: 'in' })
    expect(pull).toMatchObject({ from: 'a', to: 'c' })
    await isDone(c, pull as PushInfo)
    expect([await holds(c, session), await holds(c, gone)]).toEqual([true, false])
    expect(c.sites.isReady()).toBe(true)
    // Nobody names it yet, and it tells the others what it does.
    const atC = await signIn(c, 'at-c')
    await inStep(c)
    expect([await holds(a, atC), await holds(b, atC)]).toEqual([true, true])

    // A rolling change: nodes of a and b begin anew, and know it.
    await Promise.all([a.close(), b.close()])
    const named = (membershipVersion: number, name: string, ...known: readonly string[]) =>
      openSite({
        name,
        config: { membershipVersion },
        prefix: prefixes[name] as string,
        others: Object.fromEntries(
          known.map((other) => [other, { prefix: other === 'c' ? prefixC : (prefixes[other] as string) }]),
        ),
      })
    const [a2, b2] = [await named(2, 'a', 'b', 'c'), await named(2, 'b', 'a', 'c')]
    const later = await signIn(a2, 'later')
    await inStep(a2, b2, c)
    expect([await holds(b2, later), await holds(c, later)]).toEqual([true, true])

    // It goes: taken offline everywhere, then out of the configuration.
    for (const { sites } of [a2, b2]) await sites.takeOffline('c')
    await c.close()
    await Promise.all([a2.close(), b2.close()])
    const [a3, b3] = [await named(3, 'a', 'b'), await named(3, 'b', 'a')]
    const last = await signIn(a3, 'last')
    await inStep(a3, b3)
    expect(await holds(b3, last)).toBe(true)
    expect((await a3.sites.links()).map(({ to }) => to)).toEqual(['b'])
    expect(a3.sites.warnings()).toEqual([])
  })

  test('one that is named later, or named again, gets everything that was written without it', async () => {
    const [prefixA, prefixB] = [freshPrefix(), freshPrefix()]
    const away = { prefix: 'sites-of-none', url: 'redis://127.0.0.1:1' }
    let membershipVersion = 0
    const begin = (others: Readonly<Record<string, { prefix: string; url?: string }>>) => {
      membershipVersion += 1
      return openSite({ name: 'a', prefix: prefixA, others, config: { membershipVersion } })
    }
    const alone = await begin({ x: away })
    const before = await signIn(alone)
    await alone.sites.caughtUp()
    await alone.close()
    const b = await openSite({ name: 'b', prefix: prefixB, others: { a: { prefix: prefixA } } })
    const first = await begin({ b: { prefix: prefixB } })
    await isState(first, 'b', 'online')
    await inStep(first)
    expect(await holds(b, before)).toBe(true)
    await first.close()
    const without = await begin({ x: away })
    const meanwhile = await signIn(without)
    await without.sites.caughtUp()
    await without.close()
    const again = await begin({ b: { prefix: prefixB } })
    await isState(again, 'b', 'online')
    await inStep(again)
    expect(await holds(b, meanwhile)).toBe(true)
  })
})

describeWith(redis, 'a site that went offline by itself', () => {
  test('stays offline with recovery by hand, until an operator says so', async () => {
    const { a, b, toB } = await openTwo({
      config: { takeOffline: { afterFailures: 2, minWaitMs: 0 }, recovery: { mode: 'manual' } },
    })
    toB.cut()
    await isState(a, 'b', 'offline')
    const session = await signIn(a)
    toB.heal()
    await until(async () => (await a.sites.links())[0]?.rttMs !== undefined)
    await a.sites.caughtUp()
    await until(async () => (await a.sites.links())[0]?.behind === 1)
    expect((await a.sites.links())[0]).toMatchObject({ state: 'offline', reason: 'auto' })
    await a.sites.bringOnline('b')
    await inStep(a)
    expect(await holds(b, session)).toBe(true)
  })

  test('is also pushed to, and read from, where recovery asks for that', async () => {
    const { a, toB } = await openTwo({
      config: { ...AT_ONCE, recovery: { stableMs: 0, push: 'both' } },
    })
    toB.cut()
    await isState(a, 'b', 'offline')
    toB.heal()
    await isState(a, 'b', 'online')
    const asked = await until(async () => {
      const all = await a.sites.pushes()
      return all.length >= 2 && all.every(({ status }) => status === 'done') && all
    })
    expect(asked.map(({ from, to, mode }) => `${from} ${to} ${mode}`).sort()).toEqual([
      'a b delta',
      'b a delta',
    ])
  })
})
