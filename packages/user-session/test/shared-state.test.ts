// What sites hold together is a join: order, repetition and loss on the way do not matter. Lua and TypeScript join alike.
import { connect, defineScript, type RedisConnection } from '@authstate/redis'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { snippets } from '../src/redis/snippets.js'
import { joinShared, type SharedClient, type SharedSession, type Stamped } from '../src/shared-state.js'

const stamp = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom('a', 'b', 'b-1'))
  .map(([number, site]) => `${String(number).padStart(15, '0')}${site}`)
const instant = fc.integer({ min: 1, max: 12 }).map(String)
const stamped = (value: fc.Arbitrary<string>): fc.Arbitrary<Stamped> => fc.tuple(stamp, value)
const parts = (names: readonly string[], value: fc.Arbitrary<string>) =>
  fc.dictionary(fc.constantFrom(...names), stamped(value), { maxKeys: names.length, noNullPrototype: true })
const note = fc.constantFrom('-', 's1', 's2', 's\u00e9')
const client: fc.Arbitrary<SharedClient> = fc.oneof(
  fc.tuple(stamp, fc.constant('-')),
  fc.tuple(stamp, instant, instant, instant, parts(['d', 'n:x'], note)),
)
const tokens = fc.record({
  'f:app:f': stamped(fc.constantFrom('-', '1:5:a:b:', '2:5:a:c:', '0:7:::')),
  'g:app': stamped(fc.oneof(fc.constant('-'), instant)),
})

/** Fewer than are remembered: of those that came before, sites may have heard of different ones. */
const uses = fc
  .subarray(
    [
      '000000000000001:0:5:a:b',
      '000000000000002:0:5:a:c',
      '000000000000002:0:5:c:d',
      '000000000000003:0:5:a:s\u00e9',
    ],
    {
      minLength: 1,
    },
  )
  .map((some) => [...some].reverse())

/** A state that a site may hold. */
const stateOf = (revives: boolean): fc.Arbitrary<SharedSession> =>
  fc
    .record(
      {
        d: stamp,
        g: stamped(fc.constantFrom('one', 'two')),
        k: instant,
        r: instant,
        x: instant,
        n: parts(['s', 'n:a', 'n:__proto__'], note),
        c: fc.dictionary(fc.constantFrom('app', 'web', '__proto__'), client, { noNullPrototype: true }),
        f: tokens,
        u: fc.record({ 'f:app:f': uses }, { requiredKeys: [] }),
      },
      { requiredKeys: ['g', 'r', 'x', 'n', 'c', 'f', 'u'] },
    )
    .map((state) => joinShared(state, state, revives) as SharedSession)

describe.each([
  ['an online session', false],
  ['an offline session', true],
])('what sites hold of %s', (_, revives) => {
  const state = stateOf(revives)
  const join = (a: SharedSession | undefined, b: SharedSession | undefined) => joinShared(a, b, revives)

  test('is the same in whatever order they meet', () => {
    fc.assert(
      fc.property(state, state, state, (a, b, c) => {
        expect(join(a, b)).toEqual(join(b, a))
        expect(join(join(a, b), c)).toEqual(join(a, join(b, c)))
      }),
      { numRuns: 250 },
    )
  })

  test('is the same however often they meet', () => {
    fc.assert(
      fc.property(state, state, (a, b) => {
        expect([join(a, a), join(a, undefined), join(undefined, a)]).toEqual([a, a, a])
        expect(join(join(a, b), b)).toEqual(join(a, b))
      }),
      { numRuns: 100 },
    )
  })
})

test('a removal absorbs an online session, and of an offline one what was begun before it', () => {
  const alive = (number: number): SharedSession => ({ g: [`00${number}a`, 'one'], r: '1', x: '2', n: {} })
  expect(joinShared({ d: '002a' }, alive(9), false)).toEqual({ d: '002a' })
  expect(joinShared({ d: '002a' }, alive(1), true)).toEqual({ d: '002a' })
  expect(joinShared({ d: '002a' }, alive(9), true)).toEqual({ d: '002a', ...alive(9) })
})

describeWith(redis, 'the Lua of a join', () => {
  const client = openRedis()
  let connection: RedisConnection
  beforeAll(async () => {
    connection = await connect({ client, prefix: `shared-state-${process.pid}` })
  })
  afterAll(async () => {
    await connection?.close()
    await client.del(`shared-state-${process.pid}:layout`, `shared-state-${process.pid}:clock`)
    client.disconnect()
  })
  const inLua = defineScript({
    name: 'test.join',
    lua: `
-- include: follows, shared
local answer = {}
for i, pair in ipairs(cjson.decode(ARGV[1])) do
  answer[i] = joined_of(pair[1], pair[2], ARGV[2] == '1')
end
return cjson.encode(answer)`,
    include: snippets,
    record: 'test',
    change: 'none',
    keys: ['layout'],
    args: ['pairs', 'revives'],
    decode: (reply) => JSON.parse(reply as string) as SharedSession[],
  })

  test('answers what the TypeScript does', async () => {
    for (const revives of [false, true]) {
      const state = stateOf(revives)
      const pairs = fc.sample(fc.tuple(state, state), 400)
      const answers = await connection.run(
        inLua,
        { layout: connection.keys.shared('layout') },
        { pairs: JSON.stringify(pairs), revives: revives ? 1 : 0 },
      )
      expect(answers).toEqual(pairs.map(([a, b]) => joinShared(a, b, revives)))
    }
  })
})
