import type { AnyProviderFactory } from '@authstate/spi'
import { fold, knownNames, quote } from '@authstate/spi/internal'
import type { Catalog, CatalogEntry } from './catalog.js'
import type { Settings } from './config.js'
import { isEmpty, type Section, type Setting } from './settings.js'

/** Why a provider was selected, or why none was. */
export type SelectionReason =
  | 'configured'
  | 'configured for all'
  | 'only one'
  | 'highest order'
  | 'named default'
  | 'disabled'
  | 'nothing'

/** What the rules say of one SPI. */
export interface Selection {
  readonly entry: CatalogEntry
  readonly section: Section | undefined
  readonly reason: SelectionReason
  /** The provider of the SPI. */
  readonly factory?: AnyProviderFactory | undefined
  /** The provider that would be selected if the SPI were enabled; its schema checks the section. */
  readonly meant?: AnyProviderFactory | undefined
  /** It is started whether or not another provider depends on it. */
  readonly wanted: boolean
}

/** Selects a provider for each SPI. An unknown id is a mistake. */
export function select(catalog: Catalog, settings: Settings, mistakes: string[]): Map<string, Selection> {
  const forAll = readId(settings.provider, allIds(catalog), undefined, mistakes)
  const selections = new Map<string, Selection>()
  for (const [name, entry] of catalog) {
    const section = settings.sections.get(name)
    const disabled = readEnabled(section?.enabled, mistakes) === false
    const { factory: meant, reason } = choose(entry, section, forAll, mistakes)
    selections.set(name, {
      entry,
      section,
      meant,
      factory: disabled ? undefined : meant,
      reason: disabled ? 'disabled' : reason,
      wanted: !disabled && meant !== undefined && (!meant.onDemand || !isEmpty(section)),
    })
  }
  return selections
}

function choose(
  entry: CatalogEntry,
  section: Section | undefined,
  forAll: string | undefined,
  mistakes: string[],
): { factory?: AnyProviderFactory | undefined; reason: SelectionReason } {
  const { factories } = entry
  if (section?.provider) {
    const id = readId(section.provider, [...factories.keys()], entry.spi.name, mistakes)
    return { factory: id === undefined ? undefined : factories.get(id), reason: 'configured' }
  }
  const common = forAll === undefined ? undefined : factories.get(forAll)
  if (common) return { factory: common, reason: 'configured for all' }
  const all = [...factories.values()]
  if (all.length === 1) return { factory: all[0], reason: 'only one' }
  let highest: AnyProviderFactory | undefined
  for (const factory of all) if ((factory.order ?? 0) > (highest?.order ?? 0)) highest = factory
  if (highest) return { factory: highest, reason: 'highest order' }
  const named = factories.get('default')
  return named ? { factory: named, reason: 'named default' } : { reason: 'nothing' }
}

/** The known id a setting names. In the environment case, `-` and `_` do not count. */
function readId(
  setting: Setting | undefined,
  known: readonly string[],
  spi: string | undefined,
  mistakes: string[],
): string | undefined {
  if (!setting) return undefined
  const { value, place, origin } = setting
  if (typeof value !== 'string') {
    if (value !== undefined)
      mistakes.push(`${place}: expected the id of a provider. ${knownNames('', known)}`)
    return undefined
  }
  const found = known.find((id) => id === value || (origin === 'env' && fold(id) === fold(value)))
  if (found === undefined) {
    const whose = spi === undefined ? 'no SPI has' : `${quote(spi)} has no`
    mistakes.push(
      `${place}: ${whose} ${spi === undefined ? 'a ' : ''}provider with this id. ${knownNames(value, known)}`,
    )
  }
  return found
}

function readEnabled(setting: Setting | undefined, mistakes: string[]): boolean | undefined {
  if (!setting) return undefined
  const { value, place, origin } = setting
  if (typeof value === 'boolean') return value
  if (origin === 'env' && typeof value === 'string') {
    const word = value.trim().toLowerCase()
    if (word === 'true' || word === 'false') return word === 'true'
  }
  mistakes.push(`${place}: expected true or false`)
  return undefined
}

function allIds(catalog: Catalog): string[] {
  return [...new Set([...catalog.values()].flatMap(({ factories }) => [...factories.keys()]))]
}
