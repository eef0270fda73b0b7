import type { RotationOutcome, TokenRotation } from './contract.js'

/** What is remembered of the refresh tokens of one family. */
export interface Family {
  /** Id of the token that was last accepted. */
  readonly presented: string
  /** How often it was accepted. */
  readonly uses: number
  /** Id of the token issued for it last. */
  readonly successor: string
  readonly rotatedAt: number
  /**
   * Another token of it that was issued until then is stale: the latest of `rotatedAt`, of when each token that it accepted
   * was issued, and of what it was before. So it does not matter whose clock said when a token was issued.
   */
  readonly staleUntil: number
  readonly attempt: string | undefined
  /** Its client session ended: no token of it is accepted again. */
  readonly ended: boolean
}

/** Families remembered per client session; beyond it the one rotated longest ago is forgotten, and refused. */
export const MAX_FAMILIES = 100

/** What a presentation does, and what is remembered afterwards. */
export interface RotationDecision {
  readonly outcome: RotationOutcome
  readonly family?: Family
  /** Whether the client session, or the family that stands alone, ends. */
  readonly ends: boolean
}

const REUSED: RotationDecision = { outcome: Object.freeze({ outcome: 'reused' }), ends: true }
const STALE: RotationDecision = { outcome: Object.freeze({ outcome: 'stale' }), ends: true }
const FOREIGN: RotationDecision = { outcome: Object.freeze({ outcome: 'stale' }), ends: false }

/**
 * Decides on the presentation of a refresh token.
 *
 * @param family What is known of its family.
 * @param notBefore Tokens of an unknown family that were issued before this instant belong to something that ended.
 * @see Keycloak, revoke refresh token: a token other than the newest is stale once issued at or before the last rotation
 */
export function decideRotation(
  family: Family | undefined,
  rotation: TokenRotation,
  notBefore: number,
  now: number,
): RotationDecision {
  const { presented, next, issuedAt, maxReuse, attempt, graceMs = 0 } = rotation
  const accept = (uses: number): RotationDecision => ({
    outcome: { outcome: 'rotated', successor: next },
    family: {
      presented,
      uses,
      successor: next,
      rotatedAt: now,
      staleUntil: Math.max(now, issuedAt, family?.staleUntil ?? 0),
      attempt,
      ended: false,
    },
    ends: false,
  })
  if (family === undefined) return issuedAt < notBefore ? FOREIGN : accept(1)
  if (family.ended) return FOREIGN
  if (presented === family.successor) return accept(1)
  if (presented === family.presented) {
    if (attempt !== undefined && attempt === family.attempt && now - family.rotatedAt <= graceMs) {
      return { outcome: { outcome: 'rotated', successor: family.successor }, ends: false }
    }
    return family.uses > maxReuse ? REUSED : accept(family.uses + 1)
  }
  return issuedAt <= family.staleUntil ? STALE : accept(1)
}

/** The earliest `issuedAt` of a token of a client session: an `iat` in whole seconds lies up to a second before. */
export function earliestIssue(startedAt: number): number {
  return startedAt - (startedAt % 1000)
}
