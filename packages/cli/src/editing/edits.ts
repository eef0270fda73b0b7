import { isPlainObject, knownNames, quote } from '@authstate/spi/internal'
import type { ConfigurationSchemas, JsonSchema } from 'authstate/configuration'
import { CommandError, EXIT } from '../exit-codes.js'
import { type ConfigDocument, type Path, valueAt } from './document.js'

/** A change of a configuration, as a line of a batch says it. */
export type Edit =
  | { readonly verb: 'set-provider'; readonly spi: string; readonly provider: string }
  | { readonly verb: 'enable' | 'disable'; readonly spi: string; readonly provider?: string | undefined }
  | { readonly verb: 'unset'; readonly property: string }
  | {
      readonly verb: 'set' | 'add-to-list' | 'remove-from-list'
      readonly property: string
      readonly value: string
    }

/** What edits are made with. */
export interface Known {
  readonly schemas: ConfigurationSchemas
  /** The provider that an SPI would use, before the change. */
  readonly selected: (spi: string) => string | undefined
}

/** How many words stand behind each verb, at least and at most. */
export const WORDS = {
  'set-provider': [2, 2],
  enable: [1, 2],
  disable: [1, 2],
  set: [2, 2],
  unset: [1, 1],
  'add-to-list': [2, 2],
  'remove-from-list': [2, 2],
} as const satisfies Record<Edit['verb'], readonly [number, number]>

/**
 * An edit from its words: `set user-session.maxNotesBytes 5`.
 *
 * @throws {CommandError} the verb is unknown, or it takes another number of words
 */
export function editOf(words: readonly string[]): Edit {
  const [verb = '', first = '', second = ''] = words
  if (!Object.hasOwn(WORDS, verb)) {
    throw new CommandError(
      EXIT.configuration,
      `no edit is called ${quote(verb)}. ${knownNames(verb, Object.keys(WORDS))}`,
    )
  }
  const [least, most] = WORDS[verb as Edit['verb']]
  if (words.length - 1 < least || words.length - 1 > most) {
    throw new CommandError(
      EXIT.usage,
      `${verb} takes ${least === most ? least : `${least} or ${most}`} words, not ${words.length - 1}`,
    )
  }
  switch (verb as Edit['verb']) {
    case 'set-provider':
      return { verb: 'set-provider', spi: first, provider: second }
    case 'enable':
    case 'disable':
      return { verb: verb as 'enable', spi: first, provider: words[2] }
    case 'unset':
      return { verb: 'unset', property: first }
    default:
      return { verb: verb as 'set', property: first, value: second }
  }
}

/**
 * The document after an edit.
 *
 * @throws {CommandError} an SPI, provider or property is unknown, or is no list
 */
export function apply(document: ConfigDocument, edit: Edit, known: Known): ConfigDocument {
  switch (edit.verb) {
    case 'set-provider':
      assertSpi(edit.spi, known)
      return document.with(['spi', edit.spi, 'provider'], edit.provider)
    case 'enable': {
      assertSpi(edit.spi, known)
      const enabled = document.without(['spi', edit.spi, 'enabled'])
      return edit.provider === undefined
        ? enabled
        : enabled.with(['spi', edit.spi, 'provider'], edit.provider)
    }
    case 'disable': {
      assertSpi(edit.spi, known)
      const selected = known.selected(edit.spi)
      if (edit.provider !== undefined && edit.provider !== selected) {
        const use = selected === undefined ? 'it uses none' : `it uses ${quote(selected)}`
        throw new CommandError(EXIT.nothing, `${edit.spi} does not use ${quote(edit.provider)}: ${use}`)
      }
      return document.with(['spi', edit.spi, 'enabled'], false)
    }
    case 'set': {
      const { path, schema } = placeOf(document, edit.property, known)
      return document.with(path, meantBy(edit.value, schema))
    }
    case 'unset': {
      const { path } = placeOf(document, edit.property, known)
      if (valueAt(document.value(), path) === undefined) {
        throw new CommandError(EXIT.nothing, `${edit.property} is not set in this file`)
      }
      return document.without(path)
    }
    default: {
      const { path, schema } = placeOf(document, edit.property, known)
      const list = valueAt(document.value(), path) ?? []
      if (!Array.isArray(list)) throw new CommandError(EXIT.configuration, `${edit.property} is not a list`)
      const value = meantBy(edit.value, isPlainObject(schema?.['items']) ? schema['items'] : undefined)
      const isMember = (member: unknown) => JSON.stringify(member) === JSON.stringify(value)
      if (edit.verb === 'add-to-list')
        return list.some(isMember) ? document : document.with(path, [...list, value])
      if (!list.some(isMember))
        throw new CommandError(EXIT.nothing, `${edit.property} does not hold this value`)
      return document.with(
        path,
        list.filter((member) => !isMember(member)),
      )
    }
  }
}

/** SPI and property of `user-session.maxNotesBytes`. */
export function partsOf(property: string, { schemas }: Pick<Known, 'schemas'>): { spi: string; names: Path } {
  const [spi = '', ...names] = property.split('.')
  assertSpi(spi, { schemas })
  if (names.length === 0 || names.includes('')) {
    throw new CommandError(EXIT.usage, `a property must be named ${spi}.<property>, got ${quote(property)}`)
  }
  return { spi, names }
}

/** Where a property stands in a file, or would: in the section of the provider that is selected. */
function placeOf(
  document: ConfigDocument,
  property: string,
  known: Known,
): { readonly path: Path; readonly schema: JsonSchema | undefined } {
  const { spi, names } = partsOf(property, known)
  const [first = ''] = names
  const providers = known.schemas[spi] ?? {}
  const provider = first in providers ? first : known.selected(spi)
  const inside = first in providers ? names.slice(1) : names
  const schema = provider === undefined ? undefined : schemaAt(providers[provider], inside)
  if (spi === 'redis') return { path: ['redis', ...names], schema }
  const section = ['spi', spi]
  const isThere = (path: Path) => valueAt(document.value(), path) !== undefined
  const nested = provider === undefined ? undefined : [...section, provider, ...inside]
  const own = [...section, ...inside]
  const stands = [nested, own].find((path) => path !== undefined && isThere(path))
  return { path: stands ?? nested ?? own, schema }
}

function schemaAt(schema: JsonSchema | undefined, path: Path): JsonSchema | undefined {
  let found = schema
  for (const name of path) {
    const properties = found?.['properties']
    const next: unknown = isPlainObject(properties) ? properties[name] : undefined
    found = isPlainObject(next) ? next : undefined
  }
  return found
}

/** A word of a command as the value that is meant: JSON where it is JSON, unless text alone is wanted. */
function meantBy(word: string, schema: JsonSchema | undefined): unknown {
  if (schema?.['type'] === 'string') return word
  try {
    return JSON.parse(word)
  } catch {
    return word
  }
}

function assertSpi(spi: string, { schemas }: Pick<Known, 'schemas'>): void {
  if (Object.hasOwn(schemas, spi)) return
  throw new CommandError(
    EXIT.configuration,
    `no SPI has the name ${quote(spi)}. ${knownNames(spi, Object.keys(schemas))}`,
  )
}
