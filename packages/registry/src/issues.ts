import type { AnyProviderFactory, StandardIssue } from '@authstate/spi'
import { isPlainObject, knownNames, quote } from '@authstate/spi/internal'
import { isClosed, jsonSchemaOf, propertiesOf, schemaAt, takesNumbersAndTexts } from './json-schema.js'
import { type Properties, valueAt } from './settings.js'

/** Whose properties a schema complains of. */
export interface Subject {
  readonly factory: AnyProviderFactory
  readonly properties: Properties
  /** What the schema was given. */
  readonly values: Values
}

export type Values = Readonly<Record<string, unknown>>
export type Path = readonly PropertyKey[]

/** What zod and valibot say of an issue beyond the standard. Shapes are checked before use. */
export interface DetailedIssue extends StandardIssue {
  readonly code?: unknown
  readonly kind?: unknown
  readonly type?: unknown
  readonly expected?: unknown
  readonly keys?: unknown
  readonly errors?: unknown
}

const SPAN = "expected a number of milliseconds, or a span such as '500ms', '30s', '5m', '12h' or '7d'"

/** What is wrong, each with its place. Names and types, never a value; what is missing only if that matters. */
export function describeIssue(subject: Subject, issue: DetailedIssue, missingMatters: boolean): string[] {
  const path = pathOf(issue)
  const branches = branchesOf(issue)
  if (branches.length > 0) {
    const below = nearestBranch(branches).map((found) => ({ ...found, path: [...path, ...pathOf(found)] }))
    return below.flatMap((found) => describeIssue(subject, found, missingMatters))
  }
  if (Array.isArray(issue.keys) && issue.code === 'unrecognized_keys') {
    const known = [...propertiesOf(schemaAt(jsonSchemaOf(subject.factory), path)).keys()]
    return issue.keys.map((name) => unknownProperty(subject, [...path.map(String), String(name)], known))
  }
  const place = subject.properties.placeOf(path.map(String))
  const given = valueAt(subject.values, path)
  // valibot: a name that is not listed should never be there, and one that is missing is "expected" by its quoted name.
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const known = [...propertiesOf(schemaAt(jsonSchemaOf(subject.factory), path.slice(0, -1))).keys()]
    return [unknownProperty(subject, path.map(String), known)]
  }
  const isSpan =
    typeof given === 'string' &&
    issue.expected === 'number' &&
    String(path.at(-1)).endsWith('Ms') &&
    takesNumbersAndTexts(schemaAt(jsonSchemaOf(subject.factory), path))
  const problem = isSpan ? SPAN : (problemOf(issue) ?? withoutValues(issue.message, given, subject.values))
  if (given !== undefined || path.length === 0) return [`${place}: ${problem}`]
  if (!missingMatters) return []
  const { type } = schemaAt(jsonSchemaOf(subject.factory), path) ?? {}
  const wanted = issue.type === 'strict_object' || issue.type === 'object'
  return [
    wanted
      ? `${place}: missing${typeof type === 'string' ? `, expected ${type}` : ''}`
      : `${place}: missing, ${problem}`,
  ]
}

/** The type that was expected, unless the schema has words of its own. valibot says "Invalid …" where it has none. */
function problemOf({ expected, kind, message }: DetailedIssue): string | undefined {
  if (typeof expected !== 'string' || (typeof kind === 'string' && !message.startsWith('Invalid ')))
    return undefined
  // valibot: ("x" | "y")
  return `expected ${expected.replace(/^\((.*)\)$/, '$1').replaceAll(' | ', ' or ')}`
}

/** Of a union's branches the one that was probably meant; types alone are put together into one complaint. */
function nearestBranch(branches: readonly DetailedIssue[][]): readonly DetailedIssue[] {
  const types = branches.map(([only, ...others]) => {
    return only && others.length === 0 && pathOf(only).length === 0 ? only.expected : undefined
  })
  if (types.every((type) => typeof type === 'string')) return [{ message: '', expected: types.join(' or ') }]
  return branches.reduce((nearest, branch) => (branch.length < nearest.length ? branch : nearest))
}

/** Of two complaints about one path the first, when the second only says that our guess at the type was wrong. */
export function plainest(issue: DetailedIssue, first: readonly StandardIssue[]): DetailedIssue {
  if (issue.expected === undefined) return issue
  const key = pathKey(pathOf(issue))
  return first.find((other) => pathKey(pathOf(other)) === key) ?? issue
}

/** A name that is none of the `known` ones. */
export function unknownProperty(
  { factory, properties }: Subject,
  path: readonly string[],
  known: readonly string[],
): string {
  const name = path.at(-1) ?? ''
  const owner = `${factory.spi.name} (provider ${quote(factory.id)})`
  return `${properties.placeOf(path)}: ${owner} has no property ${quote(name)}. ${knownNames(name, known)}`
}

/** A name that every object has, which some schemas take for a known one. */
export function inheritedName(subject: Subject, path: readonly string[]): string {
  const above = schemaAt(jsonSchemaOf(subject.factory), path.slice(0, -1))
  const known = isClosed(above) ? [...propertiesOf(above).keys()] : []
  return unknownProperty(subject, path, known)
}

/** The paths an issue is about; for a union also those its branches complain of. */
export function pathsOf(issue: DetailedIssue, above: Path = []): Path[] {
  const path = [...above, ...pathOf(issue)]
  return [path, ...branchesOf(issue).flatMap((branch) => branch.flatMap((below) => pathsOf(below, path)))]
}

/** What each branch of a union has to say. */
function branchesOf(issue: DetailedIssue): DetailedIssue[][] {
  return Array.isArray(issue.errors)
    ? issue.errors.filter((branch) => Array.isArray(branch) && branch.length > 0)
    : []
}

function pathOf(issue: StandardIssue): Path {
  return (issue.path ?? []).map((step) => (typeof step === 'object' ? step.key : step))
}

/** A path as text, to compare by. */
export function pathKey(path: Path): string {
  return JSON.stringify(path.map(String))
}

/** Some libraries quote in their messages what they refused, or something beside it. */
function withoutValues(message: string, given: unknown, values: Values): string {
  const texts = new Set([...leaves(given), ...leaves(values).filter((text) => text.length >= 6)])
  const longestFirst = [...texts].filter((text) => text !== '').sort((a, b) => b.length - a.length)
  return longestFirst.reduce((result, text) => {
    if (text.length >= 6)
      return result.replaceAll(text, '***').replaceAll(JSON.stringify(text).slice(1, -1), '***')
    return result.replace(
      new RegExp(`(?<!\\w)${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?!\\w)`, 'g'),
      '***',
    )
  }, message)
}

function leaves(value: unknown, seen = new Set<unknown>()): string[] {
  if (isPlainObject(value) || Array.isArray(value)) {
    if (seen.has(value)) return []
    seen.add(value)
    return Object.values(value).flatMap((item) => leaves(item, seen))
  }
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value) ? [String(value)] : []
}
