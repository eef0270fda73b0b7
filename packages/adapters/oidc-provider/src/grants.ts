import type { ActionTokenProvider } from '@authstate/action-token'
import { keyOf } from './models.js'
import type { Requests } from './requests.js'

/** Grants, and what came from them. */
export class Grants {
  readonly #tokens: ActionTokenProvider
  readonly #realmId: string
  readonly #requests: Requests
  /** Revocations that have not begun yet. */
  readonly #next = new Map<string, Promise<void>>()

  constructor(tokens: ActionTokenProvider, realmId: string, requests: Requests) {
    this.#tokens = tokens
    this.#realmId = realmId
    this.#requests = requests
  }

  /**
   * Forgets every token of a grant; the grant itself goes on. oidc-provider asks once per model, all in one turn, and each call
   * means all of them: they share one revocation.
   */
  revokeTokens(grantId: string): Promise<void> {
    const joined = this.#next.get(grantId)
    if (joined !== undefined) return joined
    const revoked = Promise.resolve().then(async () => {
      this.#next.delete(grantId)
      await this.#tokens.revokeFamily(this.#realmId, grantId, { refuse: false, consumed: 'remove' })
    })
    this.#next.set(grantId, revoked)
    return revoked
  }

  /** Ends a grant. A save of it that comes later is refused. */
  async end(grantId: string): Promise<void> {
    // With a name, so that what is ended twice is not told as a replay.
    await this.#tokens.consume(this.#realmId, 'Grant', keyOf(grantId), { attempt: 'ended' })
  }

  /** What oidc-provider does when it sees itself that a token was redeemed before: the whole grant is revoked. */
  async replayed(model: string, id: string, grantId: string | undefined): Promise<void> {
    if (grantId === undefined) return
    const context = (await this.#requests.current())?.context
    const token = context?.oidc.entities[model]
    await Promise.all([
      model === 'RefreshToken' && (token?.jti === id ? token.destroy() : this.#forget(model, id)),
      this.revokeTokens(grantId),
      this.end(grantId),
    ])
    context?.oidc.provider.emit('grant.revoked', context, grantId)
  }

  #forget(model: string, id: string): Promise<unknown> {
    return this.#tokens.remove(this.#realmId, model, keyOf(id))
  }
}
