import type { Handler } from 'hono'
import { authenticateClient } from './client-auth.js'
import { RETRY_MS, redeemCode } from './code.js'
import type { Client } from './config.js'
import { isName, readForm } from './form.js'
import { issueTokens, type TokenResponse } from './issue-tokens.js'
import { OAuthError } from './oauth-error.js'
import { digest, sameSecret } from './secrets.js'
import type { Services } from './services.js'
import { newTokenId } from './tokens.js'

type Form = Readonly<Record<string, string>>

/** Trades a code or a refresh token for tokens. @see RFC 6749 §3.2 */
export function token(services: Services): Handler {
  return async (c) => {
    const form = await readForm(c)
    const client = await authenticateClient(services, c.req.header('authorization'), form)
    return c.json(await grant(services, client, form), 200, { 'cache-control': 'no-store' })
  }
}

function grant(services: Services, client: Client, form: Form): Promise<TokenResponse> {
  switch (form['grant_type']) {
    case 'authorization_code':
      return byCode(services, client, form)
    case 'refresh_token':
      return byRefreshToken(services, client, form)
    default:
      throw new OAuthError('unsupported_grant_type', 'authorization_code and refresh_token are supported')
  }
}

/** One chance: a code that came with the wrong verifier or redirect URI is spent as well. */
async function byCode(services: Services, client: Client, form: Form): Promise<TokenResponse> {
  const { state, realmId } = services
  const verifier = form['code_verifier'] ?? ''
  const redirectUri = form['redirect_uri'] ?? ''
  const redeemed = await redeemCode(services, form['code'] ?? '', client.clientId, { redirectUri, verifier })
  if (!redeemed) throw refused()
  const { grant, refreshTokenId } = redeemed
  if (redirectUri !== grant.redirectUri) throw refused()
  if (!sameSecret(digest(verifier), grant.codeChallenge)) throw refused()
  const session = await state.userSessions.touch(realmId, grant.sessionId, { clientId: client.clientId })
  if (!session) throw refused()
  await noteNode(services, grant.sessionId, client.clientId, form)
  return issueTokens(services, grant, {
    refreshTokenId,
    sessionExpiresAt: session.expiresAt,
    nonce: grant.nonce,
  })
}

/**
 * What an application says of its own session, as adapters of Keycloak do: what it calls it, and which node has it. Both are sent back
 * when the session ends; the node only where it is one that has registered.
 */
async function noteNode(
  { state, realmId, telling }: Services,
  sessionId: string,
  clientId: string,
  { client_session_state: applicationSessionId = '', client_session_host: nodeHost = '' }: Form,
): Promise<void> {
  if (telling === undefined) return
  const said = {
    ...(isName(applicationSessionId) && { applicationSessionId }),
    ...(isName(nodeHost) && { nodeHost }),
  }
  if (Object.keys(said).length === 0) return
  await state.userSessions.updateClientSession(realmId, sessionId, { clientId, ...said })
}

/**
 * Each refresh token works once. One that comes again was stolen, or its successor was: the client's session ends.
 *
 * Within a few seconds it is a client that asks again, since its answer was lost or the store was away between our steps. It
 * gets the same successor, so that what is stolen in those seconds is told from what is not by the next rotation.
 */
async function byRefreshToken(services: Services, client: Client, form: Form): Promise<TokenResponse> {
  const { state, realmId } = services
  const presented = await services.tokens.readRefresh(form['refresh_token'] ?? '')
  if (presented?.clientId !== client.clientId) throw refused()
  const { sessionId, clientId, family } = presented
  const rotated = await state.userSessions.rotateRefreshToken(realmId, sessionId, {
    clientId,
    family,
    presented: presented.tokenId,
    next: newTokenId(),
    issuedAt: presented.issuedAt,
    maxReuse: 0,
    attempt: digest(presented.tokenId),
    graceMs: RETRY_MS,
  })
  if (rotated.outcome === 'reused' || rotated.outcome === 'stale') {
    await state.actionTokens.revokeFamily(realmId, family)
  }
  if (rotated.outcome !== 'rotated') throw refused()
  const session = await state.userSessions.touch(realmId, sessionId, { clientId })
  if (!session) throw refused()
  return issueTokens(services, presented, {
    refreshTokenId: rotated.successor,
    sessionExpiresAt: session.expiresAt,
  })
}

/** One answer for everything that is wrong with a code or a refresh token. */
const refused = (): OAuthError =>
  new OAuthError('invalid_grant', 'the code or token is not valid, or no longer')
