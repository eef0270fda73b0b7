// Times alone, which a site tells where nothing else changed. They are less than a whole state, so the laws of a join hold for them.
import { randomUUID } from 'node:crypto'
import { FakeClock } from '@authstate/conformance'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { joinShared, type SharedClient, type SharedSession } from '../src/shared-state.js'
import { joinTimes, TIMES_ALONE, timesOf } from '../src/times-alone.js'
import { REALM, Site, type Told } from './sites/site.js'

const START = 1_700_000_000_000
const MINUTE_MS = 60_000
const ID = `${'A'.repeat(20)}0000`

const stamp = fc
  .tuple(fc.integer({ min: 1, max: 2 }), fc.constantFrom('a', 'b'))
  .map(([number, site]) => `${String(START + number).padStart(15, '0')}${site}`)
const instant = fc.constantFrom(1, 2, 3, 70_000, 700_000).map((ms) => START + ms)
/** When it was used, and when it ends because of that. */
const use = fc
  .tuple(instant, fc.constantFrom(30 * MINUTE_MS, 31 * MINUTE_MS))
  .map(([at, idleMs]) => [`${at}`, `${at + idleMs}`] as const)
const beginning = fc
  .tuple(fc.constantFrom(START, START + 1), fc.constantFrom('alice', 'al'))
  .map(([at, login]) => JSON.stringify([`${at}`, '', '', 'alice::', login, false, false]))
const held = JSON.stringify([false, false, false, false, false])
const client: fc.Arbitrary<SharedClient> = fc.oneof(
  { weight: 1, arbitrary: fc.tuple(stamp, fc.constant('-')) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(stamp, fc.constantFrom(START, START + 1), use)
      .map(
        ([at, started, [r, x]]): SharedClient => [
          at,
          `${started}`,
          r,
          x,
          { d: [`${String(START).padStart(15, '0')}a`, held] },
        ],
      ),
  },
)

/** A state of a living session that a site may hold. */
const state: fc.Arbitrary<SharedSession> = fc
  .tuple(
    stamp,
    beginning,
    use,
    fc.dictionary(fc.constantFrom('app', '__proto__', 'a "b" \\c'), client, { noNullPrototype: true }),
    fc.constantFrom('-', 'sx'),
  )
  .map(([at, value, [r, x], c, note]) => ({
    g: [at, value],
    r,
    x,
    n: { 'n:a': [at, note] },
    c,
    f: {},
    u: {},
  }))

/** Two sites that hold the same session, as far as times go. */
const twice = fc.tuple(state, state).map(([a, b]): [SharedSession, SharedSession] => {
  const c = Object.entries(a.c ?? {}).flatMap(([name, [at, started, used, ends, parts]]) => {
    if (used === undefined || ends === undefined) return []
    const [, , r = used, x = ends] = Object.values(b.c ?? {})[0] ?? []
    return [[name, [at, started, r, x, parts]] as const]
  })
  return [a, { ...a, ...(b.r && { r: b.r }), ...(b.x && { x: b.x }), c: Object.fromEntries(c) as never }]
})
const pairs = fc.oneof({ weight: 3, arbitrary: twice }, { weight: 1, arbitrary: fc.tuple(state, state) })

describe('times alone', () => {
  test('are joined as the whole state is, but for what they do not tell', () => {
    let joined = 0
    fc.assert(
      fc.property(pairs, pairs, ([a, b], [c]) => {
        const told = timesOf(b)
        if (told === undefined) throw new Error('it has ended')
        const known = joinTimes(a, told)
        if (known === undefined) return
        joined += 1
        expect(joinTimes(known, told), 'twice').toEqual(known)
        for (const revives of [false, true]) {
          const join = (x: SharedSession | undefined, y: SharedSession | undefined) =>
            joinShared(x, y, revives)
          expect(join(known, b), 'and then the whole').toEqual(join(a, b))
          expect(join(known, a), 'no less than before').toEqual(known)
          expect(join(join(known, c), b), 'whatever comes between').toEqual(join(join(a, c), b))
        }
      }),
      { numRuns: 300 },
    )
    expect(joined).toBeGreaterThan(50)
  })

  test('are refused by a site that holds another session, or none', () => {
    fc.assert(
      fc.property(state, state, (a, b) => {
        const told = timesOf(b)
        if (told === undefined) throw new Error('it has ended')
        expect(joinTimes(undefined, told)).toBeUndefined()
        expect(joinTimes({ d: `${START}a` }, told)).toBeUndefined()
        if (a.g?.[0] !== b.g?.[0] || a.g?.[1] !== b.g?.[1]) expect(joinTimes(a, told)).toBeUndefined()
      }),
      { numRuns: 100 },
    )
  })
})

describeWith(redis, 'the Lua of times alone', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())
  const open = (name: string) =>
    Site.open(name, { client, prefix: `times-${randomUUID()}-${name}`, clock: new FakeClock(START + 10) })
  const record = { partition: 0, name: `us:${REALM}:${ID}` }
  const told = (of: SharedSession): Told => ({ ...record, state: JSON.stringify({ v: 1, ...of }) })
  const heldBy = async (site: Site, isTouch = false) => {
    const [known] = await site.readOne({ ...record, isTouch })
    return known?.state ?? ''
  }
  const stateBy = async (site: Site): Promise<SharedSession> => {
    const { v: _, ...of } = JSON.parse(await heldBy(site)) as SharedSession & { v: number }
    return of
  }

  test('tells and joins what the TypeScript does', async () => {
    const [a, b] = [await open('a'), await open('b')]
    const outcomes = new Set<string>()
    try {
      for (const [here, there] of fc.sample(pairs, 60)) {
        await a.clear()
        await b.clear()
        await a.hear(told(here))
        await b.hear(told(there))
        const [before, other] = [await stateBy(a), await stateBy(b)]
        const times = await heldBy(b, true)
        expect(times.startsWith(TIMES_ALONE)).toBe(true)
        const { outcome } = await a.hear({ ...record, state: times })
        outcomes.add(outcome)
        const expected = joinTimes(before, timesOf(other) as never)
        expect(outcome === 'need-full').toBe(expected === undefined)
        expect(await stateBy(a)).toEqual(expected ?? before)
        await a.hear(told(other))
        expect(await stateBy(a), 'and then the whole').toEqual(joinShared(before, other, false))
      }
      expect([...outcomes].sort()).toEqual(['changed', 'need-full', 'same'])
    } finally {
      await a.close()
      await b.close()
    }
  })
})
