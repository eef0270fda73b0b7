import { createHash } from 'node:crypto'
import {
  assertFunction,
  assertInstant,
  assertKnown,
  assertName,
  assertOptions,
  assertSpanMs,
  assertText,
  type Clock,
  isExpired,
  type Known,
  systemClock,
} from '@authstate/spi'
import type { ActionTokenProvider } from './contract.js'

/** Ids are remembered at least this long, so that a proof about to expire cannot slip in twice. */
const SHORTEST_MS = 10_000
const HOUR_MS = 3_600_000

/** Which ids a {@link ReplayGuard} keeps, and how long at most. */
export interface ReplayGuardOptions {
  /** A namespace for these ids: `'dpop'`, `'client-assertion'`. */
  readonly kind: string
  /**
   * An id that lives longer is refused: a client must not fill the store. At most the provider's `limits.maxLifespanMs`.
   *
   * @default 3_600_000 (1 hour), or the provider's `limits.maxLifespanMs` where that is less
   */
  readonly maxLifespanMs?: number | undefined
  /** What says whether a proof has expired. @default the provider's clock, which is the deployment's on Redis */
  readonly clock?: Clock | undefined
}

/** An id as its maker chose it. */
export interface ProofId {
  /** The party that chose the id: a client id, an issuer, a key thumbprint. The same id of two parties is two ids. */
  readonly maker: string
  /** A `jti` or nonce, of any length. */
  readonly id: string
  /** Until when you accept the proof, ms since the epoch: its `exp` and the tolerance that you grant. */
  readonly expiresAt: number
}

/** What an id is: seen for the first time, seen before, too late, or made to live too long. */
export type FirstUse = 'first' | 'replayed' | 'expired' | 'too-long'

/** Tells the first use of an id from every other. */
export interface ReplayGuard {
  /**
   * Takes note of an id until its proof expires, and ten seconds at least: of N concurrent calls on all nodes exactly one
   * gets `'first'`.
   *
   * @returns `'too-long'` when it lives longer than `maxLifespanMs`, `'expired'` when it is too late; nothing is
   *   stored then
   * @see RFC 7523 §3 (jti), RFC 9449 §11.1 (DPoP proof replay)
   */
  firstUse(realmId: string, proof: ProofId): Promise<FirstUse>
}

const OPTIONS: Known<ReplayGuardOptions> = { kind: true, maxLifespanMs: true, clock: true }
const PROOF: Known<ProofId> = { maker: true, id: true, expiresAt: true }

/**
 * A guard against replay of assertions, nonces and DPoP proofs, over whatever store the provider has.
 *
 * @throws {RangeError} `maxLifespanMs` is more than the provider can remember
 */
export function createReplayGuard(tokens: ActionTokenProvider, options: ReplayGuardOptions): ReplayGuard {
  assertOptions(options, 'options', OPTIONS)
  const ceilingMs = tokens.limits.maxLifespanMs
  const storeClock = tokens.clock ?? systemClock
  const { kind, maxLifespanMs = Math.min(HOUR_MS, ceilingMs), clock = storeClock } = options
  assertName(kind, 'kind')
  assertSpanMs(maxLifespanMs, 'maxLifespanMs')
  assertFunction(clock?.now, 'clock.now')
  if (maxLifespanMs > ceilingMs) {
    throw new RangeError(
      `"maxLifespanMs" must be at most ${ceilingMs}, the "maxLifespanMs" of action-token, got ${maxLifespanMs}`,
    )
  }
  const shortestMs = Math.min(SHORTEST_MS, ceilingMs)
  return {
    async firstUse(realmId, proof) {
      assertKnown(proof, 'proof', PROOF)
      assertName(proof.maker, 'maker')
      assertText(proof.id, 'id')
      assertInstant(proof.expiresAt, 'expiresAt')
      if (isExpired(proof.expiresAt, clock.now())) return 'expired'
      // How long the store has to remember it, on the clock that the store forgets by.
      const now = storeClock.now()
      if (proof.expiresAt - now > maxLifespanMs) return 'too-long'
      const key = createHash('sha256')
        .update(JSON.stringify([proof.maker, proof.id]))
        .digest('base64url')
      const expiresAt = Math.max(proof.expiresAt, now + shortestMs)
      return (await tokens.putIfAbsent(realmId, kind, key, { expiresAt })) ? 'first' : 'replayed'
    },
  }
}
