import { assertBoolean, assertFunction } from './assert.js'
import { assertOptions, type Known } from './known.js'
import type { ClientSettings, CommonRealmSettings } from './realm.js'

/**
 * Checks what a realm says under one name, for the SPI that reads it. It throws a `TypeError` or `RangeError` whose message
 * begins with `place`.
 */
export type RealmSettingCheck = (value: unknown, place: string) => unknown
/** {@link RealmSettingCheck}, by name of the setting. */
export type RealmSettingChecks = Readonly<Record<string, RealmSettingCheck>>

const PLACE = 'realms(realmId)'

const SETTINGS: Known<CommonRealmSettings> = {
  ssoSessionIdleTimeoutMs: true,
  ssoSessionMaxLifespanMs: true,
  ssoSessionIdleTimeoutRememberMeMs: true,
  ssoSessionMaxLifespanRememberMeMs: true,
  offlineSessionIdleTimeoutMs: true,
  offlineSessionMaxLifespanEnabled: true,
  offlineSessionMaxLifespanMs: true,
  clientSessionIdleTimeoutMs: true,
  clientSessionMaxLifespanMs: true,
  clientOfflineSessionIdleTimeoutMs: true,
  clientOfflineSessionMaxLifespanMs: true,
  accessCodeLifespanMs: true,
  accessCodeLifespanLoginMs: true,
  accessCodeLifespanUserActionMs: true,
  rememberMe: true,
  notBefore: true,
  bruteForce: true,
  clients: true,
}

const CLIENT: Known<ClientSettings> = {
  sessionIdleTimeoutMs: true,
  sessionMaxLifespanMs: true,
  offlineSessionIdleTimeoutMs: true,
  offlineSessionMaxLifespanMs: true,
}

const FLAGS = ['offlineSessionMaxLifespanEnabled', 'rememberMe'] as const

/**
 * Checks the names of a realm's settings, and all that is no span: spans are checked where they are read.
 *
 * @throws {TypeError | RangeError} naming the setting
 */
export function checkRealmSettings(settings: CommonRealmSettings, checks: RealmSettingChecks): void {
  assertOptions(settings, PLACE, knownWith(checks))
  for (const name of FLAGS) {
    const flag: unknown = settings[name]
    if (flag !== undefined && flag !== null) assertBoolean(flag, `${PLACE}.${name}`)
  }
  const clients: unknown = settings.clients
  if (clients !== undefined && clients !== null) assertFunction(clients, `${PLACE}.clients`)
  for (const name of Object.keys(checks)) {
    const value = (settings as Readonly<Record<string, unknown>>)[name]
    if (value !== undefined && value !== null) checks[name]?.(value, `${PLACE}.${name}`)
  }
}

/**
 * The settings of a client, checked: nothing else is asked on every write, so this is.
 *
 * @throws {TypeError} a name is unknown, or there is a promise, whose settings would come too late
 */
export function checkClientSettings(settings: ClientSettings | undefined): ClientSettings | undefined {
  if (settings === undefined || settings === null) return undefined
  const place = `${PLACE}.clients(clientId)`
  if (typeof (settings as { then?: unknown }).then === 'function') {
    throw new TypeError(`"${place}" must return a value, got a promise`)
  }
  assertOptions(settings, place, CLIENT)
  return settings
}

const merged = new WeakMap<RealmSettingChecks, Known<CommonRealmSettings>>()

/** The names known here and those of the checks, put together once per set of checks. */
function knownWith(checks: RealmSettingChecks): Known<CommonRealmSettings> {
  let known = merged.get(checks)
  if (known === undefined) {
    known = { ...SETTINGS, ...Object.fromEntries(Object.keys(checks).map((name) => [name, true])) }
    merged.set(checks, known)
  }
  return known
}
