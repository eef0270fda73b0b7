// What a store of express-session must do, in our own words: from its README, and from what its users lost.

import { expect, test } from 'vitest'
import type { SessionState } from '../src/index.js'
import { Browser, Gate, open, serve } from './support.js'

const ROUNDS = 20
const MINUTE_MS = 60_000
const cookie = { originalMaxAge: null, expires: null, path: '/' }

/** @param state A node each time, all over the same sessions within one test. */
export function describeStore(node: () => Promise<SessionState>): void {
  test('set, get, touch and destroy answer callbacks, and promises where there is none', async () => {
    const state = await node()
    const store = open(state)
    const called = (call: (callback: (error?: unknown, value?: unknown) => void) => unknown) =>
      new Promise((resolve, reject) => {
        call((error, value) => (error ? reject(error) : resolve(value)))
      })
    const session = { cookie, cart: [1], none: undefined, when: new Date(0) }
    expect(await called((done) => store.get('sid', done))).toBeUndefined()
    await called((done) => store.set('sid', session, done))
    expect(await called((done) => store.get('sid', done))).toEqual({
      cookie,
      cart: [1],
      when: new Date(0).toISOString(),
    })
    await called((done) => store.touch('sid', session, done))
    expect(await called((done) => store.length(done))).toBe(1)
    expect(await called((done) => store.all(done))).toMatchObject([{ id: 'sid', cart: [1], cookie }])
    await called((done) => store.destroy('sid', done))
    await called((done) => store.destroy('sid', done))
    expect(await store.get('sid')).toBeUndefined()
    await store.touch('sid', session)
    await store.set('sid', session)
    expect(await store.get('sid'), 'it was ended').toBeUndefined()
    await store.set('other', session)
    await store.clear()
    expect([await store.all(), await store.length()]).toEqual([[], 0])
    const circle: { cookie: object; self?: unknown } = { cookie }
    circle.self = circle
    await expect(store.set('circle', circle)).rejects.toThrow(TypeError)
    await expect(
      called((done) => store.set('big', { cookie, big: 'x'.repeat(300_000) }, done)),
    ).rejects.toThrow(/maxDataBytes/)
    expect(await store.length()).toBe(0)
  })

  test.each([
    ['a date', (at: number) => new Date(at)],
    ['text', (at: number) => new Date(at).toISOString()],
    ['a number', (at: number) => at],
  ])('a session lives as long as its cookie, whose end is %s', async (_, write) => {
    const { webSessions } = await node()
    const store = open({ webSessions }, { defaultTtlMs: 5 * MINUTE_MS })
    const life = async (sid: string) => {
      const { expiresAt = 0, savedAt = 0 } = (await webSessions.get('sessions', sid)) ?? {}
      return expiresAt - savedAt
    }
    await store.set('sid', { cookie: { expires: write(Date.now() + 2 * MINUTE_MS) } })
    expect(await life('sid')).toBeGreaterThan(MINUTE_MS)
    expect(await life('sid')).toBeLessThanOrEqual(2 * MINUTE_MS)
    await store.touch('sid', { cookie: { expires: write(Date.now() + 10 * MINUTE_MS) } })
    expect(await life('sid')).toBeGreaterThan(9 * MINUTE_MS)
    await store.touch('sid', { cookie })
    expect(await life('sid')).toBe(5 * MINUTE_MS)
    await store.set('sid', { cookie: { expires: write(Date.now() - 1) } })
    expect(await store.get('sid')).toBeUndefined()
    await store.set('none', { user: 'u' })
    expect(await life('none')).toBe(5 * MINUTE_MS)
  })

  test.each([true, false])(
    'a session that was logged out never comes back, whatever a slow request saves (merge: %s)',
    async (merge) => {
      const gate = new Gate()
      const refused: string[] = []
      const store = open(await node(), { merge, onRefused: ({ sessionId }) => refused.push(sessionId) })
      const origin = await serve(store, gate)
      const elsewhere = await serve(open(await node(), { merge }))
      for (let round = 0; round < ROUNDS; round++) {
        const browser = new Browser(origin)
        await browser.get('/login?user=u')
        const slow = new Browser(origin, browser.cookie).get(`/set?late=1&at=${round}`)
        await gate.reached(String(round))
        await new Browser(elsewhere, browser.cookie).get('/logout')
        gate.open(String(round))
        expect((await slow).status).toBe(200)
        expect((await browser.get('/see')).body).not.toHaveProperty('user')
        expect(await store.length()).toBe(0)
      }
      expect(refused).toHaveLength(ROUNDS)
    },
  )

  test('of two requests at once that change different names both last', async () => {
    const gate = new Gate()
    const origin = await serve(open(await node()), gate)
    const elsewhere = await serve(open(await node()), gate)
    for (let round = 0; round < ROUNDS; round++) {
      const browser = new Browser(origin)
      await browser.get('/set?gone=1&stays=1')
      const both = [
        new Browser(origin, browser.cookie).get(`/set?a=1&at=a${round}`),
        new Browser(elsewhere, browser.cookie).get(`/set?b=2&at=b${round}`),
        new Browser(elsewhere, browser.cookie).get(`/unset?name=gone&at=c${round}`),
      ]
      for (const name of ['a', 'b', 'c']) await gate.reached(name + round)
      for (const name of ['c', 'b', 'a']) gate.open(name + round)
      await Promise.all(both)
      const { id: _, ...seen } = (await browser.get('/see')).body
      expect(seen).toEqual({ stays: '1', a: '1', b: '2' })
    }
  })

  test('without merge the later of two requests wins, as with other stores', async () => {
    const gate = new Gate()
    const origin = await serve(open(await node(), { merge: false }), gate)
    const browser = new Browser(origin)
    await browser.get('/set?stays=1')
    const slow = new Browser(origin, browser.cookie).get('/set?a=1&at=a')
    await gate.reached('a')
    await new Browser(origin, browser.cookie).get('/set?b=2')
    gate.open('a')
    await slow
    expect((await browser.get('/see')).body).toMatchObject({ stays: '1', a: '1' })
    expect((await browser.get('/see')).body).not.toHaveProperty('b')
  })

  test('a session that a request saved first is not made again by its second save', async () => {
    const gate = new Gate()
    const store = open(await node())
    const browser = new Browser(await serve(store, gate))
    const twice = browser.get('/twice?between=x')
    await gate.reached('x')
    const [{ id = '' } = {}] = (await store.all()) as { id: string }[]
    await store.end(id)
    gate.open('x')
    await twice
    expect(await store.length()).toBe(0)
  })

  test('the sessions of a user can be listed and ended, also those that a visitor signed in to', async () => {
    const store = open(await node())
    const origin = await serve(open(await node()))
    const browsers = Array.from({ length: 5 }, () => new Browser(origin))
    for (const browser of browsers) await browser.get('/login?user=u')
    const visitor = new Browser(origin)
    await visitor.get('/set?cart=1')
    expect(await store.sessionsOf('u')).toHaveLength(5)
    await visitor.get('/set?user=u')
    expect(await store.sessionsOf('u')).toHaveLength(6)
    const [{ id, data } = { id: '', data: {} }] = await store.sessionsOf('u')
    expect(data).toMatchObject({ user: 'u' })
    expect(await store.end(id)).toBe(true)
    expect(await store.end(id)).toBe(false)
    expect(await store.sessionsOf('u')).toHaveLength(5)
    const living = [...browsers, visitor]
    const seen = await Promise.all(living.map((browser) => browser.get('/see')))
    const stays = living[seen.findIndex(({ body }) => body['user'] === 'u')] as Browser
    expect((await stays.get('/others')).body).toEqual({ ended: 4 })
    expect((await stays.get('/see')).body).toMatchObject({ user: 'u' })
    expect(await store.sessionsOf('u')).toHaveLength(1)
    expect((await new Browser(origin).get('/others')).body).toEqual({ ended: 0 })
    expect(await store.endAll('u')).toBe(1)
  })

  test('a sign-in under way when all sessions of its user are ended does not stand, and a later one does', async () => {
    const gate = new Gate()
    const store = open(await node())
    const origin = await serve(store, gate)
    const known = new Browser(origin)
    await known.get('/set?cart=1')
    for (const browser of [new Browser(origin), known]) {
      const login = browser.get('/login?user=u&slow=x')
      await gate.reached('x')
      await store.endAll('u')
      gate.open('x')
      await login
      expect(await store.sessionsOf('u')).toEqual([])
      await browser.get('/login?user=u')
      expect((await browser.get('/see')).body).toMatchObject({ user: 'u' })
    }
    expect(await store.sessionsOf('u')).toHaveLength(1)
  })
}
