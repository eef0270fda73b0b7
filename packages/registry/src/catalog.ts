import {
  type AnyProviderFactory,
  assertFunction,
  assertObject,
  assertSpelt,
  fold,
  type Known,
  type RealmSettingCheck,
  type RealmSettingChecks,
  type Spi,
} from '@authstate/spi'

/** One SPI and the factories that could provide it, by id. */
export interface CatalogEntry {
  readonly spi: Spi
  readonly factories: ReadonlyMap<string, AnyProviderFactory>
}

/** What the registry was given, by name of the SPI, in the order given. */
export type Catalog = ReadonlyMap<string, CatalogEntry>

const ID = /^[a-z][a-z0-9]*([-_.][a-z0-9]+)*$/i
/** Words of a section and of every object: as the name of a provider or a property they would be ambiguous. */
const RESERVED_IDS: ReadonlySet<string> = new Set(['provider', 'enabled', 'constructor', 'prototype'])

const FACTORY: Known<AnyProviderFactory> = {
  spi: true,
  id: true,
  order: true,
  dependsOn: true,
  uses: true,
  onDemand: true,
  config: true,
  secrets: true,
  create: true,
}

/**
 * Orders factories by SPI. Of two with the same id the later one stays.
 *
 * @throws {TypeError} a factory is not one, or its id could not be told from another word of a configuration.
 */
export function createCatalog(factories: readonly AnyProviderFactory[]): Catalog {
  if (!Array.isArray(factories)) throw new TypeError('"factories" must be a list of provider factories')
  const catalog = new Map<string, { spi: Spi; factories: Map<string, AnyProviderFactory> }>()
  factories.forEach((factory: AnyProviderFactory, index) => {
    const name = `factories[${index}]`
    assertSpelt(factory, name, FACTORY)
    assertObject(factory.spi, `${name}.spi`)
    if (typeof factory.spi.name !== 'string') throw new TypeError(`"${name}.spi" must come from defineSpi`)
    if (typeof factory.id !== 'string' || !ID.test(factory.id) || RESERVED_IDS.has(fold(factory.id))) {
      throw new TypeError(`"${name}.id" must be a word such as 'redis'; 'provider' and 'enabled' are taken`)
    }
    assertFunction(factory.create, `${name}.create`)
    const entry = catalog.get(factory.spi.name) ?? { spi: factory.spi, factories: new Map() }
    entry.factories.set(factory.id, factory)
    catalog.set(factory.spi.name, entry)
  })
  return catalog
}

/** How the settings of a realm are checked, as the SPIs say that read them. */
export function realmChecksOf(catalog: Catalog): RealmSettingChecks {
  const checks: Record<string, RealmSettingCheck> = {}
  for (const { spi } of catalog.values()) {
    for (const [name, check] of Object.entries(spi.realmSettings ?? {})) {
      const earlier = Object.hasOwn(checks, name) ? checks[name] : undefined
      // Two services may read one setting: each has its say.
      checks[name] =
        earlier === undefined
          ? check
          : (value, place) => {
              earlier(value, place)
              check(value, place)
            }
    }
  }
  return checks
}

/** The name among `names` that `word` spells when case, `-` and `_` do not count. */
export function spelled(word: string, names: Iterable<string>): string | undefined {
  const wanted = fold(word)
  for (const name of names) if (fold(name) === wanted) return name
  return undefined
}
