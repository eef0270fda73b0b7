// What sites hold together of failures is a join: order, repetition and loss on the way do not matter. Lua and TypeScript join alike.
import { connect, defineScript, type RedisConnection } from '@authstate/redis'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { siteSnippets } from '../src/redis/site-scripts.js'
import { joinFailures as join, type SharedFailures } from '../src/shared-failures.js'

const stamp = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom('a', 'b', 'b-1'))
  .map(([number, site]) => `${String(number).padStart(15, '0')}${site}`)
const few = fc.integer({ min: 0, max: 4 })
const state: fc.Arbitrary<SharedFailures> = fc.record({
  g: fc.oneof(fc.constant(''), stamp),
  f: fc.dictionary(fc.constantFrom('a', 'b', 'b-1'), fc.tuple(few, few), { noNullPrototype: true }),
  t: few,
  u: few,
  p: few,
  w: fc.constantFrom('', '1failures', '2failures', '2quick-login'),
  l: few,
  i: fc.constantFrom('', '203.0.113.7', '203.0.113.8'),
  x: few,
  q: fc.constantFrom('', '5 0', '6 0'),
})

describe('what sites hold of failures', () => {
  test('is the same in whatever order they meet', () => {
    fc.assert(
      fc.property(state, state, state, (a, b, c) => {
        expect(join(a, b)).toEqual(join(b, a))
        expect(join(join(a, b), c)).toEqual(join(a, join(b, c)))
      }),
      { numRuns: 500 },
    )
  })

  test('is the same however often they meet', () => {
    fc.assert(
      fc.property(state, state, (a, b) => {
        expect([join(a, a), join(a, undefined), join(undefined, a)]).toEqual([a, a, a])
        expect(join(join(a, b), b)).toEqual(join(a, b))
      }),
      { numRuns: 200 },
    )
  })
})

describeWith(redis, 'the Lua of a join of failures', () => {
  const client = openRedis()
  const prefix = `shared-failures-${process.pid}`
  let connection: RedisConnection
  beforeAll(async () => {
    connection = await connect({ client, prefix })
  })
  afterAll(async () => {
    await connection?.close()
    await client.del(`${prefix}:layout`, `${prefix}:clock`)
    client.disconnect()
  })
  const inLua = defineScript({
    name: 'test.join',
    lua: `
-- include: never, longest, record, follows, shared
local answer = {}
for i, pair in ipairs(cjson.decode(ARGV[1])) do
  answer[i] = joined_of(pair[1], pair[2])
end
return cjson.encode(answer)`,
    include: siteSnippets,
    record: 'test',
    change: 'none',
    keys: ['layout'],
    args: ['pairs'],
    decode: (reply) => JSON.parse(reply as string) as SharedFailures[],
  })

  test('answers what the TypeScript does', async () => {
    const pairs = fc.sample(fc.tuple(state, state), 500)
    const keys = { layout: connection.keys.shared('layout') }
    const answers = await connection.run(inLua, keys, { pairs: JSON.stringify(pairs) })
    expect(answers).toEqual(pairs.map(([a, b]) => join(a, b)))
  })
})
