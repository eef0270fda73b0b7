import {
  type DecideOptions,
  type DecidingSite,
  KEY_GRACE_MS,
  type RedisConnection,
  type SiteDeciders,
} from '@authstate/redis'
import { isExpired, randomId, StoreUnavailableError } from '@authstate/spi'
import type { UseCount } from '../contract.js'
import { type Attempt, type AttemptReply, applyAttempt, type StoredToken, type TokenDraft } from '../rules.js'
import type { SharedToken } from '../shared-token.js'
import type { PutOptions, TokenName } from '../store.js'
import { type Decided, decideConsume, decideCountUse, decidePut, decideTake } from './deciding-scripts.js'
import { join, share, shareRevocation } from './site-scripts.js'
import { TokenKeys } from './token-keys.js'
import { escapeName, readToken, writeToken } from './token-text.js'
import { remove } from './verb-scripts.js'

/** What each deciding script takes beside the arguments of its verb. */
interface Terms {
  readonly membership: string
  readonly copy: string
  readonly site: string
  readonly asker: string
  readonly others: string
  readonly endsMs: number
  readonly aheadMs: number
}

/** How a site is asked. */
interface Asking<R> {
  readonly operation: string
  readonly name: TokenName
  readonly now: number
  readonly run: (by: DecidingSite, terms: Terms) => Promise<Decided<R>>
  /** What this site knows of the token, as another one takes it. */
  readonly copy: string | undefined
  readonly options?: DecideOptions
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
    const { graceUntil, successor, now, goneBy } = given
    const isForeign = this.#isForeign(name)
    const copy = isForeign ? await this.#copyOf(name, now) : undefined
    if (copy !== undefined && (JSON.parse(copy) as SharedToken).u !== undefined) {
      const own = await this.#redis.get('action-token.get', this.#keys.token(name).key, readToken)
      // Whoever redeemed it, this site knows of it. What has ended says nothing: another site may have stored the key again.
      const isUsed =
        typeof own === 'object' && own.consumption !== undefined && !isExpired(own.expiresAt, now)
      if (isUsed) return applyAttempt(own, given).reply
    }
    // A site that is asked again after its answer was lost knows the try by its name.
    const attempt = isForeign && given.name === '' ? randomId() : given.name
    const reply = await this.#decide({
      operation: 'action-token.consume',
      name,
      now,
      copy,
      options: { attempt },
      run: ({ connection }, terms) => {
        const { partition, key } = new TokenKeys(connection.keys).token(name)
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
      },
    })
    if (reply.outcome !== 'consumed') return reply
    return (await this.#isWithdrawn(name, reply.token.family, now)) ? { outcome: 'unknown' } : reply
  }

  async put(name: TokenName, token: TokenDraft, { now, goneBy, onlyAbsent }: PutOptions): Promise<boolean> {
    const isForeign = this.#isForeign(name)
    const [copy, isRefused] = await Promise.all([
      isForeign ? this.#copyOf(name, now) : undefined,
      isForeign && this.#isRefused(name, token.family, now),
    ])
    // The site that decides may not have heard of it.
    if (isRefused) return false
    const { expiresAt } = token
    return this.#decide({
      operation: 'action-token.put',
      name,
      now,
      copy,
      // Nobody can redeem what is stored here without asking the site that decides.
      options: { elseHere: !onlyAbsent },
      run: ({ connection }, terms) => {
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
      },
    })
  }

  async take(name: TokenName, now: number): Promise<StoredToken | 'unreadable' | undefined> {
    const taken = await this.#decide({
      operation: 'action-token.take',
      name,
      now,
      copy: this.#isForeign(name) ? await this.#copyOf(name, now) : undefined,
      run: ({ connection }, terms) => {
        const keys = new TokenKeys(connection.keys)
        const { partition, key } = keys.token(name)
        const { realm, families, subjects } = keys.ofRealm(partition, name.realmId)
        const membership = membershipKey(connection, partition)
        return connection.run(
          decideTake,
          { token: key, realm, families, subjects, membership },
          { now, tail: keys.tail(partition, key), ...terms },
        )
      },
    })
    if (typeof taken !== 'object') return taken
    return (await this.#isWithdrawn(name, taken.family, now)) ? undefined : taken
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

  async #decide<R>({ operation, name, now, run, copy, options }: Asking<R>): Promise<R> {
    const deciders = this.#deciders
    const { membership, sites, endsMs, aheadMs } = deciders
    const mine = this.#redis.sites?.site ?? ''
    let decider = mine
    const ask = (by: DecidingSite) => {
      decider = by.site
      const asked = by.site === mine ? { copy: '', asker: '' } : { copy: copy ?? '', asker: mine }
      const others = sites.filter((site) => site !== by.site).join(',')
      return run(by, { membership, site: by.site, others, endsMs, aheadMs, ...asked })
    }
    const { reply, state } = await deciders.decide(operation, name.key, ask, options)
    if (decider !== mine && state !== undefined) {
      const { key: token } = this.#keys.token(name)
      // It is decided, and an error would hide that. Nodes of the site that decided tell it to this one, too.
      await this.#redis
        .run(
          join,
          { token },
          { now: Math.max(now, this.#redis.clock.now()), site: mine, state, endsMs, aheadMs },
        )
        .catch(() => {})
    }
    return reply
  }

  /** What this site knows of a token, as another one takes it. */
  #copyOf(name: TokenName, now: number): Promise<string | undefined> {
    const { endsMs } = this.#deciders
    const { key: token } = this.#keys.token(name)
    const site = this.#redis.sites?.site ?? ''
    return this.#redis.run(share, { token }, { now, site, at: now, removed: 0, endsMs })
  }

  /** Whether a token that another site redeemed has a family that was revoked here: then it has ended, as if it had never been redeemed. */
  async #isWithdrawn(name: TokenName, family: string, now: number): Promise<boolean> {
    if (!this.#isForeign(name)) return false
    try {
      if (!(await this.#isRefused(name, family, now))) return false
      const { partition, key: token } = this.#keys.token(name)
      const { realm, families, subjects } = this.#keys.ofRealm(partition, name.realmId)
      const tail = this.#keys.tail(partition, token)
      await this.#redis.run(remove, { token, realm, families, subjects }, { now, tail })
      return true
    } catch (cause) {
      // Whether this call did nothing or not: the other site has redeemed it.
      if (!(cause instanceof StoreUnavailableError)) throw cause
      throw new StoreUnavailableError(cause.message, { cause, applied: 'unknown' })
    }
  }

  /** Whether this site refuses a family, which the site that decides may not know yet. */
  async #isRefused(name: TokenName, family: string, now: number): Promise<boolean> {
    if (family === '') return false
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
