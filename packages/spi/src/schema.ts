import { isClosed, jsonSchemaOf, propertiesOf, schemaAt } from './json-schema.js'
import type { AnyProviderFactory } from './provider.js'
import { type Properties, valueAt, withValue } from './settings.js'
import type { StandardIssue, StandardResult } from './standard-schema.js'
import { knownNames, quote } from './suggest.js'

/** Properties that a schema accepted. */
export interface Accepted {
  /** What the schema made of them, for the factory. */
  readonly output: unknown
  /** As given, with texts of the environment in the type the schema wants. */
  readonly values: Readonly<Record<string, unknown>>
}

/** What zod and valibot say of an issue beyond the standard. Shapes are checked before use. */
interface DetailedIssue extends StandardIssue {
  readonly code?: unknown
  readonly expected?: unknown
  readonly keys?: unknown
  readonly errors?: unknown
}

const MISSING = ': missing'

type Values = Readonly<Record<string, unknown>>
type Path = readonly PropertyKey[]

/**
 * Checks the properties of one provider against its schema.
 *
 * Text from the environment says nothing of its type: where the schema refuses it and it reads as a number, as
 * `true` or as `false`, it is taken for that and the schema is asked once more. A password of digits stays text.
 *
 * @param complete `false`: what is missing is no mistake, for a provider that will not be started.
 * @returns `undefined` after adding to `mistakes`. Messages hold names and types, never the values given.
 */
export async function validateProperties(
  factory: AnyProviderFactory,
  properties: Properties,
  mistakes: string[],
  complete = true,
): Promise<Accepted | undefined> {
  const before = mistakes.length
  const values = withoutUnknown(factory, properties, mistakes)
  if (!factory.config) return mistakes.length === before ? { output: values, values } : undefined
  const owner = `${factory.spi.name} (provider ${quote(factory.id)})`
  try {
    const validate = async (input: Values): Promise<StandardResult<unknown>> =>
      (await factory.config?.['~standard'].validate(input)) as StandardResult<unknown>
    let accepted = values
    let result = await validate(values)
    if (result.issues) {
      const first = result.issues
      accepted = converted(values, properties, first)
      if (accepted !== values) result = await validate(accepted)
      const refused = result.issues?.map((issue) => plainest(issue, first)) ?? []
      const described = refused.flatMap((issue) => describeIssue(factory, properties, values, issue))
      mistakes.push(...described.filter((text) => complete || !text.includes(MISSING)))
    }
    if (!result.issues && mistakes.length === before) return { output: result.value, values: accepted }
  } catch {
    mistakes.push(`${properties.placeOf([])}: the schema of ${owner} failed on what is given here`)
  }
  return undefined
}

/** The values whose names the schema lists. Each other name is a mistake. */
function withoutUnknown(factory: AnyProviderFactory, properties: Properties, mistakes: string[]): Values {
  const schema = jsonSchemaOf(factory)
  if (factory.config && !isClosed(schema)) return properties.values
  const known = propertiesOf(schema)
  const entries = Object.entries(properties.values).filter(([name]) => {
    if (known.has(name)) return true
    mistakes.push(unknownProperty(factory, properties, [name], [...known.keys()]))
    return false
  })
  return Object.fromEntries(entries)
}

function converted(values: Values, properties: Properties, issues: readonly StandardIssue[]): Values {
  const refused = new Set(issues.flatMap((issue) => pathsOf(issue)).map(pathKey))
  let result = values
  for (const { path, value } of properties.texts) {
    if (refused.has(pathKey(path))) {
      const typed = typedText(value as string)
      if (typed !== undefined) result = withValue(result, path, typed)
    }
  }
  return result
}

function typedText(text: string): number | boolean | undefined {
  const trimmed = text.trim()
  if (/^(true|false)$/i.test(trimmed)) return trimmed.toLowerCase() === 'true'
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)) return undefined
  const number = Number(trimmed)
  return Number.isFinite(number) ? number : undefined
}

/** The paths an issue is about; for a union also those its branches complain of. */
function pathsOf(issue: DetailedIssue, above: Path = []): Path[] {
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

function pathKey(path: Path): string {
  return JSON.stringify(path.map(String))
}

/** Of two complaints about one path the first, when the second only says that our guess at the type was wrong. */
function plainest(issue: DetailedIssue, first: readonly StandardIssue[]): DetailedIssue {
  if (issue.expected === undefined) return issue
  const key = pathKey(pathOf(issue))
  return first.find((other) => pathKey(pathOf(other)) === key) ?? issue
}

function describeIssue(
  factory: AnyProviderFactory,
  properties: Properties,
  values: Values,
  issue: DetailedIssue,
): string[] {
  const path = pathOf(issue)
  const branches = branchesOf(issue)
  if (branches.length > 0) {
    const alternatives = branches.flatMap((branch) => (branch.length === 1 ? [branch[0]?.expected] : []))
    const shallow = branches.every((branch) => branch.every((below) => pathOf(below).length === 0))
    if (
      shallow &&
      alternatives.length === branches.length &&
      alternatives.every((name) => typeof name === 'string')
    ) {
      return describeIssue(factory, properties, values, {
        message: '',
        path,
        expected: alternatives.join(' or '),
      })
    }
    // The branch with the fewest complaints is the one that was probably meant.
    const [closest = []] = branches.sort((a, b) => a.length - b.length)
    return closest.flatMap((below) =>
      describeIssue(factory, properties, values, { ...below, path: [...path, ...pathOf(below)] }),
    )
  }
  if (Array.isArray(issue.keys) && issue.code === 'unrecognized_keys') {
    const known = [...propertiesOf(schemaAt(jsonSchemaOf(factory), path)).keys()]
    return issue.keys.map((name) =>
      unknownProperty(factory, properties, [...path.map(String), String(name)], known),
    )
  }
  const place = properties.placeOf(path.map(String))
  const expected = typeof issue.expected === 'string' ? `expected ${issue.expected}` : ''
  const given = valueAt(values, path)
  if (given === undefined && path.length > 0) return [`${place}${MISSING}${expected && `, ${expected}`}`]
  return [`${place}: ${expected || withoutValues(issue.message, given, values)}`]
}

function unknownProperty(
  factory: AnyProviderFactory,
  properties: Properties,
  path: readonly string[],
  known: readonly string[],
): string {
  const name = path.at(-1) ?? ''
  const owner = `${factory.spi.name} (provider ${quote(factory.id)})`
  return `${properties.placeOf(path)}: ${owner} has no property ${quote(name)}. ${knownNames(name, known)}`
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
  if (typeof value === 'object' && value !== null) {
    if (seen.has(value)) return []
    seen.add(value)
    return Object.values(value).flatMap((item) => leaves(item, seen))
  }
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value) ? [String(value)] : []
}
