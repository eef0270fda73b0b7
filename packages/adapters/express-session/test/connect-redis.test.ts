import { ConfigurationError } from '@authstate/spi'
import { expect, onTestFinished, test, vi } from 'vitest'
import { RedisStore, type RedisStoreOptions } from '../src/connect-redis.js'
import type { FrameworkSession } from '../src/index.js'
import { Browser, openState, serve } from './support.js'

/** What connect-redis had written, and who asks for it. */
class Previous {
  readonly texts = new Map<string, string>()
  asked = 0
  async get(key: string) {
    this.asked += 1
    return this.texts.get(key) ?? null
  }
  async del(key: string) {
    return Number(this.texts.delete(key))
  }
}

const MINUTE_MS = 60_000
const written = { cookie: { originalMaxAge: null, expires: null, path: '/' }, cart: ['book'], user: 'u' }
const userId = ({ user }: FrameworkSession) => user as string | undefined

test('what connect-redis wrote is taken over when it is asked for, with its user and its end', async () => {
  const client = new Previous()
  const state = await openState()
  const store = new RedisStore({ state, client, prefix: 'app:', ttl: 300, userId })
  client.texts.set('app:sid', JSON.stringify(written))
  const expires = new Date(Date.now() + 10 * MINUTE_MS)
  client.texts.set('app:timed', JSON.stringify({ ...written, cookie: { expires } }))
  client.texts.set('app:over', JSON.stringify({ ...written, cookie: { expires: new Date(0) } }))
  expect(await store.get('sid')).toEqual(written)
  expect(await store.get('timed')).toMatchObject({ user: 'u' })
  expect(await store.get('over')).toBeUndefined()
  expect(await store.get('unknown')).toBeUndefined()
  const { asked } = client
  expect(await store.get('sid')).toEqual(written)
  expect(client.asked, 'it is here now').toBe(asked)
  const lives = (await store.sessionsOf('u')).map(
    ({ id, savedAt, expiresAt }) => [id, expiresAt - savedAt] as const,
  )
  const life = Object.fromEntries(lives)
  expect(life['sid']).toBe(300_000)
  expect(life['timed']).toBeGreaterThan(9 * MINUTE_MS)
})

test('a session that was logged out here is not taken over again, whoever still has it', async () => {
  const client = new Previous()
  const store = new RedisStore({ state: await openState(), client, userId })
  const text = JSON.stringify(written)
  client.texts.set('sess:sid', text)
  await store.get('sid')
  await store.destroy('sid')
  expect(client.texts.size).toBe(0)
  // A node of before saves it once more.
  client.texts.set('sess:sid', text)
  expect(await store.get('sid')).toBeUndefined()
  client.texts.set('sess:never asked for', text)
  await store.endAll('u')
  await store.destroy('never asked for')
  client.texts.set('sess:never asked for', text)
  expect(await store.get('never asked for')).toBeUndefined()
})

test('works in an application, and leaves the end as it is where touches are switched off', async () => {
  const state = await openState()
  const browser = new Browser(
    await serve(new RedisStore({ state, disableTouch: true, ttl: () => 60, userId })),
  )
  await browser.get('/login?user=u')
  const [before] = await state.webSessions.list('sessions').then(({ items }) => items)
  expect((before?.expiresAt ?? 0) - (before?.savedAt ?? 0)).toBe(MINUTE_MS)
  expect((await browser.get('/see')).body).toMatchObject({ user: 'u' })
  expect((await state.webSessions.list('sessions')).items).toEqual([before])
})

test.each([
  [{ scanCount: 1 }, /scanCount/],
  [{ disableTTL: true }, /disableTTL/],
  [{ prefix: 1 }, /"prefix"/],
  [{ client: {} }, /"client.get"/],
  [{ serializer: {} }, /"serializer.parse"/],
  [{ ttl: 401 * 86_400 }, /"maxLifespanMs" of web-session/],
])('refuses to start with %o', async (options, message) => {
  const state = await openState()
  expect(() => new RedisStore({ state, ...options } as unknown as RedisStoreOptions)).toThrow(message)
})

test('what a user had before is not taken over once all of the user was ended here', async () => {
  const client = new Previous()
  const store = new RedisStore({ state: await openState(), client, userId })
  client.texts.set('sess:never asked for', JSON.stringify(written))
  await store.endAll('u')
  expect(await store.get('never asked for')).toBeUndefined()
  expect(await store.sessionsOf('u')).toEqual([])
})

test('a ttl that is a function says the life of every session, as there', async () => {
  const state = await openState()
  const store = new RedisStore({ state, ttl: () => 60, userId })
  const cookie = { originalMaxAge: null, expires: new Date(Date.now() + 30 * MINUTE_MS) }
  await store.set('sid', { ...written, cookie })
  const [session] = await store.sessionsOf('u')
  expect((session?.expiresAt ?? 0) - (session?.savedAt ?? 0)).toBe(MINUTE_MS)
})

test.each([
  ['60', TypeError, /"ttl" must be seconds/],
  [0, TypeError, /"ttl" must be seconds/],
  [10 ** 9, ConfigurationError, /"ttl" must be at most \d+ seconds/],
])('a ttl of %j is refused by its name', async (ttl, error, message) => {
  const state = await openState()
  expect(() => new RedisStore({ state, ttl: ttl as number })).toThrow(error)
  expect(() => new RedisStore({ state, ttl: ttl as number })).toThrow(message)
})

test('without touch, a touch answers as all methods do', async () => {
  const store = new RedisStore({ state: await openState(), disableTouch: true })
  await expect(store.touch('sid', written)).resolves.toBeUndefined()
})

test('a listener of refused saves that fails harms no request', async () => {
  const warned = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => warned.mockRestore())
  for (const fail of [
    () => {
      throw new Error('broken')
    },
    () => Promise.reject(new Error('broken')),
  ]) {
    const store = new RedisStore({ state: await openState(), userId, onRefused: fail })
    await store.set('sid', written)
    await store.destroy('sid')
    await expect(store.set('sid', written)).resolves.toBeUndefined()
  }
  expect(warned).toHaveBeenCalled()
})
