/** The realm of tokens and sessions. */
export const REALM = 'magic-link'

/** What a link is for. */
export const SIGN_IN = 'sign-in'

/** How long a link works. */
export const LINK_MS = 900_000
