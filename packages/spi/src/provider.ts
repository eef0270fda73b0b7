import { assertFunction, assertInteger, assertObject } from './assert.js'
import type { Clock } from './clock.js'
import type { Keyring } from './keyring.js'
import { assertOptions, type Known } from './known.js'
import type { Logger } from './logger.js'
import type { Realm } from './realm.js'
import type { RealmSettingChecks } from './realm-checks.js'
import type { Service } from './service.js'
import type { StandardSchemaV1 } from './standard-schema.js'

/** What every provider has in common, whatever it stores. */
export interface Provider {
  /** Ends what the provider opened itself. Calling it twice is the same as once. */
  close?(): Promise<void>
  /** Resolves when the provider can serve, rejects with the reason when it cannot. */
  checkHealth?(): Promise<void>
  /** What an operator should know although the provider can serve, a sentence each. Asked by `health()`, after `checkHealth`. */
  warnings?(): readonly string[]
  /**
   * What the provider has met since it was opened, on this node, as plain data. It reads memory and never a store, because it is
   * asked while somebody looks at metrics. A provider of ours that reads records tells at least `UnreadableStats`.
   */
  stats?(): object
  /**
   * The clock that the provider goes by, where it has one of its own. Providers that depend on this one get it as the clock of
   * their context, and `state.clock` is it, so that one deployment has one clock.
   */
  readonly clock?: Clock
}

declare const providerType: unique symbol

/** Names an SPI and carries its provider type, so that `registry.get(spi)` is typed. */
export interface Spi<P extends Provider = Provider> {
  /** Kebab-case, unique: `'user-session'`. */
  readonly name: string
  /** Version of the contract. A provider that was written for another one is refused. Left out: 1. */
  readonly version?: number | undefined
  /** How the settings of a realm are checked that providers of this SPI read, by name of the setting. */
  readonly realmSettings?: RealmSettingChecks | undefined
  readonly [providerType]?: P
}

/** What an SPI has in addition to its name. */
export interface SpiOptions {
  /**
   * Version of the contract: raise it when a provider that was written for the earlier contract would no longer do.
   *
   * @default 1
   */
  readonly version?: number | undefined
  /**
   * Settings of a realm that providers of this SPI read, each with the function that checks it. They are known names from then
   * on, and are checked when the settings of a realm are read, by whatever provider: a mistake does not wait for its first use.
   */
  readonly realmSettings?: RealmSettingChecks | undefined
}

const SPI_OPTIONS: Known<SpiOptions> = { version: true, realmSettings: true }

/** Declares an SPI. Call it once, next to the contract. */
export function defineSpi<P extends Provider>(name: string, options: SpiOptions = {}): Spi<P> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) throw new TypeError('"name" of an SPI must be kebab-case')
  assertOptions(options, 'options', SPI_OPTIONS)
  const { realmSettings, version } = options as SpiOptions
  if (version !== undefined) assertInteger(version, 'options.version', 1, Number.MAX_SAFE_INTEGER)
  const named = { name, ...(version !== undefined && { version }) }
  if (realmSettings === undefined) return Object.freeze(named)
  assertObject(realmSettings, 'options.realmSettings')
  for (const [setting, check] of Object.entries(realmSettings))
    assertFunction(check, `options.realmSettings.${setting}`)
  return Object.freeze({ ...named, realmSettings: Object.freeze({ ...realmSettings }) })
}

/** The identity of this process among the nodes on one store. */
export interface NodeIdentity {
  /** Unique among the living nodes. */
  readonly name: string
  /** Name of the data centre, where there are several. */
  readonly site?: string | undefined
  /** What a load balancer calls this node, when that is not `name`. */
  readonly route?: string | undefined
}

/** What the registry hands to a factory. */
export interface ProviderContext {
  /**
   * The clock to decide by: the one that the application gave, else that of a provider that it depends on, else the
   * host's.
   */
  readonly clock: Clock
  /** The clock that the application gave. A provider with a clock of its own uses it instead, and never corrects it. */
  readonly givenClock: Clock | undefined
  readonly logger: Logger
  readonly node: NodeIdentity
  /** Secrets that the nodes share, where some are configured; see `deriveKeyring`. */
  readonly keyring: Keyring | undefined
  /** The settings of a realm with Keycloak's defaults filled in, as of now. Synchronous when the source is. */
  realm(realmId: string): Realm | Promise<Realm>
  /** Another provider. It must be in the factory's `dependsOn` or `uses`, so that it was started before. */
  get<P extends Provider>(spi: Spi<P>): P
  /** Like `get`, but `undefined` if the SPI has no provider. */
  find<P extends Provider>(spi: Spi<P>): P | undefined
}

/** Builds one implementation of one SPI. */
export interface ProviderFactory<P extends Provider = Provider, C = unknown> {
  readonly spi: Spi<P>
  /** Name of the implementation, unique within the SPI: `'redis'`, `'memory'`, a plugin's own. */
  readonly id: string
  /** With nothing configured and several factories, the highest above 0 wins. */
  readonly order?: number
  /** Started before this provider; missing is an error. */
  readonly dependsOn?: readonly Spi[]
  /** Started before this provider where somebody provides them. */
  readonly uses?: readonly Spi[]
  /** `true`: started only when another selected provider depends on it or it is configured by name. */
  readonly onDemand?: boolean
  /** Validates this provider's properties and fills their defaults. Without one the provider takes none. */
  readonly config?: StandardSchemaV1<unknown, C>
  /** Names of properties that `describe()` masks, in addition to those that sound secret. */
  readonly secrets?: readonly string[]
  /**
   * What the verbs over all services do with a provider of this SPI: `removeRealm`, `realmChanged`, `endUser` and `forgetUser`. Give it
   * where an application adds the SPI; services of the front door are asked anyway.
   */
  readonly service?: Service | undefined
  /** Makes the provider, once per registry. A promise is waited for before anything that depends on it starts. */
  create(context: ProviderContext, config: C): P | Promise<P>
}

/** A factory of whatever kind, for lists of them. */
// biome-ignore lint/suspicious/noExplicitAny: a list holds factories of every provider and configuration type
export type AnyProviderFactory = ProviderFactory<any, any>
