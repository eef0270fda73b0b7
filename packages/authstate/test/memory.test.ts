import { FakeClock, RecordingLogger } from '@authstate/conformance'
import type { ProviderCall } from '@authstate/registry'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { createdSession } from '../../user-session/src/conformance/fixture.js'
import {
  type ActionTokenProvider,
  type AuthState,
  ConfigurationError,
  createAuthState,
  ProviderClosedError,
  type UserSessionProvider,
} from '../src/index.js'
import { services } from '../src/services.js'

const MEMBERS = services.flatMap(({ member }) => (member === undefined ? [] : [member]))

describe('without a word of configuration', () => {
  test('every member is there, in memory', async () => {
    await using state = await createAuthState()
    for (const member of MEMBERS) expect(state[member], member).toBeTypeOf('object')
    const { redis, ...spis } = state.describe().spis
    expect(redis).toMatchObject({ started: false, neededBy: [] })
    expect(Object.keys(spis)).toHaveLength(MEMBERS.length)
    for (const [name, { selected, started }] of Object.entries(spis)) {
      expect([name, selected, started]).toEqual([name, 'memory', true])
    }
  })

  test('a login, a code and a failure go round', async () => {
    await using state = await createAuthState()
    const session = await state.userSessions
      .create('r', { userId: 'u', loginUsername: 'ada' })
      .then(createdSession)
    expect(await state.userSessions.get('r', session.id)).toMatchObject({ userId: 'u' })
    await state.actionTokens.put('r', 'code', 'k', { lifespanMs: 1_000, data: { to: 'x' } })
    expect(await state.actionTokens.consume('r', 'code', 'k')).toEqual({
      outcome: 'consumed',
      data: { to: 'x' },
    })
    expect(await state.loginFailures.check('r', 'u')).toMatchObject({ locked: false })
    const value = state.stickySessions.sign(session.id)
    expect(state.stickySessions.verify(value)).toMatchObject({ id: session.id })
    const loads: string[] = []
    const region = state.realmCache.region<string>('users')
    for (const _ of [1, 2]) await region.get('ada', ({ key }) => `${loads.push(key)}`)
    expect(loads).toEqual(['ada'])
    const { id } = await state.authSessions.createRoot('r')
    expect(await state.authSessions.getRoot('r', id)).toMatchObject({ id })
    expect(state.cluster.view().nodes).toHaveLength(1)
  })

  test('members have the types of their contracts', async () => {
    expectTypeOf<AuthState['userSessions']>().toEqualTypeOf<UserSessionProvider>()
    expectTypeOf<AuthState['actionTokens']>().toEqualTypeOf<ActionTokenProvider>()
    expectTypeOf(createAuthState).returns.resolves.toEqualTypeOf<AuthState>()
  })

  test('two states share nothing', async () => {
    await using item = await createAuthState()
    await using other = await createAuthState()
    const { id } = await item.userSessions
      .create('r', { userId: 'u', loginUsername: 'ada' })
      .then(createdSession)
    expect(await other.userSessions.get('r', id)).toBeUndefined()
  })
})

describe('health()', () => {
  test('says of every provider whether it can serve', async () => {
    await using state = await createAuthState()
    const health = await state.health()
    expect(health.ok).toBe(true)
    const started = Object.entries(state.describe().spis).filter(([, spi]) => spi.started)
    expect(started).toHaveLength(MEMBERS.length)
    expect(health.providers.map(({ spi }) => spi).sort()).toEqual(started.map(([name]) => name).sort())
    for (const { ok, latencyMs, error } of health.providers) {
      expect([ok, error]).toEqual([true, undefined])
      expect(latencyMs).toBeGreaterThanOrEqual(0)
    }
  })

  test('is false after the close, and does not throw', async () => {
    const state = await createAuthState()
    await state.close()
    expect(await state.health()).toEqual({ ok: false, providers: [] })
  })
})

describe('close()', () => {
  test('ends every member; twice is the same as once', async () => {
    const state = await createAuthState()
    const { userSessions } = state
    await Promise.all([state.close(), state.close()])
    for (const member of MEMBERS) expect(() => state[member], member).toThrow(ProviderClosedError)
    await expect(userSessions.get('r', 'x'.repeat(24))).rejects.toThrow(ProviderClosedError)
  })

  test('comes with the end of an `await using`', async () => {
    let left: AuthState
    {
      await using state = await createAuthState()
      left = state
    }
    expect(() => left.userSessions).toThrow(ProviderClosedError)
  })
})

describe('what surrounds the providers', () => {
  test('the clock', async () => {
    const clock = new FakeClock()
    await using state = await createAuthState({ clock })
    await state.actionTokens.put('r', 'code', 'k', { lifespanMs: 1_000 })
    clock.advance(999)
    expect(await state.actionTokens.has('r', 'code', 'k')).toBe(true)
    clock.advance(1)
    expect(await state.actionTokens.has('r', 'code', 'k')).toBe(false)
  })

  test('the settings of realms', async () => {
    const clock = new FakeClock()
    const realms = (realmId: string) => (realmId === 'short' ? { ssoSessionMaxLifespanMs: 1_000 } : undefined)
    await using state = await createAuthState({ clock, realms })
    const short = await state.userSessions
      .create('short', { userId: 'u', loginUsername: 'ada' })
      .then(createdSession)
    const long = await state.userSessions
      .create('long', { userId: 'u', loginUsername: 'ada' })
      .then(createdSession)
    expect(short.expiresAt - short.startedAt).toBe(1_000)
    expect(long.expiresAt - long.startedAt).toBe(1_800_000)
  })

  test('the keyring: what one process signs another reads', async () => {
    const keyring = { current: 'a', keys: { a: 'x'.repeat(32) } }
    await using item = await createAuthState({ keyring })
    await using other = await createAuthState({ keyring })
    await using stranger = await createAuthState()
    const value = item.stickySessions.sign('id')
    expect(other.stickySessions.verify(value)?.id).toBe('id')
    expect(stranger.stickySessions.verify(value)).toBeUndefined()
  })

  test('the node', async () => {
    await using state = await createAuthState({ node: { name: 'n1', site: 'east', route: 'r1' } })
    expect(state.describe().node).toEqual({ name: 'n1', site: 'east', route: 'r1' })
    expect(state.stickySessions.route('id')).toBe('r1')
  })

  test('the instrument hook hears of calls, without ids', async () => {
    const calls: ProviderCall[] = []
    await using state = await createAuthState({ instrument: (call) => calls.push(call) })
    await state.userSessions.get('canary-realm', 'canary'.repeat(4))
    expect(calls).toEqual([
      {
        spi: 'user-session',
        provider: 'memory',
        verb: 'get',
        node: state.describe().node,
        outcome: 'ok',
        answer: 'absent',
        durationMs: expect.any(Number),
      },
    ])
  })

  test('the logger', async () => {
    const logger = new RecordingLogger()
    const failing = () => {
      throw new Error('hook')
    }
    await using state = await createAuthState({ logger, instrument: failing })
    await state.userSessions.get('r', 'x'.repeat(24))
    const errors = logger.entries.filter(({ level }) => level === 'error')
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining('instrument hook')])
  })
})

describe('an SPI that is disabled', () => {
  test('is missing when it is asked for, and only then', async () => {
    await using state = await createAuthState({ spi: { 'realm-cache': { enabled: false } } })
    expect(() => state.realmCache).toThrow(ConfigurationError)
    expect(() => state.realmCache).toThrow(/'realm-cache' has no provider/)
    expect(state.userSessions).toBeTypeOf('object')
  })
})
