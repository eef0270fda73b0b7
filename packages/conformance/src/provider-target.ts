import { createProviderRegistry, type ProviderRegistry, type RegistryConfig } from '@authstate/registry'
import {
  type AnyProviderFactory,
  assertName,
  assertObject,
  assertOneOf,
  assertOptions,
  assertSpelt,
  type Known,
  type Provider,
  type Spi,
} from '@authstate/spi'
import type { LeftOut, Target } from './target.js'

/** A provider under test, as its author describes it. */
export interface ProviderDescription<P extends Provider = Provider> {
  readonly spi: Spi<P>
  /** Shown in the report: `'sqlite'`. */
  readonly name: string
  /** The provider and what it depends on. A function makes them anew for each case. */
  readonly factories: readonly AnyProviderFactory[] | (() => readonly AnyProviderFactory[])
  /** Id of the factory under test. @default that of the only one for the SPI */
  readonly provider?: string | undefined
  /** Properties of the provider, besides those that the suite asks for. */
  readonly properties?: Readonly<Record<string, unknown>> | undefined
  /** More configuration, for what the provider depends on. */
  readonly config?: RegistryConfig | undefined
  /**
   * `'many'`: each node of a case gets a provider of its own, and all work on one store. `'one'`: the store lives in
   * the provider, and every node of a case is the same provider, unless it has a name or a clock of its own.
   *
   * @default 'many'
   */
  readonly nodes?: 'one' | 'many' | undefined
  /** Makes an empty store for one case. Without it the factories must. */
  readonly openStore?: (() => OpenStore | Promise<OpenStore>) | undefined
  /** What the provider does not claim, with reasons: levels, or names of cases. */
  readonly leaveOut?: LeftOut | undefined
}

/** A store for one case. */
export interface OpenStore {
  /** Properties of the provider that lead to this store. */
  readonly properties?: Readonly<Record<string, unknown>> | undefined
  /** Configuration of what the provider depends on that leads to this store. */
  readonly config?: RegistryConfig | undefined
  /** Commands sent to the store so far, where they can be counted. */
  commands?(): number
  /**
   * How many entries the store holds now, expired ones included. Where it is there, each case is played again after
   * everything has expired: a store that holds more each time grows without bound.
   */
  size?(): number | Promise<number>
  /** Throws when the case left the store in disorder. */
  verify?(): void | Promise<void>
  /** Removes the store, after the providers were closed. */
  close?(): void | Promise<void>
}

/** What a description may have. */
export const DESCRIPTION: Known<ProviderDescription> = {
  spi: true,
  name: true,
  factories: true,
  provider: true,
  properties: true,
  config: true,
  nodes: true,
  openStore: true,
  leaveOut: true,
}

const OPEN_STORE: Known<OpenStore> = {
  properties: true,
  config: true,
  commands: true,
  size: true,
  verify: true,
  close: true,
}

/** A target for any suite, from factories: each case gets a registry per node, started with the suite's clock. */
export function providerTarget<P extends Provider>(description: ProviderDescription<P>): Target<P> {
  assertOptions<ProviderDescription>(description, 'description', DESCRIPTION)
  const { spi, name, leaveOut, nodes = 'many' } = description
  assertName(name, 'name')
  assertObject(spi, 'spi')
  if (typeof description.factories !== 'function' && !Array.isArray(description.factories))
    throw new TypeError('"factories" must be a list of factories, or a function that returns one')
  assertOneOf(nodes, 'nodes', ['one', 'many'])
  return {
    name,
    ...(leaveOut && { leaveOut }),
    open: async ({ properties: _, ...surroundings }) => {
      const { factories: given, config = {}, openStore, properties: own } = description
      const factories = typeof given === 'function' ? given() : given
      const id = description.provider ?? onlyIdOf(spi, factories)
      const store = (await openStore?.()) ?? {}
      assertSpelt<OpenStore>(store, 'openStore()', OPEN_STORE)
      const registries = new Map<unknown, ProviderRegistry>()
      return {
        provider: async (properties, { clock = surroundings.clock, ...node } = {}) => {
          const isOwn = nodes === 'many' || clock !== surroundings.clock
          const key = isOwn ? Symbol('node') : JSON.stringify([properties, node])
          let registry = registries.get(key)
          if (registry === undefined) {
            registry = createProviderRegistry({
              factories,
              config: {
                ...config,
                ...store.config,
                spi: {
                  ...config.spi,
                  ...store.config?.spi,
                  [spi.name]: { provider: id, [id]: { ...properties, ...own, ...store.properties } },
                },
              },
              ...surroundings,
              clock,
              node,
            })
            registries.set(key, registry)
            await registry.start()
          }
          return registry.get(spi)
        },
        ...(store.commands && { commands: () => store.commands?.() ?? 0 }),
        ...(store.size && { size: () => store.size?.() ?? 0 }),
        verify: async () => store.verify?.(),
        close: async () => {
          for (const registry of [...registries.values()].reverse()) await registry.close()
          await store.close?.()
        },
      }
    },
  }
}

function onlyIdOf(spi: Spi, factories: readonly AnyProviderFactory[]): string {
  const ids = factories.filter((item) => item.spi.name === spi.name).map(({ id }) => id)
  const [id] = ids
  if (id !== undefined && ids.length === 1) return id
  if (id === undefined) throw new TypeError(`"factories" has none for ${spi.name}`)
  throw new TypeError(
    `"provider" must say which of the factories for ${spi.name} is meant: ${ids.join(', ')}`,
  )
}
