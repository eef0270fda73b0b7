import type { AnyProviderFactory, Spi } from '@authstate/spi'
import { fold, listNames, nearest, quote } from '@authstate/spi/internal'
import { type Catalog, type CatalogEntry, spelled } from './catalog.js'
import type { Environment } from './config.js'
import { jsonSchemaOf, propertiesOf, schemaAt } from './json-schema.js'

/** A variable that says something of an SPI, or, without one, which provider to use for all of them. */
export interface Variable {
  readonly spi?: Spi
  /** What follows the SPI in the name, as spelled there. */
  readonly words: readonly string[]
  /** Parsed where it is JSON, else text. */
  readonly value: unknown
  /** The name of the variable. */
  readonly place: string
}

const PREFIX = 'AUTHSTATE_'
/** Addresses of the test servers and the like: not ours to read. */
const RESERVED_PREFIX = 'AUTHSTATE_TEST_'

/** Reads the variables that are ours, in the order of their names. */
export function readEnvironment(
  catalog: Catalog,
  env: Environment | undefined,
  mistakes: string[],
): readonly Variable[] {
  const variables: Variable[] = []
  for (const place of Object.keys(env ?? {}).sort()) {
    const text: unknown = env?.[place]
    if (text === undefined || !place.startsWith(PREFIX) || place.startsWith(RESERVED_PREFIX)) continue
    const target = targetOf(catalog, place.slice(PREFIX.length).split('__'))
    if ('wrong' in target)
      mistakes.push(`${shown(place)}: ${target.wrong} ${advice(catalog, place, target.known)}`)
    else if (typeof text !== 'string') mistakes.push(`${place}: expected text`)
    else {
      const value = read(text, place, mistakes)
      if (value !== undefined) variables.push({ ...target, place, value })
    }
  }
  return variables
}

/**
 * The path of properties that words of a variable spell, in camelCase.
 *
 * A property that a schema lists is found however it is cased: `CA_URL` is `caURL` where there is one.
 */
export function propertyPath(words: readonly string[], factories: Iterable<AnyProviderFactory>): string[] {
  const schemas = [...factories].map(jsonSchemaOf)
  const path: string[] = []
  for (const word of words) {
    const listed = schemas.flatMap((schema) => [...propertiesOf(schemaAt(schema, path)).keys()])
    path.push(spelled(word, listed) ?? camelCase(word))
  }
  return path
}

/** Where the name leads, or what is wrong with it. */
function targetOf(
  catalog: Catalog,
  words: readonly string[],
): Pick<Variable, 'spi' | 'words'> | { wrong: string; known: string[] } {
  const [first = '', ...rest] = words
  if (fold(first) === 'provider' && rest.length === 0) return { words: [] }
  const prefixed = fold(first) === 'spi' && rest.length > 0
  const [name = '', ...below] = prefixed ? rest : words
  const known = prefixed ? [...catalog.keys()] : ['provider', ...catalog.keys()]
  if (words.includes('')) return { wrong: "a word is missing beside '__'.", known }
  const entry = catalog.get(spelled(name, catalog.keys()) ?? '')
  return entry ? { spi: entry.spi, words: below } : { wrong: `no SPI has the name ${quote(name)}.`, known }
}

function read(text: string, place: string, mistakes: string[]): unknown {
  if (!/^\s*[[{]/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own message quotes the text, which may hold a password.
    mistakes.push(`${place}: starts like JSON and is not valid JSON`)
    return undefined
  }
}

/** What is known, and the whole name that was probably meant: `__` is easily forgotten. */
function advice(catalog: Catalog, place: string, known: readonly string[]): string {
  const names = ['PROVIDER', ...[...catalog.values()].flatMap(namesOf)]
  const variables = [...names, ...names.slice(1).map((name) => `SPI__${name}`)].map((name) => PREFIX + name)
  const near = nearest(place, variables)
  return near === undefined ? listNames(known) : `${listNames(known)} Did you mean ${near}?`
}

function namesOf({ spi, factories }: CatalogEntry): string[] {
  const name = upperCase(spi.name)
  const below = [...factories].flatMap(([id, factory]) => {
    const properties = [...propertiesOf(jsonSchemaOf(factory)).keys()].map(upperCase)
    return [...properties, ...properties.map((property) => `${upperCase(id)}__${property}`)]
  })
  return ['PROVIDER', 'ENABLED', ...below].map((word) => `${name}__${word}`)
}

function camelCase(word: string): string {
  return word
    .toLowerCase()
    .replace(/^[-_]+|[-_]+$/g, '')
    .replace(/[-_]+(.)/g, (_, letter: string) => letter.toUpperCase())
}

function upperCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/-/g, '_')
    .toUpperCase()
}

function shown(variable: string): string {
  return /^[\w-]{1,128}$/.test(variable) ? variable : quote(variable)
}
