import { FakeClock } from '@authstate/conformance'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { beganBefore, type Clock, laterMark, Moments } from '../src/index.js'

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
