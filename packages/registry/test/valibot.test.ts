import { toStandardJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { factory, mistakesOf, redis } from './support.js'

const CANARY = 'hunter2-canary'

const config = toStandardJsonSchema(
  v.strictObject({
    url: v.pipe(v.string(), v.regex(/^redis:/, 'must be an address')),
    mode: v.optional(v.picklist(['one', 'many']), 'one'),
    db: v.optional(v.pipe(v.number(), v.minValue(0))),
    either: v.optional(v.union([v.boolean(), v.number()])),
    tls: v.optional(v.strictObject({ ca: v.string(), cert: v.optional(v.string()) })),
  }),
)

/** What the start says of these properties, one line for each mistake. */
const refused = async (properties: Record<string, unknown>): Promise<string> =>
  mistakesOf({ factories: [factory(redis, 'redis', { config })], config: { redis: properties } })

test.each([
  [
    'a name on top',
    { url: 'redis://a', ulr: 'x' },
    /redis\.ulr: .* has no property 'ulr'.*Did you mean 'url'\?/,
  ],
  [
    'a name below',
    { url: 'redis://a', tls: { ca: 'x', crt: 'y' } },
    /redis\.tls\.crt: .*Did you mean 'cert'\?/,
  ],
  ['what is missing', {}, /^redis\.url: missing, expected string$/],
  ['what is missing below', { url: 'redis://a', tls: {} }, /^redis\.tls\.ca: missing, expected string$/],
  ['a type', { url: 7 }, /^redis\.url: expected string$/],
  ['one of several texts', { url: 'redis://a', mode: CANARY }, /^redis\.mode: expected "one" or "many"$/],
  [
    'one of several types',
    { url: 'redis://a', either: CANARY },
    /^redis\.either: expected boolean or number$/,
  ],
  ['a bound', { url: 'redis://a', db: -1 }, /^redis\.db: expected >=0$/],
  ['words of the schema', { url: CANARY }, /^redis\.url: must be an address$/],
  [
    'a list for a section',
    { url: 'redis://a', tls: [] },
    /^redis\.tls: expected an object with names, got a list$/,
  ],
])(
  'a schema of valibot refuses %s by its place, and never says the value',
  async (_, properties, message) => {
    const said = await refused(properties)
    expect(said).toMatch(message)
    expect(said).not.toContain(CANARY)
  },
)
