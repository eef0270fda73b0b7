import {
  assertName,
  type Clock,
  type EventOf,
  encodeCursor,
  isExpired,
  type Keyring,
  Lifecycle,
  type Page,
  type ProviderContext,
  UnreadableCounter,
  type UnreadableStats,
} from '@authstate/spi'
import { mintMarkedKey, NO_SITE_MARK } from '@authstate/spi/internal'
import {
  checkConsume,
  checkCount,
  checkGet,
  checkKey,
  checkList,
  checkRevocation,
  checkToken,
  encodeData,
  endOfMark,
} from './checks.js'
import { type ActionTokenConfig, limitsOf } from './config.js'
import {
  type ActionTokenEvents,
  type ActionTokenLimits,
  type ActionTokenProvider,
  actionTokenSpi,
  type ConsumeOptions,
  type ConsumeOutcome,
  type FamilyRevocation,
  type Lifetime,
  type ListedToken,
  type ListOptions,
  type NewActionToken,
  type NewToken,
  type TokenData,
  type TokenRecord,
} from './contract.js'
import { Listeners } from './events.js'
import { type AttemptReply, decodeData, type StoredToken, type TokenDraft } from './rules.js'
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
  readonly #listeners: Listeners
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
    this.#listeners = new Listeners(context.logger)
    this.#unreadable = new UnreadableCounter(context.logger, actionTokenSpi.name, 'a stored token')
  }

  mintKey() {
    this.#lifecycle.assertOpen()
    return mintMarkedKey(this.#store.mark ?? NO_SITE_MARK)
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
    const reply = await this.#store.consume(name, attempt)
    const outcome = this.#outcomeOf(reply, attempt.successor)
    if (reply.outcome === 'consumed' && reply.successor === undefined) this.#tellConsumed(name, reply.token)
    if (reply.outcome === 'used')
      this.#listeners.emit('replayed', { ...eventOf(name, reply.token), consumedAt: reply.consumedAt })
    return outcome
  }

  async take(realmId: string, kind: string, key: string) {
    const name = this.#nameOf(realmId, kind, key)
    const token = await this.#store.take(name, this.clock.now())
    const taken = this.#recordOf(token, true)
    if (token !== undefined && token !== 'unreadable') this.#tellConsumed(name, token)
    return taken
  }

  async countUse(realmId: string, kind: string, key: string, options: { readonly windowMs: number }) {
    const name = this.#nameOf(realmId, kind, key)
    const windowMs = checkCount(options, this.#config)
    return this.#store.countUse(name, windowMs, this.clock.now())
  }

  async remove(realmId: string, kind: string, key: string) {
    return this.#store.remove(this.#nameOf(realmId, kind, key), this.clock.now())
  }

  async revokeFamily(realmId: string, family: string, revocation: FamilyRevocation = {}) {
    this.#enterRealm(realmId)
    assertName(family, 'family')
    const now = this.clock.now()
    const checked = checkRevocation(revocation, now, this.#config)
    const withdrawn = await this.#store.revokeFamily(realmId, family, checked, now)
    this.#listeners.emit('family-revoked', { realmId, family, withdrawn })
    return withdrawn
  }

  async listBySubject(realmId: string, subject: string, options?: ListOptions): Promise<Page<ListedToken>> {
    this.#enterRealm(realmId)
    assertName(subject, 'subject')
    const checked = checkList(options)
    const { items, end } = await this.#store.listBySubject(realmId, subject, checked, this.clock.now())
    const tokens = items.flatMap(({ kind, key, token }) => {
      const found = this.#recordOf(token, false)
      return found === undefined ? [] : [{ kind, key, ...found }]
    })
    return end === undefined ? { items: tokens } : { items: tokens, cursor: encodeCursor(end) }
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

  on<E extends keyof ActionTokenEvents | '*'>(
    event: E,
    listener: (event: EventOf<ActionTokenEvents, E>) => void,
  ) {
    this.#lifecycle.assertOpen()
    return this.#listeners.on(event, listener)
  }

  stats(): UnreadableStats {
    this.#lifecycle.assertOpen()
    return { unreadable: this.#unreadable.total }
  }

  async checkHealth() {
    this.#lifecycle.assertOpen()
    await this.#store.checkHealth?.()
  }

  async close() {
    if (this.#lifecycle.isClosed) return
    this.#lifecycle.close()
    this.#listeners.clear()
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
    const data = outcome === 'unreadable' ? undefined : decodeData(reply.token.data)
    if (outcome === 'unreadable' || data === undefined)
      return this.#unreadable.count() ?? { outcome: 'unknown' }
    if (outcome === 'used') return { outcome, data, consumedAt: reply.consumedAt }
    const { successor = given } = reply
    return successor === '' ? { outcome, data } : { outcome, data, successor }
  }

  #tellConsumed(name: TokenName, token: TokenDraft): void {
    this.#listeners.emit('consumed', eventOf(name, token))
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

/** What events say of a token. Never its key. */
const eventOf = ({ realmId, kind }: TokenName, { family, subject }: TokenDraft) => ({
  realmId,
  kind,
  ...(family !== '' && { family }),
  ...(subject !== '' && { subject }),
})
