import { KEY_GRACE_MS, type RedisConnection, redisConnectionSpi } from '@authstate/redis'
import { describedSchema, type ProviderFactory } from '@authstate/spi'
import { ActionTokens } from './action-tokens.js'
import { type ActionTokenConfig, actionTokenConfig } from './config.js'
import { type ActionTokenProvider, actionTokenSpi } from './contract.js'
import { TokenKeys } from './redis/token-keys.js'
import { escapeName, readToken, writeToken } from './redis/token-text.js'
import type { Attempt, TokenDraft } from './rules.js'
import * as scripts from './scripts.js'
import type { PutOptions, TokenName, TokenStore } from './store.js'

/** Keeps tokens in Redis, shared by every node of the deployment. */
export function redisActionTokens(): ProviderFactory<ActionTokenProvider, ActionTokenConfig> {
  return {
    spi: actionTokenSpi,
    id: 'redis',
    dependsOn: [redisConnectionSpi],
    config: describedSchema(actionTokenConfig),
    create: (context, config) =>
      new ActionTokens(context, config, new RedisStore(context.get(redisConnectionSpi))),
  }
}

class RedisStore implements TokenStore {
  readonly #redis: RedisConnection
  readonly #keys: TokenKeys

  constructor(redis: RedisConnection) {
    this.#redis = redis
    this.#keys = new TokenKeys(redis.keys)
  }

  put(name: TokenName, token: TokenDraft, { now, goneBy, onlyAbsent }: PutOptions) {
    const { partition, key } = this.#keys.token(name)
    const { expiresAt } = token
    return this.#redis.run(
      scripts.put,
      { token: key, realm: this.#keys.realm(partition, name.realmId) },
      {
        now,
        expiresAt,
        keepMs: expiresAt - goneBy + KEY_GRACE_MS,
        onlyAbsent: onlyAbsent ? 1 : 0,
        text: writeToken(token),
      },
    )
  }

  load(name: TokenName) {
    return this.#redis.get('action-token.get', this.#keys.token(name).key, readToken)
  }

  replace(name: TokenName, data: string, now: number) {
    return this.#redis.run(scripts.replace, { token: this.#keys.token(name).key }, { now, data })
  }

  consume(name: TokenName, { name: attempt, graceUntil, successor, now, goneBy }: Attempt) {
    return this.#redis.run(
      scripts.consume,
      { token: this.#keys.token(name).key },
      {
        now,
        readGraceMs: now - goneBy,
        attempt: escapeName(attempt),
        graceUntil: graceUntil ?? '',
        successor: escapeName(successor),
      },
    )
  }

  remove(name: TokenName, now: number) {
    const { partition, key } = this.#keys.token(name)
    const { realm, families, subjects } = this.#keys.ofRealm(partition, name.realmId)
    return this.#redis.run(
      scripts.remove,
      { token: key, realm, families, subjects },
      { now, tail: this.#keys.tail(partition, key) },
    )
  }

  async revokeFamily(realmId: string, family: string, asked: number, now: number) {
    const indexOf = (partition: number): string => this.#keys.family(partition, realmId, family)
    const refuse = (until: number) => this.#withdraw(realmId, indexOf, now, { family, until })
    const { withdrawn, longest } = await refuse(asked)
    // What was consumed may be repeated by its attempt, and lead to more, for as long as it lives.
    if (longest > asked) await refuse(longest)
    return withdrawn
  }

  async removeBySubject(realmId: string, subject: string, now: number) {
    const indexOf = (partition: number): string => this.#keys.subject(partition, realmId, subject)
    return (await this.#withdraw(realmId, indexOf, now)).withdrawn
  }

  async removeByRealm(realmId: string, now: number) {
    const indexOf = (partition: number): string => this.#keys.realm(partition, realmId)
    return (await this.#withdraw(realmId, indexOf, now, { all: true })).withdrawn
  }

  revoke(realmId: string, tokenId: string, until: number, now: number) {
    const { partition, key } = this.#keys.revoked(realmId, tokenId)
    return this.#redis.run(
      scripts.revoke,
      { revoked: key, realm: this.#keys.realm(partition, realmId) },
      { now, expiresAt: until, keepMs: until - now + KEY_GRACE_MS, tail: this.#keys.tail(partition, key) },
    )
  }

  revokedUntil(realmId: string, tokenId: string) {
    const { key } = this.#keys.revoked(realmId, tokenId)
    return this.#redis.hmget('action-token.is-revoked', key, ['x'], ([until]) => Number(until))
  }

  /** Walks an index in every partition at once, a hundred entries per step and partition. */
  async #withdraw(
    realmId: string,
    indexOf: (partition: number) => string,
    now: number,
    { family = '', until, all = false }: Withdrawal = {},
  ): Promise<{ withdrawn: number; longest: number }> {
    const args = {
      now,
      until: until ?? '',
      keepMs: (until ?? now) - now + KEY_GRACE_MS,
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
}

/** What goes besides what can still be consumed, and what stays refused. */
interface Withdrawal {
  /** Refused from now on. */
  readonly family?: string
  /** Until when, ms since the epoch. */
  readonly until?: number
  /** What was consumed goes, too. */
  readonly all?: boolean
}
