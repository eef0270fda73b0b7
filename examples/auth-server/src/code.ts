import type { UserSession } from 'authstate'
import { type AuthorizationRequest, answerUri } from './authorization-request.js'
import { randomSecret } from './secrets.js'
import type { Services } from './services.js'
import type { Grant } from './tokens.js'

const KIND = 'code'
const LIFESPAN_MS = 60_000
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

/**
 * Trades a code in, once: whoever tries it again gets nothing, and what came from the first time is revoked.
 *
 * @see RFC 6749 §4.1.2 and §10.5
 */
export async function redeemCode(
  { state, realmId }: Services,
  code: string,
  clientId: string,
): Promise<CodeGrant | undefined> {
  if (!CODE.test(code)) return undefined
  const redeemed = await state.actionTokens.consume(realmId, KIND, code)
  if (redeemed.outcome !== 'consumed' && redeemed.outcome !== 'used') return undefined
  const grant = redeemed.data as unknown as CodeGrant
  if (grant.clientId !== clientId) return undefined
  if (redeemed.outcome === 'consumed') return grant
  await state.actionTokens.revokeFamily(realmId, grant.family)
  return undefined
}
