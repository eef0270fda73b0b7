import type { Handler } from 'hono'
import { SCOPES } from './authorization-request.js'
import type { Services } from './services.js'
import { ALGORITHM } from './signing-key.js'

/** @see OpenID Connect Discovery 1.0 §3 */
export function discovery({ issuer, telling }: Services): Handler {
  const metadata = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/userinfo`,
    end_session_endpoint: `${issuer}/logout`,
    jwks_uri: `${issuer}/jwks`,
    scopes_supported: SCOPES,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [ALGORITHM],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    code_challenge_methods_supported: ['S256'],
    prompt_values_supported: ['none', 'login'],
    claims_supported: ['sub', 'sid', 'auth_time', 'name', 'preferred_username', 'email'],
    authorization_response_iss_parameter_supported: true,
    backchannel_logout_supported: telling !== undefined,
    backchannel_logout_session_supported: telling !== undefined,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
  }
  return (c) => c.json(metadata)
}

/** The public key with which tokens are verified. */
export function jwks({ key }: Services): Handler {
  return (c) => c.json({ keys: [key.publicJwk] })
}
