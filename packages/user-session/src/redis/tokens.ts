import { escapePart, unescapePart } from '@authstate/redis'
import type { RotationOutcome, TokenRotation } from '../contract.js'
import type { RawRotation } from './replies.js'

/** Arguments of the scripts that rotate. */
export function presentationOf(rotation: TokenRotation, now: number) {
  return {
    now,
    presented: escapePart(rotation.presented),
    successor: escapePart(rotation.next),
    issuedAt: rotation.issuedAt,
    maxReuse: rotation.maxReuse,
    attempt: escapePart(rotation.attempt ?? ''),
    graceMs: rotation.graceMs ?? 0,
  }
}

/** `foreign` is a stale token that belongs to something that ended already. */
export function outcomeOf(decided: RawRotation): RotationOutcome {
  const { outcome, successor } = decided
  if (outcome === 'rotated') return { outcome, successor: unescapePart(successor) }
  return { outcome: outcome === 'foreign' ? 'stale' : outcome }
}
