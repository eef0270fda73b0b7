import { type RedisConnection, redisConnectionSpi, unescapePart } from '@authstate/redis'
import {
  assertName,
  type Clock,
  ProviderClosedError,
  type ProviderContext,
  type ProviderFactory,
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
import { TokenKeys } from './redis/token-keys.js'
import { escapeName, readToken, writeToken } from './redis/token-text.js'
import {
  type ActionTokenConfig,
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
} from './rules.js'
import * as scripts from './scripts.js'
import { SignedTokens } from './signed-tokens.js'

/** Keeps tokens in Redis, shared by every node of the deployment. */
export function redisActionTokens(): ProviderFactory<ActionTokenProvider, ActionTokenConfig> {
  return {
    spi: actionTokenSpi,
    id: 'redis',
    dependsOn: [redisConnectionSpi],
    config: toStandardJsonSchema(actionTokenConfig),
    create: (context, config) => new RedisActionTokens(context, config),
  }
}

/** Redis keeps a record a little longer than it lives, so that a node with a slow clock loses nothing. */
const GRACE_MS = 60_000

class RedisActionTokens implements ActionTokenProvider {
  readonly clock: Clock
  readonly limits: ActionTokenLimits
  readonly #context: ProviderContext
  readonly #config: ActionTokenConfig
  readonly #redis: RedisConnection
  readonly #keys: TokenKeys
  readonly #signed: SignedTokens
  #unreadable = 0
  #closed = false

  constructor(context: ProviderContext, config: ActionTokenConfig) {
    this.clock = context.clock
    this.limits = limitsOf(config)
    this.#context = context
    this.#config = config
    this.#redis = context.get(redisConnectionSpi)
    this.#keys = new TokenKeys(this.#redis.keys)
    this.#signed = new SignedTokens(this, context.keyring, context.clock, config)
  }

  async put(realmId: string, kind: string, key: string, token: NewToken) {
    return (await this.#store(realmId, kind, key, token, false)) ? 'stored' : 'refused'
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
    const { token } = this.#enter(realmId, kind, key)
    const includeExpired = checkGet(options)
    const text = await this.#redis.get('action-token.get', token)
    if (text === null) return undefined
    const stored = readToken(text)
    if (stored === undefined) return this.#countUnreadable()
    const now = this.#context.clock.now()
    const { data, expiresAt, consumedAt, family, subject } = stored
    const expired = isExpired(expiresAt, now)
    if (expired && (!includeExpired || isExpired(expiresAt + this.#config.readGraceMs, now))) return undefined
    return {
      data,
      expiresAt,
      ...(consumedAt !== undefined && { consumedAt }),
      ...(expired && { expired: true as const }),
      ...(family !== '' && { family }),
      ...(subject !== '' && { subject }),
    }
  }

  async has(realmId: string, kind: string, key: string) {
    return (await this.get(realmId, kind, key)) !== undefined
  }

  async replace(realmId: string, kind: string, key: string, data: TokenData) {
    const { token } = this.#enter(realmId, kind, key)
    const encoded = encodeData(data, this.#config.maxDataBytes)
    return this.#redis.run(scripts.replace, { token }, { now: this.#context.clock.now(), data: encoded })
  }

  async consume(
    realmId: string,
    kind: string,
    key: string,
    options: ConsumeOptions = {},
  ): Promise<ConsumeOutcome> {
    const { token } = this.#enter(realmId, kind, key)
    const now = this.#context.clock.now()
    const { attempt, graceUntil, successor } = checkConsume(options, now, this.#config)
    const reply = await this.#redis.run(
      scripts.consume,
      { token },
      {
        now,
        readGraceMs: this.#config.readGraceMs,
        attempt: escapeName(attempt),
        graceUntil,
        successor: escapeName(successor),
      },
    )
    if (reply.outcome === 'expired' || reply.outcome === 'unknown') return { outcome: reply.outcome }
    const data = reply.data === undefined ? undefined : decodeData(reply.data)
    if (data === undefined) return this.#countUnreadable() ?? { outcome: 'unknown' }
    if (reply.outcome === 'used') return { outcome: 'used', data, consumedAt: Number(reply.more) }
    const first = reply.outcome === 'now' ? successor : unescapePart(reply.more ?? '')
    return first === '' ? { outcome: 'consumed', data } : { outcome: 'consumed', data, successor: first }
  }

  async remove(realmId: string, kind: string, key: string) {
    const { partition, token } = this.#enter(realmId, kind, key)
    const { realm, families, subjects } = this.#keys.ofRealm(partition, realmId)
    return this.#redis.run(
      scripts.remove,
      { token, realm, families, subjects },
      { now: this.#context.clock.now(), tail: this.#keys.tail(partition, token) },
    )
  }

  async revokeFamily(realmId: string, family: string, refusal?: Lifetime) {
    this.#assertOpen()
    assertName(realmId, 'realmId')
    assertName(family, 'family')
    const asked = endOfMark(refusal ?? this.#config.maxLifespanMs, this.#context.clock.now(), 'refusal')
    const refuse = (until: number) =>
      this.#withdraw(realmId, (partition) => this.#keys.family(partition, realmId, family), { family, until })
    const { withdrawn, longest } = await refuse(asked)
    // What was consumed may be repeated by its attempt, and lead to more, for as long as it lives.
    if (longest > asked) await refuse(longest)
    return withdrawn
  }

  async removeBySubject(realmId: string, subject: string) {
    this.#assertOpen()
    assertName(realmId, 'realmId')
    assertName(subject, 'subject')
    const indexOf = (partition: number): string => this.#keys.subject(partition, realmId, subject)
    return (await this.#withdraw(realmId, indexOf, {})).withdrawn
  }

  async removeByRealm(realmId: string) {
    this.#assertOpen()
    assertName(realmId, 'realmId')
    const indexOf = (partition: number): string => this.#keys.realm(partition, realmId)
    return (await this.#withdraw(realmId, indexOf, { all: true })).withdrawn
  }

  async revoke(realmId: string, tokenId: string, until: number | Lifetime) {
    const { partition, revoked } = this.#enterRevoked(realmId, tokenId)
    const now = this.#context.clock.now()
    const expiresAt = endOfMark(until, now, 'until')
    if (isExpired(expiresAt, now)) return
    await this.#redis.run(
      scripts.revoke,
      { revoked, realm: this.#keys.realm(partition, realmId) },
      { now, expiresAt, keepMs: expiresAt - now + GRACE_MS, tail: this.#keys.tail(partition, revoked) },
    )
  }

  async isRevoked(realmId: string, tokenId: string) {
    const { revoked } = this.#enterRevoked(realmId, tokenId)
    const [expiresAt] = await this.#redis.hmget('action-token.is-revoked', revoked, ['x'])
    return expiresAt !== null && !isExpired(Number(expiresAt), this.#context.clock.now())
  }

  async issueActionToken(realmId: string, token: NewActionToken) {
    this.#assertOpen()
    return this.#signed.issue(realmId, token)
  }

  async verifyActionToken(realmId: string, token: string, actionId: string) {
    this.#assertOpen()
    return this.#signed.verify(realmId, token, actionId)
  }

  async consumeActionToken(
    realmId: string,
    token: string,
    actionId: string,
    options?: { readonly attempt?: string | undefined },
  ) {
    this.#assertOpen()
    return this.#signed.consume(realmId, token, actionId, options)
  }

  async close() {
    this.#closed = true
  }

  async #store(
    realmId: string,
    kind: string,
    key: string,
    token: NewToken,
    onlyIfAbsent: boolean,
  ): Promise<boolean> {
    const { partition, token: tokenKey } = this.#enter(realmId, kind, key)
    const now = this.#context.clock.now()
    const checked = checkToken(token, now, this.#config)
    const { expiresAt } = checked
    if (isExpired(expiresAt, now)) return false
    return this.#redis.run(
      scripts.put,
      { token: tokenKey, realm: this.#keys.realm(partition, realmId) },
      {
        now,
        expiresAt,
        keepMs: expiresAt - now + this.#config.readGraceMs + GRACE_MS,
        onlyAbsent: onlyIfAbsent ? 1 : 0,
        text: writeToken(checked),
      },
    )
  }

  /** Walks an index in every partition at once, a hundred entries per step and partition. */
  async #withdraw(
    realmId: string,
    indexOf: (partition: number) => string,
    { family = '', until, all = false }: Withdrawal,
  ): Promise<{ withdrawn: number; longest: number }> {
    const now = this.#context.clock.now()
    const args = {
      now,
      until: until ?? '',
      keepMs: (until ?? now) - now + GRACE_MS,
      all: all ? 1 : 0,
      family: escapeName(family),
    }
    let withdrawn = 0
    let longest = 0
    let rounds = this.#keys.partitions.map((partition) => ({ partition, after: '' }))
    for (let isBegun = false; rounds.length > 0; isBegun = true) {
      const calls = rounds.map(({ partition, after }) => ({
        keys: { ...this.#keys.ofRealm(partition, realmId), index: indexOf(partition) },
        args: { ...args, after },
      }))
      const replies = await this.#redis.runEach(scripts.withdraw, calls, isBegun)
      for (const reply of replies) {
        withdrawn += reply.withdrawn
        longest = Math.max(longest, reply.longest)
      }
      rounds = rounds.flatMap(({ partition }, index) => {
        const last = replies[index]?.last ?? ''
        return last === '' ? [] : [{ partition, after: last }]
      })
    }
    return { withdrawn, longest }
  }

  #enter(realmId: string, kind: string, key: string): { partition: number; token: string } {
    this.#assertOpen()
    checkKey(realmId, kind, key)
    return this.#keys.token(realmId, kind, key)
  }

  #enterRevoked(realmId: string, tokenId: string): { partition: number; revoked: string } {
    this.#assertOpen()
    assertName(realmId, 'realmId')
    assertName(tokenId, 'tokenId')
    return this.#keys.revoked(realmId, tokenId)
  }

  #countUnreadable(): undefined {
    this.#unreadable += 1
    if (this.#unreadable === 1) {
      this.#context.logger.warn(
        { spi: actionTokenSpi.name },
        'a stored token cannot be read and counts as absent',
      )
    }
    return undefined
  }

  #assertOpen(): void {
    if (this.#closed) throw new ProviderClosedError('action-token: the provider is closed')
  }
}

/** What {@link RedisActionTokens} takes away besides what can still be consumed, and what it leaves. */
interface Withdrawal {
  /** Refused from now on. */
  readonly family?: string
  /** Until when, ms since the epoch. */
  readonly until?: number
  /** What was consumed goes, too. */
  readonly all?: boolean
}
