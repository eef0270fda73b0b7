import { assertInteger, assertName, assertNames, ConfigurationError, type Page } from '@authstate/spi'
import { type AuthState, actionTokenSpi } from 'authstate'
import type { ListedToken, ListOptions } from 'authstate/action-token'
import type { Recorder } from './audit.js'
import { DEFAULT_LIMIT } from './paging.js'
import type { References } from './references.js'

/** A token, as an operator sees it: not its key, which is often all that it takes to use it, nor its data. */
export interface TokenRow {
  /** Names the token to {@link TokenOperations.remove} for twelve hours. Absent without a keyring. */
  readonly reference?: string
  readonly kind: string
  /** Ms since the epoch. */
  readonly expiresAt: number
  /** When it was consumed, ms since the epoch. Absent while it can still be. */
  readonly consumedAt?: number
  /** Whether it falls with others: `revokeFamily` takes the name that your application gave them. */
  readonly isOfFamily: boolean
}

/** Action tokens and their families. */
export interface TokenOperations {
  /**
   * Living tokens about a subject, such as a user id: what a user has granted and was mailed. A page of 50 or `limit` (1 to 100)
   * at a time, in no order. Those that were consumed only with `consumed: true`.
   *
   * @throws {TypeError | RangeError} an argument cannot be; names it
   */
  list(realmId: string, subject: string, options?: ListOptions): Promise<Page<TokenRow>>

  /**
   * Revokes tokens by reference, at most 100. Safe to repeat. A reference counts as unknown if it
   * is forged, older than twelve hours, of another realm, of a session, or of a token that has
   * ended.
   *
   * @throws {ConfigurationError} there is no keyring to read references with
   * @throws {TypeError | RangeError} an argument cannot be; then nothing was withdrawn
   */
  remove(
    realmId: string,
    references: readonly string[],
  ): Promise<{ readonly removed: number; readonly unknown: number }>

  /**
   * Withdraws every token of a family, and refuses what joins it later: for a grant that leaked. Safe to repeat.
   *
   * @returns how many could still be used
   */
  revokeFamily(realmId: string, family: string): Promise<number>

  /** Withdraws every token about a subject, such as the links that were mailed to a user. Safe to repeat. @returns how many */
  removeBySubject(realmId: string, subject: string): Promise<number>

  /** Whether the id of a token was revoked. */
  isRevoked(realmId: string, tokenId: string): Promise<boolean>
}

const MOST_REFERENCES = 100

/** Tokens of a state. */
export function tokenOperations(
  state: AuthState,
  references: References,
  recorder: Recorder,
): TokenOperations {
  const tokens = () => state.get(actionTokenSpi)
  return {
    async list(realmId, subject, options = {}) {
      assertName(realmId, 'realmId')
      const page = await tokens().listBySubject(realmId, subject, { limit: DEFAULT_LIMIT, ...options })
      const items = page.items.map((token) => rowOf(token, referenceTo(references, realmId, token)))
      return { items, ...(page.cursor !== undefined && { cursor: page.cursor }) }
    },
    async remove(realmId, given) {
      assertName(realmId, 'realmId')
      assertNames(given, 'references')
      assertInteger(given.length, 'references.length', 1, MOST_REFERENCES)
      if (!references.areMade) {
        throw new ConfigurationError('keyring: tokens have no references without one, so none can be named')
      }
      const named = [...new Set(given)].map((reference) => {
        const referred = references.read(realmId, reference)
        return referred?.kind === 'token'
          ? (JSON.parse(referred.id) as [kind: string, key: string])
          : undefined
      })
      const records = named.flatMap((id) => (id === undefined ? [] : [{ kind: 'token' as const, id }]))
      return recorder.act(
        { event: 'tokens.remove', realm: realmId, records },
        async () => {
          const removed = await Promise.all(
            named.map(async (id) => id !== undefined && tokens().remove(realmId, ...id)),
          )
          const count = removed.filter(Boolean).length
          return { removed: count, unknown: removed.length - count }
        },
        ({ removed }) => ({ count: removed }),
      )
    },
    async revokeFamily(realmId, family) {
      assertName(realmId, 'realmId')
      assertName(family, 'family')
      const records = [{ kind: 'token-family' as const, id: family }]
      // A family is refused from now on, also where none of its tokens could still be used.
      return recorder.act(
        { event: 'tokens.revoke-family', realm: realmId, records },
        () => tokens().revokeFamily(realmId, family),
        (count) => ({ outcome: 'done', count }),
      )
    },
    async removeBySubject(realmId, subject) {
      assertName(realmId, 'realmId')
      assertName(subject, 'subject')
      const records = [{ kind: 'user' as const, id: subject }]
      const action = { event: 'tokens.remove', realm: realmId, records }
      return recorder.counted(action, () => tokens().removeBySubject(realmId, subject))
    },
    async isRevoked(realmId, tokenId) {
      assertName(realmId, 'realmId')
      assertName(tokenId, 'tokenId')
      return tokens().isRevoked(realmId, tokenId)
    },
  }
}

const referenceTo = (references: References, realmId: string, { kind, key }: ListedToken) =>
  references.make(realmId, { kind: 'token', id: JSON.stringify([kind, key]) })

function rowOf(
  { kind, expiresAt, consumedAt, family }: ListedToken,
  reference: string | undefined,
): TokenRow {
  return {
    ...(reference !== undefined && { reference }),
    kind,
    expiresAt,
    ...(consumedAt !== undefined && { consumedAt }),
    isOfFamily: family !== undefined,
  }
}
