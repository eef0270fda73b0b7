import type { Context, Handler } from 'hono'
import { userClaims } from './claims.js'
import { ACCESS_TOKEN_KIND } from './issue-tokens.js'
import { OAuthError } from './oauth-error.js'
import type { Services } from './services.js'

/** Who the user is, for the bearer of a token whose session lives. @see OpenID Connect Core 1.0 §5.3 */
export function userinfo({ state, realmId, tokens, directory }: Services): Handler {
  return async (c) => {
    const token = await tokens.readAccess(bearer(c))
    if (!token) throw invalidToken()
    const { sessionId, clientId, userId } = token
    const [issued, session] = await Promise.all([
      state.actionTokens.has(realmId, ACCESS_TOKEN_KIND, token.tokenId),
      state.userSessions.get(realmId, sessionId, { clientId }),
    ])
    const user = await directory.user(userId)
    if (!issued || session?.userId !== userId || !user) throw invalidToken()
    return c.json({ sub: userId, ...userClaims(user, token.scope) }, 200, { 'cache-control': 'no-store' })
  }
}

function bearer(c: Context): string {
  return /^Bearer ([\w.~+/=-]+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? ''
}

/** @see RFC 6750 §3.1 */
const invalidToken = (): OAuthError =>
  new OAuthError('invalid_token', 'the token is not valid, or its session has ended', 401, {
    'www-authenticate': 'Bearer error="invalid_token"',
  })
