import { assertName } from '@authstate/spi'
import { type AuthState, actionTokenSpi } from 'authstate'

/** Action tokens and their families. */
export interface TokenOperations {
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

/** Tokens of a state. */
export function tokenOperations(state: AuthState): TokenOperations {
  const tokens = () => state.get(actionTokenSpi)
  return {
    async revokeFamily(realmId, family) {
      assertName(realmId, 'realmId')
      assertName(family, 'family')
      return tokens().revokeFamily(realmId, family)
    },
    async removeBySubject(realmId, subject) {
      assertName(realmId, 'realmId')
      assertName(subject, 'subject')
      return tokens().removeBySubject(realmId, subject)
    },
    async isRevoked(realmId, tokenId) {
      assertName(realmId, 'realmId')
      assertName(tokenId, 'tokenId')
      return tokens().isRevoked(realmId, tokenId)
    },
  }
}
