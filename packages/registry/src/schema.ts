import type { AnyProviderFactory, StandardIssue, StandardResult } from '@authstate/spi'
import { inheritedNames, quote } from '@authstate/spi/internal'
import {
  describeIssue,
  inheritedName,
  pathKey,
  pathsOf,
  plainest,
  unknownProperty,
  type Values,
} from './issues.js'
import { isClosed, jsonSchemaOf, propertiesOf } from './json-schema.js'
import { type Properties, withValue } from './settings.js'

/** Properties that a schema accepted. */
export interface Accepted {
  /** What the schema made of them, for the factory. */
  readonly output: unknown
  /** As given, with texts of the environment in the type the schema wants. */
  readonly values: Readonly<Record<string, unknown>>
}

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
  for (const path of inheritedNames(values))
    mistakes.push(inheritedName({ factory, properties, values }, path))
  if (!factory.config) return mistakes.length === before ? { output: values, values } : undefined
  const subject = { factory, properties, values }
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
      mistakes.push(...refused.flatMap((issue) => describeIssue(subject, issue, complete)))
    }
    if (!result.issues && mistakes.length === before) return { output: result.value, values: accepted }
  } catch {
    mistakes.push(
      `${properties.placeOf([])}: the schema of ${factory.spi.name} (provider ${quote(factory.id)}) failed on what is given here`,
    )
  }
  return undefined
}

/**
 * The properties that the schema refuses as they are given, by name: unknown ones and those of another type.
 *
 * A schema that answers with a promise is not waited for.
 */
export function refusedProperties(factory: AnyProviderFactory, properties: Properties): ReadonlySet<string> {
  const known = withoutUnknown(factory, properties, [])
  const refused = new Set(Object.keys(properties.values).filter((name) => !Object.hasOwn(known, name)))
  const validate = (values: Values): readonly StandardIssue[] => {
    const result = factory.config?.['~standard'].validate(values)
    if (!(result instanceof Promise)) return result?.issues ?? []
    result.catch(() => {})
    return []
  }
  try {
    let issues = validate(known)
    if (issues.length > 0) issues = validate(converted(known, properties, issues))
    for (const path of issues.flatMap((issue) => pathsOf(issue))) {
      if (path[0] !== undefined) refused.add(String(path[0]))
    }
  } catch {
    for (const name of Object.keys(known)) refused.add(name)
  }
  return refused
}

/** The values whose names the schema lists. Each other name is a mistake, and a list where the schema wants names. */
function withoutUnknown(factory: AnyProviderFactory, properties: Properties, mistakes: string[]): Values {
  const schema = jsonSchemaOf(factory)
  if (factory.config && !isClosed(schema)) return properties.values
  const known = propertiesOf(schema)
  const entries = Object.entries(properties.values).filter(([name, value]) => {
    // Some libraries take a list for a section without entries.
    if (Array.isArray(value) && known.get(name)?.['type'] === 'object') {
      mistakes.push(`${properties.placeOf([name])}: expected an object with names, got a list`)
      return false
    }
    if (known.has(name)) return true
    mistakes.push(
      unknownProperty({ factory, properties, values: properties.values }, [name], [...known.keys()]),
    )
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
