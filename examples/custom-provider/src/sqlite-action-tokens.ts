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
} from '@authstate/action-token'
import {
  actionTokenConfig,
  checkConsume,
  checkGet,
  checkKey,
  checkToken,
  decodeData,
  encodeData,
  endOfMark,
  isExpired,
  limitsOf,
  SignedTokens,
} from '@authstate/action-token/provider'
import {
  assertName,
  type Clock,
  ProviderClosedError,
  type ProviderContext,
  type ProviderFactory,
  parseDuration,
} from '@authstate/spi'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import type { Duration } from 'authstate'
import * as v from 'valibot'
import { TokenDatabase } from './token-database.js'

const config = v.strictObject({
  ...actionTokenConfig.entries,
  /** Where the database is; every process on this machine that names it shares the tokens. */
  file: v.pipe(v.string(), v.minLength(1)),
  /** How long a write waits for another process that writes. The process stands still meanwhile. */
  busyTimeoutMs: v.optional(
    v.pipe(
      v.union([v.number(), v.string()]),
      v.transform((given) => parseDuration(given)),
      v.number(),
      v.safeInteger(),
      v.minValue(0),
    ),
    5_000,
  ),
})

type Config = v.InferOutput<typeof config>

declare module 'authstate' {
  /** So that `createAuthState` knows the properties. */
  interface ActionTokenSection {
    readonly file?: string | undefined
    readonly busyTimeoutMs?: Duration | number | undefined
  }
}

/** Keeps tokens in a SQLite file: they survive a restart, and the processes of one machine share them. */
export function sqliteActionTokens(): ProviderFactory<ActionTokenProvider, Config> {
  return {
    spi: actionTokenSpi,
    id: 'sqlite',
    config: toStandardJsonSchema(config),
    create: (context, properties) => new SqliteActionTokens(context, properties),
  }
}

class SqliteActionTokens implements ActionTokenProvider {
  readonly clock: Clock
  readonly limits: ActionTokenLimits
  readonly #context: ProviderContext
  readonly #config: Config
  readonly #database: TokenDatabase
  readonly #signed: SignedTokens
  #closed = false

  constructor(context: ProviderContext, properties: Config) {
    this.clock = context.clock
    this.limits = limitsOf(properties)
    this.#context = context
    this.#config = properties
    this.#database = new TokenDatabase(properties.file, properties.busyTimeoutMs)
    this.#signed = new SignedTokens(this, context.keyring, context.clock, properties)
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
    const now = this.#enter(realmId, kind, key)
    const includeExpired = checkGet(options)
    const row = this.#database.find([realmId, kind, key])
    const data = row && decodeData(row.data)
    if (row === undefined || data === undefined) return undefined
    const expired = isExpired(row.expiresAt, now)
    if (expired && (!includeExpired || isExpired(row.expiresAt + this.#config.readGraceMs, now)))
      return undefined
    return {
      data,
      expiresAt: row.expiresAt,
      ...(row.consumedAt !== null && { consumedAt: row.consumedAt }),
      ...(expired && { expired: true as const }),
      ...(row.family !== '' && { family: row.family }),
      ...(row.subject !== '' && { subject: row.subject }),
    }
  }

  async has(realmId: string, kind: string, key: string) {
    return (await this.get(realmId, kind, key)) !== undefined
  }

  async replace(realmId: string, kind: string, key: string, data: TokenData) {
    const now = this.#enter(realmId, kind, key)
    return this.#database.replace([realmId, kind, key], encodeData(data, this.#config.maxDataBytes), now)
  }

  async consume(
    realmId: string,
    kind: string,
    key: string,
    options: ConsumeOptions = {},
  ): Promise<ConsumeOutcome> {
    const now = this.#enter(realmId, kind, key)
    const checked = checkConsume(options, now, this.#config)
    const { consumed, row } = this.#database.consume([realmId, kind, key], checked, now)
    const data = row && decodeData(row.data)
    if (row === undefined || data === undefined) return { outcome: 'unknown' }
    if (consumed) return { outcome: 'consumed', data, ...(row.successor && { successor: row.successor }) }
    if (!isExpired(row.expiresAt, now)) return { outcome: 'used', data, consumedAt: row.consumedAt ?? now }
    return { outcome: isExpired(row.expiresAt + this.#config.readGraceMs, now) ? 'unknown' : 'expired' }
  }

  async remove(realmId: string, kind: string, key: string) {
    const now = this.#enter(realmId, kind, key)
    return this.#database.remove([realmId, kind, key], now)
  }

  async revokeFamily(realmId: string, family: string, refusal?: Lifetime) {
    const now = this.#enterRealm(realmId)
    assertName(family, 'family')
    const until = endOfMark(refusal ?? this.#config.maxLifespanMs, now, 'refusal')
    return this.#database.revokeFamily(realmId, family, now, until)
  }

  async removeBySubject(realmId: string, subject: string) {
    const now = this.#enterRealm(realmId)
    assertName(subject, 'subject')
    return this.#database.removeBySubject(realmId, subject, now)
  }

  async removeByRealm(realmId: string) {
    const now = this.#enterRealm(realmId)
    return this.#database.removeByRealm(realmId, now)
  }

  async revoke(realmId: string, tokenId: string, until: number | Lifetime) {
    const now = this.#enterRealm(realmId)
    assertName(tokenId, 'tokenId')
    this.#database.revoke(realmId, tokenId, endOfMark(until, now, 'until'), now)
  }

  async isRevoked(realmId: string, tokenId: string) {
    const now = this.#enterRealm(realmId)
    assertName(tokenId, 'tokenId')
    return this.#database.isRevoked(realmId, tokenId, now)
  }

  async issueActionToken(realmId: string, token: NewActionToken) {
    return this.#signed.issue(realmId, token)
  }

  async verifyActionToken(realmId: string, token: string, actionId: string) {
    return this.#signed.verify(realmId, token, actionId)
  }

  async consumeActionToken(
    realmId: string,
    token: string,
    actionId: string,
    options?: { readonly attempt?: string | undefined },
  ) {
    return this.#signed.consume(realmId, token, actionId, options)
  }

  async checkHealth() {
    this.#assertOpen()
    this.#database.ping()
  }

  async close() {
    if (this.#closed) return
    this.#closed = true
    this.#database.close()
  }

  #store(realmId: string, kind: string, key: string, token: NewToken, onlyAbsent: boolean): boolean {
    const now = this.#enter(realmId, kind, key)
    const checked = checkToken(token, now, this.#config)
    if (isExpired(checked.expiresAt, now)) return false
    return this.#database.put([realmId, kind, key], checked, now, this.#config.readGraceMs, onlyAbsent)
  }

  /** Every verb on one token starts here. @returns the instant it decides with */
  #enter(realmId: string, kind: string, key: string): number {
    this.#assertOpen()
    checkKey(realmId, kind, key)
    return this.#context.clock.now()
  }

  #enterRealm(realmId: string): number {
    this.#assertOpen()
    assertName(realmId, 'realmId')
    return this.#context.clock.now()
  }

  #assertOpen(): void {
    if (this.#closed) throw new ProviderClosedError('action-token: the provider is closed')
  }
}
