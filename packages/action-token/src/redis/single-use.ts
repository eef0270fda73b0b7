import { type DecidingSite, KEY_GRACE_MS, type RedisConnection, type SiteDeciders } from '@authstate/redis'
import { randomId, StoreUnavailableError } from '@authstate/spi'
import type { UseCount } from '../contract.js'
import { type Attempt, type AttemptReply, applyAttempt, type StoredToken, type TokenDraft } from '../rules.js'
import type { PutOptions, TokenName } from '../store.js'
import { type Decided, decideConsume, decideCountUse, decidePut, decideTake } from './deciding-scripts.js'
import { join, share, shareRevocation } from './site-scripts.js'
import { TokenKeys } from './token-keys.js'
import { escapeName, readToken, writeToken } from './token-text.js'

/** What each deciding script takes beside the arguments of its verb. */
interface Terms {
  readonly membership: string
  readonly copy: string
  readonly site: string
  readonly asker: string
  readonly endsMs: number
  readonly aheadMs: number
}

/** Verbs of which one site decides: this one, or another that is sent what is known here. */
export class SingleUse {
  readonly #redis: RedisConnection
  readonly #keys: TokenKeys

  constructor(redis: RedisConnection) {
    this.#redis = redis
    this.#keys = new TokenKeys(redis.keys)
  }

  async consume(name: TokenName, given: Attempt): Promise<AttemptReply> {
    if (this.#isForeign(name)) {
      const own = await this.#redis.get('action-token.get', this.#keys.token(name).key, readToken)
      // Whoever redeemed it, this site knows of it.
      if (own !== undefined && own !== 'unreadable' && own.consumption !== undefined)
        return applyAttempt(own, given).reply
    }
    // A site that is asked again after its answer was lost knows the try by its name.
    const attempt = given.name === '' ? randomId() : given.name
    const { graceUntil, successor, now, goneBy } = given
    const consume = ({ connection }: DecidingSite, terms: Terms) => {
      const keys = new TokenKeys(connection.keys)
      const { partition, key } = keys.token(name)
      return connection.run(
        decideConsume,
        { token: key, membership: membershipKey(connection, partition) },
        {
          now,
          readGraceMs: now - goneBy,
          attempt: escapeName(attempt),
          graceUntil: graceUntil ?? '',
          successor: escapeName(successor),
          ...terms,
        },
      )
    }
    const reply = await this.#decide('action-token.consume', name, now, consume, attempt)
    return reply.outcome === 'consumed' && (await this.#isRefused(name, reply.token.family, now))
      ? { outcome: 'unknown' }
      : reply
  }

  put(name: TokenName, token: TokenDraft, { now, goneBy, onlyAbsent }: PutOptions): Promise<boolean> {
    const { expiresAt } = token
    return this.#decide('action-token.put', name, now, ({ connection }, terms) => {
      const keys = new TokenKeys(connection.keys)
      const { partition, key } = keys.token(name)
      return connection.run(
        decidePut,
        {
          token: key,
          realm: keys.realm(partition, name.realmId),
          membership: membershipKey(connection, partition),
        },
        {
          now,
          expiresAt,
          keepMs: expiresAt - goneBy + KEY_GRACE_MS,
          onlyAbsent: onlyAbsent ? 1 : 0,
          text: writeToken(token),
          ...terms,
        },
      )
    })
  }

  take(name: TokenName, now: number): Promise<StoredToken | 'unreadable' | undefined> {
    return this.#decide('action-token.take', name, now, ({ connection }, terms) => {
      const keys = new TokenKeys(connection.keys)
      const { partition, key } = keys.token(name)
      const { realm, families, subjects } = keys.ofRealm(partition, name.realmId)
      const membership = membershipKey(connection, partition)
      return connection.run(
        decideTake,
        { token: key, realm, families, subjects, membership },
        { now, tail: keys.tail(partition, key), ...terms },
      )
    })
  }

  async countUse(name: TokenName, windowMs: number, now: number): Promise<UseCount> {
    const { membership } = this.#deciders
    const { reply } = await this.#deciders.decide('action-token.count-use', name.key, ({ connection }) => {
      const keys = new TokenKeys(connection.keys)
      const { partition, key } = keys.count(name)
      return connection.run(
        decideCountUse,
        {
          count: key,
          realm: keys.realm(partition, name.realmId),
          membership: membershipKey(connection, partition),
        },
        { now, windowMs, graceMs: KEY_GRACE_MS, tail: keys.tail(partition, key), membership },
      )
    })
    return reply
  }

  async #decide<R>(
    operation: string,
    name: TokenName,
    now: number,
    run: (by: DecidingSite, terms: Terms) => Promise<Decided<R>>,
    attempt?: string,
  ): Promise<R> {
    const deciders = this.#deciders
    const { membership, endsMs, aheadMs } = deciders
    const mine = this.#redis.sites?.site ?? ''
    const { partition, key: token } = this.#keys.token(name)
    let decider = mine
    const copy = this.#isForeign(name)
      ? await this.#redis.run(share, { token }, { now, site: mine, at: now, removed: 0, endsMs })
      : undefined
    const ask = (by: DecidingSite) => {
      decider = by.site
      const isMine = by.site === mine
      return run(by, {
        membership,
        copy: isMine ? '' : (copy ?? ''),
        site: by.site,
        asker: isMine ? '' : mine,
        endsMs,
        aheadMs,
      })
    }
    const { reply, state } = await deciders.decide(operation, name.key, ask, attempt)
    if (decider !== mine && state !== undefined) {
      const args = { now: this.#redis.clock.now(), site: mine, state, endsMs, aheadMs }
      const tail = this.#keys.tail(partition, token)
      try {
        await this.#redis.run(join, { token }, args)
        await deciders.spread(partition, tail, decider)
      } catch (error) {
        // It is decided, and an error would hide that. The site that decided tells all others of it, this one included.
        if (!(error instanceof StoreUnavailableError)) throw error
      }
    }
    return reply
  }

  /** Whether a family is refused here, which the site that decided may not know yet. */
  async #isRefused(name: TokenName, family: string, now: number): Promise<boolean> {
    if (family === '' || !this.#isForeign(name)) return false
    const { partition } = this.#keys.token(name)
    const mark = this.#keys.ofRealm(partition, name.realmId).refused
    const realms = this.#redis.keys.key(partition, 'xo')
    const until = await this.#redis.run(
      shareRevocation,
      { mark, realms },
      { now, family: escapeName(family) },
    )
    return until !== undefined
  }

  #isForeign({ key }: TokenName): boolean {
    return this.#deciders.deciderOf(key) !== this.#redis.sites?.site
  }

  get #deciders(): SiteDeciders {
    return this.#redis.sites?.deciders as SiteDeciders
  }
}

const membershipKey = ({ keys }: RedisConnection, partition: number): string => keys.key(partition, 'xd')
