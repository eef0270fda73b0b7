import {
  type Realm,
  type RealmSettingChecks,
  type RealmSettings,
  type RealmSettingsSource,
  resolveRealm,
} from '@authstate/spi'
import { isPromiseLike, isUnchanged } from '@authstate/spi/internal'

interface Resolved {
  readonly realm: Realm
  /** The settings as they were then: the object may be changed in place. */
  readonly given: Readonly<Record<string, unknown>>
}

/**
 * Resolves realms through `source`: synchronously where the source is.
 *
 * A source that answers the same object again gets the same realm again, unless something in the object has changed.
 *
 * @param checks How the settings are checked that SPIs read themselves, by name.
 */
export function createRealmResolver(
  source: RealmSettingsSource | undefined,
  checks: RealmSettingChecks = {},
): (realmId: string) => Realm | Promise<Realm> {
  if (!source) {
    const defaults = Object.freeze(resolveRealm(undefined))
    return () => defaults
  }
  const known = new WeakMap<RealmSettings, Resolved>()
  const resolve = (settings: RealmSettings | undefined): Realm => {
    if (typeof settings !== 'object' || settings === null) return resolveRealm(settings, checks)
    const before = known.get(settings)
    if (before !== undefined && isUnchanged(settings, before.given)) return before.realm
    const realm = Object.freeze(resolveRealm(settings, checks))
    known.set(settings, { realm, given: { ...settings } })
    return realm
  }
  return (realmId) => {
    const settings = source(realmId)
    return isPromiseLike(settings) ? settings.then(resolve) : resolve(settings)
  }
}
