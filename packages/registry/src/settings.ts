import { isPlainObject, RESERVED_NAMES } from '@authstate/spi/internal'

/** Where a value comes from. */
export type Origin = 'config' | 'env'

/** One value of the configuration, and the words that lead a reader to it. */
export interface Setting {
  /** Below the provider: `['tls', 'ca']`. From `config` always one name. */
  readonly path: readonly string[]
  readonly value: unknown
  /** `spi.user-session.redis.tls`, or the name of an environment variable. */
  readonly place: string
  readonly origin: Origin
}

/** Everything the configuration says of one SPI. */
export interface Section {
  /** Where a property that is missing would be given. */
  place: string
  provider?: Setting
  enabled?: Setting
  /** For whichever provider is selected. */
  readonly own: Setting[]
  /** For one provider by id. */
  readonly nested: Map<string, Setting[]>
}

/** The settings of one provider, put together. */
export interface Properties {
  readonly values: Record<string, unknown>
  /** What came from the environment as text, which says nothing of its type. */
  readonly texts: readonly Setting[]
  /** The words for a path, whether or not anything was given there. */
  placeOf(path: readonly string[]): string
  /** Of one property; `undefined` when it was not given. */
  originOf(property: string): Origin | undefined
}

/** Whether the section says anything at all. */
export function isEmpty(section: Section | undefined): boolean {
  if (!section) return true
  return !section.provider && !section.enabled && section.own.length === 0 && section.nested.size === 0
}

/** Notes `setting` in `section[word]` unless something of the same origin is there already. */
export function choose(
  section: Section,
  word: 'provider' | 'enabled',
  setting: Setting,
  mistakes: string[],
): void {
  const earlier = section[word]
  if (earlier && earlier.origin === setting.origin) mistakes.push(conflict(earlier, setting))
  else if (!earlier || setting.origin === 'env') section[word] = setting
}

/**
 * Puts settings together: the environment over the configuration, deeper paths over shallower ones.
 *
 * Two settings of the same origin for one path are a mistake that names both places.
 */
export function assemble(settings: readonly Setting[], place: string, mistakes: string[]): Properties {
  const ordered = [...settings].sort(
    (a, b) => Number(a.origin === 'env') - Number(b.origin === 'env') || a.path.length - b.path.length,
  )
  let values: Record<string, unknown> = {}
  const applied: Setting[] = []
  for (const setting of ordered) {
    const clash = applied.find((other) => other.origin === setting.origin && clashes(other, setting))
    if (clash) {
      mistakes.push(conflict(clash, setting))
      continue
    }
    values = withValue(values, setting.path, setting.value)
    applied.push(setting)
  }
  const covering = (path: readonly string[]): Setting | undefined =>
    applied.findLast((setting) => setting.path.every((name, index) => path[index] === name))
  return {
    values,
    texts: applied.filter(
      ({ origin, value, path }) =>
        origin === 'env' && typeof value === 'string' && valueAt(values, path) === value,
    ),
    placeOf(path) {
      const setting = covering(path)
      if (!setting) return [place, ...path].join('.')
      return [setting.place, ...path.slice(setting.path.length)].join('.')
    },
    originOf: (property) => applied.findLast(({ path }) => path[0] === property)?.origin,
  }
}

/** A copy of `values` with `value` at `path`. Objects on the way are copied, anything else there is replaced. */
export function withValue(
  values: Record<string, unknown>,
  path: readonly PropertyKey[],
  value: unknown,
): Record<string, unknown> {
  const [name, ...rest] = path
  if (name === undefined) return values
  const below = Object.hasOwn(values, name) ? values[name as string] : undefined
  const next = rest.length === 0 ? value : withValue(isPlainObject(below) ? below : {}, rest, value)
  return { ...values, [name]: next }
}

/** What lies at `path` of own properties, or `undefined`. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value
  for (const name of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined
    found = (found as Record<PropertyKey, unknown>)[name]
  }
  return found
}

/** The entries of a configuration object that say something; names every object has are not among them. */
export function entriesOf(object: object, place: string, mistakes: string[]): [string, unknown][] {
  return Object.entries(object).filter(([name, value]) => {
    if (RESERVED_NAMES.has(name))
      mistakes.push(`${place}: '${name}' is unknown, and no name that can be given`)
    else return value !== undefined
    return false
  })
}

function clashes(a: Setting, b: Setting): boolean {
  const shared = Math.min(a.path.length, b.path.length)
  for (let index = 0; index < shared; index++) if (a.path[index] !== b.path[index]) return false
  if (a.path.length === b.path.length) return true
  return !isPlainObject(a.path.length < b.path.length ? a.value : b.value)
}

function conflict(a: Setting, b: Setting): string {
  return `${a.place} and ${b.place} say the same thing: give one of them`
}
