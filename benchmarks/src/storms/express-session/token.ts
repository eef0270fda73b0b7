import type { Handler } from 'hono'
import { userClaims } from '../../../../examples/auth-server/src/claims.js'
import { authenticateClient } from '../../../../examples/auth-server/src/client-auth.js'
import type { CodeGrant } from '../../../../examples/auth-server/src/code.js'
import { readForm } from '../../../../examples/auth-server/src/form.js'
import type { TokenResponse } from '../../../../examples/auth-server/src/issue-tokens.js'
import { OAuthError } from '../../../../examples/auth-server/src/oauth-error.js'
import { digest, sameSecret } from '../../../../examples/auth-server/src/secrets.js'
import { type Grant, newTokenId } from '../../../../examples/auth-server/src/tokens.js'
import type { SessionRecord } from './records.js'
import { type PeerServices, SESSION_LIFE_MS } from './services.js'

const ACCESS_LIFE_MS = 300_000

type Form = Readonly<Record<string, string>>

export function token(services: PeerServices): Handler {
  return async (c) => {
    const form = await readForm(c)
    const { clientId } = await authenticateClient(services, c.req.header('authorization'), form)
    const byCode = form['grant_type'] === 'authorization_code'
    const grant = byCode ? await redeemCode(services, form) : await redeemRefreshToken(services, form)
    if (grant?.clientId !== clientId) throw refused()
    const answer = await issueTokens(services, grant, byCode ? (grant as CodeGrant).nonce : undefined)
    return c.json(answer, 200, { 'cache-control': 'no-store' })
  }
}

async function redeemCode({ records }: PeerServices, form: Form): Promise<CodeGrant | undefined> {
  const grant = await records.take<CodeGrant>('code', form['code'] ?? '')
  if (grant?.redirectUri !== form['redirect_uri']) return undefined
  return sameSecret(digest(form['code_verifier'] ?? ''), grant?.codeChallenge) ? grant : undefined
}

/** Each works once. Whether one comes again, nothing remembers. */
async function redeemRefreshToken({ tokens, records }: PeerServices, form: Form): Promise<Grant | undefined> {
  const presented = await tokens.readRefresh(form['refresh_token'] ?? '')
  return presented && records.take<Grant>('refresh', presented.tokenId)
}

async function issueTokens(
  { records, tokens, directory }: PeerServices,
  grant: Grant,
  nonce: string | undefined,
): Promise<TokenResponse> {
  const { userId, sessionId, clientId, scope, family, authenticatedAt } = grant
  const now = Date.now()
  const session = await records.get<SessionRecord>('session', sessionId)
  const client = session?.clients[clientId]
  const user = await directory.user(userId)
  if (!session || !client || !user) throw refused()
  session.lastRefreshAt = client.lastRefreshAt = now
  await records.put('session', sessionId, session, SESSION_LIFE_MS)
  const [accessId, refreshId] = [newTokenId(), newTokenId()]
  const kept: Grant = { userId, sessionId, clientId, scope, family, authenticatedAt }
  await Promise.all([
    records.put('access', accessId, { family, userId }, ACCESS_LIFE_MS),
    records.put('refresh', refreshId, kept, SESSION_LIFE_MS),
  ])
  const claims = { ...userClaims(user, scope), ...(nonce !== undefined && { nonce }) }
  const [access, refresh, id] = await Promise.all([
    tokens.signAccess(kept, accessId, ACCESS_LIFE_MS),
    tokens.signRefresh(kept, refreshId, now, now + SESSION_LIFE_MS),
    tokens.signId(kept, claims, ACCESS_LIFE_MS),
  ])
  return {
    access_token: access,
    token_type: 'Bearer',
    expires_in: ACCESS_LIFE_MS / 1_000,
    refresh_token: refresh,
    id_token: id,
    scope,
  }
}

const refused = (): OAuthError =>
  new OAuthError('invalid_grant', 'the code or token is not valid, or no longer')
