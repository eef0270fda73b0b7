import { expect, test } from 'vitest'
import { type RealmSettings, resolveRealm } from '../src/index.js'
import { positive } from '../src/internal.js'

const DEFAULTS = {
  ssoSessionIdleTimeoutMs: 1_800_000,
  ssoSessionMaxLifespanMs: 36_000_000,
  ssoSessionIdleTimeoutRememberMeMs: 0,
  ssoSessionMaxLifespanRememberMeMs: 0,
  offlineSessionIdleTimeoutMs: 2_592_000_000,
  offlineSessionMaxLifespanEnabled: false,
  offlineSessionMaxLifespanMs: 5_184_000_000,
  clientSessionIdleTimeoutMs: 0,
  clientSessionMaxLifespanMs: 0,
  clientOfflineSessionIdleTimeoutMs: 0,
  clientOfflineSessionMaxLifespanMs: 0,
  accessCodeLifespanMs: 60_000,
  accessCodeLifespanLoginMs: 1_800_000,
  accessCodeLifespanUserActionMs: 300_000,
  rememberMe: true,
  notBefore: 0,
  bruteForce: {},
}

test("what is absent or not above 0 takes Keycloak's default", () => {
  expect(resolveRealm(undefined)).toMatchObject(DEFAULTS)
  expect(resolveRealm({})).toMatchObject(DEFAULTS)
  const spans = Object.keys(DEFAULTS).filter((name) => name.endsWith('Ms'))
  for (const value of [0, -5, Number.NEGATIVE_INFINITY]) {
    const settings = Object.fromEntries(spans.map((name) => [name, value])) as RealmSettings
    expect(resolveRealm(settings)).toMatchObject(DEFAULTS)
  }
})

test('what is given is kept', () => {
  const bruteForce = { enabled: true }
  expect(
    resolveRealm({ ssoSessionIdleTimeoutMs: 7, rememberMe: false, notBefore: 9, bruteForce }),
  ).toMatchObject({
    ssoSessionIdleTimeoutMs: 7,
    rememberMe: false,
    notBefore: 9,
    bruteForce,
  })
})

test('a setting of the wrong type is a TypeError that names it', () => {
  for (const value of ['30m', Number.NaN, {}]) {
    expect(() => resolveRealm({ ssoSessionIdleTimeoutMs: value as number })).toThrow(
      new TypeError('"realms(realmId).ssoSessionIdleTimeoutMs" must be a number of milliseconds'),
    )
  }
})

test('a client without settings overrides nothing', () => {
  const realm = resolveRealm({
    clients: (clientId) => (clientId === 'a' ? { sessionIdleTimeoutMs: 3 } : undefined),
  })
  expect(realm.client('a')).toEqual({ sessionIdleTimeoutMs: 3 })
  expect(realm.client('b')).toEqual({})
  expect(resolveRealm(undefined).client('a')).toEqual({})
})

test('a span is whole milliseconds that a number can hold, and nothing is rounded', () => {
  for (const value of [0.5, 1.9, 1e-9]) {
    expect(() => resolveRealm({ accessCodeLifespanMs: value })).toThrow(
      new RangeError(`"realms(realmId).accessCodeLifespanMs" must be whole milliseconds, got ${value}`),
    )
  }
  expect(positive(1, 'x', 5)).toBe(1)
  for (const value of [0, -0.5, undefined]) expect(positive(value, 'x', 5)).toBe(5)
  expect(positive(Number.POSITIVE_INFINITY, 'x', 5)).toBe(Number.MAX_SAFE_INTEGER)
})
