import { randomBytes } from 'node:crypto'
import {
  assertName,
  type Clock,
  ProviderClosedError,
  type ProviderContext,
  type ProviderFactory,
  Pruner,
} from '@authstate/spi'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
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
import {
  type CheckedConsume,
  checkConsume,
  checkGet,
  checkKey,
  checkToken,
  decodeData,
  encodeData,
  endOfMark,
  isExpired,
  limitsOf,
  type MemoryActionTokenConfig,
  memoryActionTokenConfig,
} from './rules.js'
import { SignedTokens } from './signed-tokens.js'

/** Keeps tokens in this process. They are lost with it and not shared. */
export function memoryActionTokens(): ProviderFactory<ActionTokenProvider, MemoryActionTokenConfig> {
  return {
    spi: actionTokenSpi,
    id: 'memory',
    config: toStandardJsonSchema(memoryActionTokenConfig),
    create: async (context, config) => {
      const provider = new MemoryActionTokens(context, config)
      await provider.loadRevoked()
      return provider
    },
  }
}

interface Entry {
  readonly realmId: string
  readonly expiresAt: number
  data: string
  readonly family: string
  readonly subject: string
  consumed?: CheckedConsume & { readonly at: number }
}

class MemoryActionTokens implements ActionTokenProvider {
  readonly clock: Clock
  readonly limits: ActionTokenLimits
  readonly #tokens = new Map<string, Entry>()
  /** Until when a family is refused. */
  readonly #refused = new Map<string, { readonly realmId: string; readonly expiresAt: number }>()
  readonly #revoked = new Map<string, { readonly realmId: string; readonly expiresAt: number }>()
  readonly #tokenPruner = new Pruner(this.#tokens)
  readonly #refusedPruner = new Pruner(this.#refused)
  readonly #revokedPruner = new Pruner(this.#revoked)
  readonly #context: ProviderContext
  readonly #config: MemoryActionTokenConfig
  readonly #signed: SignedTokens
  #closed = false

  constructor(context: ProviderContext, config: MemoryActionTokenConfig) {
    this.clock = context.clock
    this.limits = limitsOf(config)
    this.#context = context
    this.#config = config
    // Nobody else has to verify what this process signed, and its tokens end with it.
    const keyring = context.keyring ?? { current: 'process', keys: { process: randomBytes(64) } }
    this.#signed = new SignedTokens(this, keyring, context.clock, config)
  }

  async loadRevoked(): Promise<void> {
    for await (const { realmId, tokenId, expiresAt } of (await this.#config.revokedTokens?.load()) ?? []) {
      this.#revoked.set(nameOf(realmId, tokenId), { realmId, expiresAt })
    }
  }

  async put(realmId: string, kind: string, key: string, token: NewToken) {
    return this.#store(realmId, kind, key, token, false) ? 'stored' : 'refused'
  }

  async putIfAbsent(realmId: string, kind: string, key: string, token: NewToken) {
    return this.#store(realmId, kind, key, token, true)
  }

  async get(
    realmId: string,
    kind: string,
    key: string,
    options: { readonly includeExpired?: boolean | undefined } = {},
  ): Promise<TokenRecord | undefined> {
    const entry = this.#readable(realmId, kind, key)
    const includeExpired = checkGet(options)
    if (entry === undefined) return undefined
    const expired = isExpired(entry.expiresAt, this.#context.clock.now())
    if (expired && !includeExpired) return undefined
    return {
      data: decodeData(entry.data) ?? {},
      expiresAt: entry.expiresAt,
      ...(entry.consumed && { consumedAt: entry.consumed.at }),
      ...(expired && { expired: true as const }),
      ...(entry.family !== '' && { family: entry.family }),
      ...(entry.subject !== '' && { subject: entry.subject }),
    }
  }

  async has(realmId: string, kind: string, key: string) {
    return this.#live(realmId, kind, key) !== undefined
  }

  async replace(realmId: string, kind: string, key: string, data: TokenData) {
    const entry = this.#live(realmId, kind, key)
    const encoded = encodeData(data, this.#config.maxDataBytes)
    if (entry === undefined || entry.consumed !== undefined) return false
    entry.data = encoded
    return true
  }

  async consume(
    realmId: string,
    kind: string,
    key: string,
    options: ConsumeOptions = {},
  ): Promise<ConsumeOutcome> {
    const entry = this.#readable(realmId, kind, key)
    const now = this.#context.clock.now()
    const { attempt, graceUntil, successor } = checkConsume(options, now, this.#config)
    if (entry === undefined) return { outcome: 'unknown' }
    if (isExpired(entry.expiresAt, now)) return { outcome: 'expired' }
    const data = decodeData(entry.data) ?? {}
    const { consumed } = entry
    if (consumed !== undefined) {
      const honoured = consumed.graceUntil === '' || !isExpired(consumed.graceUntil, now)
      if (attempt === '' || attempt !== consumed.attempt || !honoured) {
        return { outcome: 'used', data, consumedAt: consumed.at }
      }
    }
    entry.consumed ??= { at: now, attempt, graceUntil, successor }
    return {
      outcome: 'consumed',
      data,
      ...(entry.consumed.successor && { successor: entry.consumed.successor }),
    }
  }

  async remove(realmId: string, kind: string, key: string) {
    const live = this.#live(realmId, kind, key) !== undefined
    this.#tokens.delete(nameOf(realmId, kind, key))
    return live
  }

  async revokeFamily(realmId: string, family: string, refusal?: Lifetime) {
    this.#enter()
    assertName(realmId, 'realmId')
    assertName(family, 'family')
    const asked = endOfMark(refusal ?? this.#config.maxLifespanMs, this.#context.clock.now(), 'refusal')
    const isMember = (entry: Entry): boolean => entry.realmId === realmId && entry.family === family
    const withdrawn = this.#withdraw(isMember)
    const name = nameOf(realmId, family)
    let expiresAt = Math.max(asked, this.#refused.get(name)?.expiresAt ?? 0)
    // What was consumed may be repeated by its attempt, and lead to more, for as long as it lives.
    for (const entry of this.#tokens.values())
      if (isMember(entry)) expiresAt = Math.max(expiresAt, entry.expiresAt)
    this.#refused.set(name, { realmId, expiresAt })
    this.#refusedPruner.prune(this.#isDead)
    return withdrawn
  }

  async removeBySubject(realmId: string, subject: string) {
    this.#enter()
    assertName(realmId, 'realmId')
    assertName(subject, 'subject')
    return this.#withdraw((entry) => entry.realmId === realmId && entry.subject === subject)
  }

  async removeByRealm(realmId: string) {
    this.#enter()
    assertName(realmId, 'realmId')
    const removed = this.#withdraw((entry) => entry.realmId === realmId)
    for (const map of [this.#tokens, this.#refused, this.#revoked]) {
      for (const [name, entry] of map) if (entry.realmId === realmId) map.delete(name)
    }
    return removed
  }

  async revoke(realmId: string, tokenId: string, until: number | Lifetime) {
    this.#enter()
    assertName(realmId, 'realmId')
    assertName(tokenId, 'tokenId')
    const now = this.#context.clock.now()
    const asked = endOfMark(until, now, 'until')
    if (isExpired(asked, now)) return
    const name = nameOf(realmId, tokenId)
    const expiresAt = Math.max(asked, this.#revoked.get(name)?.expiresAt ?? 0)
    this.#revoked.set(name, { realmId, expiresAt })
    this.#revokedPruner.prune(this.#isDead)
    await this.#config.revokedTokens?.save({ realmId, tokenId, expiresAt })
  }

  async isRevoked(realmId: string, tokenId: string) {
    this.#enter()
    assertName(realmId, 'realmId')
    assertName(tokenId, 'tokenId')
    const revoked = this.#revoked.get(nameOf(realmId, tokenId))
    return revoked !== undefined && !isExpired(revoked.expiresAt, this.#context.clock.now())
  }

  async issueActionToken(realmId: string, token: NewActionToken) {
    this.#enter()
    return this.#signed.issue(realmId, token)
  }

  async verifyActionToken(realmId: string, token: string, actionId: string) {
    this.#enter()
    return this.#signed.verify(realmId, token, actionId)
  }

  async consumeActionToken(
    realmId: string,
    token: string,
    actionId: string,
    options?: { readonly attempt?: string | undefined },
  ) {
    this.#enter()
    return this.#signed.consume(realmId, token, actionId, options)
  }

  async close() {
    this.#closed = true
    for (const map of [this.#tokens, this.#refused, this.#revoked]) map.clear()
  }

  #store(realmId: string, kind: string, key: string, token: NewToken, onlyIfAbsent: boolean): boolean {
    const before = this.#live(realmId, kind, key)
    const now = this.#context.clock.now()
    const checked = checkToken(token, now, this.#config)
    if (isExpired(checked.expiresAt, now)) return false
    if (before !== undefined && (onlyIfAbsent || before.consumed !== undefined)) return false
    const refused = this.#refused.get(nameOf(realmId, checked.family))
    if (checked.family !== '' && refused !== undefined && !isExpired(refused.expiresAt, now)) return false
    const name = nameOf(realmId, kind, key)
    this.#tokens.set(name, { realmId, ...checked })
    this.#tokenPruner.prune(this.#isDead)
    this.#refusedPruner.prune(this.#isDead)
    return true
  }

  #withdraw(matches: (entry: Entry) => boolean): number {
    let withdrawn = 0
    for (const [name, entry] of this.#tokens) {
      if (!matches(entry) || entry.consumed !== undefined) continue
      this.#tokens.delete(name)
      if (!isExpired(entry.expiresAt, this.#context.clock.now())) withdrawn += 1
    }
    return withdrawn
  }

  #live(realmId: string, kind: string, key: string): Entry | undefined {
    const entry = this.#readable(realmId, kind, key)
    return entry && !isExpired(entry.expiresAt, this.#context.clock.now()) ? entry : undefined
  }

  /** Live, or expired no longer ago than `readGraceMs`. */
  #readable(realmId: string, kind: string, key: string): Entry | undefined {
    this.#enter()
    checkKey(realmId, kind, key)
    const entry = this.#tokens.get(nameOf(realmId, kind, key))
    return entry && !isExpired(entry.expiresAt + this.#config.readGraceMs, this.#context.clock.now())
      ? entry
      : undefined
  }

  readonly #isDead = ({ expiresAt }: { readonly expiresAt: number }): boolean =>
    isExpired(expiresAt + this.#config.readGraceMs, this.#context.clock.now())

  #enter(): void {
    if (this.#closed) throw new ProviderClosedError('action-token: the provider is closed')
  }
}

const nameOf = (...parts: string[]): string => JSON.stringify(parts)
