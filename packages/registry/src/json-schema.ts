import type { AnyProviderFactory } from '@authstate/spi'
import { isPlainObject } from '@authstate/spi/internal'

/** A schema as JSON Schema (draft 2020-12), as far as it can tell. */
export type JsonSchema = Readonly<Record<string, unknown>>

const asked = new WeakMap<object, JsonSchema | undefined>()

/** The schema of a factory's properties, where its library can write it down. */
export function jsonSchemaOf(factory: AnyProviderFactory): JsonSchema | undefined {
  const schema = factory.config
  if (!schema) return undefined
  if (!asked.has(schema)) asked.set(schema, ask(schema['~standard']))
  return asked.get(schema)
}

/** The properties a schema lists, by name; of a union those of all its branches. */
export function propertiesOf(schema: JsonSchema | undefined): ReadonlyMap<string, JsonSchema> {
  const found = new Map<string, JsonSchema>()
  for (const branch of branchesOf(schema)) {
    for (const [name, property] of propertiesOf(branch)) found.set(name, property)
  }
  const listed = schema?.['properties']
  if (isPlainObject(listed)) {
    for (const [name, property] of Object.entries(listed))
      found.set(name, isPlainObject(property) ? property : {})
  }
  return found
}

/** Whether a schema takes no properties but those it lists. Without a list nothing can be said, so it does not. */
export function isClosed(schema: JsonSchema | undefined): boolean {
  if (!schema || '$ref' in schema || schema['additionalProperties'] || schema['patternProperties'])
    return false
  const branches = branchesOf(schema)
  return branches.length > 0 ? branches.every(isClosed) : 'properties' in schema
}

/** The schema at a path of properties. */
export function schemaAt(
  schema: JsonSchema | undefined,
  path: readonly PropertyKey[],
): JsonSchema | undefined {
  let found = schema
  for (const name of path) found = propertiesOf(found).get(String(name))
  return found
}

/** Whether a schema takes numbers and texts: text there is a number that is written another way, such as a span. */
export const takesNumbersAndTexts = (schema: JsonSchema | undefined): boolean => {
  const types = branchesOf(schema).map(({ type }) => type)
  return types.includes('number') && types.includes('string')
}

function branchesOf(schema: JsonSchema | undefined): JsonSchema[] {
  return ['anyOf', 'oneOf', 'allOf'].flatMap((word) => {
    const branches = schema?.[word]
    return Array.isArray(branches) ? branches.filter(isPlainObject) : []
  })
}

// Standard JSON Schema, which not every Standard Schema has. What cannot be written down (a client object, a
// function) becomes "anything" instead of an error.
function ask(standard: object): JsonSchema | undefined {
  const writer = (standard as { jsonSchema?: { input?: (options: object) => unknown } }).jsonSchema
  try {
    const written = writer?.input?.({
      target: 'draft-2020-12',
      libraryOptions: { unrepresentable: 'any', errorMode: 'ignore' },
    })
    return isPlainObject(written) ? written : undefined
  } catch {
    return undefined
  }
}
