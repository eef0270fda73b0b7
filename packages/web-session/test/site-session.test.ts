// What sites hold together of a session is a join: order, repetition and loss on the way do not matter. Lua and TypeScript join alike.
import { crossSiteSuite } from '@authstate/conformance'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { webSessionJoiner } from '../src/redis/joiner.js'
import { joinShared, type SharedContent, type SharedSession } from '../src/site-session.js'

const NOW = 1_700_000_000_000
const HOUR_MS = 3_600_000

const few = fc.integer({ min: 1, max: 6 })
const stamp = fc
  .tuple(few, fc.constantFrom('a', 'b', 'b-1'))
  .map(([number, site]) => `${String(NOW + number).padStart(15, '0')}${site}`)
/** When a generation is refused no more: before a birth, behind it, and still to come. */
const until = fc
  .oneof(
    few,
    few.map((n) => n + HOUR_MS),
  )
  .map((ms) => `${NOW + ms}`)
const GENERATIONS = ['', 'g', '__proto__']
const content: fc.Arbitrary<SharedContent> = fc
  .record({
    b: stamp,
    k: few.map(String),
    x: fc.tuple(
      stamp,
      few.map((n) => `${NOW + HOUR_MS + n}`),
    ),
    s: fc.tuple(stamp, fc.constantFrom('p1', 'p2')),
    n: fc.dictionary(fc.constantFrom('a', 'b', 'b-1'), few.map(String), {
      minKeys: 1,
      noNullPrototype: true,
    }),
    u: fc.oneof(
      fc.tuple(stamp, fc.constant(''), fc.constant('')),
      fc.tuple(stamp, fc.constantFrom('alice', '%3aé'), fc.constant('p1')),
    ),
    a: fc.tuple(stamp, fc.constantFrom('', 'uid')),
    l: fc.tuple(stamp, fc.constantFrom('', 'sid{1}')),
    f: fc.dictionary(
      fc.constantFrom('"x"', '"é"', '"__proto__x"'),
      fc.tuple(stamp, fc.constantFrom('-', '=1', '="y"')),
      { noNullPrototype: true },
    ),
  })
  // A birth is of one generation, and of one moment.
  .map((given) => ({
    ...given,
    g: GENERATIONS[Number(given.b[14]) % 3] as string,
    t: Number(given.b.slice(0, 15)).toString(36),
  }))

type Told = SharedSession & { readonly v: 1 }

const join = (a: Told | undefined, b: Told | undefined): Told | undefined => {
  const joined = joinShared(a, b)
  return joined && { ...joined, v: 1 }
}

/** A state that a site may hold. */
const state: fc.Arbitrary<Told> = fc
  .record(
    {
      d: stamp,
      m: fc.dictionary(fc.constantFrom(...GENERATIONS), until, { maxKeys: 2, noNullPrototype: true }),
      c: content,
    },
    { requiredKeys: ['c'] },
  )
  .map((given) => join({ ...given, v: 1 }, { ...given, v: 1 }) as Told)

describe('what sites hold of a session', () => {
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

describeWith(redis, 'the joiner of sessions', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())

  crossSiteSuite<Told>(
    {
      joiner: webSessionJoiner,
      record: 'wo:r:s',
      join,
      arbitraryRecord: (random) =>
        fc.sample(state, { numRuns: 1, seed: Math.floor(random() * 2 ** 31) })[0] as Told,
      client: () => client,
      startsAt: NOW + 10,
      runs: 600,
    },
    { describe, test },
  )
})
