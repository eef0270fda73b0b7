import {
  type EntriesStep,
  firstEntries,
  KEY_GRACE_MS,
  type RedisConnection,
  redisConnectionSpi,
  type Script,
} from '@authstate/redis'
import {
  allSteps,
  type CheckedPage,
  comparePositions,
  describedSchema,
  type PagePosition,
  type ProviderFactory,
} from '@authstate/spi'
import { assertNoProperties } from '@authstate/spi/internal'
import { ActionTokens } from './action-tokens.js'
import { type ActionTokenConfig, actionTokenConfig } from './config.js'
import { type ActionTokenProvider, actionTokenSpi } from './contract.js'
import { noteLifespan } from './redis/lifespans.js'
import { SingleUse } from './redis/single-use.js'
import { namedBy, TokenKeys } from './redis/token-keys.js'
import { escapeName, readToken, writeToken } from './redis/token-text.js'
import { revokeFamily, withdraw } from './redis/withdrawing.js'
import { type Attempt, isListed, type Listed, positionOf, type TokenDraft } from './rules.js'
import * as scripts from './scripts.js'
import type { PutOptions, Revocation, StoredListing, TokenName, TokenPage, TokenStore } from './store.js'

/** Keeps tokens in Redis, shared by every node of the deployment. */
export function redisActionTokens(): ProviderFactory<ActionTokenProvider, ActionTokenConfig>
export function redisActionTokens(
  ...given: unknown[]
): ProviderFactory<ActionTokenProvider, ActionTokenConfig> {
  assertNoProperties(given, 'redisActionTokens', actionTokenSpi, 'redis')
  return {
    spi: actionTokenSpi,
    id: 'redis',
    dependsOn: [redisConnectionSpi],
    config: describedSchema(actionTokenConfig),
    create: (context, config) =>
      new ActionTokens(context, config, new RedisStore(context.get(redisConnectionSpi), config)),
  }
}

class RedisStore implements TokenStore {
  readonly #redis: RedisConnection
  readonly #keys: TokenKeys
  readonly #singleUse: SingleUse

  constructor(redis: RedisConnection, { maxLifespanMs }: ActionTokenConfig) {
    noteLifespan(redis, maxLifespanMs)
    this.#redis = redis
    this.#singleUse = new SingleUse(redis)
    this.#keys = new TokenKeys(redis.keys)
  }

  get mark() {
    return this.#redis.sites?.mark
  }

  put(name: TokenName, token: TokenDraft, options: PutOptions) {
    if (this.#redis.sites?.deciders !== undefined) return this.#singleUse.put(name, token, options)
    const { now, goneBy, onlyAbsent } = options
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

  consume(name: TokenName, given: Attempt) {
    if (this.#redis.sites?.deciders !== undefined) return this.#singleUse.consume(name, given)
    const { name: attempt, graceUntil, successor, now, goneBy } = given
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
    return this.#leave(scripts.remove, name, now)
  }

  take(name: TokenName, now: number) {
    if (this.#redis.sites?.deciders !== undefined) return this.#singleUse.take(name, now)
    return this.#leave(scripts.take, name, now)
  }

  countUse(name: TokenName, windowMs: number, now: number) {
    if (this.#redis.sites?.deciders !== undefined) return this.#singleUse.countUse(name, windowMs, now)
    const { partition, key } = this.#keys.count(name)
    return this.#redis.run(
      scripts.countUse,
      { count: key, realm: this.#keys.realm(partition, name.realmId) },
      { now, windowMs, graceMs: KEY_GRACE_MS, tail: this.#keys.tail(partition, key) },
    )
  }

  revokeFamily(realmId: string, family: string, revocation: Revocation, now: number) {
    return revokeFamily(this.#redis, realmId, family, revocation, now)
  }

  async listBySubject(
    realmId: string,
    subject: string,
    { limit, after, ...listed }: CheckedPage & Listed,
    now: number,
  ): Promise<TokenPage> {
    const found: (StoredListing & { readonly position: PagePosition })[] = []
    for (let place: PagePosition | undefined = after; place !== undefined && found.length <= limit; ) {
      const candidates: readonly Candidate[] = await this.#behind(realmId, subject, place, limit + 1, now)
      const wanted = candidates.filter(({ name }) => (listed.kind ?? name.kind) === name.kind)
      const tokens = await allSteps(wanted.map(({ name }) => this.load(name)))
      for (const [index, { name, score, id }] of wanted.entries()) {
        const token = tokens[index]
        if (token === undefined) continue
        const { kind, key } = name
        // Entries are read in one step, tokens in another.
        const isShown =
          token === 'unreadable' || (token.subject === subject && isListed(kind, token, listed, now))
        if (isShown) found.push({ kind, key, token, position: { score, id } })
      }
      place = candidates[limit]
    }
    const items = found.slice(0, limit)
    return { items, end: found.length > limit ? items.at(-1)?.position : undefined }
  }

  async removeBySubject(realmId: string, subject: string, now: number) {
    const indexOf = (partition: number): string => this.#keys.subject(partition, realmId, subject)
    return (await withdraw(this.#redis, realmId, indexOf, now)).withdrawn
  }

  async removeByRealm(realmId: string, now: number) {
    const indexOf = (partition: number): string => this.#keys.realm(partition, realmId)
    return (await withdraw(this.#redis, realmId, indexOf, now, { also: 'all' })).withdrawn
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

  /** The first tokens behind a place that the index of a subject names. */
  async #behind(
    realmId: string,
    subject: string,
    place: PagePosition,
    limit: number,
    now: number,
  ): Promise<readonly Candidate[]> {
    return firstEntries<Candidate>(this.#keys.partitions, place, limit, async (steps) => {
      const replies = await this.#redis.runEach(
        scripts.page,
        steps.map(({ partition, after, limit }) => ({
          keys: { index: this.#keys.subject(partition, realmId, subject) },
          args: { now, afterScore: after.score, limit },
        })),
      )
      return replies.map((listed, at) => {
        const { after, limit } = steps[at] as EntriesStep
        const behind = listed.filter(({ score }) => score > after.score)
        return {
          entries: candidatesOf(listed).filter((candidate) => comparePositions(candidate, after) > 0),
          // All of the last score are there.
          next: behind.length >= limit ? { score: behind.at(-1)?.score ?? 0, id: LAST_ID } : undefined,
        }
      })
    })
  }

  /** Runs a script that takes a token away, with what names it. */
  #leave<R>(script: Leaving<R>, name: TokenName, now: number): Promise<R> {
    const { partition, key } = this.#keys.token(name)
    const { realm, families, subjects } = this.#keys.ofRealm(partition, name.realmId)
    const keys = { token: key, realm, families, subjects }
    return this.#redis.run(script, keys, { now, tail: this.#keys.tail(partition, key) })
  }
}

/** A script that takes a token away. */
type Leaving<R> = Script<'token' | 'realm' | 'families' | 'subjects', 'now' | 'tail', R>

/** A token that an index names, at its place in a listing. */
interface Candidate extends PagePosition {
  readonly name: TokenName
}

/** Behind the id of every place of a score. */
const LAST_ID = '\u{10ffff}'

const candidatesOf = (listed: readonly scripts.ListedTail[]): readonly Candidate[] =>
  listed.flatMap(({ tail, score }) => {
    const name = namedBy(tail)
    return name === undefined ? [] : [{ name, ...positionOf(name.kind, name.key, score) }]
  })
