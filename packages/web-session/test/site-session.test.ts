// What sites hold together of a session is a join: order, repetition and loss on the way do not matter. Lua and TypeScript join alike.
import { connect, defineScript, type RedisConnection } from '@authstate/redis'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { siteSnippets } from '../src/redis/site-scripts.js'
import { joinShared, type SharedContent, type SharedSession } from '../src/site-session.js'

const stamp = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom('a', 'b', 'b-1'))
  .map(([number, site]) => `${String(number).padStart(15, '0')}${site}`)
const instant = fc.integer({ min: 1, max: 7 }).map(String)
const generation = fc.constantFrom('', 'g', '__proto__')
const content: fc.Arbitrary<SharedContent> = fc
  .record({
    b: stamp,
    k: instant,
    x: fc.tuple(stamp, instant),
    s: fc.tuple(stamp, fc.constantFrom('p1', 'p2')),
    n: fc.dictionary(fc.constantFrom('a', 'b', 'b-1'), instant, { noNullPrototype: true }),
    u: fc.tuple(stamp, fc.constantFrom('', 'alice', '%3aé'), fc.constantFrom('', 'p1')),
    a: fc.tuple(stamp, fc.constantFrom('', 'uid')),
    l: fc.tuple(stamp, fc.constantFrom('', 'sid{1}')),
    f: fc.dictionary(
      fc.constantFrom('"x"', '"é"', '__proto__'),
      fc.tuple(stamp, fc.constantFrom('-', '=1', '="y"')),
      { noNullPrototype: true },
    ),
  })
  // A birth is of one generation, and of one moment.
  .map((given) => ({ ...given, g: ['', 'g', '__proto__'][Number(given.b[14]) % 3] as string, t: given.b }))

/** A state that a site may hold. */
const state: fc.Arbitrary<SharedSession> = fc
  .record(
    { d: stamp, m: fc.dictionary(generation, instant, { maxKeys: 2, noNullPrototype: true }), c: content },
    { requiredKeys: ['c'] },
  )
  .map((given) => joinShared(given, given) as SharedSession)

describe('what sites hold of a session', () => {
  test('is the same in whatever order they meet', () => {
    fc.assert(
      fc.property(state, state, state, (a, b, c) => {
        expect(joinShared(a, b)).toEqual(joinShared(b, a))
        expect(joinShared(joinShared(a, b), c)).toEqual(joinShared(a, joinShared(b, c)))
      }),
      { numRuns: 1_000 },
    )
  })

  test('is the same however often they meet', () => {
    fc.assert(
      fc.property(state, state, (a, b) => {
        expect([joinShared(a, a), joinShared(a, undefined), joinShared(undefined, a)]).toEqual([a, a, a])
        expect(joinShared(joinShared(a, b), b)).toEqual(joinShared(a, b))
      }),
      { numRuns: 300 },
    )
  })

  test('has each name as it was written last, the later session, and none whose generation was ended', () => {
    const c = (birth: number, f: SharedContent['f'] = {}): SharedContent => {
      const b = `${birth}`.padStart(15, '0')
      const [u, a, l] = [[b, '', ''] as const, [b, ''] as const, [b, ''] as const]
      return { b, g: '', t: b, x: [b, '9'], s: [b, 'p'], n: { a: '1' }, u, a, l, f }
    }
    const joined = joinShared({ c: c(1, { x: ['1', '=1'], y: ['4', '-'] }) }, { c: c(1, { y: ['3', '=2'] }) })
    expect(joined?.c?.f).toEqual({ x: ['1', '=1'], y: ['4', '-'] })
    expect(joinShared({ c: c(1) }, { c: c(2) })).toEqual({ c: c(2), d: c(1).b })
    expect(joinShared({ c: c(2) }, { m: { '': '2' } })).toEqual({ d: c(2).b, m: { '': '2' } })
    expect(joinShared({ c: c(3) }, { m: { '': '2' } })).toEqual({ c: c(3), m: { '': '2' } })
  })
})

describeWith(redis, 'the Lua of a join of sessions', () => {
  const client = openRedis()
  const prefix = `site-session-${process.pid}`
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
-- include: shared
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
    decode: (reply) => JSON.parse(reply as string) as SharedSession[],
  })

  test('answers what the TypeScript does', async () => {
    const pairs = fc.sample(fc.tuple(state, state), 500)
    const keys = { layout: connection.keys.shared('layout') }
    const answers = await connection.run(inLua, keys, { pairs: JSON.stringify(pairs) })
    expect(answers).toEqual(pairs.map(([a, b]) => joinShared(a, b)))
  })
})
