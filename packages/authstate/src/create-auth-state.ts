import {
  type AnyProviderFactory,
  ConfigurationError,
  createProviderRegistry,
  type ProviderRegistry,
} from '@authstate/spi'
import { type AuthState, RunningAuthState } from './auth-state.js'
import { type AuthStateConfig, checkOptions, selectionOf, staysInMemory } from './config.js'
import { memoryFactories } from './memory-factories.js'

/**
 * Starts the state of an authentication server: in this process without a word of configuration, in Redis with
 * `{ provider: 'redis', redis: { url } }`.
 *
 * The whole configuration is checked before anything is started. A process that stays in memory loads no Redis client.
 * `process.env` is read only when it is given as `env`.
 *
 * @throws {ConfigurationError} naming every mistake: its place, what is known there and what was probably meant
 * @throws {StoreUnavailableError} Redis did not answer within `redis.connectTimeoutMs`; names host and port
 */
export async function createAuthState(config: AuthStateConfig = {}): Promise<AuthState> {
  checkOptions(config)
  const { clock, logger, node, realms, keyring, instrument, env, closeTimeoutMs, providers = [] } = config
  const overRedis = staysInMemory(config) ? [] : (await import('./redis-factories.js')).redisFactories()
  const factories = [...memoryFactories(), ...overRedis, ...providers]
  const selection = selectionOf(config)
  const surroundings = { clock, logger, node, realms, keyring, instrument, env, closeTimeoutMs }
  const registry = createProviderRegistry({ ...surroundings, factories, config: selection })
  refuseIdleRedis(registry, factories)
  await registry.start()
  return new RunningAuthState(registry)
}

/** A Redis that is configured and that nothing would use: state that should outlive the process would not. */
function refuseIdleRedis(registry: ProviderRegistry, factories: readonly AnyProviderFactory[]): void {
  const spis = describe(registry)
  const given = Object.values(spis?.['redis']?.properties ?? {}).some(({ origin }) => origin !== 'default')
  if (!given) return
  const isUsed = factories.some(
    ({ spi, id, dependsOn = [], uses = [] }) =>
      spis?.[spi.name]?.selected === id && [...dependsOn, ...uses].some(({ name }) => name === 'redis'),
  )
  if (isUsed) return
  throw new ConfigurationError(
    "redis: nothing uses it. Say provider: 'redis', or name that provider for one SPI: spi: { 'user-session': { provider: 'redis' } }",
  )
}

/** `undefined` where the configuration has mistakes: the start names them all. */
function describe(registry: ProviderRegistry) {
  try {
    return registry.describe().spis
  } catch (error) {
    if (error instanceof ConfigurationError) return undefined
    throw error
  }
}
