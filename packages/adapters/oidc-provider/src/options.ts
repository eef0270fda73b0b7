import type { ActionTokenProvider } from '@authstate/action-token'
import type { ClusterProvider } from '@authstate/cluster'
import {
  assertFunction,
  assertLifespan,
  assertName,
  assertObject,
  assertOneOf,
  assertOptions,
  ConfigurationError,
  consoleLogger,
  Emitter,
  type Known,
} from '@authstate/spi'
import type { WebSessionProvider } from '@authstate/web-session'
import type { Payload } from './models.js'

/** Where models are kept: what `createAuthState` answers, or whatever else has the providers. */
export interface AdapterState {
  readonly webSessions: WebSessionProvider
  readonly actionTokens: ActionTokenProvider
  /** For `redemption: 'lease'`. */
  readonly cluster?: ClusterProvider | undefined
}

/** A save of a session that came to nothing: it was ended meanwhile, or its user's sessions were. */
export interface RefusedSave {
  /** What tells the session from others for as long as it lives. */
  readonly uid: string
  /** Whose it is. Absent before somebody signed in. */
  readonly accountId?: string
}

/** How models are kept. */
export interface AdapterOptions {
  /** The realm of everything that is stored: one per provider that shares the deployment. @default 'oidc-provider' */
  readonly realmId?: string | undefined
  /**
   * The metadata of a client that the configuration of oidc-provider does not list. Asked for every request; it may answer
   * from a cache. Left out: no other clients are known, unless they registered themselves.
   */
  readonly clients?: ((clientId: string) => Promise<object | undefined> | object | undefined) | undefined
  /**
   * `'lease'`: requests that redeem one refresh token wait for each other, so that the second sees what the first one did.
   * `'off'`: they do not wait. Exactly one gets tokens either way. @default 'lease'
   */
  readonly redemption?: 'lease' | 'off' | undefined
  /** `ttl` of the configuration of oidc-provider, so that what would live too long stops the start. */
  readonly ttl?: Readonly<Record<string, unknown>> | undefined
  /**
   * Life of what oidc-provider gives no end, whole ms above 0: clients that register themselves, their registration access
   * tokens, initial access tokens. Left out: they are refused, by this name.
   */
  readonly defaultTtlMs?: number | undefined
  /**
   * Called for each save of a session that was refused. oidc-provider sees that save as a success:
   * the user is logged out. If this function throws or rejects, that is logged once.
   */
  readonly onRefused?: ((refused: RefusedSave) => unknown) | undefined
  /** The `Provider` of oidc-provider, where `import('oidc-provider')` does not find the one that is used. */
  readonly Provider?: { readonly ctx: unknown } | undefined
}

interface Refusals {
  readonly refused: RefusedSave & { readonly type: 'refused' }
}

const OPTIONS: Known<AdapterOptions> = {
  realmId: true,
  clients: true,
  redemption: true,
  ttl: true,
  defaultTtlMs: true,
  onRefused: true,
  Provider: true,
}

const DAY_S = 86_400

/** What oidc-provider says of lives, seconds, where its configuration does not. @see docs/README.md of oidc-provider, `ttl` */
const DEFAULT_TTL: Readonly<Record<string, number>> = {
  AccessToken: 3_600,
  AuthorizationCode: 60,
  BackchannelAuthenticationRequest: 600,
  ClientCredentials: 600,
  DeviceCode: 600,
  Grant: 14 * DAY_S,
  Interaction: 3_600,
  PreAuthorizedCode: 600,
  RefreshToken: 14 * DAY_S,
  Session: 14 * DAY_S,
}

/** Names of `ttl` that nothing is stored of. */
const NOT_STORED: ReadonlySet<string> = new Set(['IdToken'])

/** What tells an expired token from an unknown one, at least. */
const READ_GRACE_MS = 60_000

/** Options that were checked. */
export interface CheckedOptions {
  readonly realmId: string
  readonly findClient: (clientId: string) => Promise<Payload | undefined>
  readonly redemption: 'lease' | 'off'
  readonly defaultTtlMs: number | undefined
  readonly onRefused: (refused: RefusedSave) => void
  readonly Provider: { readonly ctx: unknown } | undefined
}

/**
 * @throws {TypeError | RangeError} naming the option that is wrong
 * @throws {ConfigurationError} what is configured cannot keep what oidc-provider will store
 */
export function checkOptions(options: AdapterOptions, state: AdapterState): CheckedOptions {
  assertObject(state, 'state')
  assertOptions<AdapterOptions>(options, 'options', OPTIONS)
  const { realmId = 'oidc-provider', clients, redemption = 'lease', ttl = {}, defaultTtlMs } = options
  const { onRefused = () => {}, Provider } = options
  assertName(realmId, 'realmId')
  if (clients !== undefined) assertFunction(clients, 'clients')
  assertOneOf(redemption, 'redemption', ['lease', 'off'])
  assertObject(ttl, 'ttl')
  assertFunction(onRefused, 'onRefused')
  if (redemption === 'lease' && state.cluster === undefined)
    throw new TypeError(`"redemption: 'lease'" needs "cluster" of the state; without it say 'off'`)
  checkLimits(state, { ...DEFAULT_TTL, ...ttl }, defaultTtlMs)
  const refusals = new Emitter<Refusals>({
    owner: 'oidc-provider',
    events: ['refused'],
    logger: consoleLogger,
  })
  refusals.on('refused', ({ type: _, ...refused }) => onRefused(refused))
  return {
    realmId,
    findClient: async (clientId) => (await clients?.(clientId)) as Payload | undefined,
    redemption,
    defaultTtlMs,
    onRefused: (refused) => refusals.emit('refused', refused),
    Provider,
  }
}

function checkLimits(
  { webSessions, actionTokens }: AdapterState,
  ttl: Readonly<Record<string, unknown>>,
  defaultTtlMs: number | undefined,
): void {
  const { maxLifespanMs, readGraceMs } = actionTokens.limits
  if (readGraceMs < READ_GRACE_MS)
    throw new ConfigurationError(
      `"readGraceMs" of action-token must be at least ${READ_GRACE_MS}, got ${readGraceMs}: oidc-provider distinguishes an expired token from an unknown one`,
    )
  if (defaultTtlMs !== undefined)
    assertLifespan(defaultTtlMs, 'defaultTtlMs', { name: 'action-token', limits: actionTokens.limits })
  for (const [model, seconds] of Object.entries(ttl)) {
    if (typeof seconds !== 'number' || NOT_STORED.has(model)) continue
    const [service, most] =
      model === 'Session'
        ? ['web-session', webSessions.limits.maxLifespanMs]
        : ['action-token', maxLifespanMs]
    if (seconds * 1_000 > most) throw tooLong(model, seconds, service, most)
  }
}

/** @param most Ms. */
export const tooLong = (model: string, seconds: number, service: string, most: number): ConfigurationError =>
  new ConfigurationError(
    `"ttl.${model}" of oidc-provider is ${seconds} seconds, and "maxLifespanMs" of ${service} is ${most}: raise it, or lower "ttl"`,
  )
