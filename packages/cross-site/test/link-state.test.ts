import { describe, expect, test } from 'vitest'
import { STEPS } from '../../../tools/pictures/link-states.mjs'
import {
  alongWith,
  answered,
  atFirst,
  blocked,
  byHand,
  caughtUp,
  failed,
  flapsWith,
  type OfflineRule,
  type RecoveryRule,
  type Standing,
  stableMsAfter,
} from '../src/link-state.js'
import { RareWarning } from '../src/rare-warning.js'

const AT_ONCE: RecoveryRule = { mode: 'auto', stableMs: 0 }
const online = answered(atFirst(0), 0, AT_ONCE)
/** Fails or is answered at some moments, in order. */
const after = (rule: OfflineRule, steps: readonly (readonly [at: number, isAnswered: boolean])[]) =>
  steps.reduce<Standing>(
    (standing, [at, isAnswered]) =>
      isAnswered ? answered(standing, at, AT_ONCE) : failed(standing, at, at, rule),
    online,
  )
const failing = (...moments: number[]) => moments.map((at) => [at, false] as const)
const ONCE = { afterFailures: 1, minWaitMs: 0 }

describe('a link', () => {
  test('scenario 27: fail, fail, ok, fail, fail, fail of three that are asked for: offline at the sixth', () => {
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

  test('that went offline by itself is caught up with once it answered for long enough, and then it is online', () => {
    const rule: RecoveryRule = { mode: 'auto', stableMs: 1_000 }
    const auto = after(ONCE, failing(1))
    const waiting = answered(auto, 100, rule)
    expect(waiting).toMatchObject({ state: 'offline', stableSince: 100 })
    expect(answered(waiting, 1_099, rule)).toBe(waiting)
    const back = answered(waiting, 1_100, rule)
    expect(back).toEqual({ state: 'syncing', failures: 0, changedAt: 1_100 })
    expect(answered(back, 1_200, rule)).toBe(back)
    expect(caughtUp(back, 1_300)).toEqual({ state: 'online', failures: 0, changedAt: 1_300 })
    // A failure meanwhile begins the wait anew, and one while it is caught up with ends that.
    const again = failed(waiting, 500, 500, ONCE)
    expect(again).toMatchObject({ state: 'offline', reason: 'auto', failures: 2 })
    expect(again.stableSince).toBeUndefined()
    expect(failed(back, 1_200, 1_200, { afterFailures: 9, minWaitMs: 9 })).toMatchObject({ state: 'offline' })
    expect(answered(auto, 9e9, { mode: 'manual', stableMs: 0 })).toBe(auto)
  })

  test('scenario 32: that an operator took offline stays so, however long it answers, until the operator says otherwise', () => {
    const manual = byHand(online, true, 5)
    expect(manual).toMatchObject({ state: 'offline', reason: 'manual' })
    expect(answered(manual, 3_600_000, AT_ONCE)).toBe(manual)
    expect(failed(manual, 6, 6, ONCE)).toBe(manual)
    expect(byHand(manual, true, 6)).toBe(manual)
    expect(blocked(manual, 'clock', '', 8)).toBe(manual)
    // Then it comes back as soon as it answers, also where nothing comes back by itself.
    const wanted = byHand(manual, false, 7)
    const rule: RecoveryRule = { mode: 'manual', stableMs: 1_000 }
    expect(answered(wanted, 8, rule)).toMatchObject({ state: 'syncing' })
    expect(answered(failed(wanted, 8, 8, ONCE), 9, rule)).toMatchObject({ state: 'syncing' })
  })

  test('that failed to take what it was told is no better for answering whether it is there', () => {
    const full = failed(online, 1, 1, { afterFailures: 3, minWaitMs: 0 }, 'tell')
    expect(answered(full, 2, AT_ONCE, 'beat')).toBe(full)
    expect(answered(full, 2, AT_ONCE, 'tell').state).toBe('online')
  })

  test('that is blocked counts no failures, and is caught up with once the other site is as it should be', () => {
    const stopped = blocked(online, 'clock', 'the clock is off', 5)
    expect(stopped).toMatchObject({ state: 'blocked', reason: 'clock', message: 'the clock is off' })
    expect(failed(stopped, 6, 6, ONCE)).toBe(stopped)
    expect(blocked(stopped, 'clock', 'again', 7)).toBe(stopped)
    expect(answered(stopped, 8, AT_ONCE).state).toBe('syncing')
  })

  test('goes offline with another service, unless it is already', () => {
    expect(alongWith(online, 'user-session', 3)).toMatchObject({
      state: 'offline',
      reason: 'with:user-session',
    })
    const manual = byHand(online, true, 5)
    expect(alongWith(manual, 'user-session', 6)).toBe(manual)
  })

  test('that flaps has to answer for twice as long with each time above three in ten minutes, ten minutes at most', () => {
    const minute = 60_000
    const flaps = [0, 1, 2, 3].reduce<readonly number[]>((all, n) => flapsWith(all, n * minute), [])
    expect(stableMsAfter(minute, flaps.slice(0, 3), 3 * minute)).toBe(minute)
    expect(stableMsAfter(minute, flaps, 4 * minute)).toBe(2 * minute)
    const many = Array.from({ length: 9 }, (_, n) => n * 1_000)
    expect(stableMsAfter(minute, many, minute)).toBe(10 * minute)
    expect(stableMsAfter(minute, flaps, 12 * minute)).toBe(minute)
    expect(flapsWith(flaps, 12 * minute)).toEqual([3 * minute, 12 * minute])
  })
})

test('the picture shows every step from one state to another, and no other', () => {
  const rule = { afterFailures: 3, minWaitMs: 30_000 }
  const stable: RecoveryRule = { mode: 'auto', stableMs: 60_000 }
  const steps = new Set<string>()
  const seen = new Set<string>()
  const left: Standing[] = [atFirst(0)]
  for (let standing = left.pop(); standing !== undefined; standing = left.pop()) {
    const now = standing.changedAt + 60_000
    const others = [
      failed(standing, now, now, rule),
      failed(failed(standing, now, now, rule), now, now + 60_000, rule),
      answered(standing, now, stable),
      answered(answered(standing, now, stable), now + 60_000, stable),
      caughtUp(standing, now),
      blocked(standing, 'clock', 'the clock is off', now),
      byHand(standing, true, now),
      byHand(standing, false, now),
    ]
    for (const next of others) {
      if (next.state !== standing.state) steps.add(`${standing.state} → ${next.state}`)
      const { state, reason, failures } = next
      const name = `${state} ${reason} ${Math.min(failures, 9)}`
      if (!seen.has(name)) left.push(next)
      seen.add(name)
    }
  }
  const states = ['connecting', 'online', 'suspect', 'offline', 'syncing', 'blocked']
  const drawn = STEPS.flatMap((step) => {
    const to = step.slice('* → '.length)
    return step.startsWith('*')
      ? states.filter((from) => from !== to).map((from) => `${from} → ${to}`)
      : [step]
  })
  expect([...steps].sort()).toEqual([...new Set(drawn)].sort())
})

test('scenario 25: a warning is said once in ten seconds, with how often it happened', () => {
  let now = 0
  const warning = new RareWarning(() => now)
  expect([warning.say(), warning.say(), warning.say()]).toEqual([1, undefined, undefined])
  now = 10_000
  expect([warning.say(), warning.say()]).toEqual([3, undefined])
})
