import { inSlices, isExpired, latestOf, type Realm } from '@authstate/spi'
import type { ClientTokenRotation, RotationOutcome, TransientTokenRotation } from '../contract.js'
import { clientLives, userLives } from '../expiry.js'
import { TOKENS_FENCE_MS } from '../moments.js'
import { decideRotation, earliestIssue, type Family } from '../rotation.js'
import {
  familiesOf,
  openClient,
  rememberFamily,
  type StoredSession,
  settle,
  settleClient,
} from '../stored.js'
import type { Sessions } from './sessions.js'

/** Decides on a refresh token in a client session, and ends that where it was replayed. */
export function rotateIn(
  store: Sessions,
  session: StoredSession,
  rotation: ClientTokenRotation,
  realm: Realm,
  now: number,
): RotationOutcome {
  const { clientId, family } = rotation
  const client = openClient(session, clientId, realm, now)
  if (client === undefined) return { outcome: 'gone' }
  const lives = userLives(realm, session.offline)
  settle(session, lives)
  settleClient(session, client, lives, clientLives(realm, clientId, session.offline))
  const families = familiesOf(session, clientId)
  const notBefore = Math.max(earliestIssue(client.startedAt), families.forgottenAt + 1)
  const decision = decideRotation(families.known.get(family), rotation, notBefore, now)
  if (decision.family) rememberFamily(families, family, decision.family)
  if (decision.ends)
    store.detach(session, clientId, decision.outcome.outcome === 'reused' ? 'reused' : 'stale')
  return decision.outcome
}

/** Which families of a realm were ended. */
interface EndedTokens {
  /** A token of an unknown family is gone when it was issued in its millisecond or before; in millionths of a second. */
  readonly latest: number
  readonly expiresAt: number
}

interface StoredFamily {
  readonly family: Family
  readonly expiresAt: number
  /** The last removal that it came after. */
  readonly ended: EndedTokens | undefined
}

/** Families of refresh tokens that belong to no stored session. */
export class TransientFamilies {
  readonly #families = new Map<string, StoredFamily>()
  readonly #ended = new Map<string, EndedTokens>()

  /** Ends those of a realm. */
  end(realmId: string, mark: string, now: number): void {
    const latest = Math.max(latestOf(mark), this.#ended.get(realmId)?.latest ?? 0)
    this.#ended.set(realmId, { latest, expiresAt: now + TOKENS_FENCE_MS })
  }

  rotate(realmId: string, rotation: TransientTokenRotation, now: number): RotationOutcome {
    const name = JSON.stringify([realmId, rotation.family])
    const kept = this.#families.get(name)
    const known = kept && !isExpired(kept.expiresAt, now) ? kept.family : undefined
    const ended = this.#ended.get(realmId)
    if (ended && !isExpired(ended.expiresAt, now)) {
      const isGone = known ? kept?.ended !== ended : rotation.issuedAt <= Math.floor(ended.latest / 1000)
      if (isGone) return { outcome: 'gone' }
    }
    const decision = decideRotation(known, rotation, 0, now)
    const family = decision.ends && known ? { ...known, ended: true } : (decision.family ?? known)
    if (family) {
      this.#families.set(name, {
        family,
        ended,
        expiresAt: Math.max(kept?.expiresAt ?? 0, now + rotation.lifespanMs),
      })
    }
    return decision.outcome
  }

  async prune(now: number): Promise<void> {
    await inSlices(this.#families, ([name, { expiresAt }]) => {
      if (isExpired(expiresAt, now)) this.#families.delete(name)
    })
    await inSlices(this.#ended, ([realmId, { expiresAt }]) => {
      if (isExpired(expiresAt, now)) this.#ended.delete(realmId)
    })
  }

  clear(): void {
    this.#families.clear()
    this.#ended.clear()
  }
}
