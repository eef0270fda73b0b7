import { describe, expect, test } from 'vitest'
import { answered, atFirst, blocked, byHand, failed, type OfflineRule } from '../src/link-state.js'

const online = answered(atFirst(0), 0)
/** Fails or is answered at some moments, in order. */
const after = (rule: OfflineRule, steps: readonly (readonly [at: number, isAnswered: boolean])[]) =>
  steps.reduce(
    (standing, [at, isAnswered]) => (isAnswered ? answered(standing, at) : failed(standing, at, at, rule)),
    online,
  )
const failing = (...moments: number[]) => moments.map((at) => [at, false] as const)

describe('a link', () => {
  test('scenario 27: is taken offline by failures in a row alone, where no time is asked for', () => {
    const rule = { afterFailures: 3, minWaitMs: 0 }
    expect(after(rule, failing(1, 2)).state).toBe('suspect')
    expect(after(rule, [...failing(1, 2), [3, true], ...failing(4, 5)]).state).toBe('suspect')
    const offline = after(rule, [...failing(1, 2), [3, true], ...failing(4, 5, 6)])
    expect(offline).toEqual({
      state: 'offline',
      reason: 'auto',
      failures: 3,
      firstFailureAt: 4,
      changedAt: 6,
    })
  })

  test('scenario 28: is taken offline by failures and time together, where both are asked for', () => {
    const rule = { afterFailures: 3, minWaitMs: 60_000 }
    const many = failing(...Array.from({ length: 10 }, (_, n) => n * 6_650))
    expect(after(rule, many).state).toBe('suspect')
    expect(after(rule, [...many, [60_100, false]]).state).toBe('offline')
    // By time alone, and never.
    expect(after({ afterFailures: 0, minWaitMs: 100 }, failing(1, 101)).state).toBe('offline')
    expect(after({ afterFailures: 0, minWaitMs: 0 }, failing(1, 2, 3, 1e9)).state).toBe('suspect')
  })

  test('comes back by itself where it went by itself, and only by hand where it went by hand', () => {
    const auto = after({ afterFailures: 1, minWaitMs: 0 }, failing(1))
    expect(answered(auto, 2)).toEqual({ state: 'online', failures: 0, changedAt: 2 })
    const manual = byHand(online, true, 5)
    expect(manual).toMatchObject({ state: 'offline', reason: 'manual' })
    expect(answered(manual, 3_600_000)).toBe(manual)
    expect(byHand(manual, true, 6)).toBe(manual)
    expect(byHand(manual, false, 7).state).toBe('connecting')
    expect(blocked(manual, 'clock', '', 8)).toBe(manual)
  })

  test('that is blocked counts no failures, and is open again once the other site is as it should be', () => {
    const stopped = blocked(online, 'clock', 'the clock is off', 5)
    expect(stopped).toMatchObject({ state: 'blocked', reason: 'clock', message: 'the clock is off' })
    expect(failed(stopped, 6, 6, { afterFailures: 1, minWaitMs: 0 })).toBe(stopped)
    expect(blocked(stopped, 'clock', 'again', 7)).toBe(stopped)
    expect(answered(stopped, 8).state).toBe('online')
  })
})
