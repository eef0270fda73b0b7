import { FakeClock } from '@authstate/conformance'
import type { WebSessionProvider } from '@authstate/web-session'
import { expect, test } from 'vitest'
import { open, openState } from './support.js'

const MINUTE_MS = 60_000
const LIFE_MS = 30 * MINUTE_MS

/** A store that counts what it sends to change a session. */
async function openCounted(touchAfterMs: number) {
  const clock = new FakeClock()
  const { webSessions } = await openState(undefined, clock)
  const sent = { updates: 0 }
  const counted = new Proxy({} as WebSessionProvider, {
    get: (_, verb) => {
      const value: unknown = Reflect.get(webSessions, verb)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (verb === 'update') sent.updates += 1
        return value.apply(webSessions, args)
      }
    },
  })
  const store = open({ webSessions: counted }, { defaultTtlMs: LIFE_MS, touchAfterMs })
  /** As express-session does for a request that changes nothing. */
  const request = async (cookie: object = {}) => {
    const data = (await store.get('sid')) as object
    const session = store.createSession({ sessionID: 'sid' } as never, data as never)
    await store.touch('sid', Object.assign(session, { cookie }) as never)
    return sent.updates
  }
  await store.set('sid', { cookie: {}, user: 'u' } as never)
  return { clock, store, request }
}

test('a touch is sent once the end has moved by more than touchAfterMs, and not before', async () => {
  const { clock, request } = await openCounted(MINUTE_MS)
  for (const ms of [0, 20_000, 20_000, 20_000]) {
    clock.advance(ms)
    expect(await request()).toBe(0)
  }
  clock.advance(1)
  expect(await request()).toBe(1)
  clock.advance(MINUTE_MS)
  expect(await request()).toBe(1)
  clock.advance(1)
  expect(await request()).toBe(2)
})

test('with touchAfterMs no session ends before its cookie, and none more than that later', async () => {
  const { clock, store, request } = await openCounted(MINUTE_MS)
  clock.advance(MINUTE_MS)
  expect(await request()).toBe(0)
  clock.advance(LIFE_MS - 1)
  expect(await store.get('sid')).toMatchObject({ user: 'u' })
  clock.advance(1)
  expect(await store.get('sid')).toBeUndefined()
  await store.set('sid', { cookie: {} } as never)
  clock.advance(LIFE_MS + MINUTE_MS)
  expect(await store.get('sid')).toBeUndefined()
})

test('a session whose life becomes shorter is touched at once', async () => {
  const { clock, store, request } = await openCounted(MINUTE_MS)
  expect(await request({ expires: new Date(Date.now() + MINUTE_MS) })).toBe(1)
  clock.advance(2 * MINUTE_MS + 1)
  expect(await store.get('sid')).toBeUndefined()
})

test('without touchAfterMs each touch is sent, and the end is exact', async () => {
  const { clock, store, request } = await openCounted(0)
  expect(await request()).toBe(1)
  clock.advance(LIFE_MS - 1)
  expect(await request()).toBe(2)
  clock.advance(LIFE_MS)
  expect(await store.get('sid')).toBeUndefined()
})
