import {
  type AnyProviderFactory,
  assertFunction,
  assertObject,
  assertSpelt,
  ConfigurationError,
  type Known,
  type RealmSettingCheck,
  type RealmSettingChecks,
  type Service,
  type Spi,
  type StoreLoader,
} from '@authstate/spi'
import { fold, quote } from '@authstate/spi/internal'

/** One SPI and the factories that could provide it, by id. */
export interface CatalogEntry {
  readonly spi: Spi
  readonly factories: ReadonlyMap<string, AnyProviderFactory>
  /** Those of `factories` that only say their id until they are loaded. */
  readonly unloaded: ReadonlyMap<string, StoreLoader>
  /** Puts a loaded factory in the place of one that only says its id. */
  put(id: string, factory: AnyProviderFactory): void
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
  service: true,
  create: true,
}

/**
 * Orders the stores of services and factories by SPI. If two have the same id, the last one wins.
 *
 * @throws {TypeError} a factory is not one, or its id is also another word of a configuration; or
 * two services have a kind of keys in common.
 * @throws {ConfigurationError} a factory was written for another version of its SPI.
 */
export function createCatalog(
  factories: readonly AnyProviderFactory[],
  services: readonly Service[] = [],
): Catalog {
  if (!Array.isArray(factories)) throw new TypeError('"factories" must be a list of provider factories')
  const catalog = new Map<string, Entry>()
  assertKeysApart(services)
  for (const { spi, stores, onDemand } of services) {
    const entry = new Entry(spi)
    catalog.set(spi.name, entry)
    for (const [id, load] of Object.entries(stores)) entry.announce(id, load, onDemand)
  }
  factories.forEach((factory: AnyProviderFactory, index) => {
    const name = `factories[${index}]`
    assertSpelt(factory, name, FACTORY)
    assertObject(factory.spi, `${name}.spi`)
    if (typeof factory.spi.name !== 'string') throw new TypeError(`"${name}.spi" must come from defineSpi`)
    if (typeof factory.id !== 'string' || !ID.test(factory.id) || RESERVED_IDS.has(fold(factory.id))) {
      throw new TypeError(`"${name}.id" must be a word such as 'redis'; 'provider' and 'enabled' are taken`)
    }
    assertFunction(factory.create, `${name}.create`)
    const entry = catalog.get(factory.spi.name) ?? new Entry(factory.spi)
    entry.put(factory.id, factory)
    catalog.set(factory.spi.name, entry)
  })
  return catalog
}

class Entry implements CatalogEntry {
  readonly spi: Spi
  readonly factories = new Map<string, AnyProviderFactory>()
  readonly unloaded = new Map<string, StoreLoader>()

  constructor(spi: Spi) {
    this.spi = spi
  }

  announce(id: string, load: StoreLoader, onDemand: boolean): void {
    const create = (): never => {
      throw new ConfigurationError(`${this.spi.name}: the provider ${quote(id)} was not loaded`)
    }
    this.factories.set(id, { spi: this.spi, id, onDemand, create })
    this.unloaded.set(id, load)
  }

  put(id: string, factory: AnyProviderFactory): void {
    if (factory?.spi?.name !== this.spi.name || factory.id !== id) {
      throw new TypeError(`the store ${quote(id)} of ${this.spi.name} must load the provider of that name`)
    }
    const [written, here] = [factory.spi.version ?? 1, this.spi.version ?? 1]
    if (written !== here) {
      throw new ConfigurationError(
        `${this.spi.name} (provider ${quote(id)}) was written for version ${written} of this SPI, and this is version ` +
          `${here}: install the one that fits`,
      )
    }
    this.factories.set(id, factory)
    this.unloaded.delete(id)
  }
}

/** @throws {TypeError} two services share a key space and have a kind of keys in common */
function assertKeysApart(services: readonly Service[]): void {
  const owners = new Map<string, string>()
  for (const { name, keys } of services) {
    for (const kind of Object.keys(keys)) {
      const other = owners.get(kind)
      if (other !== undefined && other !== name)
        throw new TypeError(`${quote(other)} and ${quote(name)} both have keys of the kind ${quote(kind)}`)
      owners.set(kind, name)
    }
  }
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
