import type { ProviderRegistry } from '@authstate/registry'
import type { Service } from '@authstate/spi'
import type { AuthState } from './auth-state.js'
import { type AnyService, type MemberOf, type ProviderOf, services } from './services.js'

/** A verb without the id of the realm, which it takes first. */
export type BoundVerb<F> = F extends (realmId: string, ...rest: infer A) => infer R
  ? (...rest: A) => R
  : never

type VerbOf<S extends Service> = S['realm']['verbs'][number]

/** A service in one realm: those of its verbs that take a realm. */
export type BoundService<S extends Service> = {
  readonly [V in VerbOf<S> & keyof ProviderOf<S>]: BoundVerb<ProviderOf<S>[V]>
}

/** The services that have verbs of a realm, by member. */
export type BoundMembers = {
  readonly [S in AnyService as [VerbOf<S>] extends [never] ? never : MemberOf<S>]: BoundService<S>
}

/** The state of one realm. The verbs are those of the state, without the id of the realm. */
export interface RealmState extends BoundMembers {
  /** Id of the realm. */
  readonly id: string
  /** {@link AuthState.removeRealm} */
  remove(): Promise<void>
  /** {@link AuthState.realmChanged} */
  changed(): Promise<void>
  /** {@link AuthState.endUser} */
  endUser(userId: string): Promise<void>
  /** {@link AuthState.forgetUser} */
  forgetUser(userId: string): Promise<void>
}

type Verb = (realmId: string, ...rest: unknown[]) => unknown

/** Binds the realm of every verb that takes one. A provider is asked for at each call, so that a closed state says so. */
export function bindRealm(state: AuthState, registry: ProviderRegistry, id: string): RealmState {
  const members = (services as readonly Service[]).flatMap(({ member, spi, realm }) => {
    if (member === undefined || realm.verbs.length === 0) return []
    const bound = realm.verbs.map((verb) => {
      const call = (...rest: unknown[]): unknown => {
        const provider = registry.get(spi) as unknown as Readonly<Record<string, Verb>>
        return (provider[verb] as Verb).call(provider, id, ...rest)
      }
      return [verb, call]
    })
    return [[member, Object.freeze(Object.fromEntries(bound))]]
  })
  return Object.freeze({
    id,
    remove: () => state.removeRealm(id),
    changed: () => state.realmChanged(id),
    endUser: (userId: string) => state.endUser(id, userId),
    forgetUser: (userId: string) => state.forgetUser(id, userId),
    ...Object.fromEntries(members),
  }) as RealmState
}
