import { userClaims } from './claims.js'
import { OAuthError } from './oauth-error.js'
import type { Services } from './services.js'
import { type Grant, newTokenId } from './tokens.js'

/** @see RFC 6749 §5.1 and OpenID Connect Core 1.0 §3.1.3.3 */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly refresh_token: string
  readonly id_token: string
  readonly scope: string
}

/** The namespace of access tokens that were issued: one whose family was revoked is gone from it. */
export const ACCESS_TOKEN_KIND = 'access-token'

export interface TokenDetails {
  readonly refreshTokenId: string
  /** A refresh token is good for as long as its session would live unused. */
  readonly sessionExpiresAt: number
  /** For the ID token of a login; one of a refresh has none. */
  readonly nonce?: string | undefined
}

/** Issues the three tokens of a grant, unless its family was revoked. */
export async function issueTokens(
  services: Services,
  grant: Grant,
  { refreshTokenId, sessionExpiresAt, nonce }: TokenDetails,
): Promise<TokenResponse> {
  const { state, realmId, tokens, clock, directory, accessTokenLifespanMs: lifespanMs } = services
  const user = await directory.user(grant.userId)
  if (!user) throw withdrawn()
  const accessTokenId = newTokenId()
  const stored = await state.actionTokens.put(realmId, ACCESS_TOKEN_KIND, accessTokenId, {
    lifespanMs,
    family: grant.family,
    subject: grant.userId,
  })
  if (stored === 'refused') throw withdrawn()
  const claims = { ...userClaims(user, grant.scope), ...(nonce !== undefined && { nonce }) }
  const [access, refresh, id] = await Promise.all([
    tokens.signAccess(grant, accessTokenId, lifespanMs),
    tokens.signRefresh(grant, refreshTokenId, clock.now(), sessionExpiresAt),
    tokens.signId(grant, claims, lifespanMs),
  ])
  return {
    access_token: access,
    token_type: 'Bearer',
    expires_in: Math.floor(lifespanMs / 1000),
    refresh_token: refresh,
    id_token: id,
    scope: grant.scope,
  }
}

const withdrawn = (): OAuthError => new OAuthError('invalid_grant', 'what this came from was revoked')
