// What sites hold together is a join: order, repetition and loss on the way do not matter. Lua and TypeScript join alike.
import { connect, defineScript, type RedisConnection } from '@authstate/redis'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { snippets } from '../src/redis/snippets.js'
import { joinShared, type SharedContent, type SharedToken, type SharedUse } from '../src/shared-token.js'

const stamp = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom('a', 'b', 'b-1'))
  .map(([number, site]) => `${String(number).padStart(15, '0')}${site}`)
const instant = fc.integer({ min: 10, max: 13 }).map(String)
const content: fc.Arbitrary<SharedContent> = fc.tuple(
  stamp,
  stamp,
  instant,
  fc.constantFrom('', 'grant'),
  fc.constantFrom('', 'alice', '%3aé'),
  fc.constantFrom('{}', '{"n":1}'),
)
const use: fc.Arbitrary<SharedUse> = fc.tuple(stamp, instant, fc.constantFrom('5::x::', '7:::s:'))
const uses = fc.dictionary(fc.constantFrom('=x', '~1a', '__proto__'), use, {
  maxKeys: 3,
  noNullPrototype: true,
})

/** A state that a site may hold: what was redeemed was there, and nothing is older than its removal. */
const state: fc.Arbitrary<SharedToken> = fc
  .record({ d: stamp, e: instant, c: content, u: uses }, { requiredKeys: ['c'] })
  .map(({ d, e, c, u }) => {
    const born =
      u &&
      Object.fromEntries(
        Object.entries(u).map(([id, [birth, ...rest]]) => [
          id,
          [[birth, c[0]].sort()[0] as string, ...rest] as const,
        ]),
      )
    const whole = { c, ...(d && e && { d, e }), ...(born && Object.keys(born).length > 0 && { u: born }) }
    return joinShared(whole, whole) as SharedToken
  })

describe('what sites hold of a token', () => {
  test('is the same in whatever order they meet', () => {
    fc.assert(
      fc.property(state, state, state, (a, b, c) => {
        expect(joinShared(a, b)).toEqual(joinShared(b, a))
        expect(joinShared(joinShared(a, b), c)).toEqual(joinShared(a, joinShared(b, c)))
      }),
      { numRuns: 400 },
    )
  })

  test('is the same however often they meet', () => {
    fc.assert(
      fc.property(state, state, (a, b) => {
        expect([joinShared(a, a), joinShared(a, undefined), joinShared(undefined, a)]).toEqual([a, a, a])
        expect(joinShared(joinShared(a, b), b)).toEqual(joinShared(a, b))
      }),
      { numRuns: 200 },
    )
  })

  test('was redeemed wherever it was, is gone where it was removed, and lives again where it was stored anew', () => {
    const c = (birth: number): SharedContent => [`00${birth}a`, `00${birth}a`, '9', '', '', '{}']
    const u = { '=x': ['001a', '9', '5::x::'] } as const
    expect(joinShared({ c: c(1), u }, { c: c(4) })).toEqual({ c: c(4), u })
    expect(joinShared({ c: c(1), u }, { d: '003a', e: '9' })).toEqual({ d: '003a', e: '9' })
    expect(joinShared({ c: c(1), u }, { d: '003a', e: '9', c: c(4) })).toEqual({ d: '003a', e: '9', c: c(4) })
    const twice = joinShared({ c: c(1), u }, { c: c(1), u: { '=y': ['001a', '9', '6::y::'] } })
    expect(Object.keys(twice?.u ?? {})).toEqual(['=x', '=y'])
  })
})

describeWith(redis, 'the Lua of a join', () => {
  const client = openRedis()
  let connection: RedisConnection
  beforeAll(async () => {
    connection = await connect({ client, prefix: `shared-token-${process.pid}` })
  })
  afterAll(async () => {
    await connection?.close()
    await client.del(`shared-token-${process.pid}:layout`, `shared-token-${process.pid}:clock`)
    client.disconnect()
  })
  const inLua = defineScript({
    name: 'test.join',
    lua: `
-- include: shared
local answer = {}
for i, pair in ipairs(cjson.decode(ARGV[1])) do
  answer[i] = joined_of(pair[1], pair[2])
end
return cjson.encode(answer)`,
    include: snippets,
    record: 'test',
    change: 'none',
    keys: ['layout'],
    args: ['pairs'],
    decode: (reply) => JSON.parse(reply as string) as SharedToken[],
  })

  test('answers what the TypeScript does', async () => {
    const pairs = fc.sample(fc.tuple(state, state), 500)
    const keys = { layout: connection.keys.shared('layout') }
    const answers = await connection.run(inLua, keys, { pairs: JSON.stringify(pairs) })
    expect(answers).toEqual(pairs.map(([a, b]) => joinShared(a, b)))
  })
})
