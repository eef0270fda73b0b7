import type { RedisClient, RedisConfig } from '@authstate/redis'
import type { Duration, ProviderFactory } from '@authstate/spi'
import type { AnyService } from './services.js'

/** The properties of a provider, as they are given: all can be left out, and a span may be text such as `'30m'`. */
export type Properties<C> = { readonly [K in keyof C]?: PropertyValue<C[K], K> | undefined }

/** A property as it may be given: a span named `…Ms` also as text. */
export type PropertyValue<T, K> = T extends ((...args: never[]) => unknown) | readonly unknown[] | Uint8Array
  ? T
  : T extends object
    ? Properties<T>
    : T | (K extends `${string}Ms` ? (T extends number ? Duration : never) : never)

/**
 * Providers of plugins for our SPIs: `<SPI>/<id>`, with the properties of each. A plugin adds its own:
 * `declare module 'authstate' { interface PluginProviders { 'action-token/sqlite': { file?: string } } }` makes `'sqlite'` an
 * id that compiles, and `file` a property.
 */
// biome-ignore lint/suspicious/noEmptyInterface: plugins fill it
export interface PluginProviders {}

type PluginsOf<Name extends string> = {
  readonly [Key in keyof PluginProviders as Key extends `${Name}/${infer Id}`
    ? Id
    : never]: PluginProviders[Key]
}

/** Names of our SPIs whose provider a configuration chooses. */
export type ServiceName = Exclude<AnyService['name'], 'redis'>

/** The service of a name. */
export type ServiceNamed<Name extends string> = Extract<AnyService, { readonly name: Name }>

/** Ids of the providers of an SPI: ours, and those that plugins declare in {@link PluginProviders}. */
export type ProviderId<Name extends ServiceName> = (
  | keyof ServiceNamed<Name>['stores']
  | keyof PluginsOf<Name>
) &
  string

/** Ids that can be said for all SPIs at once. */
export type AnyProviderId = { readonly [Name in ServiceName]: ProviderId<Name> }[ServiceName]

// biome-ignore lint/suspicious/noExplicitAny: whatever the provider is
type ConfigOf<L> = L extends () => Promise<ProviderFactory<any, infer C>> ? C : never

type ConfigsOf<Name extends ServiceName> = {
  readonly [Id in keyof ServiceNamed<Name>['stores']]: Properties<ConfigOf<ServiceNamed<Name>['stores'][Id]>>
} & PluginsOf<Name>

type UnionToIntersection<U> = (U extends unknown ? (each: U) => void : never) extends (all: infer I) => void
  ? I
  : never

/** What one provider or another takes. A property that two take has the type of either. */
type AnyOf<T> = {
  readonly [K in T extends unknown ? keyof T : never]?: T extends { readonly [P in K]?: infer V } ? V : never
}

/** The section of an SPI: its provider, properties per provider, and properties of the selected provider. */
export type SectionOf<Name extends ServiceName> = {
  /** Which provider. @default the one for all */
  readonly provider?: ProviderId<Name> | undefined
  /** `false`: the SPI has no provider. @default true */
  readonly enabled?: boolean | undefined
} & { readonly [Id in keyof ConfigsOf<Name>]?: ConfigsOf<Name>[Id] | undefined } & AnyOf<
    ConfigsOf<Name>[keyof ConfigsOf<Name>]
  >

type OurSections = { readonly [Name in ServiceName]?: SectionOf<Name> | undefined }

/** What does not depend on the way to Redis. */
type RedisOptions = Omit<
  Properties<RedisConfig>,
  'url' | 'client' | 'sentinels' | 'name' | 'nodes' | 'tls' | 'sentinelTls' | 'ioredis'
> & {
  /** `true` for TLS with the system's authorities, or options of `tls.connect`. */
  readonly tls?: boolean | object | undefined
  /** The same for the sentinels themselves. */
  readonly sentinelTls?: boolean | object | undefined
  /** More options for ioredis. */
  readonly ioredis?: object | undefined
}

type Given<C> = { readonly [K in keyof C]-?: Exclude<C[K], undefined> }
type Ways = {
  readonly url: Given<Pick<RedisConfig, 'url'>>
  /** An ioredis client (`Redis` or `Cluster`) of the application; it stays open. */
  readonly client: { readonly client: RedisClient }
  readonly sentinels: Given<Pick<RedisConfig, 'sentinels' | 'name'>>
  readonly nodes: Given<Pick<RedisConfig, 'nodes'>>
}
type PropertyOfWays = UnionToIntersection<Ways[keyof Ways]>

/** One way to Redis: the properties of no other may stand beside it. */
type OneWay = {
  [W in keyof Ways]: Ways[W] & { readonly [K in Exclude<keyof PropertyOfWays, keyof Ways[W]>]?: undefined }
}[keyof Ways]

/** The connection to Redis. Exactly one of `url`, `client`, `sentinels` with `name`, and `nodes` is given. */
export type RedisSection = RedisOptions & OneWay

/** The same where environment variables are read: the way to Redis may be among them. */
export type RedisSectionWithEnv =
  | RedisSection
  | (RedisOptions & { readonly [K in keyof PropertyOfWays]?: undefined })

/** By name of the SPI. A plugin author's SPI is added with `declare module 'authstate' { interface SpiSections { … } }`. */
export interface SpiSections extends OurSections {
  readonly redis?: RedisSectionWithEnv | undefined
}
