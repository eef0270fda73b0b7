import {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertName,
  assertNames,
  assertObject,
  assertOneOf,
  assertOptions,
  ConfigurationError,
  consoleLogger,
  Emitter,
  type Known,
} from '@authstate/spi'
import { BackChannel } from './back-channel.js'
import { unavailable } from './bodies.js'
import { FrontChannel } from './front-channel.js'
import type { TokenStore } from './interface.js'
import { type AdapterPaths, KeycloakAdapter } from './keycloak-adapter.js'
import { Once } from './once.js'
import type { TokenStoreState } from './options.js'
import { SecurityEvents } from './security-events.js'
import { type KeySource, Verifier } from './verifier.js'

/** Takes a request and answers it, whatever it is. */
export type Receiver = (request: Request) => Promise<Response>

/** What the provider's messages are checked with, and how they are answered. */
export interface ReceiverOptions {
  /** Our id at the provider: the audience of its messages. */
  readonly clientId: string
  /** The keys of the provider, or what gets them. They are got again once a day, and for an unknown one at most every 10 s. */
  readonly keys: KeySource
  /** What the provider signs with. Never `none` or `HS…`. @default ['RS256', 'PS256', 'ES256', 'EdDSA'] */
  readonly algorithms?: readonly string[] | undefined
  /** The realm of the store. @default 'tokens' */
  readonly realmId?: string | undefined
  /** `typ` of logout tokens; `''` for one that says none. @default ['logout+jwt', 'JWT', ''] */
  readonly types?: readonly string[] | undefined
  /** `false`: of an issuer that is older than the errata of 2023 logout tokens without `exp` count as well. @default true */
  readonly requireExp?: boolean | undefined
  /** How far the clock of the provider may be off, ms. @default 30_000 */
  readonly skewMs?: number | undefined
  /** What is answered when ending failed. The specification says 400, which tells the provider not to try again. @default 503 */
  readonly unavailableStatus?: 400 | 503 | undefined
  /** Where the endpoints of a Keycloak adapter are, by exact path. Left out: nowhere. */
  readonly keycloak?: AdapterPaths | undefined
  /** Called with an error that a receiver answered with `unavailableStatus`. */
  readonly onError?: ((error: unknown) => unknown) | undefined
}

/** Receivers of what a provider sends. They answer a `Request` with a `Response`, and never throw. */
export interface Receivers {
  /** `POST` with a logout token. @see OpenID Connect Back-Channel Logout 1.0 */
  readonly backChannelLogout: Receiver
  /** `GET` in a hidden frame of the provider, with `iss` and `sid`. @see OpenID Connect Front-Channel Logout 1.0 */
  readonly frontChannelLogout: Receiver
  /** `POST` with a security event token. `session-revoked` ends sessions; other events are taken. @see RFC 8935, OpenID CAEP 1.0 */
  readonly securityEvent: Receiver
  /** `k_logout`, `k_push_not_before` and `k_test_available` of Keycloak, at the paths of `keycloak`; 404 at any other. */
  readonly keycloakAdmin: Receiver
}

const OPTIONS: Known<ReceiverOptions> = {
  clientId: true,
  keys: true,
  algorithms: true,
  realmId: true,
  types: true,
  requireExp: true,
  skewMs: true,
  unavailableStatus: true,
  keycloak: true,
  onError: true,
}
const PATHS: Known<AdapterPaths> = { logout: true, pushNotBefore: true, testAvailable: true }

/** When the provider may try again, seconds. */
const RETRY_AFTER_S = 5

/**
 * Receivers for the messages of the provider of a store.
 *
 * @param state The one of the store: ids of messages are kept in it, against replay.
 * @throws {ConfigurationError} the store is in cookies without a state: it cannot end what it does not hold
 * @throws {TypeError | RangeError} an option is wrong
 */
export function createReceivers(
  store: TokenStore,
  state: TokenStoreState,
  options: ReceiverOptions,
): Receivers {
  assertOptions<ReceiverOptions>(options, 'options', OPTIONS)
  if (!store.describe().revocable)
    throw new ConfigurationError(
      'token-store: a store in cookies needs a state to end sessions that it does not hold: the state keeps the marks',
    )
  const { clientId, keys, algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'], realmId = 'tokens' } = options
  const { types = ['logout+jwt', 'JWT', ''], requireExp = true, skewMs = 30_000 } = options
  const { unavailableStatus = 503, keycloak, onError } = options
  assertName(clientId, 'clientId')
  if (typeof keys !== 'function') assertObject(keys, 'keys')
  assertNames(algorithms, 'algorithms')
  if (algorithms.length === 0 || algorithms.some((name) => /^(none|HS\d+)$/i.test(name)))
    throw new TypeError('"algorithms" must name signatures with a public key, not "none" or "HS…"')
  assertName(realmId, 'realmId')
  if (!Array.isArray(types) || types.some((type) => typeof type !== 'string'))
    throw new TypeError('"types" must be a list of texts')
  assertBoolean(requireExp, 'requireExp')
  assertInteger(skewMs, 'skewMs', 0, 300_000)
  assertOneOf(String(unavailableStatus), 'unavailableStatus', ['400', '503'])
  if (onError !== undefined) assertFunction(onError, 'onError')
  if (keycloak !== undefined) checkPaths(keycloak)
  const clock = store.clock
  const verifier = new Verifier({ keys: keys as KeySource, algorithms, clock })
  const once = new Once(state.actionTokens, realmId)
  const common = { store, verifier, once, clientId, skewMs, clock }
  const errors = new Emitter<{ error: { type: 'error'; error: unknown } }>({
    owner: 'token-store',
    events: ['error'],
    logger: consoleLogger,
  })
  if (onError !== undefined) errors.on('error', ({ error }) => onError(error))
  const safely =
    (receive: Receiver): Receiver =>
    async (request) => {
      try {
        return await receive(request)
      } catch (error) {
        errors.emit('error', { error })
        return unavailable(unavailableStatus as 400 | 503, RETRY_AFTER_S)
      }
    }
  const backChannel = new BackChannel({ ...common, types: types as readonly string[], requireExp })
  const frontChannel = new FrontChannel(store)
  const securityEvents = new SecurityEvents(common)
  const adapter = new KeycloakAdapter(common, keycloak as AdapterPaths | undefined)
  return {
    backChannelLogout: safely((request) => backChannel.receive(request)),
    frontChannelLogout: safely((request) => frontChannel.receive(request)),
    securityEvent: safely((request) => securityEvents.receive(request)),
    keycloakAdmin: safely((request) => adapter.receive(request)),
  }
}

function checkPaths(paths: unknown): asserts paths is AdapterPaths {
  assertOptions<AdapterPaths>(paths, 'keycloak', PATHS)
  for (const [name, path] of Object.entries(paths))
    if (typeof path !== 'string' || !path.startsWith('/'))
      throw new TypeError(`"keycloak.${name}" must be a path that begins with "/"`)
}
