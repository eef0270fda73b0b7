import { createHash } from 'node:crypto'
import {
  assertInstant,
  assertName,
  assertObject,
  assertSpanMs,
  assertText,
  type Clock,
  systemClock,
} from '@authstate/spi'
import type { ActionTokenProvider } from './contract.js'
import { isExpired } from './rules.js'

/** Ids are remembered at least this long, so that a proof about to expire can not slip in twice. */
const SHORTEST_MS = 10_000
const HOUR_MS = 3_600_000

/** Which ids a {@link ReplayGuard} keeps, and how long at most. */
export interface ReplayGuardOptions {
  /** A namespace for these ids: `'dpop'`, `'client-assertion'`. */
  readonly kind: string
  /** An id that lives longer is refused: a client must not fill the store. At most the provider's `maxLifespanMs`. @default 3_600_000 (1 hour) */
  readonly maxLifespanMs?: number | undefined
  /** @default the host's clock */
  readonly clock?: Clock | undefined
}

/** An id as its maker chose it. */
export interface ProofId {
  /** Who chose the id: a client id, an issuer, a key thumbprint. The same id of two makers is two ids. */
  readonly maker: string
  /** A `jti` or nonce, of any length. */
  readonly id: string
  /** When the proof expires, ms since the epoch. */
  readonly expiresAt: number
}

/** What an id is: seen for the first time, seen before, too late, or made to live too long. */
export type FirstUse = 'first' | 'replayed' | 'expired' | 'too-long'

/** Tells the first use of an id from every other. */
export interface ReplayGuard {
  /**
   * Takes note of an id: of N concurrent calls on all nodes exactly one gets `'first'`.
   *
   * @returns `'too-long'` when it lives longer than `maxLifespanMs`, `'expired'` when it is too late; nothing is
   *   stored then
   * @see RFC 7523 §3 (jti), RFC 9449 §11.1 (DPoP proof replay)
   */
  firstUse(realmId: string, proof: ProofId): Promise<FirstUse>
}

/** A guard against replay of assertions, nonces and DPoP proofs, over whatever store the provider has. */
export function createReplayGuard(tokens: ActionTokenProvider, options: ReplayGuardOptions): ReplayGuard {
  assertObject(options, 'options')
  const { kind, maxLifespanMs = HOUR_MS, clock = systemClock } = options
  assertName(kind, 'kind')
  assertSpanMs(maxLifespanMs, 'maxLifespanMs')
  return {
    async firstUse(realmId, proof) {
      assertObject(proof, 'proof')
      assertName(proof.maker, 'maker')
      assertText(proof.id, 'id')
      assertInstant(proof.expiresAt, 'expiresAt')
      const now = clock.now()
      if (isExpired(proof.expiresAt, now)) return 'expired'
      const lifespanMs = Math.max(proof.expiresAt - now, SHORTEST_MS)
      if (lifespanMs > maxLifespanMs) return 'too-long'
      const key = createHash('sha256')
        .update(JSON.stringify([proof.maker, proof.id]))
        .digest('base64url')
      return (await tokens.putIfAbsent(realmId, kind, key, { lifespanMs })) ? 'first' : 'replayed'
    },
  }
}
