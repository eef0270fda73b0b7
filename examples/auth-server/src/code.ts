import type { UserSession } from 'authstate'
import { type AuthorizationRequest, answerUri } from './authorization-request.js'
import { digest, randomSecret } from './secrets.js'
import type { Services } from './services.js'
import { type Grant, newTokenId } from './tokens.js'

const KIND = 'code'
const LIFESPAN_MS = 60_000
/** How long a client may repeat a request whose answer it did not get. */
export const RETRY_MS = 10_000
const CODE = /^[\w-]{43}$/

/** What a code stands for. */
export interface CodeGrant extends Grant {
  readonly redirectUri: string
  readonly codeChallenge: string
  readonly nonce: string | undefined
}

/** Puts the client into the user's session and answers where to send the user, with a code to trade in. */
export async function issueCode(
  { state, realmId, issuer }: Services,
  session: UserSession,
  authenticatedAt: number,
  request: AuthorizationRequest,
): Promise<string> {
  const { clientId, redirectUri, codeChallenge, scope, nonce } = request
  const code = randomSecret()
  const grant: Grant = {
    userId: session.userId,
    sessionId: session.id,
    clientId,
    scope,
    family: randomSecret(),
    authenticatedAt,
  }
  await state.actionTokens.put(realmId, KIND, code, {
    lifespanMs: LIFESPAN_MS,
    data: { ...grant, redirectUri, codeChallenge, ...(nonce !== undefined && { nonce }) },
    family: grant.family,
    subject: session.userId,
  })
  return answerUri(redirectUri, issuer, { code, state: request.state })
}

/** What a code was traded in for. */
export interface Redeemed {
  readonly grant: CodeGrant
  /** Of whoever repeats the request the same as the first time. */
  readonly refreshTokenId: string
}

/**
 * Trades a code in, once: whoever tries it again gets nothing, and what came from the first time is revoked.
 *
 * Only whoever has the same verifier may ask again within a few seconds, because the answer was lost or the store was away in
 * the middle, and gets the same refresh token. Nobody but the client that began knows the verifier.
 *
 * @see RFC 6749 §4.1.2 and §10.5, RFC 7636
 */
export async function redeemCode(
  { state, realmId }: Services,
  code: string,
  clientId: string,
  { redirectUri, verifier }: { readonly redirectUri: string; readonly verifier: string },
): Promise<Redeemed | undefined> {
  if (!CODE.test(code)) return undefined
  const redeemed = await state.actionTokens.consume(realmId, KIND, code, {
    attempt: digest(JSON.stringify([redirectUri, verifier])),
    graceMs: RETRY_MS,
    successor: newTokenId(),
  })
  if (redeemed.outcome !== 'consumed' && redeemed.outcome !== 'used') return undefined
  const grant = redeemed.data as unknown as CodeGrant
  if (grant.clientId !== clientId) return undefined
  if (redeemed.outcome === 'consumed') return { grant, refreshTokenId: redeemed.successor ?? newTokenId() }
  await state.actionTokens.revokeFamily(realmId, grant.family)
  return undefined
}
