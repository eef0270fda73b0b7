import {
  createProviderRegistry,
  type Description,
  type ProviderRegistry,
  type RegistryConfig,
  type SpiDescription,
} from '@authstate/registry'
import { ConfigurationError } from '@authstate/spi'
import { LiveKeyring, quote } from '@authstate/spi/internal'
import { type AuthState, stateOf } from './auth-state.js'
import { type AuthStateConfig, checkOptions, selectionOf } from './config.js'
import { services } from './services.js'

/**
 * Starts the state of an authentication server: in this process without a word of configuration, in Redis with
 * `{ provider: 'redis', redis: { url } }`.
 *
 * The whole configuration is checked before anything is started. A process that stays in memory loads no Redis client.
 * `process.env` is read only when it is given as `env`.
 *
 * @throws {ConfigurationError} naming every mistake: its place, what is known there and what was probably meant
 * @throws {StoreUnavailableError} Redis did not answer within `redis.connectTimeoutMs`; names host and port
 *
 * @example
 * ```ts
 * import { createAuthState } from 'authstate'
 *
 * const inMemory = await createAuthState()
 * const onRedis = await createAuthState({ provider: 'redis', redis: { url: 'redis://127.0.0.1:6379' } })
 * await inMemory.close()
 * await onRedis.close()
 * ```
 */
export async function createAuthState(config: AuthStateConfig = {}): Promise<AuthState> {
  const keyring = liveKeyring(config)
  return stateOf(await startRegistry({ ...config, keyring }), keyring, config.providers)
}

/**
 * The keyring of a configuration, as one that can be changed.
 *
 * @throws {ConfigurationError} it cannot work, or an option is misspelt
 */
export function liveKeyring(config: AuthStateConfig): LiveKeyring | undefined {
  checkOptions(config)
  return config.keyring === undefined ? undefined : new LiveKeyring(config.keyring)
}

/** Checks the configuration and starts what it selects. */
export async function startRegistry(config: AuthStateConfig): Promise<ProviderRegistry> {
  const registry = await checkedRegistry(config)
  await registry.start()
  return registry
}

/** The registry of a configuration in which nothing is without effect. Its properties are not checked yet. */
export async function checkedRegistry(config: AuthStateConfig): Promise<ProviderRegistry> {
  checkOptions(config)
  const { clock, logger, node, realms, keyring, instrument, env, closeTimeoutMs, providers = [] } = config
  const surroundings = { clock, logger, node, realms, keyring, instrument, env, closeTimeoutMs }
  const registry = createProviderRegistry({
    ...surroundings,
    services,
    factories: providers,
    config: selectionOf(config),
  })
  await refuseIdle(registry, config)
  return registry
}

/** What is configured without effect. Where the configuration has other mistakes, the start names them. */
async function refuseIdle(registry: ProviderRegistry, config: AuthStateConfig): Promise<void> {
  const spis = await prepared(registry)
  if (spis === undefined) return
  refuseIdleRedis(spis)
  refuseNothing(spis)
  refuseIdleProviders(spis, config)
}

type Spis = Description['spis']

/** A Redis that is configured and that nothing would use: state that should outlive the process would not. */
function refuseIdleRedis({ redis, ...others }: Spis): void {
  const given = Object.values(redis?.properties ?? {}).some(({ origin }) => origin !== 'default')
  if (!given || redis === undefined || redis.neededBy.length > 0) return
  const [first = ''] = Object.keys(others).filter((name) => others[name]?.known.includes('redis'))
  throw new ConfigurationError(
    `redis: nothing uses it. Set provider: 'redis', or name that provider for one SPI: spi: { '${first}': { provider: 'redis' } }`,
  )
}

/** An SPI without a provider that is not switched off, and a state in which everything is switched off. */
function refuseNothing(spis: Spis): void {
  const without = Object.entries(spis).filter(([, { reason }]) => reason === 'nothing')
  const mistakes = without.map(([name, { known }]) => {
    const [first = 'memory'] = known
    return (
      `provider: ${quote(name)} has no provider with this id, and nothing says which one to use. Known: ` +
      `${known.map(quote).join(', ')}. Say spi: { ${quote(name)}: { provider: ${quote(first)} } }, or switch it off with enabled: false`
    )
  })
  if (mistakes.length > 0) throw new ConfigurationError(mistakes.join('\n'))
  const provides = ([name, { selected }]: [string, SpiDescription]): boolean =>
    name !== 'redis' && selected !== undefined
  if (Object.entries(spis).some(provides)) return
  throw new ConfigurationError(
    'spi: every service is switched off with enabled: false; leave at least one on',
  )
}

/** A provider of the application that nothing selects, where nothing says that another one is meant. */
function refuseIdleProviders(spis: Spis, { provider, spi, providers = [], env }: AuthStateConfig): void {
  const says = Object.keys(env ?? {}).some((name) => /^AUTHSTATE_(SPI__)?(\w+__)?PROVIDER$/i.test(name))
  if (provider !== undefined || says) return
  for (const { spi: of, id } of providers) {
    const { selected, reason, known = [] } = spis[of.name] ?? {}
    const isSaid = (spi as RegistryConfig['spi'])?.[of.name]?.provider !== undefined
    if (selected === undefined || selected === id || isSaid || reason === 'only one') continue
    if (providers.some((other) => other.spi.name === of.name && other.id === selected)) continue
    throw new ConfigurationError(
      `providers: nothing uses ${quote(id)} of ${quote(of.name)}, ${quote(selected)} is selected. Known: ` +
        `${known.map(quote).join(', ')}. Say spi: { ${quote(of.name)}: { provider: ${quote(id)} } }, or the same of ${quote(selected)}`,
    )
  }
}

/** `undefined` where the configuration has mistakes: the start names them all. */
async function prepared(registry: ProviderRegistry): Promise<Spis | undefined> {
  try {
    return (await registry.prepare()).spis
  } catch (error) {
    if (error instanceof ConfigurationError) return undefined
    throw error
  }
}
