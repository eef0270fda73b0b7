import type { memoryActionTokens } from '@authstate/action-token'
import type { redisActionTokens } from '@authstate/action-token/redis'
import type { memoryAuthSessions } from '@authstate/auth-session'
import type { redisAuthSessions } from '@authstate/auth-session/redis'
import type { memoryCluster } from '@authstate/cluster'
import type { redisCluster } from '@authstate/cluster/redis'
import type { memoryLoginFailures } from '@authstate/login-failure'
import type { redisLoginFailures } from '@authstate/login-failure/redis'
import type { memoryRealmCache } from '@authstate/realm-cache'
import type { redisRealmCache } from '@authstate/realm-cache/redis'
import type { RedisClient, RedisConfig } from '@authstate/redis'
import type { ProviderFactory } from '@authstate/spi'
import type { memoryStickySessions } from '@authstate/sticky-session-encoder'
import type { redisStickySessions } from '@authstate/sticky-session-encoder/redis'
import type { memoryUserSessions } from '@authstate/user-session'
import type { redisUserSessions } from '@authstate/user-session/redis'

/** A span as text. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/** The properties of a provider, as they are given: all can be left out, and a span may be text such as `'30m'`. */
export type Properties<C> = { readonly [K in keyof C]?: PropertyValue<C[K], K> | undefined }

/** A property as it may be given: a span named `…Ms` also as text. */
export type PropertyValue<T, K> = T extends ((...args: never[]) => unknown) | readonly unknown[] | Uint8Array
  ? T
  : T extends object
    ? Properties<T>
    : T | (K extends `${string}Ms` ? (T extends number ? Duration : never) : never)

// biome-ignore lint/suspicious/noExplicitAny: whatever the provider is
type ConfigOf<F extends () => ProviderFactory<any, any>> = F extends () => ProviderFactory<any, infer C>
  ? C
  : never

/** What can be said of an SPI that has providers of our own. */
type Section<M, R> = {
  /** Which provider. @default the one for all */
  readonly provider?: 'memory' | 'redis' | (string & {}) | undefined
  /** `false`: nobody provides the SPI. @default true */
  readonly enabled?: boolean | undefined
  /** Properties for when it is in memory. */
  readonly memory?: Properties<M> | undefined
  /** Properties for when it is in Redis. */
  readonly redis?: Properties<R> | undefined
} & Properties<M & Omit<R, keyof M>>

// Interfaces, so that a plugin author can add a section of their own: declare module 'authstate' { … }.
/** What can be said of `user-session`. */
export interface UserSessionSection
  extends Section<ConfigOf<typeof memoryUserSessions>, ConfigOf<typeof redisUserSessions>> {}
/** What can be said of `auth-session`. */
export interface AuthSessionSection
  extends Section<ConfigOf<typeof memoryAuthSessions>, ConfigOf<typeof redisAuthSessions>> {}
/** What can be said of `action-token`. */
export interface ActionTokenSection
  extends Section<ConfigOf<typeof memoryActionTokens>, ConfigOf<typeof redisActionTokens>> {}
/** What can be said of `login-failure`. */
export interface LoginFailureSection
  extends Section<ConfigOf<typeof memoryLoginFailures>, ConfigOf<typeof redisLoginFailures>> {}
/** What can be said of `realm-cache`. */
export interface RealmCacheSection
  extends Section<ConfigOf<typeof memoryRealmCache>, ConfigOf<typeof redisRealmCache>> {}
/** What can be said of `sticky-session-encoder`. */
export interface StickySessionEncoderSection
  extends Section<ConfigOf<typeof memoryStickySessions>, ConfigOf<typeof redisStickySessions>> {}
/** What can be said of `cluster`. */
export interface ClusterSection
  extends Section<ConfigOf<typeof memoryCluster>, ConfigOf<typeof redisCluster>> {}

/** The connection to Redis. Exactly one of `url`, `client`, `sentinels` with `name`, and `nodes` is given. */
export interface RedisSection extends Properties<Omit<RedisConfig, 'client' | 'tls' | 'ioredis'>> {
  /** An ioredis client (`Redis` or `Cluster`) of the application; it stays open. */
  readonly client?: RedisClient | undefined
  /** `true` for TLS with the system's authorities, or options of `tls.connect`. */
  readonly tls?: boolean | object | undefined
  /** More options for ioredis. */
  readonly ioredis?: object | undefined
}

/** By name of the SPI. A plugin author's SPI is added with `declare module 'authstate' { interface SpiSections { … } }`. */
export interface SpiSections {
  readonly 'user-session'?: UserSessionSection | undefined
  readonly 'auth-session'?: AuthSessionSection | undefined
  readonly 'action-token'?: ActionTokenSection | undefined
  readonly 'login-failure'?: LoginFailureSection | undefined
  readonly 'realm-cache'?: RealmCacheSection | undefined
  readonly 'sticky-session-encoder'?: StickySessionEncoderSection | undefined
  readonly cluster?: ClusterSection | undefined
  readonly redis?: RedisSection | undefined
}
