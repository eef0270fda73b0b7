import type { Lifetime, TokenData } from './contract.js'

/** The claims of a signed action token, such as the link in a mail. */
export interface ActionToken {
  readonly userId: string
  /** What may be done with it: `'verify-email'`, `'reset-credentials'`. */
  readonly actionId: string
  readonly nonce: string
  /** Ms since the epoch. */
  readonly expiresAt: number
  readonly data: TokenData
}

/** The claims of a signed token to be issued, and its end, at most the provider's `limits.maxLifespanMs` away. */
export type NewActionToken = Lifetime & {
  readonly userId: string
  readonly actionId: string
  /** @default a key of `mintKey` */
  readonly nonce?: string | undefined
  readonly data?: TokenData | undefined
}

/** What a signed token is worth. `used` and `valid` come with its claims. */
export type VerifyOutcome =
  | { readonly outcome: 'valid'; readonly token: ActionToken }
  | { readonly outcome: 'used'; readonly token: ActionToken; readonly consumedAt: number }
  | { readonly outcome: 'expired' }
  /** Not signed by this deployment, of another realm or action, malformed, or withdrawn. */
  | { readonly outcome: 'invalid' }
