import { escapePart, unescapePart } from '@authstate/redis'
import type { RotationOutcome, TokenRotation } from '../contract.js'
import type { RawRotation } from './replies.js'

/** Arguments of the scripts that rotate, each of which takes those it knows. */
export function presentationOf(
  rotation: TokenRotation,
  now: number,
  { clientId = '', expiresAt = 0 }: { readonly clientId?: string; readonly expiresAt?: number },
) {
  return {
    now,
    client: escapePart(clientId),
    family: escapePart(rotation.family),
    expiresAt,
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
