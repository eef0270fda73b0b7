// A token is redeemed once at all sites: one site decides about each key, and what two sites did without each other is found.
import { expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { type CrossSiteConfig, type SiteEvents, SiteUnavailableError } from '../src/index.js'
import {
  freshPrefix,
  inStep,
  isState,
  openSite,
  openTwo,
  openWay,
  REALM,
  type TestSite,
  until,
} from './support.js'

const LIFE = { lifespanMs: 600_000 }
const marks = { a: 'A', b: 'B' }
const with2 = (config: Partial<CrossSiteConfig> = {}) => openTwo({ config: { marks, ...config } })
const when = (whenDeciderOffline: 'refuse' | 'local' | 'local-if-sole') => ({
  spi: { 'action-token': { singleUse: { whenDeciderOffline } } },
})
const thrown = (run: Promise<unknown>) => run.catch((error: unknown) => error)

/** A code that a site minted. */
async function mint({ tokens }: TestSite, more: object = {}): Promise<string> {
  const key = tokens.mintKey()
  expect(await tokens.put(REALM, 'code', key, { ...LIFE, data: { n: 1 }, ...more })).toBe('stored')
  return key
}

/** Takes a way offline at once. */
const isOffline = (site: TestSite, to: string) => site.sites.takeOffline(to)

describeWith(redis, 'single use at several sites', () => {
  test('scenario 13: a code that one site minted is consumed at the other once, and is used everywhere after', async () => {
    const { a, b } = await with2()
    const key = await mint(a)
    await inStep(a)
    expect(await b.tokens.consume(REALM, 'code', key)).toEqual({ outcome: 'consumed', data: { n: 1 } })
    for (const site of [a, b])
      expect(await site.tokens.consume(REALM, 'code', key)).toMatchObject({ outcome: 'used' })
  })

  test('scenario 14: a code is consumed at the other before that heard of it, and callers at both race for it', async () => {
    const { a, b } = await with2()
    for (let round = 0; round < 20; round++) {
      const key = await mint(a)
      const all = await Promise.all(
        [b, a, b, a].map((site) => site.tokens.consume(REALM, 'code', key).then(({ outcome }) => outcome)),
      )
      expect(all.sort()).toEqual(['consumed', 'used', 'used', 'used'])
    }
    expect((await a.sites.links())[0]?.state).toBe('online')
  })

  test('scenario 15: a key of a caller is put at three sites at once: one of them stores it', async () => {
    const prefixes = { a: freshPrefix(), b: freshPrefix(), c: freshPrefix() }
    const sites = await Promise.all(
      Object.entries(prefixes).map(([name, prefix]) =>
        openSite({
          name,
          prefix,
          others: Object.fromEntries(
            Object.entries(prefixes)
              .filter(([other]) => other !== name)
              .map(([other, there]) => [other, { prefix: there }]),
          ),
        }),
      ),
    )
    for (const site of sites) for (const { to } of await site.sites.links()) await isState(site, to, 'online')
    const keys = Array.from({ length: 60 }, (_, n) => `jti-${n}`)
    const stored = await Promise.all(
      keys.map((key) => Promise.all(sites.map((site) => site.tokens.putIfAbsent(REALM, 'jti', key, LIFE)))),
    )
    expect(stored.map((all) => all.filter(Boolean).length)).toEqual(keys.map(() => 1))
    for (const site of sites)
      for (const key of keys.slice(0, 9)) expect(await site.tokens.has(REALM, 'jti', key)).toBe(true)
    const counts = await Promise.all(
      sites.map(({ tokens }) => tokens.countUse(REALM, 'mail', 'ada', { windowMs: 60_000 })),
    )
    expect(counts.map(({ count }) => count).sort()).toEqual([1, 2, 3])
    await sites[0]?.tokens.put(REALM, 'code', 'mine', LIFE)
    const taken = await Promise.all(sites.map(({ tokens }) => tokens.take(REALM, 'code', 'mine')))
    expect(taken.filter((token) => token !== undefined)).toHaveLength(1)
  })

  test('a key of a caller is not unknown at another site once its put has resolved', async () => {
    const { a, b } = await with2()
    for (let n = 0; n < 20; n++) {
      expect(await a.tokens.put(REALM, 'code', `mine-${n}`, LIFE)).toBe('stored')
      expect((await b.tokens.consume(REALM, 'code', `mine-${n}`)).outcome).toBe('consumed')
      expect(await a.tokens.put(REALM, 'code', `mine-${n}`, LIFE)).toBe('refused')
    }
  })

  test('scenario 16: a code of a site that is offline is refused, and can be consumed once that is back', async () => {
    const { a, b } = await with2()
    const key = await mint(a)
    await inStep(a)
    await isOffline(b, 'a')
    const error = await thrown(b.tokens.consume(REALM, 'code', key))
    expect(error).toBeInstanceOf(SiteUnavailableError)
    expect(error).toMatchObject({ code: 'ERR_SITE_UNAVAILABLE', site: 'a', applied: 'no' })
    expect((error as Error).message).not.toContain(key)
    for (const site of [a, b]) expect((await site.tokens.get(REALM, 'code', key))?.consumedAt).toBeUndefined()
    await b.sites.bringOnline('a')
    await isState(b, 'a', 'online')
    expect((await b.tokens.consume(REALM, 'code', key)).outcome).toBe('consumed')
  })

  test('scenario 17: with local both accept it, which is found once at each site, and its family ends', async () => {
    const { a, b } = await with2(when('local'))
    const key = await mint(a, { family: 'grant' })
    await a.tokens.put(REALM, 'rt', a.tokens.mintKey(), { ...LIFE, family: 'grant' })
    await inStep(a)
    const heard: SiteEvents['single-use-conflict'][] = []
    for (const { sites } of [a, b]) sites.on('single-use-conflict', (event) => heard.push(event))
    for (const [site, to] of [
      [a, 'b'],
      [b, 'a'],
    ] as const)
      await isOffline(site, to)
    for (const { tokens } of [a, b])
      expect((await tokens.consume(REALM, 'code', key)).outcome).toBe('consumed')
    for (const [site, to] of [
      [a, 'b'],
      [b, 'a'],
    ] as const) {
      await site.sites.bringOnline(to)
      await isState(site, to, 'online')
    }
    await inStep(a, b)
    await until(async () => heard.length >= 2)
    for (const { tokens } of [a, b])
      expect(await tokens.put(REALM, 'rt', tokens.mintKey(), { ...LIFE, family: 'grant' })).toBe('refused')
    await inStep(a, b)
    const event = {
      type: 'single-use-conflict',
      spi: 'action-token',
      realmId: REALM,
      kind: 'code',
      family: 'grant',
    }
    expect(heard).toEqual([event, event])
  })

  test('with local-if-sole a site decides alone only if an operator took every other site offline', async () => {
    const { a, b, toA } = await with2({
      ...when('local-if-sole'),
      takeOffline: { afterFailures: 2, minWaitMs: 0 },
      // A site that has not begun yet fails, too.
      recovery: { stableMs: 0 },
    })
    const key = await mint(a)
    await inStep(a)
    toA.cut()
    await isState(b, 'a', 'offline')
    expect(await thrown(b.tokens.consume(REALM, 'code', key))).toMatchObject({ applied: 'no' })
    await b.sites.takeOffline('a')
    expect((await b.tokens.consume(REALM, 'code', key)).outcome).toBe('consumed')
  })

  /** Two sites; the answers that the second one gets from the first may be kept. */
  async function openWithAnswers(timeoutMs: number) {
    const [prefixA, prefixB] = [freshPrefix(), freshPrefix()]
    const answers = { keptMs: 0 }
    const way = await openWay(() => answers.keptMs)
    const config: Partial<CrossSiteConfig> = {
      marks,
      takeOffline: { afterFailures: 0, minWaitMs: 0 },
      spi: { 'action-token': { timeoutMs } },
    }
    const a = await openSite({ name: 'a', prefix: prefixA, others: { b: { prefix: prefixB } }, config })
    const others = { a: { prefix: prefixA, url: way.url } }
    const b = await openSite({ name: 'b', prefix: prefixB, others, config })
    await isState(b, 'a', 'online')
    return { a, b, way, answers }
  }
  const unknown = { code: 'ERR_SITE_UNAVAILABLE', site: 'a', applied: 'unknown' }
  const isUsed = ({ tokens }: TestSite, key: string) =>
    until(async () => (await tokens.get(REALM, 'code', key))?.consumedAt !== undefined)

  test('scenario 18: the answer of the site that decides is lost; the same attempt is consumed, with the same data', async () => {
    const { a, b, way, answers } = await openWithAnswers(60_000)
    for (const attempt of ['request 1', undefined]) {
      const key = await mint(a)
      answers.keptMs = 600_000
      const asked = thrown(b.tokens.consume(REALM, 'code', key, { attempt }))
      await isUsed(a, key)
      answers.keptMs = 0
      way.heal()
      const error = (await asked) as SiteUnavailableError
      expect(error).toMatchObject(unknown)
      expect(error.attempt).toEqual(attempt ?? expect.any(String))
      await isState(b, 'a', 'online')
      const again = await b.tokens.consume(REALM, 'code', key, { attempt: error.attempt })
      expect(again).toEqual({ outcome: 'consumed', data: { n: 1 } })
      expect((await b.tokens.consume(REALM, 'code', key)).outcome).toBe('used')
    }
  })

  test('scenario 19: a site that decides too late may have decided; the same attempt is consumed', async () => {
    const { a, b, answers } = await openWithAnswers(50)
    const key = await mint(a)
    const attempt = 'request 1'
    answers.keptMs = 400
    const error = await thrown(b.tokens.consume(REALM, 'code', key, { attempt }))
    expect(error).toMatchObject({ ...unknown, attempt })
    await isUsed(a, key)
    answers.keptMs = 0
    const again = await until(() => b.tokens.consume(REALM, 'code', key, { attempt }).catch(() => undefined))
    expect(again).toEqual({ outcome: 'consumed', data: { n: 1 } })
    expect((await a.tokens.consume(REALM, 'code', key)).outcome).toBe('used')
  })

  test('a family that was revoked at the site that asks is refused there, although the site that decides has not heard of it', async () => {
    const { a, b } = await with2()
    for (let round = 0; round < 10; round++) {
      const family = `grant ${round}`
      const key = await mint(a, { family })
      await b.tokens.revokeFamily(REALM, family)
      expect((await b.tokens.consume(REALM, 'code', key)).outcome).toBe('unknown')
    }
  })

  test('an attempt that succeeded at the site that decides is consumed again at another site, with the same data', async () => {
    const { a, b } = await with2()
    const key = await mint(a)
    const attempt = 'request 1'
    const redeemed = await a.tokens.consume(REALM, 'code', key, { attempt })
    expect(redeemed.outcome).toBe('consumed')
    expect(await b.tokens.consume(REALM, 'code', key, { attempt })).toEqual(redeemed)
    expect((await b.tokens.consume(REALM, 'code', key, { attempt: 'request 2' })).outcome).toBe('used')
  })

  test('a site of another membershipVersion decides nothing for this one', async () => {
    const [prefixA, prefixB] = [freshPrefix(), freshPrefix()]
    const way = await openWay()
    const a = await openSite({
      name: 'a',
      prefix: prefixA,
      others: { b: { prefix: prefixB } },
      config: { marks },
    })
    const b = await openSite({
      name: 'b',
      prefix: prefixB,
      others: { a: { prefix: prefixA, url: way.url } },
      config: { marks, membershipVersion: 2 },
    })
    await isState(b, 'a', 'online')
    const key = await mint(a)
    const error = await thrown(b.tokens.consume(REALM, 'code', key))
    expect(error).toMatchObject({ code: 'ERR_SITE_UNAVAILABLE', applied: 'no' })
    expect((error as Error).message).toContain('another membershipVersion')
    expect((await a.tokens.consume(REALM, 'code', key)).outcome).toBe('consumed')
  })
})
