import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** What a client is told when its request fails. @see RFC 6749 §5.2 */
export class OAuthError extends Error {
  constructor(
    readonly code:
      | 'invalid_request'
      | 'invalid_client'
      | 'invalid_grant'
      | 'unsupported_grant_type'
      | 'invalid_token',
    description: string,
    readonly status: ContentfulStatusCode = 400,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(description)
  }
}

export function oauthErrorResponse(c: Context, error: OAuthError): Response {
  return c.json({ error: error.code, error_description: error.message }, error.status, {
    'cache-control': 'no-store',
    ...error.headers,
  })
}
