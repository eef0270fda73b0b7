import { faultyClient, openInspector } from '@authstate/conformance'
import type { RedisClient } from '@authstate/redis'
import { ConfigurationError } from '@authstate/spi'
import session from 'express-session'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cluster, describeWith, redis } from '../../../../tools/testing/capabilities.js'
import { openCluster, openRedis } from '../../../../tools/testing/redis-targets.js'
import { createStore, type FrameworkSession, type SessionState, type StoreOptions } from '../src/index.js'
import { describeStore } from './contract.js'
import { Browser, open, openState, serve } from './support.js'

describe('express-session on memory', () => {
  let state: SessionState | undefined
  afterEach(() => {
    state = undefined
  })
  describeStore(async () => {
    state ??= await openState()
    return state
  })

  test.each([
    [
      { defaultTtlMs: 401 * 86_400_000 },
      ConfigurationError,
      /"defaultTtlMs".*"maxLifespanMs" of web-session/,
    ],
    [{ defaultTtlMs: 0 }, RangeError, /"defaultTtlMs"/],
    [{ realmId: '' }, TypeError, /"realmId"/],
    [{ merge: 1 }, TypeError, /"merge"/],
    [{ userId: 'user' }, TypeError, /"userId"/],
    [{ userid: () => 'u' }, TypeError, /'userId'/],
    [{ onRefused: 1 }, TypeError, /"onRefused"/],
    [{ previous: {} }, TypeError, /"previous.get"/],
  ])('refuses to start with %o', async (options, type, message) => {
    const state = await openState()
    const start = () => createStore(session, state, options as StoreOptions)
    expect(start).toThrow(type)
    expect(start).toThrow(message)
  })

  test('knows the user of Passport, by whatever its id is', async () => {
    const store = createStore(session, await openState())
    await store.set('a', { cookie: {}, passport: { user: 7 } })
    await store.set('b', { cookie: {}, passport: { user: 'seven' } })
    await store.set('c', { cookie: {}, passport: {} })
    expect((await store.sessionsOf('7')).map(({ id }) => id)).toEqual(['a'])
    expect((await store.sessionsOf('seven')).map(({ id }) => id)).toEqual(['b'])
  })
})

// As express-openid-connect calls a store: a new object each time, with the end of its cookie as a number.
test('a session of express-openid-connect that was ended stays ended', async () => {
  const refused: string[] = []
  const userId = ({ data }: FrameworkSession) => (data as { readonly sub?: string } | undefined)?.sub
  const store = createStore(session, await openState(), {
    userId,
    onRefused: ({ sessionId }) => refused.push(sessionId),
  })
  const called = (call: (done: (error?: unknown, value?: unknown) => void) => unknown) =>
    new Promise((resolve, reject) => {
      call((error, value) => (error ? reject(error) : resolve(value)))
    })
  const get = (id: string) => called((done) => store.get(id, done))
  const set = (id: string, given: object) => called((done) => store.set(id, given, done))
  const destroy = (id: string) => called((done) => store.destroy(id, done))
  const exp = Math.floor(Date.now() / 1_000) + 3_600
  const saved = {
    header: { iat: 1, uat: 1, exp },
    data: { sub: 'u' },
    cookie: { expires: exp * 1_000, maxAge: 9 },
  }
  await set('sid', saved)
  expect(await get('sid')).toEqual(saved)
  const [found] = await store.sessionsOf('u')
  expect((found?.expiresAt ?? 0) - (found?.savedAt ?? 0)).toBeGreaterThan(3_500_000)
  await set('sid', { ...saved, data: { sub: 'u', refreshed: true } })
  expect(await get('sid')).toMatchObject({ data: { refreshed: true } })
  await destroy('sid')
  await set('sid', saved)
  expect([await get('sid'), refused]).toEqual([undefined, ['sid']])
})

function describeOnRedis(openClient: () => RedisClient & { disconnect(): void }): void {
  const client = openClient()
  let prefix = ''
  beforeEach(({ task }) => {
    prefix = `express-${process.pid}-${task.id}`
  })
  afterEach(async () => (await openInspector(client)).clear(prefix))
  afterAll(() => client.disconnect())
  describeStore(() => openState({ client, prefix }))

  test('a Redis that does not answer is an error of the request, and nobody is logged out', async () => {
    const browser = new Browser(await serve(open(await openState({ client, prefix }))))
    await browser.get('/login?user=u')
    const faulty = faultyClient(client)
    const away = new Browser(
      await serve(open(await openState({ client: faulty.client, prefix }))),
      browser.cookie,
    )
    faulty.arm('get', { when: 'before', error: new Error('Connection is closed.') })
    expect(await away.get('/see')).toEqual({ status: 500, body: { error: 'StoreUnavailableError' } })
    expect((await away.get('/see')).body).toMatchObject({ user: 'u' })
    expect(away.cookie).toBe(browser.cookie)
  })
}

describeWith(redis, 'express-session on Redis', () => describeOnRedis(openRedis))
describeWith(cluster, 'express-session on a Cluster', () => describeOnRedis(openCluster))
