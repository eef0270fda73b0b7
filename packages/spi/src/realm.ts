import { checkClientSettings, checkRealmSettings, type RealmSettingChecks } from './realm-checks.js'

/** Time-outs of one client that override the realm's. Spans in ms; absent or ≤ 0 leaves the realm's. */
export interface ClientSettings {
  readonly sessionIdleTimeoutMs?: number | undefined
  readonly sessionMaxLifespanMs?: number | undefined
  readonly offlineSessionIdleTimeoutMs?: number | undefined
  readonly offlineSessionMaxLifespanMs?: number | undefined
}

/** Lock-out settings of a realm, as Keycloak names them. Spans in ms; what is absent takes Keycloak's default. */
export interface BruteForceSettings {
  /** @default false */
  readonly enabled?: boolean | undefined
  /** @default 'MULTIPLE' */
  readonly strategy?: 'LINEAR' | 'MULTIPLE' | undefined
  /** @default false */
  readonly permanentLockout?: boolean | undefined
  /** @default 0 */
  readonly maxTemporaryLockouts?: number | undefined
  /** @default 30 */
  readonly failureFactor?: number | undefined
  /** @default 60_000 (1 minute) */
  readonly waitIncrementMs?: number | undefined
  /** @default 1_000 (1 second) */
  readonly quickLoginCheckMs?: number | undefined
  /** @default 60_000 (1 minute) */
  readonly minimumQuickLoginWaitMs?: number | undefined
  /** @default 900_000 (15 minutes) */
  readonly maxFailureWaitMs?: number | undefined
  /** @default 43_200_000 (12 hours) */
  readonly maxDeltaTimeMs?: number | undefined
  /** 0 for no limit. @default 0 */
  readonly maxSecondaryAuthFailures?: number | undefined
}

/** The settings that SPIs of this library read, see {@link RealmSettings}. */
export interface CommonRealmSettings {
  /** @default 1_800_000 (30 minutes) */
  readonly ssoSessionIdleTimeoutMs?: number | undefined
  /** @default 36_000_000 (10 hours) */
  readonly ssoSessionMaxLifespanMs?: number | undefined
  readonly ssoSessionIdleTimeoutRememberMeMs?: number | undefined
  readonly ssoSessionMaxLifespanRememberMeMs?: number | undefined
  /** @default 2_592_000_000 (30 days) */
  readonly offlineSessionIdleTimeoutMs?: number | undefined
  /** @default false */
  readonly offlineSessionMaxLifespanEnabled?: boolean | undefined
  /** @default 5_184_000_000 (60 days), counted only when enabled */
  readonly offlineSessionMaxLifespanMs?: number | undefined
  readonly clientSessionIdleTimeoutMs?: number | undefined
  readonly clientSessionMaxLifespanMs?: number | undefined
  readonly clientOfflineSessionIdleTimeoutMs?: number | undefined
  readonly clientOfflineSessionMaxLifespanMs?: number | undefined
  /** @default 60_000 (1 minute) */
  readonly accessCodeLifespanMs?: number | undefined
  /** @default 1_800_000 (30 minutes) */
  readonly accessCodeLifespanLoginMs?: number | undefined
  /** @default 300_000 (5 minutes) */
  readonly accessCodeLifespanUserActionMs?: number | undefined
  /** `false`: remember-me was switched off, sessions that carry it end. @default true */
  readonly rememberMe?: boolean | undefined
  /** Sessions and tokens from before this instant (ms since the epoch) are invalid. @default 0 */
  readonly notBefore?: number | undefined
  readonly bruteForce?: BruteForceSettings | undefined
  readonly clients?: ((clientId: string) => ClientSettings | undefined) | undefined
}

/**
 * What a realm says about the life of its state. Names follow Keycloak's realm representation, spans are ms.
 *
 * A time-out that is absent or ≤ 0 takes Keycloak's default; a client or remember-me value that is absent or ≤ 0
 * does not override anything. An unknown name is refused.
 *
 * An SPI of a plugin adds its own with `declare module '@authstate/spi' { interface RealmSettings { … } }`, and says in
 * `defineSpi` how they are checked.
 */
export interface RealmSettings extends CommonRealmSettings {}

/** Answers the settings of a realm; `undefined` for one that has none of its own. Asked on every write. */
export type RealmSettingsSource = (
  realmId: string,
) => RealmSettings | undefined | Promise<RealmSettings | undefined>

/** {@link RealmSettings} with every default filled in. 0 means "does not override". */
export interface Realm {
  readonly ssoSessionIdleTimeoutMs: number
  readonly ssoSessionMaxLifespanMs: number
  readonly ssoSessionIdleTimeoutRememberMeMs: number
  readonly ssoSessionMaxLifespanRememberMeMs: number
  readonly offlineSessionIdleTimeoutMs: number
  readonly offlineSessionMaxLifespanEnabled: boolean
  readonly offlineSessionMaxLifespanMs: number
  readonly clientSessionIdleTimeoutMs: number
  readonly clientSessionMaxLifespanMs: number
  readonly clientOfflineSessionIdleTimeoutMs: number
  readonly clientOfflineSessionMaxLifespanMs: number
  readonly accessCodeLifespanMs: number
  readonly accessCodeLifespanLoginMs: number
  readonly accessCodeLifespanUserActionMs: number
  readonly rememberMe: boolean
  readonly notBefore: number
  readonly bruteForce: BruteForceSettings
  /** What the realm says, as it says it: for the settings that an SPI of a plugin reads. */
  readonly settings: RealmSettings
  /** What a client overrides; nothing where it has no settings of its own. */
  client(clientId: string): ClientSettings
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const NO_OVERRIDES: ClientSettings = Object.freeze({})

/**
 * Fills in Keycloak's defaults.
 *
 * @param checks How the settings are checked that SPIs read themselves, by name.
 * @throws {TypeError | RangeError} a setting is unknown or has the wrong type; the message names it, and what was
 *   probably meant
 */
export function resolveRealm(settings: RealmSettings | undefined, checks: RealmSettingChecks = {}): Realm {
  const given = settings ?? {}
  checkRealmSettings(given, checks)
  const span = (name: keyof RealmSettings, whenAbsent: number): number =>
    positive(given[name], name, whenAbsent)
  return {
    ssoSessionIdleTimeoutMs: span('ssoSessionIdleTimeoutMs', 30 * MINUTE_MS),
    ssoSessionMaxLifespanMs: span('ssoSessionMaxLifespanMs', 600 * MINUTE_MS),
    ssoSessionIdleTimeoutRememberMeMs: span('ssoSessionIdleTimeoutRememberMeMs', 0),
    ssoSessionMaxLifespanRememberMeMs: span('ssoSessionMaxLifespanRememberMeMs', 0),
    offlineSessionIdleTimeoutMs: span('offlineSessionIdleTimeoutMs', 30 * DAY_MS),
    offlineSessionMaxLifespanEnabled: given.offlineSessionMaxLifespanEnabled === true,
    offlineSessionMaxLifespanMs: span('offlineSessionMaxLifespanMs', 60 * DAY_MS),
    clientSessionIdleTimeoutMs: span('clientSessionIdleTimeoutMs', 0),
    clientSessionMaxLifespanMs: span('clientSessionMaxLifespanMs', 0),
    clientOfflineSessionIdleTimeoutMs: span('clientOfflineSessionIdleTimeoutMs', 0),
    clientOfflineSessionMaxLifespanMs: span('clientOfflineSessionMaxLifespanMs', 0),
    accessCodeLifespanMs: span('accessCodeLifespanMs', MINUTE_MS),
    accessCodeLifespanLoginMs: span('accessCodeLifespanLoginMs', 30 * MINUTE_MS),
    accessCodeLifespanUserActionMs: span('accessCodeLifespanUserActionMs', 5 * MINUTE_MS),
    rememberMe: given.rememberMe !== false,
    notBefore: span('notBefore', 0),
    bruteForce: given.bruteForce ?? {},
    settings: given,
    client: (clientId) => checkClientSettings(given.clients?.(clientId)) ?? NO_OVERRIDES,
  }
}

/**
 * The override if it is above 0, else `whenAbsent`. `Infinity` is the longest span that a number can hold.
 *
 * @throws {TypeError} it is not a number
 * @throws {RangeError} it is above 0 and no whole number of milliseconds
 */
export function positive(value: unknown, name: string, whenAbsent: number): number {
  if (value === undefined || value === null) return whenAbsent
  if (typeof value !== 'number' || Number.isNaN(value)) {
    throw new TypeError(`"realms(realmId).${name}" must be a number of milliseconds`)
  }
  if (value <= 0) return whenAbsent
  if (!Number.isInteger(value) && value !== Number.POSITIVE_INFINITY) {
    throw new RangeError(`"realms(realmId).${name}" must be whole milliseconds, got ${value}`)
  }
  return Math.min(value, Number.MAX_SAFE_INTEGER)
}
