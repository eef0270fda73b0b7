import {
  assertName,
  type Clock,
  isExpired,
  type Keyring,
  Lifecycle,
  type ProviderContext,
  UnreadableCounter,
} from '@authstate/spi'
import { checkConsume, checkGet, checkKey, checkToken, encodeData, endOfMark } from './checks.js'
import { type ActionTokenConfig, limitsOf } from './config.js'
import {
  type ActionTokenLimits,
  type ActionTokenProvider,
  actionTokenSpi,
  type ConsumeOptions,
  type ConsumeOutcome,
  type Lifetime,
  type NewActionToken,
  type NewToken,
  type TokenData,
  type TokenRecord,
} from './contract.js'
import { type AttemptReply, decodeData, type StoredToken } from './rules.js'
import { SignedTokens } from './signed-tokens.js'
import type { TokenName, TokenStore } from './store.js'

/** The contract, over whatever store: checks, ceilings, the clock, signed tokens, and what cannot be read. */
export class ActionTokens implements ActionTokenProvider {
  readonly clock: Clock
  readonly limits: ActionTokenLimits
  readonly #config: ActionTokenConfig
  readonly #store: TokenStore
  readonly #signed: SignedTokens
  readonly #unreadable: UnreadableCounter
  readonly #lifecycle = new Lifecycle(actionTokenSpi.name)

  /** @param keyring What signs tokens. Left out: that of the context; where there is none, no token can be signed. */
  constructor(
    context: ProviderContext,
    config: ActionTokenConfig,
    store: TokenStore,
    keyring: Keyring | undefined = context.keyring,
  ) {
    this.clock = context.clock
    this.limits = limitsOf(config)
    this.#config = config
    this.#store = store
    this.#signed = new SignedTokens(this, keyring, context.clock, config)
    this.#unreadable = new UnreadableCounter(context.logger, actionTokenSpi.name, 'a stored token')
  }

  async put(realmId: string, kind: string, key: string, token: NewToken) {
    return (await this.#put(realmId, kind, key, token, false)) ? 'stored' : 'refused'
  }

  async putIfAbsent(realmId: string, kind: string, key: string, token: NewToken) {
    return this.#put(realmId, kind, key, token, true)
  }

  async get(
    realmId: string,
    kind: string,
    key: string,
    options: { readonly includeExpired?: boolean | undefined } = {},
  ) {
    const name = this.#nameOf(realmId, kind, key)
    const includeExpired = checkGet(options)
    return this.#recordOf(await this.#store.load(name), includeExpired)
  }

  async has(realmId: string, kind: string, key: string) {
    const name = this.#nameOf(realmId, kind, key)
    return this.#recordOf(await this.#store.load(name), false) !== undefined
  }

  async replace(realmId: string, kind: string, key: string, data: TokenData) {
    const name = this.#nameOf(realmId, kind, key)
    return this.#store.replace(name, encodeData(data, this.#config.maxDataBytes), this.clock.now())
  }

  async consume(realmId: string, kind: string, key: string, options: ConsumeOptions = {}) {
    const name = this.#nameOf(realmId, kind, key)
    const attempt = checkConsume(options, this.clock.now(), this.#config)
    return this.#outcomeOf(await this.#store.consume(name, attempt), attempt.successor)
  }

  async remove(realmId: string, kind: string, key: string) {
    return this.#store.remove(this.#nameOf(realmId, kind, key), this.clock.now())
  }

  async revokeFamily(realmId: string, family: string, refusal?: Lifetime) {
    this.#enterRealm(realmId)
    assertName(family, 'family')
    const now = this.clock.now()
    const until = endOfMark(refusal ?? this.#config.maxLifespanMs, now, 'refusal')
    return this.#store.revokeFamily(realmId, family, until, now)
  }

  async removeBySubject(realmId: string, subject: string) {
    this.#enterRealm(realmId)
    assertName(subject, 'subject')
    return this.#store.removeBySubject(realmId, subject, this.clock.now())
  }

  async removeByRealm(realmId: string) {
    this.#enterRealm(realmId)
    return this.#store.removeByRealm(realmId, this.clock.now())
  }

  async revoke(realmId: string, tokenId: string, until: number | Lifetime) {
    this.#enterRealm(realmId)
    assertName(tokenId, 'tokenId')
    const now = this.clock.now()
    const expiresAt = endOfMark(until, now, 'until')
    if (!isExpired(expiresAt, now)) return this.#store.revoke(realmId, tokenId, expiresAt, now)
  }

  async isRevoked(realmId: string, tokenId: string) {
    this.#enterRealm(realmId)
    assertName(tokenId, 'tokenId')
    return !isExpired(await this.#store.revokedUntil(realmId, tokenId), this.clock.now())
  }

  async issueActionToken(realmId: string, token: NewActionToken) {
    this.#lifecycle.assertOpen()
    return this.#signed.issue(realmId, token)
  }

  async verifyActionToken(realmId: string, token: string, actionId: string) {
    this.#lifecycle.assertOpen()
    return this.#signed.verify(realmId, token, actionId)
  }

  async consumeActionToken(
    realmId: string,
    token: string,
    actionId: string,
    options?: { readonly attempt?: string | undefined },
  ) {
    this.#lifecycle.assertOpen()
    return this.#signed.consume(realmId, token, actionId, options)
  }

  async checkHealth() {
    this.#lifecycle.assertOpen()
    await this.#store.checkHealth?.()
  }

  async close() {
    if (this.#lifecycle.isClosed) return
    this.#lifecycle.close()
    await this.#store.close?.()
  }

  async #put(realmId: string, kind: string, key: string, given: NewToken, onlyAbsent: boolean) {
    const name = this.#nameOf(realmId, kind, key)
    const now = this.clock.now()
    const token = checkToken(given, now, this.#config)
    if (isExpired(token.expiresAt, now)) return false
    return this.#store.put(name, token, { now, goneBy: now - this.#config.readGraceMs, onlyAbsent })
  }

  #recordOf(
    stored: StoredToken | 'unreadable' | undefined,
    includeExpired: boolean,
  ): TokenRecord | undefined {
    if (stored === undefined) return undefined
    const data = stored === 'unreadable' ? undefined : decodeData(stored.data)
    if (stored === 'unreadable' || data === undefined) return this.#unreadable.count()
    const { expiresAt, consumption, family, subject } = stored
    const now = this.clock.now()
    const expired = isExpired(expiresAt, now)
    if (expired && (!includeExpired || isExpired(expiresAt + this.#config.readGraceMs, now))) return undefined
    return {
      data,
      expiresAt,
      ...(consumption !== undefined && { consumedAt: consumption.at }),
      ...(expired && { expired }),
      ...(family !== '' && { family }),
      ...(subject !== '' && { subject }),
    }
  }

  /** @param given The successor that this call brought. */
  #outcomeOf(reply: AttemptReply, given: string): ConsumeOutcome {
    const { outcome } = reply
    if (outcome === 'expired' || outcome === 'unknown') return { outcome }
    const data = outcome === 'unreadable' ? undefined : decodeData(reply.data)
    if (outcome === 'unreadable' || data === undefined)
      return this.#unreadable.count() ?? { outcome: 'unknown' }
    if (outcome === 'used') return { outcome, data, consumedAt: reply.consumedAt }
    const { successor = given } = reply
    return successor === '' ? { outcome, data } : { outcome, data, successor }
  }

  #nameOf(realmId: string, kind: string, key: string): TokenName {
    this.#lifecycle.assertOpen()
    checkKey(realmId, kind, key)
    return { realmId, kind, key }
  }

  #enterRealm(realmId: string): void {
    this.#lifecycle.assertOpen()
    assertName(realmId, 'realmId')
  }
}
