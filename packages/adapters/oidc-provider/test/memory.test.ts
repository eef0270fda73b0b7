import { FakeClock } from '@authstate/conformance'
import { ConfigurationError } from '@authstate/spi'
import { afterEach, describe, expect, test } from 'vitest'
import { type AdapterOptions, type AdapterState, createAdapter } from '../src/index.js'
import { describeAdapter, open, ROUNDS, session } from './contract.js'
import { openState, plainAdapter } from './support.js'

const DAY_S = 86_400
const DAY_MS = DAY_S * 1_000

describe('an adapter on memory', () => {
  let state: AdapterState | undefined
  afterEach(() => {
    state = undefined
  })
  describeAdapter(async () => {
    state ??= await openState()
    return state
  })
})

describe('refuses to start', () => {
  test.each([
    [{ realmId: '' }, TypeError, /"realmId"/],
    [{ clients: {} }, TypeError, /"clients"/],
    [{ redemption: 'on' }, TypeError, /"redemption" must be one of 'lease', 'off'/],
    [{ ttl: 1 }, TypeError, /"ttl"/],
    [{ defaultTtlMs: 0 }, RangeError, /"defaultTtlMs"/],
    [{ defaultTtlMs: 31 * DAY_MS }, ConfigurationError, /"defaultTtlMs".*"maxLifespanMs" of action-token/],
    [{ onRefused: 1 }, TypeError, /"onRefused"/],
    [{ realm: 'x' }, TypeError, /'realmId'/],
    [
      { ttl: { RefreshToken: 90 * DAY_S } },
      ConfigurationError,
      /"ttl.RefreshToken" of oidc-provider is 7776000 seconds.*"maxLifespanMs" of action-token is 2592000000/,
    ],
    [
      { ttl: { Session: 401 * DAY_S } },
      ConfigurationError,
      /"ttl.Session" of oidc-provider.*"maxLifespanMs" of web-session/,
    ],
  ])('with %j', async (options, type, message) => {
    const state = await openState()
    const start = () => createAdapter(state, options as AdapterOptions)
    expect(start).toThrow(type)
    expect(start).toThrow(message)
  })

  test('where an expired token would be an unknown one', async () => {
    const state = await openState({ actionToken: { readGraceMs: 59_999 } })
    expect(() => createAdapter(state)).toThrow(ConfigurationError)
    expect(() => createAdapter(state)).toThrow(
      /"readGraceMs" of action-token must be at least 60000, got 59999/,
    )
  })

  test('where what oidc-provider stores by default lives too long', async () => {
    const state = await openState({ actionToken: { maxLifespanMs: DAY_MS } })
    expect(() => createAdapter(state)).toThrow(/"ttl.Grant" of oidc-provider is 1209600 seconds/)
    expect(() =>
      createAdapter(state, { ttl: { Grant: 60, RefreshToken: 60, IdToken: 90 * DAY_S } }),
    ).not.toThrow()
  })

  test('without a cluster to wait in', async () => {
    const { cluster: _, ...state } = await openState()
    expect(() => createAdapter(state)).toThrow(/"redemption: 'lease'" needs "cluster"/)
    expect(() => createAdapter(state, { redemption: 'off' })).not.toThrow()
  })
})

test('a ttl that is a function and answers too much is refused when it does, by its name', async () => {
  const adapter = open(await openState())
  await expect(adapter('RefreshToken').upsert('id', { jti: 'id' }, 90 * DAY_S)).rejects.toThrow(
    /"ttl.RefreshToken" of oidc-provider is 7776000 seconds/,
  )
  await expect(adapter('Session').upsert('id', session('id', 'uid'), 401 * DAY_S)).rejects.toThrow(
    /"ttl.Session" of oidc-provider/,
  )
})

test('what has no end is refused by the names that give it one, and lives as long as they say', async () => {
  const clock = new FakeClock()
  const state = await openState({ clock })
  const without = open(state)
  await expect(without('RegistrationAccessToken').upsert('id', { jti: 'id' })).rejects.toThrow(
    /"ttl.RegistrationAccessToken" of oidc-provider, or "defaultTtlMs"/,
  )
  await expect(without('Client').upsert('shop', { client_id: 'shop' })).rejects.toThrow(/"clients"/)
  const adapter = open(state, { defaultTtlMs: 1_000 })
  await adapter('Client').upsert('shop', { client_id: 'shop' })
  await adapter('InitialAccessToken').upsert('id', { jti: 'id' })
  expect(await adapter('Client').find('shop')).toEqual({ client_id: 'shop' })
  clock.advance(1_000)
  expect(await adapter('Client').find('shop')).toBeUndefined()
  expect(await adapter('InitialAccessToken').find('id')).toBeUndefined()
})

test('clients come from where the application keeps them', async () => {
  const state = await openState()
  const clients = (clientId: string) => (clientId === 'shop' ? { client_id: 'shop' } : undefined)
  const adapter = open(state, { clients, defaultTtlMs: DAY_MS })
  expect(await open(state, { clients })('Client').find('shop')).toEqual({ client_id: 'shop' })
  expect(await adapter('Client').find('other')).toBeUndefined()
  await adapter('Client').upsert('other', { client_id: 'other' })
  expect(await adapter('Client').find('other')).toEqual({ client_id: 'other' })
  await adapter('Client').destroy('other')
  expect(await adapter('Client').find('other')).toBeUndefined()
})

test('what expired is found for a while, so that it is not taken for unknown', async () => {
  const clock = new FakeClock()
  const adapter = open(await openState({ clock }))
  const payload = { jti: 'id', exp: 1, userCode: 'CODE' }
  await adapter('DeviceCode').upsert('id', payload, 60)
  clock.advance(60_000)
  expect(await adapter('DeviceCode').find('id')).toEqual(payload)
  expect(await adapter('DeviceCode').findByUserCode('CODE')).toEqual(payload)
  await expect(adapter('DeviceCode').consume('id')).rejects.toThrow('invalid_grant')
  clock.advance(60_000)
  expect(await adapter('DeviceCode').find('id')).toBeUndefined()
  await adapter('Session').upsert('id', session('id', 'uid'), 60)
  clock.advance(60_000)
  expect(await adapter('Session').find('id')).toBeUndefined()
  await adapter('Interaction').upsert('id', { jti: 'id', exp: 1 }, 0)
  expect(await adapter('Interaction').find('id')).toEqual({ jti: 'id', exp: 1 })
  clock.advance(60_001)
  expect(await adapter('Interaction').find('id')).toBeUndefined()
})

test('a session that is saved when its end has come is ended', async () => {
  const adapter = open(await openState())('Session')
  await adapter.upsert('id', session('id', 'uid'), 60)
  await adapter.upsert('id', session('id', 'uid'), 0)
  expect(await adapter.find('id')).toBeUndefined()
})

test('what a listener of refused saves throws harms nobody', async () => {
  const adapter = open(await openState(), {
    onRefused: () => {
      throw new Error('broken')
    },
  })('Session')
  await adapter.upsert('id', session('id', 'uid'), 60)
  await adapter.destroy('id')
  await expect(adapter.upsert('id', session('id', 'uid'), 60)).resolves.toBeUndefined()
})

// What a store of keys and values does in the same rounds.
describe('a plain adapter', () => {
  const rounds = Array.from({ length: ROUNDS }, (_, n) => String(n))

  test(`brings a session back that was ended: ${ROUNDS} of ${ROUNDS}`, async () => {
    const adapter = plainAdapter()('Session')
    for (const id of rounds) {
      await adapter.upsert(id, session(id, id), 60)
      const slow = await adapter.find(id)
      await adapter.destroy(id)
      await adapter.upsert(id, slow ?? {}, 60)
      expect(await adapter.find(id)).toBeDefined()
    }
  })

  test(`turns a session back to the id it had: ${ROUNDS} of ${ROUNDS}`, async () => {
    const adapter = plainAdapter()('Session')
    for (const uid of rounds) {
      await adapter.upsert(`before-${uid}`, session(`before-${uid}`, uid), 60)
      const slow = await adapter.find(`before-${uid}`)
      await adapter.destroy(`before-${uid}`)
      await adapter.upsert(`now-${uid}`, session(`now-${uid}`, uid, 'a'), 60)
      await adapter.upsert(`before-${uid}`, slow ?? {}, 60)
      expect(await adapter.findByUid(uid)).toMatchObject({ jti: `before-${uid}` })
    }
  })

  test(`accepts a proof twice: ${ROUNDS} of ${ROUNDS}`, async () => {
    const adapter = plainAdapter()('ReplayDetection')
    for (const jti of rounds) {
      const found = await Promise.all([adapter.find(jti), adapter.find(jti)])
      expect(found).toEqual([undefined, undefined])
      await Promise.all([adapter.upsert(jti, { jti }, 60), adapter.upsert(jti, { jti }, 60)])
    }
  })

  test(`redeems a refresh token twice: ${ROUNDS} of ${ROUNDS}`, async () => {
    const adapter = plainAdapter()('RefreshToken')
    for (const id of rounds) {
      await adapter.upsert(id, { jti: id }, 60)
      const found = await Promise.all([adapter.find(id), adapter.find(id)])
      expect(found).toEqual([{ jti: id }, { jti: id }])
      await expect(Promise.all([adapter.consume(id), adapter.consume(id)])).resolves.toBeDefined()
    }
  })
})
