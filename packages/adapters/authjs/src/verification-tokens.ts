import { hash } from 'node:crypto'
import type { ActionTokenProvider } from '@authstate/action-token'
import { lifeUntil } from '@authstate/web-session'

/** What a link in a mail stands for, as Auth.js has it: `token` is a digest already. */
export interface VerificationToken {
  identifier: string
  expires: Date
  token: string
}

const KIND = 'verification'

/** Verification tokens under digests: neither addresses nor tokens are in the store. */
export class TokenPart {
  readonly #realmId: string
  readonly #tokens: ActionTokenProvider

  constructor(realmId: string, tokens: ActionTokenProvider) {
    this.#realmId = realmId
    this.#tokens = tokens
  }

  async create(verificationToken: VerificationToken): Promise<VerificationToken> {
    const { expires } = verificationToken
    await this.#tokens.put(this.#realmId, KIND, keyOf(verificationToken), {
      data: { expires: new Date(expires).toISOString() },
      ...lifeUntil(expires),
    })
    return verificationToken
  }

  async use({ identifier, token }: Omit<VerificationToken, 'expires'>): Promise<VerificationToken | null> {
    const taken = await this.#tokens.take(this.#realmId, KIND, keyOf({ identifier, token }))
    const expires = taken?.data['expires']
    return typeof expires === 'string' ? { identifier, token, expires: new Date(expires) } : null
  }
}

function keyOf({ identifier, token }: Omit<VerificationToken, 'expires'>): string {
  if (typeof identifier !== 'string') throw new TypeError('"identifier" must be a string')
  if (typeof token !== 'string') throw new TypeError('"token" must be a string')
  return hash('sha256', JSON.stringify([identifier, token]), 'base64url')
}
