import { isPlainObject } from './plain.js'
import type { AnyProviderFactory } from './provider.js'

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

/** Properties by name; `undefined` when the schema does not list them or takes others as well. */
export function propertiesOf(schema: JsonSchema | undefined): ReadonlyMap<string, JsonSchema> | undefined {
  if (!schema || '$ref' in schema) return undefined
  if (schema['additionalProperties'] || schema['patternProperties']) return undefined
  const found = new Map<string, JsonSchema>()
  const listed = schema['properties']
  if (isPlainObject(listed)) {
    for (const [name, property] of Object.entries(listed))
      found.set(name, isPlainObject(property) ? property : {})
  }
  const branches = ['anyOf', 'oneOf', 'allOf'].flatMap(
    (word) => (schema[word] as JsonSchema[] | undefined) ?? [],
  )
  for (const branch of branches) {
    const properties = propertiesOf(branch)
    if (!properties) return undefined
    for (const [name, property] of properties) if (!found.has(name)) found.set(name, property)
  }
  return listed || branches.length > 0 ? found : undefined
}

/** The schema at a path of properties. */
export function schemaAt(
  schema: JsonSchema | undefined,
  path: readonly PropertyKey[],
): JsonSchema | undefined {
  let found = schema
  for (const name of path) found = propertiesOf(found)?.get(String(name))
  return found
}

// Standard JSON Schema, which not every Standard Schema has. What can not be written down (a client object, a
// function) becomes "anything" instead of an error.
function ask(standard: object): JsonSchema | undefined {
  const writer = (standard as { jsonSchema?: { input?: (options: object) => unknown } }).jsonSchema
  try {
    const written = writer?.input?.({ target: 'draft-2020-12', libraryOptions: { unrepresentable: 'any' } })
    return isPlainObject(written) ? written : undefined
  } catch {
    return undefined
  }
}
