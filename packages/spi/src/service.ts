import { assertFunction, assertInteger, assertObject } from './assert.js'
import { assertOptions, type Known } from './known.js'
import type { Provider, ProviderFactory, Spi } from './provider.js'

/** Loads a store of a service: an `import()` of its module, and a call of its factory. */
// biome-ignore lint/suspicious/noExplicitAny: a store of whatever configuration
export type StoreLoader<P extends Provider = Provider> = () => Promise<ProviderFactory<P, any>>

/** What a service does when something of a realm, or a whole realm, changes or goes. Each is safe to repeat. */
export interface ServiceRealmVerbs<P extends Provider> {
  /** Verbs whose first argument is the id of a realm. `state.realm(id)` offers them with the realm bound. */
  readonly verbs?: readonly (keyof P & string)[] | undefined
  /** Forgets everything of a realm. */
  remove?(provider: P, realmId: string): Promise<unknown>
  /** Follows the settings of a realm, after they changed. */
  changed?(provider: P, realmId: string): Promise<unknown>
}

/** What a service does about one user. Each is safe to repeat. */
export interface ServiceUserVerbs<P extends Provider> {
  /** Ends whatever lets the user act: sessions, tokens. */
  end?(provider: P, realmId: string, userId: string): Promise<unknown>
  /** Leaves nothing that is about the user. */
  forget?(provider: P, realmId: string, userId: string): Promise<unknown>
}

/** All that the rest of the house has to know of one service. */
export interface Service<
  Name extends string = string,
  Member extends string = string,
  // biome-ignore lint/suspicious/noExplicitAny: a list holds services of every kind
  P extends Provider = any,
  Stores extends Readonly<Record<string, StoreLoader>> = Readonly<Record<string, StoreLoader>>,
  Verbs extends string = string,
> {
  /** Name of the SPI, and of its section in a configuration. */
  readonly name: Name
  /** What the service is called in the state: `'userSessions'`. A service without one is there for others. */
  readonly member?: Member | undefined
  readonly spi: Spi<P>
  /** Version of the contract, see {@link Spi.version}. */
  readonly version: number
  /** The stores by the id of their provider. Each is loaded when a configuration wants it. */
  readonly stores: Stores
  /** `true`: started only where a selected provider depends on it or it is configured. */
  readonly onDemand: boolean
  readonly realm: Omit<ServiceRealmVerbs<P>, 'verbs'> & { readonly verbs: readonly Verbs[] }
  readonly user: ServiceUserVerbs<P>
  /** The names of its events. */
  readonly events: readonly string[]
  /** Kinds of keys in a store with one key space, with what each holds. No other service has one of them. */
  readonly keys: Readonly<Record<string, string>>
  /** Figures of this process, for `state.stats()`. */
  stats?(provider: P): unknown
}

/** What {@link defineService} takes. */
export interface ServiceDefinition<
  Name extends string,
  Member extends string,
  P extends Provider,
  Stores,
  Verbs extends keyof P & string,
> {
  readonly name: Name
  readonly member?: Member | undefined
  readonly spi: Spi<P>
  readonly stores: Stores
  readonly onDemand?: boolean | undefined
  readonly realm?:
    | (Omit<ServiceRealmVerbs<P>, 'verbs'> & { readonly verbs?: readonly Verbs[] | undefined })
    | undefined
  readonly user?: ServiceUserVerbs<P> | undefined
  readonly events?: readonly string[] | undefined
  readonly keys?: Readonly<Record<string, string>> | undefined
  /** Figures of this process, for `state.stats()`. */
  stats?(provider: P): unknown
}

const DEFINITION: Known<ServiceDefinition<string, string, Provider, object, never>> = {
  name: true,
  member: true,
  spi: true,
  stores: true,
  onDemand: true,
  realm: true,
  user: true,
  events: true,
  keys: true,
  stats: true,
}

const REALM: Known<ServiceRealmVerbs<Provider>> = { verbs: true, remove: true, changed: true }
const USER: Known<ServiceUserVerbs<Provider>> = { end: true, forget: true }

/**
 * Describes a service once: call it in `service.ts` of its package. The front door, the configuration and the verbs over all
 * services follow from it.
 *
 * @throws {TypeError} the description cannot work; names what is wrong
 */
export function defineService<
  const Name extends string,
  P extends Provider,
  Stores extends Readonly<Record<string, StoreLoader<P>>>,
  const Member extends string = never,
  const Verbs extends keyof P & string = never,
>(definition: ServiceDefinition<Name, Member, P, Stores, Verbs>): Service<Name, Member, P, Stores, Verbs> {
  assertOptions(definition, 'definition', DEFINITION)
  const { name, member, spi, stores, stats } = definition
  const { onDemand = false, realm = {}, user = {}, events = [], keys = {} } = definition
  assertOptions(realm, 'definition.realm', REALM)
  assertOptions(user, 'definition.user', USER)
  assertObject(spi, 'definition.spi')
  if (spi.name !== name) throw new TypeError('"definition.name" must be the name of "definition.spi"')
  assertObject(stores, 'definition.stores')
  for (const [id, load] of Object.entries(stores)) assertFunction(load, `definition.stores.${id}`)
  const version = spi.version ?? 1
  assertInteger(version, 'definition.spi.version', 1, Number.MAX_SAFE_INTEGER)
  return Object.freeze({
    name,
    ...(member !== undefined && { member }),
    spi,
    version,
    stores,
    onDemand,
    realm: { ...realm, verbs: realm.verbs ?? [] },
    user,
    events,
    keys,
    ...(stats !== undefined && { stats }),
  })
}
