import type { Client } from './config.js'

/** What a client asks for when it sends a user here. @see OpenID Connect Core 1.0 §3.1.2.1 */
export interface AuthorizationRequest {
  readonly clientId: string
  readonly redirectUri: string
  /** Those asked for that we know. */
  readonly scope: string
  readonly codeChallenge: string
  readonly state?: string | undefined
  readonly nonce?: string | undefined
  readonly prompt?: 'none' | 'login' | undefined
  /** How long ago the user may have typed the password, in ms. */
  readonly maxAgeMs?: number | undefined
}

/** Why a request is refused, for the client to hear. @see RFC 6749 §4.1.2.1 */
export interface Refusal {
  readonly error: 'invalid_request' | 'unsupported_response_type' | 'invalid_scope' | 'login_required'
  readonly description: string
}

export const SCOPES = ['openid', 'profile', 'email']

const S256_CHALLENGE = /^[\w-]{43}$/
const MAX_TEXT = 2_048

/** Whether a user may be sent to this address: only to one the client registered, character by character. */
export const isRedirectUri = (client: Client, uri: string | undefined): uri is string =>
  uri !== undefined && client.redirectUris.includes(uri)

/** Reads a request whose client and redirect URI were checked, or says what is wrong with it. */
export function readAuthorizationRequest(
  clientId: string,
  redirectUri: string,
  query: Readonly<Record<string, string>>,
): AuthorizationRequest | Refusal {
  const { state, nonce, prompt, max_age: maxAge, code_challenge: codeChallenge = '' } = query
  const scope = (query['scope'] ?? '').split(' ').filter((name) => SCOPES.includes(name))
  if (query['response_type'] !== 'code')
    return refuse('unsupported_response_type', 'only "code" is supported')
  if (query['request'] !== undefined || query['request_uri'] !== undefined) {
    return refuse('invalid_request', 'request objects are not supported')
  }
  if (!scope.includes('openid')) return refuse('invalid_scope', '"openid" is missing')
  if (query['code_challenge_method'] !== 'S256' || !S256_CHALLENGE.test(codeChallenge)) {
    return refuse('invalid_request', 'PKCE with S256 is required')
  }
  if (prompt !== undefined && prompt !== 'none' && prompt !== 'login') {
    return refuse('invalid_request', '"prompt" is none or login')
  }
  if (maxAge !== undefined && !/^\d{1,9}$/.test(maxAge))
    return refuse('invalid_request', '"max_age" is in seconds')
  if ((state?.length ?? 0) > MAX_TEXT || (nonce?.length ?? 0) > MAX_TEXT) {
    return refuse('invalid_request', '"state" or "nonce" is too long')
  }
  return {
    clientId,
    redirectUri,
    scope: scope.join(' '),
    codeChallenge,
    state,
    nonce,
    prompt,
    maxAgeMs: maxAge === undefined ? undefined : Number(maxAge) * 1000,
  }
}

const refuse = (error: Refusal['error'], description: string): Refusal => ({ error, description })

/** The redirect URI with an answer. `iss` tells the client who answered: RFC 9207. */
export function answerUri(
  redirectUri: string,
  issuer: string,
  answer: Readonly<Record<string, string | undefined>>,
): string {
  const uri = new URL(redirectUri)
  for (const [name, value] of Object.entries({ ...answer, iss: issuer })) {
    if (value !== undefined) uri.searchParams.set(name, value)
  }
  return uri.href
}
