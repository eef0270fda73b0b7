// Verbs that wait for another site, and what becomes of them where it does not confirm.
import { expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { type BackupOptions, type CrossSiteConfig, CrossSiteError, type SiteEvents } from '../src/index.js'
import { inStep, isState, openTwo, passes, REALM, signIn } from './support.js'

const sync = (options: BackupOptions = {}, more: Partial<CrossSiteConfig> = {}) => ({
  config: {
    ...more,
    spi: { 'user-session': { strategy: 'sync' as const, timeoutMs: 300, ...options } },
  },
})

describeWith(redis, 'a verb that waits for another site', () => {
  test('scenario 2: what a login at one site made is found at the other at once, each time', async () => {
    const { a, b } = await openTwo(sync({ onFailure: 'fail', timeoutMs: 10_000 }))
    for (let turn = 0; turn < 20; turn++) {
      const made = await Promise.all(Array.from({ length: 10 }, () => signIn(a)))
      const found = await Promise.all(made.map(({ id }) => b.users.get(REALM, id)))
      expect(found.filter((session) => session === undefined)).toEqual([])
    }
    const { id } = await signIn(b)
    await b.users.update(REALM, id, { notes: { acr: '2' } })
    expect((await a.users.get(REALM, id))?.notes).toEqual({ acr: '2' })
    await b.users.removeByUser(REALM, 'alice')
    expect(await a.users.count(REALM)).toBe(0)
  })

  test('scenario 24: with FAIL it rejects, says what it did and where, and that arrives once the way is back', async () => {
    const { a, b, toB } = await openTwo(sync({ onFailure: 'fail' }))
    const heard: SiteEvents['backup-failed'][] = []
    a.sites.on('backup-failed', (event) => heard.push(event))
    toB.cut()
    const error = await signIn(a).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(CrossSiteError)
    const { code, applied, result, sites, retry } = error as CrossSiteError
    expect([code, applied, retry]).toEqual(['ERR_CROSS_SITE', 'local', 'unsafe'])
    expect(sites).toEqual([
      { site: 'b', outcome: expect.stringMatching(/^(not-applied|unknown)$/), ms: expect.any(Number) },
    ])
    expect(sites[0]?.ms).toBeLessThan(5_000)
    expect((error as Error).message).not.toContain('alice')
    const { id } = (result as { session: { id: string } }).session
    expect(await a.users.get(REALM, id)).toBeDefined()
    await expect(a.users.update(REALM, id, { notes: { n: '1' } })).rejects.toMatchObject({ retry: 'safe' })
    // A use waits for nobody.
    expect(await a.users.refresh(REALM, id)).toBeDefined()
    expect(heard.map(({ to, verb, onFailure }) => [to, verb, onFailure])).toEqual([
      ['b', 'create', 'fail'],
      ['b', 'update', 'fail'],
    ])
    toB.heal()
    await isState(a, 'b', 'online')
    await inStep(a)
    expect((await b.users.get(REALM, id))?.notes).toEqual({ n: '1' })
    await a.users.update(REALM, id, { notes: { n: '2' } })
    expect((await b.users.get(REALM, id))?.notes).toEqual({ n: '2' })
  })

  test('scenario 25, 26: with WARN it resolves, and one warning says how often; with IGNORE nobody hears, and it is counted', async () => {
    for (const [onFailure, warnings, events] of [
      ['warn', 1, 3],
      ['ignore', 0, 0],
    ] as const) {
      const { a, toB } = await openTwo(sync({ onFailure }))
      let heard = 0
      a.sites.on('backup-failed', () => {
        heard += 1
      })
      toB.cut()
      for (let turn = 0; turn < 3; turn++) expect(await signIn(a)).toBeDefined()
      const said = a.logger.entries.filter(({ message }) => message.includes('did not confirm'))
      expect([said.length, heard]).toEqual([warnings, events])
      const [link] = await a.sites.links()
      expect(link?.unconfirmed).toBe(3)
    }
  })

  test('scenario 32: skips a site that an operator took offline, and waits again once it is back', async () => {
    const { a, b } = await openTwo(sync({ onFailure: 'fail' }))
    await a.sites.takeOffline('b')
    const { id } = await signIn(a)
    expect(await b.users.get(REALM, id)).toBeUndefined()
    await a.sites.bringOnline('b')
    await isState(a, 'b', 'online')
    await inStep(a)
    expect(await b.users.get(REALM, id)).toBeDefined()
    const later = await signIn(a)
    expect(await b.users.get(REALM, later.id)).toBeDefined()
  })

  test('refuses a login as ended where the other site had ended all sessions of the user, and this one had not heard of it', async () => {
    const { a, b, toA } = await openTwo(sync({ timeoutMs: 10_000 }))
    await b.sites.takeOffline('a')
    toA.cut()
    const authenticatedAt = a.connection.clock.now()
    // By then the clocks of both sites are sure of what came first.
    await passes(b, 300)
    await b.users.removeByUser(REALM, 'alice')
    const login = { userId: 'alice', loginUsername: 'alice', authenticatedAt }
    expect(await a.users.create(REALM, login)).toEqual({ outcome: 'refused', reason: 'ended' })
    for (const { users } of [a, b]) expect(await users.count(REALM)).toBe(0)
    const later = await signIn(a)
    expect(await b.users.get(REALM, later.id)).toBeDefined()
  })

  test('fails at once where too many wait already', async () => {
    const { a, toB } = await openTwo(sync({ onFailure: 'fail', maxWaiting: 2, timeoutMs: 200 }))
    toB.cut()
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => signIn(a)))
    expect(results.every(({ status }) => status === 'rejected')).toBe(true)
    expect(await a.users.count(REALM)).toBe(5)
  })
})

describeWith(redis, 'a configuration of verbs that wait', () => {
  test('names only verbs that there are', async () => {
    await expect(openTwo(sync({ syncVerbs: ['creat'] }))).rejects.toThrow(
      /crossSite\.spi\.user-session\.syncVerbs: no verb "creat" of user-session can wait\. Known: create, /,
    )
  })
})
