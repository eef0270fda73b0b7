import { FakeClock, openInspector, together } from '@authstate/conformance'
import { ConfigurationError } from '@authstate/spi'
import { createAuthState } from 'authstate'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { describeWith, redis } from '../../../../tools/testing/capabilities.js'
import { openRedis } from '../../../../tools/testing/redis-targets.js'
import { type StorageOptions, secondaryStorage } from '../src/index.js'
import { describeContract } from './contract.js'
import { openState } from './support.js'

const SECOND_MS = 1_000
const DAY_MS = 86_400_000

/** A session as better-auth stores it. */
const sessionOf = (token: string, userId: string, more: object = {}): string =>
  JSON.stringify({
    session: { token, userId, expiresAt: '2030-01-01T00:00:00.000Z', ...more },
    user: { id: userId },
  })

const tokensOf = (list: string | null): string[] =>
  (JSON.parse(list ?? '[]') as { token: string }[]).map(({ token }) => token).sort()

describe('the contract in memory', () => {
  describeContract(async () => {
    const state = await openState()
    return [secondaryStorage(state), secondaryStorage(state)]
  })
})

describeWith(redis, 'the contract on Redis', () => {
  const client = openRedis()
  let opened = 0
  const prefix = `better-auth-${process.pid}`
  afterAll(async () => {
    await (await openInspector(client)).clear(prefix)
    client.disconnect()
  })
  describeContract(async () => {
    const options = { realmId: `realm-${opened++}` }
    const over = { redis: { client, prefix } }
    return [
      secondaryStorage(await openState(over), options),
      secondaryStorage(await openState(over), options),
    ]
  })
})

describe('times', () => {
  const open = async () => {
    const clock = new FakeClock()
    const state = await createAuthState({ clock })
    onTestFinished(() => state.close())
    return { clock, storage: secondaryStorage(state, { untimedMs: 10 * SECOND_MS }) }
  }

  test.each([
    ['a value', 'key', 'value'],
    ['a verification value', 'verification:code', 'value'],
    ['a session', 'token', sessionOf('token', 'u')],
  ])('%s ends with its seconds', async (_, key, value) => {
    const { clock, storage } = await open()
    await storage.set(key, value, 2)
    clock.advance(2 * SECOND_MS - 1)
    expect(await storage.get(key)).toBe(value)
    clock.advance(1)
    expect(await storage.get(key)).toBeNull()
    expect(await storage.getAndDelete(key)).toBeNull()
  })

  test('what has no end gets untimedMs', async () => {
    const { clock, storage } = await open()
    await storage.set('key', 'value')
    clock.advance(10 * SECOND_MS - 1)
    expect(await storage.get('key')).toBe('value')
    clock.advance(1)
    expect(await storage.get('key')).toBeNull()
  })

  test('a window begins with the first count and is not moved by the next', async () => {
    const { clock, storage } = await open()
    expect(await storage.increment('key', 10)).toBe(1)
    clock.advance(9 * SECOND_MS)
    expect(await storage.increment('key', 100)).toBe(2)
    clock.advance(SECOND_MS)
    expect(await storage.increment('key', 10)).toBe(1)
  })
})

describe('sessions', () => {
  test('are listed by user, whatever is written over the list', async () => {
    const storage = secondaryStorage(await openState())
    await together(20, (at) => storage.set(`t${at}`, sessionOf(`t${at}`, 'u', { ipAddress: '10.0.0.1' }), 60))
    await storage.set('other', sessionOf('other', 'v'), 60)
    await storage.set('active-sessions-u', JSON.stringify([{ token: 't1', expiresAt: 1 }]), 60)
    const list = await storage.get('active-sessions-u')
    expect(tokensOf(list)).toHaveLength(20)
    expect(JSON.parse(list ?? '')[0]).toEqual({
      token: expect.any(String),
      expiresAt: Date.parse('2030-01-01'),
    })
    expect(tokensOf(await storage.get('active-sessions-v'))).toEqual(['other'])
    expect((await storage.sessionsOf('v'))[0]).toMatchObject({ token: 'other', session: { userId: 'v' } })
    expect(storage.counts()).toEqual({ refused: 0, unknown: 0, untimed: 0 })
  })

  test('that were ended stay ended, whatever a slow request saves', async () => {
    const storage = secondaryStorage(await openState())
    await storage.set('t', sessionOf('t', 'u'), 60)
    await storage.delete('t')
    await storage.set('t', sessionOf('t', 'u', { updatedAt: 'later' }), 60)
    expect(await storage.get('t')).toBeNull()
    expect(await storage.get('active-sessions-u')).toBeNull()
    expect(storage.counts()).toMatchObject({ refused: 1 })
  })

  test('are given to one caller of getAndDelete, and stay ended', async () => {
    const storage = secondaryStorage(await openState())
    await storage.set('t', sessionOf('t', 'u'), 60)
    const got = await together(10, () => storage.getAndDelete('t'))
    expect(got.filter((value) => value !== null)).toEqual([sessionOf('t', 'u')])
    await storage.set('t', sessionOf('t', 'u'), 60)
    expect(await storage.get('t')).toBeNull()
  })

  describe('two requests at once that change the session and its user', () => {
    const value = (session: object, user: object): string =>
      JSON.stringify({ session: { token: 't', userId: 'u', ...session }, user: { id: 'u', ...user } })
    const read = value({ at: 1 }, { role: 'admin' })
    const prolonged = value({ at: 2 }, { role: 'admin' })
    const demoted = value({ at: 1 }, { role: 'user' })
    const both = value({ at: 2 }, { role: 'user' })

    test.each([
      ['the session is written first', [prolonged, demoted]],
      ['the user is written first', [demoted, prolonged]],
    ])('both last when %s', async (_, writes) => {
      const clock = new FakeClock()
      const state = await createAuthState({ clock })
      onTestFinished(() => state.close())
      const storage = secondaryStorage(state)
      await storage.set('t', read, 60)
      for (const written of writes) await storage.set('t', written, written === prolonged ? 120 : 60)
      expect(await storage.get('t')).toBe(both)
      expect((await storage.sessionsOf('u'))[0]?.expiresAt).toBe(clock.now() + 120 * SECOND_MS)
    })

    test('both last when they are written at once, on two nodes', async () => {
      const state = await openState()
      const nodes = [secondaryStorage(state), secondaryStorage(state)] as const
      await nodes[0].set('t', read, 60)
      await Promise.all([nodes[0].set('t', prolonged, 60), nodes[1].set('t', demoted, 60)])
      expect(await nodes[0].get('t')).toBe(both)
    })

    test('of one part the later write wins, also back to what it was', async () => {
      const storage = secondaryStorage(await openState())
      await storage.set('t', read, 60)
      await storage.set('t', demoted, 60)
      const again = value({ at: 1 }, { role: 'admin', updatedAt: 'later' })
      await storage.set('t', again, 60)
      expect(await storage.get('t')).toBe(again)
    })

    test('fifty writes at once end, and nothing but the last forms are there', async () => {
      const storage = secondaryStorage(await openState())
      await storage.set('t', read, 60)
      const written = Array.from({ length: 50 }, (_, at) => value({ at }, { role: `role ${at}` }))
      await together(50, (at) => storage.set('t', written[at] as string, 60))
      expect(written).toContain(await storage.get('t'))
    })
  })

  test('of a user end at once, but for one', async () => {
    const storage = secondaryStorage(await openState())
    for (const token of ['a', 'b', 'c']) await storage.set(token, sessionOf(token, 'u'), 60)
    expect(await storage.endSessions('u', { except: 'b' })).toBe(2)
    expect(tokensOf(await storage.get('active-sessions-u'))).toEqual(['b'])
    expect(await storage.endSessions('u')).toBe(1)
  })

  test('of a user whose id is a number are listed as well', async () => {
    const storage = secondaryStorage(await openState())
    await storage.set('t', JSON.stringify({ session: { token: 't', userId: 7 }, user: null }), 60)
    expect(tokensOf(await storage.get('active-sessions-7'))).toEqual(['t'])
  })
})

describe('a form that is not known', () => {
  test.each([
    ['an object', '{"tokens":["t"]}'],
    ['a list of others', '["t"]'],
    ['no JSON', 'v2;t'],
  ])('of the list, %s, is kept as it is and counted, until a known one takes its place', async (_, value) => {
    const storage = secondaryStorage(await openState())
    await storage.set('t', sessionOf('t', 'u'), 60)
    await storage.set('active-sessions-u', value, 60)
    expect(await storage.get('active-sessions-u')).toBe(value)
    expect(storage.counts()).toMatchObject({ unknown: 1 })
    await storage.set('active-sessions-u', '[]', 60)
    expect(tokensOf(await storage.get('active-sessions-u'))).toEqual(['t'])
  })

  test.each([
    ['under another token', sessionOf('another', 'u')],
    ['without a user', JSON.stringify({ session: { token: 't' } })],
    ['whose user has no name', JSON.stringify({ session: { token: 't', userId: '' } })],
    ['that is a list', JSON.stringify({ session: ['t'] })],
    ['that is no JSON', 'v2;t'],
  ])('of a session, %s, is kept as it is and counted', async (_, value) => {
    const storage = secondaryStorage(await openState())
    await storage.set('t', value, 60)
    expect(await storage.get('t')).toBe(value)
    expect(await storage.get('active-sessions-u')).toBeNull()
    expect(storage.counts()).toEqual({ refused: 0, unknown: 1, untimed: 0 })
    await storage.delete('t')
    expect(await storage.get('t')).toBeNull()
  })
})

test.each([
  [{ realmId: '' }, TypeError, /"realmId"/],
  [{ realm: 'x' }, TypeError, /'realmId'/],
  [{ sessionMs: 0 }, RangeError, /"sessionMs"/],
  [{ sessionMs: 401 * DAY_MS }, ConfigurationError, /"sessionMs".*"maxLifespanMs" of web-session/],
  [{ sessionMs: 31 * DAY_MS }, ConfigurationError, /"sessionMs".*"maxLifespanMs" of action-token/],
  [{ verificationMs: 31 * DAY_MS }, ConfigurationError, /"verificationMs".*"maxLifespanMs" of action-token/],
  [{ untimedMs: 31 * DAY_MS }, ConfigurationError, /"untimedMs".*"maxLifespanMs" of action-token/],
])('refuses to start with %o', async (options, type, message) => {
  const state = await openState()
  const start = () => secondaryStorage(state, options as StorageOptions)
  expect(start).toThrow(type)
  expect(start).toThrow(message)
})

test('arguments of the wrong kind are refused by name', async () => {
  const storage = secondaryStorage(await openState())
  await expect(storage.get(1 as never)).rejects.toThrow(/"key"/)
  await expect(storage.set('key', 1 as never)).rejects.toThrow(/"value"/)
  await expect(storage.set('key', 'value', 'soon' as never)).rejects.toThrow(/"ttl"/)
})
