import {
  type AnyProviderFactory,
  assertFunction,
  assertObject,
  assertOptions,
  type Clock,
  ConfigurationError,
  consoleLogger,
  type Keyring,
  type Known,
  type Logger,
  type NodeIdentity,
  type Provider,
  ProviderClosedError,
  type RealmSettingsSource,
  type Service,
  type Spi,
  systemClock,
} from '@authstate/spi'
import { deriveKeyring, quote } from '@authstate/spi/internal'
import { createCatalog, realmChecksOf } from './catalog.js'
import { closeInTurn, closeTimeoutOf } from './closing.js'
import type { Environment, RegistryConfig } from './config.js'
import { createContext } from './context.js'
import { type Description, describePlan } from './describe.js'
import { checkHealth, type Health } from './health.js'
import { createObserver, type InstrumentHook, observe } from './instrument.js'
import { loadWanted } from './loading.js'
import { identifyNode } from './node.js'
import { createPlan, type Plan, throwIfMistaken, validatePlan } from './plan.js'
import { createRealmResolver } from './realm-resolver.js'
import type { Accepted } from './schema.js'

/** What a registry is made of. */
export interface ProviderRegistryOptions {
  /** Every provider that could be selected. If two have the same SPI and id, the last one wins. */
  readonly factories: readonly AnyProviderFactory[]
  /** Services whose stores are loaded once the configuration wants them. A factory with the id of a store takes its place. */
  readonly services?: readonly Service[] | undefined
  /** Which providers to use and their properties: an object, or the JSON of one. */
  readonly config?: RegistryConfig | string | undefined
  /** Variables that override `config`, such as `process.env`: those whose names begin with `AUTHSTATE_`. */
  readonly env?: Environment | undefined
  /** Taken as it is, for every provider. @default that of what a provider depends on, such as Redis, else the host's */
  readonly clock?: Clock | undefined
  /** @default warnings and errors to standard error */
  readonly logger?: Logger | undefined
  /** The identity of this process. @default a name of its own: the host's and six random characters */
  readonly node?: Partial<NodeIdentity> | undefined
  /** Settings of realms. @default Keycloak's defaults for every realm */
  readonly realms?: RealmSettingsSource | undefined
  /** Secrets that the nodes of a deployment share, for what is signed or encrypted. */
  readonly keyring?: Keyring | undefined
  /** Called after every finished call of every provider. */
  readonly instrument?: InstrumentHook | undefined
  /** How long `close()` waits for all providers together: milliseconds or text. @default '5s' */
  readonly closeTimeoutMs?: number | string | undefined
}

/** Selects, starts, hands out and closes providers. */
export interface ProviderRegistry {
  /**
   * Reads the configuration, once, and loads the stores that it wants. Starts nothing: {@link start} goes on from here.
   *
   * @throws {ConfigurationError} the configuration names something unknown, or contradicts itself.
   */
  prepare(): Promise<Description>
  /**
   * Checks the whole configuration as {@link start} does, and starts nothing: for a tool that validates a file.
   *
   * @throws {ConfigurationError} naming every mistake, its place, what is known there and what was probably meant.
   */
  check(): Promise<Description>
  /**
   * Starts the selected providers, each after those it depends on. A second call is the same start.
   *
   * The whole configuration is checked before anything is created. When a provider cannot be created, those
   * that were are closed again, in reverse, and its error is passed on.
   *
   * @throws {ConfigurationError} naming every mistake, its place, what is known there and what was probably meant.
   */
  start(): Promise<void>
  /**
   * The selected provider of an SPI.
   *
   * @throws {ConfigurationError} the SPI has no provider, or the registry has not been started.
   * @throws {ProviderClosedError} the registry is closed.
   */
  get<P extends Provider>(spi: Spi<P>): P
  /** Like `get`, but `undefined` if the SPI has no provider. */
  find<P extends Provider>(spi: Spi<P>): P | undefined
  /**
   * What is selected, why, and each property's value and origin, without secrets.
   *
   * @throws {ConfigurationError} the configuration names something unknown, or contradicts itself.
   */
  describe(): Description
  /** The clock that was given, else that of a running provider which has one of its own, else the host's. */
  readonly clock: Clock
  /** Asks every running provider whether it can serve. Never rejects. */
  health(): Promise<Health>
  /**
   * Figures of this process, by name of the SPI, of the running providers that count something. Reads memory only.
   *
   * @throws {ConfigurationError} the registry has not been started
   * @throws {ProviderClosedError} the registry is closed
   */
  stats(): Readonly<Record<string, unknown>>
  /**
   * Closes every provider, the last started first, after a start in progress has ended. A second call is the same. Takes
   * `closeTimeoutMs` at most: what is not done by then is named in a warning and ends by itself.
   *
   * @throws {AggregateError} some could not be closed; the others were.
   */
  close(): Promise<void>
  /** {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

const OPTIONS: Known<ProviderRegistryOptions> = {
  factories: true,
  services: true,
  config: true,
  env: true,
  clock: true,
  logger: true,
  node: true,
  realms: true,
  keyring: true,
  instrument: true,
  closeTimeoutMs: true,
}
const LEVELS = ['debug', 'info', 'warn', 'error'] as const

interface Running {
  readonly factory: AnyProviderFactory
  readonly provider: Provider
  readonly standIn: Provider
}

/**
 * Builds a registry. Nothing is read, checked or started before `start()`.
 *
 * @throws {TypeError} an option has the wrong type.
 * @throws {ConfigurationError} the keyring cannot work.
 */
export function createProviderRegistry(options: ProviderRegistryOptions): ProviderRegistry {
  assertOptions(options, 'options', OPTIONS)
  const { config, env, realms, instrument } = options
  const catalog = createCatalog(options.factories, options.services)
  if (env !== undefined) assertObject(env, 'env')
  if (realms !== undefined) assertFunction(realms, 'realms')
  if (options.keyring !== undefined) deriveKeyring(options.keyring, 'check')
  if (instrument !== undefined) assertFunction(instrument, 'instrument')
  if (options.clock !== undefined) assertFunction(options.clock?.now, 'clock.now')
  if (options.logger !== undefined) {
    for (const level of LEVELS) assertFunction(options.logger?.[level], `logger.${level}`)
  }
  const closeTimeoutMs = closeTimeoutOf(options.closeTimeoutMs)
  const logger = options.logger ?? consoleLogger
  const surroundings = {
    givenClock: options.clock,
    logger,
    node: identifyNode(options.node),
    keyring: options.keyring,
    realm: createRealmResolver(realms, realmChecksOf(catalog)),
  }
  const observer = createObserver(instrument, logger, surroundings.node)
  const running = new Map<string, Running>()
  let planning: Promise<Plan> | undefined
  let plan: Plan | undefined
  let accepted: ReadonlyMap<string, Accepted> = new Map()
  let phase: 'new' | 'starting' | 'started' | 'failed' = 'new'
  let starting: Promise<void> | undefined
  let closing: Promise<void> | undefined
  let closed = false

  async function makePlan(): Promise<Plan> {
    await loadWanted(catalog, config, env)
    plan = createPlan(catalog, config, env)
    return plan
  }

  function planned(): Promise<Plan> {
    planning ??= makePlan()
    return planning
  }

  async function start(): Promise<void> {
    phase = 'starting'
    try {
      const { order } = await validated()
      for (const factory of order) await create(factory)
      phase = 'started'
    } catch (error) {
      phase = 'failed'
      for (const failure of await closeAll()) {
        logger.error(
          { spi: failure.spi, error: failure.error },
          'a provider failed to close after a failed start',
        )
      }
      throw error
    }
  }

  async function validated(): Promise<Plan> {
    const made = await planned()
    accepted = await validatePlan(made)
    return made
  }

  async function create(factory: AnyProviderFactory): Promise<void> {
    const { name } = factory.spi
    const context = createContext(
      factory,
      surroundings,
      (other) => running.get(other)?.standIn,
      () => closed,
    )
    const provider: unknown = await factory.create(context, accepted.get(name)?.output)
    if (typeof provider !== 'object' || provider === null) {
      throw new ConfigurationError(`${name}: the factory ${quote(factory.id)} created no provider`)
    }
    running.set(name, {
      factory,
      provider,
      standIn: observe(provider as Provider, name, factory.id, observer),
    })
  }

  async function closeAll(): Promise<{ spi: string; error: unknown }[]> {
    const providers = [...running].reverse().map(([spi, { provider }]) => [spi, provider] as const)
    const { failures, late } = await closeInTurn(providers, closeTimeoutMs)
    if (late.length > 0) {
      logger.warn({ spis: late, closeTimeoutMs }, 'closing is not waited for any longer; it ends by itself')
    }
    running.clear()
    return failures
  }

  async function close(): Promise<void> {
    // Whether the start succeeded is for its own caller to handle.
    await starting?.catch(() => {})
    const failures = await closeAll()
    closed = true
    if (failures.length === 0) return
    const names = failures.map(({ spi }) => quote(spi)).join(', ')
    throw new AggregateError(
      failures.map(({ error }) => error),
      `providers that failed to close: ${names}`,
    )
  }

  /** @throws {ProviderClosedError | ConfigurationError} nothing is running */
  function assertStarted(): void {
    if (closing) throw new ProviderClosedError('the registry is closed')
    if (phase === 'started') return
    const why =
      phase === 'failed' ? 'could not be started' : 'has not been started: await registry.start() first'
    throw new ConfigurationError(`the registry ${why}`)
  }

  function find<P extends Provider>(spi: Spi<P>): P | undefined {
    assertStarted()
    return running.get(spi.name)?.standIn as P | undefined
  }

  const registry: ProviderRegistry = {
    start() {
      if (closing && !starting) return Promise.reject(new ProviderClosedError('the registry is closed'))
      starting ??= start()
      return starting
    },
    find,
    get(spi) {
      const provider = find(spi)
      if (provider) return provider
      const provided = [...running.keys()].map(quote).join(', ') || 'nothing'
      throw new ConfigurationError(`${quote(spi.name)} has no provider. Known: ${provided}`)
    },
    async prepare() {
      await planned()
      return registry.describe()
    },
    async check() {
      await validated()
      return registry.describe()
    },
    describe() {
      const made = plan ?? createPlan(catalog, config, env)
      throwIfMistaken(made.mistakes)
      return describePlan(made, accepted, new Set(running.keys()), surroundings.node)
    },
    get clock() {
      return options.clock ?? ownClock(running.values()) ?? systemClock
    },
    stats() {
      assertStarted()
      return figuresOf(running, options.services)
    },
    health: () => checkHealth(phase === 'started' && !closing, running.values()),
    close() {
      closing ??= close()
      return closing
    },
    [Symbol.asyncDispose]: () => registry.close(),
  }
  return registry
}

/** What a service says of its provider, where the provider does not say it itself. */
function figuresOf(
  running: ReadonlyMap<string, Running>,
  services: readonly Service[] = [],
): Readonly<Record<string, unknown>> {
  const figures = [...running].map(([name, { provider }]) => {
    const service = services.find((candidate) => candidate.name === name)
    return [name, service?.stats === undefined ? provider.stats?.() : service.stats(provider)] as const
  })
  return Object.fromEntries(figures.filter(([, counted]) => counted !== undefined))
}

function ownClock(running: Iterable<Running>): Clock | undefined {
  for (const { provider } of running) {
    if (provider.clock !== undefined && provider.clock !== systemClock) return provider.clock
  }
  return undefined
}
