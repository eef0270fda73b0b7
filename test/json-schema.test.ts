// What our own writer makes of the schemas of our configurations is what valibot's makes of them.
import { describedSchema, type StandardSchemaV1 } from '@authstate/spi'
import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { root, trackedPaths } from './lib/tracked.js'

type Schema = v.GenericSchema & StandardSchemaV1

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'schema'

const schemas: [string, Schema][] = []
for (const file of trackedPaths.filter((path) => /^packages\/[^/]+\/src\/(config|options)\.ts$/.test(path))) {
  const module: Record<string, unknown> = await import(`${root}/${file}`)
  for (const [name, value] of Object.entries(module))
    if (isSchema(value)) schemas.push([`${name} of ${file}`, value])
}

const MADE: [string, Schema][] = [
  ['a default that is made', v.strictObject({ a: v.optional(v.array(v.string()), () => ['x']) })],
  [
    'bounds that are narrowed',
    v.pipe(v.number(), v.minValue(1), v.minValue(3), v.maxValue(9), v.maxValue(5)),
  ],
  ['a nested pipe', v.pipe(v.pipe(v.string(), v.minLength(2)), v.maxLength(4), v.regex(/^a/))],
  [
    'a number that becomes a text',
    v.pipe(v.number(), v.gtValue(1), v.transform(String), v.string(), v.minLength(3)),
  ],
  ['a record of objects', v.record(v.pipe(v.string(), v.minLength(1)), v.object({ b: v.boolean() }))],
  ['arrays with bounds', v.pipe(v.array(v.picklist(['a', 'b'])), v.minLength(1), v.maxLength(2))],
]

test('there are schemas to compare', () => expect(schemas.length).toBeGreaterThan(8))

describe.each([...schemas, ...MADE])('%s', (_, schema) => {
  test.each(['input', 'output'] as const)('as %s', (typeMode) => {
    const target = 'draft-2020-12'
    const ours = describedSchema(schema)['~standard'].jsonSchema[typeMode]({ target })
    expect(ours).toEqual(toJsonSchema(schema, { typeMode, target, errorMode: 'ignore' }))
  })
})

test('another draft is refused, as a writer of this standard has to', () => {
  const { input } = describedSchema(v.string() as Schema)['~standard'].jsonSchema
  expect(() => input({ target: 'draft-07' })).toThrow('not as draft-07')
})
