import type { Environment, InstrumentHook, RegistryConfig } from '@authstate/registry'
import type {
  AnyProviderFactory,
  Clock,
  Keyring,
  Logger,
  NodeIdentity,
  RealmSettingsSource,
} from '@authstate/spi'
import { assertObject, ConfigurationError } from '@authstate/spi'
import { knownNames, quote } from '@authstate/spi/internal'
import type { AnyProviderId, RedisSection, RedisSectionWithEnv, SpiSections } from './sections.js'

/** What {@link createAuthState} takes. Everything can be left out: then all state lives in this process. */
export type AuthStateConfig = AuthStateOptions & (WithoutEnvironment | WithEnvironment)

/** Where no environment variables are read. */
export interface WithoutEnvironment {
  readonly env?: undefined
  /** How to reach Redis: one of `url`, `client`, `sentinels` with `name`, or `nodes`. */
  readonly redis?: RedisSection | undefined
}

/** Where environment variables are read. */
export interface WithEnvironment {
  /** Variables that override the rest, such as `process.env`; read only where they are given. */
  readonly env: Environment | undefined
  /** How to reach Redis: one of `url`, `client`, `sentinels` with `name`, or `nodes`, here or in the environment. */
  readonly redis?: RedisSectionWithEnv | undefined
}

/** The options of {@link AuthStateConfig} that stand for themselves. */
export interface AuthStateOptions {
  /** Which provider every SPI uses that has one of this name. @default 'memory' */
  readonly provider?: AnyProviderId | undefined
  /** Per SPI: which provider, and the properties of it. */
  readonly spi?: SpiSections | undefined
  /** The identity of this process. @default a name of its own: the host's and six random characters */
  readonly node?: Partial<NodeIdentity> | undefined
  /** The settings of a realm: time-outs, lock-out, overrides of clients. @default Keycloak's defaults for every realm */
  readonly realms?: RealmSettingsSource | undefined
  /** Secrets that all nodes share, for what is signed or encrypted. */
  readonly keyring?: Keyring | undefined
  /** Providers of your own, of these SPIs or of others. One with the id of ours takes its place. */
  readonly providers?: readonly AnyProviderFactory[] | undefined
  /** Taken as it is, never corrected. @default the deployment's clock on Redis, the host's in memory */
  readonly clock?: Clock | undefined
  /** @default warnings and errors to standard error */
  readonly logger?: Logger | undefined
  /** Called after every finished call of every provider. */
  readonly instrument?: InstrumentHook | undefined
  /** How long `close()` may take at most: milliseconds or text. @default '5s' */
  readonly closeTimeoutMs?: number | string | undefined
}

const OPTIONS: { readonly [Name in keyof Required<AuthStateConfig>]: true } = {
  provider: true,
  spi: true,
  redis: true,
  node: true,
  realms: true,
  keyring: true,
  providers: true,
  env: true,
  clock: true,
  logger: true,
  instrument: true,
  closeTimeoutMs: true,
}

/** @throws {ConfigurationError} an option is not one; lists those that are. */
export function checkOptions(config: AuthStateConfig): void {
  assertObject(config as unknown, 'config')
  if (config.providers !== undefined && !Array.isArray(config.providers)) {
    throw new TypeError('"providers" must be a list of provider factories')
  }
  const known = Object.keys(OPTIONS)
  const mistakes = Object.keys(config)
    .filter((name) => !known.includes(name))
    .map((name) => `config: createAuthState has no option ${quote(name)}. ${knownNames(name, known)}`)
  if (mistakes.length > 0) throw new ConfigurationError(mistakes.join('\n'))
}

/** The part of the configuration that selects providers. */
export function selectionOf({ provider = 'memory', spi, redis }: AuthStateConfig): RegistryConfig {
  return { provider, spi: spi as RegistryConfig['spi'], ...(redis !== undefined && { redis }) }
}
