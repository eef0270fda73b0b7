// What holds where one site decides and another asks: nothing that was decided is forgotten, and nothing that ended here lives there.
import type { RedisConnection } from '@authstate/redis'
import { StoreUnavailableError } from '@authstate/spi'
import { expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import type { CrossSiteConfig } from '../src/index.js'
import {
  freshPrefix,
  inStep,
  isState,
  openMesh,
  openSite,
  openTwo,
  REALM,
  type SiteOptions,
  type TestSite,
  until,
} from './support.js'

const LIFE = { lifespanMs: 600_000, data: { n: 1 } }
const marks = { a: 'A', b: 'B' }
const open = (config: Partial<CrossSiteConfig> = {}, more: Partial<SiteOptions> = {}) =>
  openTwo({ ...more, config: { marks, ...config } })
const thrown = (run: Promise<unknown>) => run.catch((error: unknown) => error)

/** A key without a mark that a site decides about. */
function keyOf(decider: string, { connection }: TestSite, name = 'key'): string {
  const { deciders } = connection.sites ?? {}
  for (let n = 0; ; n++) if (deciders?.deciderOf(`${name}-${n}`) === decider) return `${name}-${n}`
}

/** What makes scripts of action tokens fail at a site. */
function breaking(error: Error = new StoreUnavailableError('broken', { applied: 'no' })) {
  const broken = new Set<string>()
  const through = (connection: RedisConnection): RedisConnection =>
    new Proxy({} as RedisConnection, {
      get(_, property) {
        const value: unknown = Reflect.get(connection, property)
        if (typeof value !== 'function') return value
        return (...given: unknown[]) => {
          const isBroken = property === 'run' && broken.has((given[0] as { readonly name: string }).name)
          return isBroken ? Promise.reject(error) : value.apply(connection, given)
        }
      },
    })
  return { broken, through }
}

describeWith(redis, 'a site that asks another one to decide', () => {
  test('refuses what has a family that it revoked, whatever the other answers, also to a second call', async () => {
    const { a, b } = await open()
    for (let round = 0; round < 5; round++) {
      const family = `grant ${round}`
      const [code, link] = [a.tokens.mintKey(), a.tokens.mintKey()]
      for (const key of [code, link]) await a.tokens.put(REALM, 'code', key, { ...LIFE, family })
      const [put, absent] = [keyOf('a', b, `put ${round}`), keyOf('a', b, `absent ${round}`)]
      const unknown = { outcome: 'unknown' }
      const attempt = 'request 1'
      await b.tokens.revokeFamily(REALM, family)
      const answers = await Promise.all([
        b.tokens.consume(REALM, 'code', code, { attempt }),
        b.tokens.take(REALM, 'code', link),
        b.tokens.put(REALM, 'code', put, { ...LIFE, family }),
        b.tokens.putIfAbsent(REALM, 'code', absent, { ...LIFE, family }),
      ])
      expect(answers).toEqual([unknown, undefined, 'refused', false])
      expect(await b.tokens.consume(REALM, 'code', code, { attempt })).toEqual(unknown)
      await inStep(a, b)
      for (const { tokens } of [a, b])
        expect(await tokens.consume(REALM, 'code', code, { attempt })).toEqual(unknown)
    }
  })

  test('says that it is not known whether a token was redeemed, if it could not look for its family', async () => {
    const { broken, through } = breaking()
    const { a, b } = await open({}, { through })
    const key = a.tokens.mintKey()
    await a.tokens.put(REALM, 'code', key, { ...LIFE, family: 'grant' })
    broken.add('action-token.share-revocation')
    const attempt = 'request 1'
    const error = await thrown(b.tokens.consume(REALM, 'code', key, { attempt }))
    expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', applied: 'unknown' })
    broken.clear()
    expect(await b.tokens.consume(REALM, 'code', key, { attempt })).toEqual({
      outcome: 'consumed',
      data: { n: 1 },
    })
  })

  test.each([
    ['could not note it', new StoreUnavailableError('full', { applied: 'no' })],
    ['found what it cannot read', new TypeError('broken')],
  ])('hears what was decided although it %s, and so does every other site', async (_, error) => {
    const { broken, through } = breaking(error)
    const { site } = await openMesh(['a', 'b', 'c'], { through, config: { marks: { ...marks, c: 'C' } } })
    const [a, b, c] = [site('a'), site('b'), site('c')]
    const keys = Array.from({ length: 3 }, () => a.tokens.mintKey())
    const [used, taken, stored] = keys as [string, string, string]
    for (const key of [used, taken]) await a.tokens.put(REALM, 'code', key, LIFE)
    await inStep(a)
    // Only a node that asks joins through this.
    broken.add('action-token.join')
    expect((await b.tokens.consume(REALM, 'code', used)).outcome).toBe('consumed')
    expect(await b.tokens.take(REALM, 'code', taken)).toBeDefined()
    expect(await b.tokens.putIfAbsent(REALM, 'code', stored, LIFE)).toBe(true)
    for (const { tokens } of [a, b, c]) {
      await until(async () => (await tokens.get(REALM, 'code', used))?.consumedAt !== undefined)
      await until(async () => !(await tokens.has(REALM, 'code', taken)))
      await until(() => tokens.has(REALM, 'code', stored))
    }
  })

  test('asks about a key that was used here and has ended, since it may have been stored again', async () => {
    const { a, b } = await open()
    const key = keyOf('a', b)
    await a.tokens.put(REALM, 'code', key, { ...LIFE, lifespanMs: 300 })
    expect((await b.tokens.consume(REALM, 'code', key)).outcome).toBe('consumed')
    // From now on b does not hear of a by itself.
    await a.sites.takeOffline('b')
    await until(
      async () => (await a.tokens.put(REALM, 'code', key, { ...LIFE, data: { n: 2 } })) === 'stored',
    )
    expect(await b.tokens.consume(REALM, 'code', key)).toEqual({ outcome: 'consumed', data: { n: 2 } })
    expect((await a.tokens.consume(REALM, 'code', key)).outcome).toBe('used')
  })
})

describeWith(redis, 'while the site that decides is away', () => {
  const offline = { takeOffline: { afterFailures: 1, minWaitMs: 0 }, recovery: { stableMs: 0 } }

  test('put stores here, and the token is redeemed once when both meet; what decides is refused', async () => {
    const { a, b, toA } = await open(offline)
    const key = keyOf('a', b)
    toA.cut()
    await isState(b, 'a', 'offline')
    expect(await b.tokens.put(REALM, 'code', key, LIFE)).toBe('stored')
    expect(await b.tokens.has(REALM, 'code', key)).toBe(true)
    const refused = { code: 'ERR_SITE_UNAVAILABLE', site: 'a', applied: 'no' }
    const decisions = [
      b.tokens.consume(REALM, 'code', key),
      b.tokens.take(REALM, 'code', key),
      b.tokens.putIfAbsent(REALM, 'jti', keyOf('a', b, 'jti'), LIFE),
      b.tokens.countUse(REALM, 'otp', keyOf('a', b, 'otp'), { windowMs: 60_000 }),
    ]
    for (const error of await Promise.all(decisions.map(thrown))) expect(error).toMatchObject(refused)
    expect((await b.sites.links())[0]?.unguarded).toBe(0)
    toA.heal()
    await isState(b, 'a', 'online')
    const outcomes = await Promise.all([a, b].map(({ tokens }) => tokens.consume(REALM, 'code', key)))
    await inStep(a, b)
    expect(outcomes.map(({ outcome }) => outcome).filter((outcome) => outcome === 'consumed')).toHaveLength(1)
    expect((await a.tokens.consume(REALM, 'code', key)).outcome).toBe('used')
  })

  test('what is decided in its place is counted, and health says so', async () => {
    const { a, b } = await open({ spi: { 'action-token': { singleUse: { whenDeciderOffline: 'local' } } } })
    const key = a.tokens.mintKey()
    await a.tokens.put(REALM, 'code', key, LIFE)
    await inStep(a)
    await b.sites.takeOffline('a')
    await b.tokens.put(REALM, 'code', keyOf('a', b), LIFE)
    expect((await b.sites.links())[0]?.unguarded).toBe(0)
    await b.tokens.consume(REALM, 'code', key)
    await b.tokens.putIfAbsent(REALM, 'jti', keyOf('a', b, 'jti'), LIFE)
    expect((await b.sites.links())[0]?.unguarded).toBe(2)
    expect(b.connection.stats().sites?.['a']).toMatchObject({ unguarded: 2 })
    expect(b.connection.warnings().join()).toContain('this node decided 2 times about tokens in its place')
    await b.sites.bringOnline('a')
    await isState(b, 'a', 'online')
    expect(b.connection.warnings().join()).not.toContain('decided')
  })
})

describeWith(redis, 'a change of sites', () => {
  const named = (prefixes: Readonly<Record<string, string>>, name: string, ...others: readonly string[]) => ({
    name,
    prefix: prefixes[name] as string,
    others: Object.fromEntries(others.map((other) => [other, { prefix: prefixes[other] as string }])),
  })

  test('needs a higher membershipVersion also without marks', async () => {
    const prefixes = { a: freshPrefix(), b: freshPrefix(), c: freshPrefix() }
    await openSite(named(prefixes, 'a', 'b'))
    await expect(openSite(named(prefixes, 'a', 'b', 'c'))).rejects.toThrow(
      'crossSite.membershipVersion: is 1, as it was for the sites a,b. They are a,b,c now: raise it to 2',
    )
    const stays = { config: { spi: { 'action-token': { strategy: 'none' as const } } } }
    const alone = { a: freshPrefix(), b: prefixes.b, c: prefixes.c }
    await openSite({ ...named(alone, 'a', 'b'), ...stays })
    await openSite({ ...named(alone, 'a', 'b', 'c'), ...stays })
  })

  test('half-way lets no two sites decide about one key', async () => {
    const prefixes = { a: freshPrefix(), b: freshPrefix(), c: freshPrefix() }
    const version = (membershipVersion: number) => ({ config: { membershipVersion } })
    const a = await openSite(named(prefixes, 'a', 'b'))
    const c = await openSite({ ...named(prefixes, 'c', 'a', 'b'), ...version(2) })
    const b = await openSite({ ...named(prefixes, 'b', 'a', 'c'), ...version(2) })
    for (const [site, to] of [
      [b, 'c'],
      [c, 'b'],
      [b, 'a'],
      [c, 'a'],
    ] as const)
      await isState(site, to, 'online')
    // What a decides by its list, c decides by the list of b and c. Nothing of either reaches the other.
    for (const site of [b, c]) await site.sites.takeOffline('a')
    const keys = Array.from({ length: 40 }, (_, n) => `jti-${n}`).filter(
      (key) =>
        a.connection.sites?.deciders?.deciderOf(key) === 'a' &&
        b.connection.sites?.deciders?.deciderOf(key) === 'c',
    )
    expect(keys.length).toBeGreaterThan(0)
    for (const key of keys) {
      expect(await a.tokens.putIfAbsent(REALM, 'jti', key, LIFE)).toBe(true)
      for (const { tokens } of [b, c]) {
        const error = await thrown(tokens.putIfAbsent(REALM, 'jti', key, LIFE))
        expect(error).toMatchObject({ code: 'ERR_SITE_UNAVAILABLE', site: 'c', applied: 'no' })
        expect((error as Error).message).toContain('the site "a" is not known to have membershipVersion 2')
      }
    }
    await a.close()
    const later = await openSite({ ...named(prefixes, 'a', 'b', 'c'), ...version(2) })
    for (const site of [b, c]) {
      await site.sites.bringOnline('a')
      await isState(site, 'a', 'online')
    }
    for (const to of ['b', 'c']) await isState(later, to, 'online')
    const key = keyOf('c', b, 'later')
    const put = ({ tokens }: TestSite) =>
      until(() =>
        tokens
          .putIfAbsent(REALM, 'jti', key, LIFE)
          .then(String)
          .catch(() => undefined),
      )
    expect([await put(b), await put(later), await put(c)]).toEqual(['true', 'false', 'false'])
  })
})
