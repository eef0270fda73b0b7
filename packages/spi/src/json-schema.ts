import type { StandardSchemaV1 } from './standard-schema.js'

type Json = Record<string, unknown>
type Mode = 'input' | 'output'

/** What valibot's schemas and actions are made of, as far as it is read here. */
interface Node {
  readonly kind: string
  readonly type: string
  readonly pipe?: readonly Node[]
  readonly requirement?: unknown
  readonly metadata?: Json
  readonly entries?: Readonly<Record<string, Node>>
  readonly options?: readonly unknown[]
  readonly item?: Node
  readonly key?: Node
  readonly value?: Node
  readonly wrapped?: Node
  readonly default?: unknown
}

/** A schema that can write itself down as JSON Schema, as standardschema.dev/json-schema has it. */
export interface DescribedSchema<Input = unknown, Output = Input> {
  readonly '~standard': StandardSchemaV1<Input, Output>['~standard'] & {
    readonly jsonSchema: Readonly<
      Record<'input' | 'output', (options: { readonly target: string }) => Record<string, unknown>>
    >
  }
}

const TARGET = 'draft-2020-12'
const DIALECT = 'https://json-schema.org/draft/2020-12/schema'

/**
 * Lets a valibot schema say what properties it takes: the registry reads the names of environment variables, "did you mean"
 * and secrets from that. It writes what configurations are made of (objects, records, arrays, unions, numbers, strings,
 * bounds, patterns); anything else is "any value". A schema with more than that is given to `@valibot/to-json-schema`, which writes the
 * same and is larger than all of valibot.
 */
export function describedSchema<Input, Output>(
  schema: StandardSchemaV1<Input, Output>,
): DescribedSchema<Input, Output> {
  const write =
    (mode: Mode) =>
    ({ target }: { readonly target: string }): Json => {
      if (target !== TARGET) throw new Error(`JSON Schema is written as ${TARGET}, not as ${target}`)
      return {
        ...written(schema as unknown as Node, mode),
        $schema: DIALECT,
      }
    }
  return {
    '~standard': { ...schema['~standard'], jsonSchema: { input: write('input'), output: write('output') } },
  }
}

function written(node: Node, mode: Mode): Json {
  if (node.pipe === undefined) return schemaOf(node, mode)
  const pipe = flat(node.pipe)
  const transform = pipe.findIndex(({ kind, type }, at) =>
    kind === 'transformation' ? type.endsWith('transform') : at > 0 && kind === 'schema',
  )
  const from = mode === 'input' ? 0 : pipe.findLastIndex(({ kind }) => kind === 'schema')
  const to = mode === 'input' && transform > 0 ? transform : pipe.length
  const found = schemaOf(pipe[from] as Node, mode)
  for (const action of pipe.slice(from + 1, to)) bound(found, action)
  return found
}

const flat = (pipe: readonly Node[]): Node[] => pipe.flatMap((node) => (node.pipe ? flat(node.pipe) : node))

function schemaOf(node: Node, mode: Mode): Json {
  const below = (child: unknown) => written(child as Node, mode)
  switch (node.type) {
    case 'string':
    case 'number':
    case 'boolean':
      return { type: node.type }
    case 'picklist':
      return { type: typeof node.options?.[0], enum: node.options }
    case 'array':
      return { type: 'array', items: below(node.item) }
    case 'record':
      return { type: 'object', propertyNames: below(node.key), additionalProperties: below(node.value) }
    case 'union':
      return { anyOf: node.options?.map(below) }
    case 'optional': {
      const { default: given } = node
      const value = typeof given === 'function' ? given() : given
      return { ...below(node.wrapped), ...(value !== undefined && { default: value }) }
    }
    case 'object':
    case 'strict_object': {
      const entries = Object.entries(node.entries ?? {})
      return {
        type: 'object',
        properties: Object.fromEntries(entries.map(([name, entry]) => [name, below(entry)])),
        required: entries.flatMap(([name, { type }]) => (type === 'optional' ? [] : [name])),
        ...(node.type === 'strict_object' && { additionalProperties: false }),
      }
    }
    default:
      return {}
  }
}

function bound(schema: Json, { type, requirement, metadata }: Node): void {
  const size = schema['type'] === 'array' ? 'Items' : 'Length'
  switch (type) {
    case 'integer':
      schema['type'] = 'integer'
      break
    case 'safe_integer':
      schema['type'] = 'integer'
      narrow(schema, 'minimum', Number.MIN_SAFE_INTEGER, Math.max)
      narrow(schema, 'maximum', Number.MAX_SAFE_INTEGER, Math.min)
      break
    case 'min_value':
      narrow(schema, 'minimum', requirement, Math.max)
      break
    case 'max_value':
      narrow(schema, 'maximum', requirement, Math.min)
      break
    case 'gt_value':
      narrow(schema, 'exclusiveMinimum', requirement, Math.max)
      break
    case 'min_length':
      narrow(schema, `min${size}`, requirement, Math.max)
      break
    case 'max_length':
      narrow(schema, `max${size}`, requirement, Math.min)
      break
    case 'regex':
      schema['pattern'] ??= (requirement as RegExp).source
      break
    case 'metadata':
      Object.assign(schema, metadata)
  }
}

/** Of two bounds the narrower one holds. */
function narrow(schema: Json, word: string, bound: unknown, narrower: (...bounds: number[]) => number): void {
  schema[word] = narrower(Number(schema[word] ?? bound), Number(bound))
}
