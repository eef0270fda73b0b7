import { FakeClock } from '@authstate/conformance'
import type { Clock } from '@authstate/spi'
import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { userSessionConfig } from '../src/config.js'
import { beganBefore, laterMark, Moments } from '../src/moments.js'
import { decideRotation, earliestIssue, type Family } from '../src/rotation.js'

test('defaults', () => {
  expect(v.parse(userSessionConfig, {})).toEqual({
    limitPolicy: 'reject',
    maxNotesBytes: 65_536,
    encryptNotes: false,
    sweepIntervalMs: 30_000,
  })
  expect(v.parse(userSessionConfig, { sweepIntervalMs: '1m' }).sweepIntervalMs).toBe(60_000)
})

test.each([
  { maxSessionsPerUser: 0 },
  { maxSessionsPerUser: 101 },
  { maxSessionsPerUserAndClient: 1.5 },
  { maxOfflineSessionsPerUser: 0 },
  { maxTotalSessionsPerUser: 101 },
  { limitPolicy: 'end-newest' },
  { sweepIntervalMs: -1 },
  { maxNotesBytes: '1k' },
  { encryptNotes: 'yes' },
  { maxSessions: 1 },
])('%o is refused', (wrong) => {
  expect(v.safeParse(userSessionConfig, wrong).success).toBe(false)
})

describe('decideRotation', () => {
  const rotation = { family: 'f', presented: 'T1', next: 'T2', issuedAt: 1_000, maxReuse: 0 }
  const family: Family = {
    presented: 'T1',
    uses: 1,
    successor: 'T2',
    rotatedAt: 2_000,
    staleUntil: 2_000,
    attempt: undefined,
    ended: false,
  }

  test.each<[string, Family | undefined, Partial<typeof rotation>, string, boolean]>([
    ['the first of its family', undefined, {}, 'rotated', false],
    ['the first, from before', undefined, { issuedAt: 999 }, 'stale', false],
    ['the successor', family, { presented: 'T2', next: 'T3' }, 'rotated', false],
    ['the same again', family, { next: 'T3' }, 'reused', true],
    ['the same again, allowed', family, { next: 'T3', maxReuse: 1 }, 'rotated', false],
    ['another, issued before', family, { presented: 'T0', next: 'T3' }, 'stale', true],
    ['another, issued at the same instant', family, { presented: 'T0', issuedAt: 2_000 }, 'stale', true],
    ['another, issued later', family, { presented: 'T9', issuedAt: 2_001 }, 'rotated', false],
    ['anything of a family that ended', { ...family, ended: true }, { presented: 'T2' }, 'stale', false],
  ])('%s', (_, known, more, outcome, ends) => {
    const decision = decideRotation(known, { ...rotation, ...more }, 1_000, 3_000)
    expect(decision.outcome.outcome).toBe(outcome)
    expect(decision.ends).toBe(ends)
  })

  test('of any sequence, no token rotates more often than allowed unless a newer one was issued aside', () => {
    const tokens = fc.array(fc.record({ token: fc.nat(4), next: fc.nat(1_000) }), { maxLength: 40 })
    fc.assert(
      fc.property(tokens, fc.nat(3), (presentations, maxReuse) => {
        const accepted = new Map<string, number>()
        let known: Family | undefined
        for (const [n, { token, next }] of presentations.entries()) {
          const presented = `T${token}`
          const decision = decideRotation(
            known,
            { ...rotation, presented, next: `N${n}-${next}`, maxReuse },
            0,
            2_000,
          )
          if (decision.ends) break
          known = decision.family ?? known
          if (decision.outcome.outcome === 'rotated')
            accepted.set(presented, (accepted.get(presented) ?? 0) + 1)
        }
        expect(Math.max(0, ...accepted.values())).toBeLessThanOrEqual(1 + maxReuse)
        expect(accepted.size).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('an iat in whole seconds is not before its client session', () => {
    expect(earliestIssue(1_700_000_000_999)).toBe(1_700_000_000_000)
    expect(earliestIssue(1_700_000_000_000)).toBe(1_700_000_000_000)
  })
})

describe('Moments', () => {
  const begin = (moments: Moments) => moments.login(undefined, 'at').beginning

  test('what begins later in one process is later, even within a millisecond, and when the clock is set back', () => {
    const clock = new FakeClock()
    const moments = new Moments(clock)
    for (const ms of [0, 0, 1, -60_000, 0]) {
      clock.advance(ms)
      const before = begin(moments)
      const mark = moments.mark()
      expect(beganBefore(before, mark)).toBe(true)
      expect(beganBefore(begin(moments), mark)).toBe(false)
    }
  })

  test('between processes the bounds of their clocks decide, in doubt for before', () => {
    const at = (nowUs: number, uncertaintyMs: number): Clock => ({
      now: () => Math.floor(nowUs / 1000),
      nowUs: () => nowUs,
      uncertaintyMs,
    })
    fc.assert(
      fc.property(
        fc.integer({ min: 1_700_000_000_000_000, max: 1_700_000_000_100_000 }),
        fc.integer({ min: -100_000, max: 100_000 }),
        fc.double({ min: 0, max: 20, noNaN: true }),
        fc.double({ min: 0, max: 20, noNaN: true }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        (login, removalLater, u, v, offOfLogin, offOfRemoval) => {
          // Each clock is off by no more than it says.
          const here = new Moments(at(login + Math.trunc(offOfLogin * u * 1000), u))
          const there = new Moments(at(login + removalLater + Math.trunc(offOfRemoval * v * 1000), v))
          const isBefore = beganBefore(begin(here), there.mark())
          if (removalLater >= 0) expect(isBefore).toBe(true)
          if (-removalLater > 2000 * (u + v) + 2) expect(isBefore).toBe(false)
        },
      ),
    )
  })

  test('a removal begins when the clock is known, and is over when what begins then is later, in whole milliseconds', async () => {
    // Time passes whenever somebody looks at it.
    let us = 1_700_000_000_000_400
    let isSettled = false
    const clock: Clock = {
      now: () => {
        us += 50
        return Math.floor(us / 1000)
      },
      nowUs: () => us,
      uncertaintyMs: 0.5,
      settled: async () => {
        us += 5_000
        isSettled = true
      },
    }
    const moments = new Moments(clock)
    const mark = await moments.removal()
    expect(isSettled).toBe(true)
    expect(mark).toMatch(/^1700000000005900\.0/)
    await moments.passed(mark)
    const elsewhere = new Moments(clock)
    expect(beganBefore(begin(elsewhere), mark)).toBe(false)
    expect(beganBefore(elsewhere.login(clock.now(), 'at').beginning, mark)).toBe(false)
  })

  test('an exact clock that stands still keeps no removal waiting, an uncertain one not for long', async () => {
    const exact = new Moments(new FakeClock())
    await exact.passed(await exact.removal())
    const standing = new Moments({ now: () => 1_700_000_000_000, uncertaintyMs: 1 })
    const mark = await standing.removal()
    await standing.passed(mark)
    expect(beganBefore(begin(standing), mark)).toBe(false)
  })

  test('of two nodes in one millisecond of an exact clock nobody can tell', () => {
    const clock = new FakeClock()
    const [here, there] = [new Moments(clock), new Moments(clock)]
    const beginnings = Array.from({ length: 3 }, () => begin(here))
    const mark = there.mark()
    for (const beginning of beginnings) expect(beganBefore(beginning, mark)).toBe(true)
    clock.advance(1)
    expect(beganBefore(begin(here), mark)).toBe(false)
  })

  test('a mark that two nodes raised belongs to neither', () => {
    const clock = new FakeClock()
    const [here, there] = [new Moments(clock), new Moments(clock)]
    const ours = here.mark()
    const login = begin(here)
    expect(beganBefore(login, laterMark(undefined, ours))).toBe(false)
    expect(beganBefore(login, laterMark(ours, ours))).toBe(false)
    expect(beganBefore(login, laterMark(there.mark(), ours))).toBe(true)
    expect(beganBefore(login, laterMark(ours, there.mark()))).toBe(true)
    expect(beganBefore(login, laterMark(ours, here.mark()))).toBe(true)
    expect(beganBefore(login, laterMark('1700000000000000', ours))).toBe(true)
    const theirs = laterMark(ours, there.mark())
    clock.advance(1)
    expect(beganBefore(begin(there), theirs)).toBe(false)
  })
})
