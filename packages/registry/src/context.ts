import {
  type AnyProviderFactory,
  type Clock,
  ConfigurationError,
  type Keyring,
  type Logger,
  type NodeIdentity,
  type Provider,
  ProviderClosedError,
  type ProviderContext,
  type Realm,
  type Spi,
  systemClock,
} from '@authstate/spi'
import { quote } from '@authstate/spi/internal'
import { neighbours } from './order.js'

/** What every provider of one registry shares. */
export interface Surroundings {
  readonly givenClock: Clock | undefined
  readonly logger: Logger
  readonly node: NodeIdentity
  readonly keyring: Keyring | undefined
  readonly realm: (realmId: string) => Realm | Promise<Realm>
}

/** The context for one factory. `lookUp` answers a running provider by name of its SPI. */
export function createContext(
  factory: AnyProviderFactory,
  surroundings: Surroundings,
  lookUp: (name: string) => Provider | undefined,
  isClosed: () => boolean,
): ProviderContext {
  const owner = `${factory.spi.name} (provider ${quote(factory.id)})`
  const declared = new Set(neighbours(factory).map(({ name }) => name))
  const find = <P extends Provider>(spi: Spi<P>): P | undefined => {
    if (!declared.has(spi.name)) {
      throw new ConfigurationError(
        `${owner} asks for ${quote(spi.name)}, but its factory does not name it: name it in "dependsOn" or "uses"`,
      )
    }
    if (isClosed()) throw new ProviderClosedError('the registry is closed')
    return lookUp(spi.name) as P | undefined
  }
  return {
    ...surroundings,
    clock: surroundings.givenClock ?? clockOfDependencies(factory, lookUp) ?? systemClock,
    find,
    get(spi) {
      const provider = find(spi)
      if (!provider) {
        throw new ConfigurationError(
          `${owner} asks for ${quote(spi.name)}, which has no provider: use "find" if it may be missing`,
        )
      }
      return provider
    },
  }
}

/** The clock of the first provider that this one depends on and that has one. */
function clockOfDependencies(
  { dependsOn = [] }: AnyProviderFactory,
  lookUp: (name: string) => Provider | undefined,
): Clock | undefined {
  for (const { name } of dependsOn) {
    const clock = lookUp(name)?.clock
    if (clock !== undefined) return clock
  }
  return undefined
}
