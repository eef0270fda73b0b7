import type { AnyProviderFactory } from '@authstate/spi'
import { isPlainObject, knownNames, quote, RESERVED_NAMES } from '@authstate/spi/internal'
import { type Catalog, type CatalogEntry, spelled } from './catalog.js'
import { propertyPath, readEnvironment } from './environment.js'
import { choose, entriesOf, type Origin, type Section, type Setting } from './settings.js'

/** What to say of one SPI. */
export interface SpiConfig {
  /** Id of the provider to use. */
  readonly provider?: string | undefined
  /** `false`: this SPI has no provider, whatever else the configuration says. @default true */
  readonly enabled?: boolean | undefined
  /** A property of the selected provider, or, under a provider's id, an object of that provider's properties. */
  readonly [property: string]: unknown
}

/** Which providers to use, and with which properties. */
export interface RegistryConfig {
  /** Id of the provider to use for every SPI that has one of this name. */
  readonly provider?: string | undefined
  readonly spi?: Readonly<Record<string, SpiConfig | undefined>> | undefined
  /** The same as under `spi`, by the name of the SPI. */
  readonly [spi: string]: unknown
}

/** Environment variables: `process.env`, or a record like it. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A configuration as read: names of SPIs are known ones, values not yet checked. */
export interface Settings {
  provider?: Setting
  readonly sections: ReadonlyMap<string, Section>
}

/** Reads the configuration and the environment, and adds what is wrong in them to `mistakes`. */
export function readSettings(
  catalog: Catalog,
  config: RegistryConfig | string | undefined,
  env: Environment | undefined,
  mistakes: string[],
): Settings {
  const sections = new Map<string, Section>()
  const settings: Settings = { sections }
  const sectionOf = (spi: string): Section => {
    const section = sections.get(spi) ?? { place: `spi.${spi}`, own: [], nested: new Map() }
    sections.set(spi, section)
    return section
  }
  readConfig(catalog, parse(config, mistakes), settings, sectionOf, mistakes)
  for (const { spi, words, value, place } of readEnvironment(catalog, env, mistakes)) {
    const setting = { path: [], value, place, origin: 'env' } as const
    if (spi === undefined) {
      settings.provider = setting
      continue
    }
    const entry = catalog.get(spi.name) as CatalogEntry
    readVariable(entry, sectionOf(spi.name), words, setting, mistakes)
  }
  return settings
}

function parse(config: RegistryConfig | string | undefined, mistakes: string[]): Record<string, unknown> {
  let parsed: unknown = config ?? {}
  if (typeof parsed === 'string') {
    try {
      parsed = JSON.parse(parsed)
    } catch {
      // The parser's own message quotes the text, which may hold a password.
      mistakes.push('config: the text is not valid JSON')
      return {}
    }
  }
  if (isPlainObject(parsed)) return parsed
  mistakes.push('config: expected an object or the JSON of one')
  return {}
}

function readConfig(
  catalog: Catalog,
  config: Record<string, unknown>,
  settings: Settings,
  sectionOf: (spi: string) => Section,
  mistakes: string[],
): void {
  const section = (name: string, value: unknown, place: string, known: readonly string[]): void => {
    const entry = catalog.get(name)
    if (!entry) mistakes.push(`${place}: no SPI has the name ${quote(name)}. ${knownNames(name, known)}`)
    else if (!isPlainObject(value)) mistakes.push(`${place}: expected an object`)
    else {
      const target = sectionOf(name)
      target.place = place
      readSection(entry, target, value, place, 'config', mistakes)
    }
  }
  for (const [name, value] of entriesOf(config, 'config', mistakes)) {
    if (name === 'provider') {
      settings.provider = { path: [], value, place: 'provider', origin: 'config' }
    } else if (name === 'spi') {
      if (!isPlainObject(value)) mistakes.push('spi: expected an object')
      else {
        for (const [spi, below] of entriesOf(value, 'spi', mistakes)) {
          section(spi, below, `spi.${quoteless(spi)}`, [...catalog.keys()])
        }
      }
    } else section(name, value, quoteless(name), ['provider', 'spi', ...catalog.keys()])
  }
}

function readSection(
  entry: CatalogEntry,
  section: Section,
  values: Record<string, unknown>,
  place: string,
  origin: Origin,
  mistakes: string[],
): void {
  for (const [name, value] of entriesOf(values, place, mistakes)) {
    const setting: Setting = { path: [name], value, place: `${place}.${quoteless(name)}`, origin }
    if (name === 'provider' || name === 'enabled') choose(section, name, setting, mistakes)
    else if (entry.factories.has(name)) readNested(section, name, { ...setting, path: [] }, mistakes)
    else section.own.push(setting)
  }
}

/** The section of one provider within its SPI's. */
function readNested(section: Section, id: string, setting: Setting, mistakes: string[]): void {
  const nested = section.nested.get(id) ?? []
  section.nested.set(id, nested)
  if (setting.path.length > 0) nested.push(setting)
  else if (!isPlainObject(setting.value)) {
    mistakes.push(`${setting.place}: expected an object, the properties of the provider ${quote(id)}`)
  } else {
    for (const [name, value] of entriesOf(setting.value, setting.place, mistakes)) {
      nested.push({ ...setting, path: [name], value, place: `${setting.place}.${quoteless(name)}` })
    }
  }
}

function readVariable(
  entry: CatalogEntry,
  section: Section,
  words: readonly string[],
  setting: Setting,
  mistakes: string[],
): void {
  const [first, ...rest] = words
  if (first === undefined) {
    if (isPlainObject(setting.value))
      readSection(entry, section, setting.value, setting.place, 'env', mistakes)
    else mistakes.push(`${setting.place}: expected a JSON object, the section of ${quote(entry.spi.name)}`)
    return
  }
  const word = rest.length === 0 ? spelled(first, ['provider', 'enabled']) : undefined
  if (word) {
    choose(section, word as 'provider' | 'enabled', setting, mistakes)
    return
  }
  const id = spelled(first, entry.factories.keys())
  const factories =
    id === undefined ? entry.factories.values() : [entry.factories.get(id) as AnyProviderFactory]
  const path = propertyPath(id === undefined ? words : rest, factories)
  if (path.some((name) => RESERVED_NAMES.has(name)))
    mistakes.push(`${setting.place}: no property has this name`)
  else if (id === undefined) section.own.push({ ...setting, path })
  else readNested(section, id, { ...setting, path }, mistakes)
}

/** A name within a place: as it is when it is an ordinary one. */
function quoteless(name: string): string {
  return /^[\w-]{1,64}$/.test(name) ? name : quote(name)
}
