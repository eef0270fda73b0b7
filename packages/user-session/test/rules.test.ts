import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { userSessionConfig } from '../src/config.js'
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
