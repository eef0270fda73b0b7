// What a request is answered when the store is away, on each of the three entries.
import cookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import session from 'express-session'
import fastify from 'fastify'
import { describe, expect, onTestFinished, test } from 'vitest'
import { RedisStore } from '../src/connect-redis.js'
import { createFastifyStore } from '../src/fastify.js'
import {
  createStore,
  type FrameworkSession,
  type OnUnavailable,
  type SessionState,
  type UnavailableStore,
} from '../src/index.js'
import { awayAt, Browser, Gate, openState, serve } from './support.js'

const busy = Object.assign(new Error('come back later'), { name: 'Busy', statusCode: 503 })
const userId = ({ user }: FrameworkSession) => user as string | undefined

describe.each([
  [
    'express-session',
    (state: SessionState, onUnavailable?: OnUnavailable) =>
      createStore(session, state, { userId, onUnavailable }),
  ],
  [
    'the store under the name of connect-redis',
    (state: SessionState, onUnavailable?: OnUnavailable) => new RedisStore({ state, userId, onUnavailable }),
  ],
])('%s', (_, open) => {
  test('goes the way of errors, and nobody is logged out', async () => {
    const { state, away } = awayAt(await openState())
    const browser = new Browser(await serve(open(state)))
    await browser.get('/login?user=u')
    const before = browser.cookie
    away.add('get')
    expect(await browser.get('/see')).toEqual({ status: 500, body: { error: 'StoreUnavailableError' } })
    away.clear()
    expect((await browser.get('/see')).body).toMatchObject({ user: 'u' })
    expect(browser.cookie).toBe(before)
  })

  test('answers what the application chose', async () => {
    const { state, away } = awayAt(await openState())
    const told: string[] = []
    const gate = new Gate()
    const store = open(state, ({ error, operation }: UnavailableStore) => {
      told.push(`${operation} ${error.code} ${error.applied}`)
      return operation === 'touch' ? 'ignore' : busy
    })
    const browser = new Browser(await serve(store, gate))
    await browser.get('/login?user=u')
    away.add('get')
    expect(await browser.get('/see')).toEqual({ status: 503, body: { error: 'Busy' } })
    away.clear()
    away.add('update')
    expect((await browser.get('/see')).body, 'a touch').toMatchObject({ user: 'u' })
    away.clear()
    away.add('save')
    expect(await new Browser(await serve(store, gate)).get('/twice?between=x')).toEqual({
      status: 503,
      body: { error: 'Busy' },
    })
    expect(told).toEqual(
      ['load', 'touch', 'save'].map((operation) => `${operation} ERR_STORE_UNAVAILABLE unknown`),
    )
    away.clear()
    expect((await browser.get('/see')).body).toMatchObject({ user: 'u' })
    // What the application asks for itself is told to itself.
    away.add('remove')
    await expect(store.end('sid')).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    await expect(store.destroy('sid')).rejects.toBe(busy)
  })

  test('takes nothing for gone, whatever it is told to ignore', async () => {
    const { state, away } = awayAt(await openState())
    const store = open(state, () => 'ignore')
    for (const verb of ['get', 'save', 'remove', 'update']) away.add(verb)
    await expect(store.get('sid')).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    await expect(store.set('sid', { cookie: {} })).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    await expect(store.destroy('sid')).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    await expect(store.touch('sid', { cookie: {} })).resolves.toBeUndefined()
  })

  test('an error that is none of the store is not asked about', async () => {
    const store = open(await openState(), () => busy)
    await expect(store.set('sid', { cookie: {}, big: 'x'.repeat(300_000) })).rejects.toThrow(/maxDataBytes/)
  })
})

test('a socket that is not there is no session that is gone', async () => {
  // express-session takes an ENOENT for that.
  const absent = Object.assign(new Error('connect ENOENT'), { code: 'ENOENT' })
  const gone = { get: () => Promise.reject(absent), del: () => Promise.reject(absent) }
  const previous = { get: gone.get, remove: gone.del }
  const state = await openState()
  for (const store of [
    new RedisStore({ state, client: gone }),
    createStore(session, state, { previous }),
    createStore(session, state, { previous, onUnavailable: () => absent }),
  ]) {
    const failed = { code: 'ERR_STORE_UNAVAILABLE', cause: absent }
    await expect(store.get('sid')).rejects.toMatchObject(failed)
    await expect(store.destroy('sid')).rejects.toMatchObject(failed)
  }
})

test('@fastify/session: the way of errors, or what the application chose', async () => {
  const { state, away } = awayAt(await openState())
  let chosen: Error | undefined
  const store = createFastifyStore(state, { userId, onUnavailable: () => chosen })
  const app = fastify()
  onTestFinished(() => app.close())
  await app.register(cookie)
  const secret = 'a secret of these tests that is long enough'
  await app.register(fastifySession, { secret, cookie: { secure: false }, store: store as never })
  app.get('/set', async (request) => {
    request.session.set('user' as never, 'u' as never)
    return {}
  })
  app.get('/see', async (request) => ({ user: request.session.get('user' as never) ?? null }))
  app.get('/out', async (request) => request.session.destroy().then(() => ({})))
  const first = await app.inject('/set')
  const [{ name = '', value = '' } = {}] = first.cookies as { name?: string; value?: string }[]
  const headers = { cookie: `${name}=${encodeURIComponent(value)}` }
  const get = async (url: string) => {
    const response = await app.inject({ url, headers })
    return [response.statusCode, response.json().message ?? response.json().user, response.cookies.length]
  }
  for (const [verb, url] of [
    ['get', '/see'],
    ['save', '/set'],
    ['remove', '/out'],
  ] as const) {
    away.add(verb)
    expect(await get(url)).toEqual([500, 'Redis is away', 0])
    chosen = busy
    expect(await get(url)).toEqual([503, 'come back later', 0])
    away.clear()
    chosen = undefined
  }
  expect(await get('/see')).toEqual([200, 'u', 1])
})

test.each([
  (state: SessionState) => createStore(session, state, { onUnavailable: 503 } as never),
  (state: SessionState) => new RedisStore({ state, onUnavailable: 503 } as never),
  (state: SessionState) => createFastifyStore(state, { onUnavailable: 503 } as never),
])('refuses to start with an answer that is no function', async (start) => {
  const state = await openState()
  expect(() => start(state)).toThrow(/"onUnavailable" must be a function/)
})
