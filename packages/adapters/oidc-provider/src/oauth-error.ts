/** What an {@link OAuthError} is made of. */
export interface OAuthErrorParts {
  /** Code of the error, such as `invalid_grant`. @see RFC 6749 §5.2 */
  readonly error: string
  /** The description that the client gets. */
  readonly description: string
  /** For the log of the server; no client sees it. */
  readonly detail?: string
}

/** An error that oidc-provider answers to the client as one of its own. It has the properties that errors of oidc-provider have. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly error: string
  readonly error_description: string
  readonly error_detail?: string
  readonly status = 400
  readonly statusCode = 400
  readonly expose = true
  readonly allow_redirect = true

  constructor({ error, description, detail }: OAuthErrorParts) {
    super(error)
    this.error = error
    this.error_description = description
    if (detail !== undefined) this.error_detail = detail
  }
}

/** A token or a code that cannot be redeemed. */
export const invalidGrant = (detail: string): OAuthError =>
  new OAuthError({ error: 'invalid_grant', description: 'grant request is invalid', detail })

/** What somebody used before, or lives longer than can be remembered. */
export const invalidRequest = (description: string): OAuthError =>
  new OAuthError({ error: 'invalid_request', description })

/** A pushed authorization request that was used before. */
export const invalidRequestUri = (): OAuthError =>
  new OAuthError({
    error: 'invalid_request_uri',
    description: 'request_uri is invalid, expired, or was already used',
  })

/** A sign-in that began before the sessions of its user were ended. */
export const accessDenied = (description: string): OAuthError =>
  new OAuthError({ error: 'access_denied', description })
