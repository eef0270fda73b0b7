import { escapePart, KEY_GRACE_MS, type RedisConnection } from '@authstate/redis'
import { type Clock, type Logger, randomId } from '@authstate/spi'
import type { SecondLevelStats } from '../contract.js'
import type { Invalidated } from '../rules.js'
import * as scripts from '../scripts.js'
import type { Lookup, SecondLevel, SharedValue } from '../second-level.js'
import { declareShared, KEEP_MS, TICKET_MS } from './declaring.js'
import { SharedKeys } from './shared-keys.js'
import type { SharedValues } from './shared-values.js'

/** How long it is left alone after it did not answer. */
const REST_MS = 1_000

/** What a shared region is made of. */
export interface SharedRegionParts {
  readonly name: string
  readonly ttlMs: number
  readonly redis: RedisConnection
  readonly clock: Clock
  /** Measures how long it is left alone. */
  readonly watch: () => number
  readonly logger: Logger
  readonly values: SharedValues
  /** Something was declared untrue and this level may not have heard it. */
  readonly inDoubt: boolean
}

/**
 * Values of one region in Redis.
 *
 * A caller that asks the source holds a ticket, which is stored in the place of the value. An
 * invalidation removes the ticket, and a value that was read before it can no longer be stored. A
 * lost ticket costs a load, but never leads to a stale value.
 *
 * @see Nishtala et al., Scaling Memcache at Facebook (NSDI 2013), section 3.2.1: leases
 */
export class SharedRegion implements SecondLevel {
  readonly #parts: SharedRegionParts
  readonly #keys: SharedKeys
  readonly #underWay = new Set<Promise<unknown>>()
  /** Declarations that are on their way: what is there may be untrue already. */
  #declaring = 0
  #doubts: number
  #cleared = 0
  #clearing: Promise<void> | undefined
  #restsUntil = Number.NEGATIVE_INFINITY
  #saidUnfit = false
  #hits = 0
  #misses = 0
  #stored = 0
  #refused = 0
  #unfit = 0
  #failures = 0
  #bypasses = 0

  constructor(parts: SharedRegionParts) {
    this.#parts = parts
    this.#keys = new SharedKeys(parts.redis.keys, parts.name)
    this.#doubts = parts.inDoubt ? 1 : 0
  }

  async lookUp(key: string, anew: boolean): Promise<Lookup | undefined> {
    if (!(await this.#mayBeAsked())) {
      this.#bypasses += 1
      return undefined
    }
    const { redis, clock, values } = this.#parts
    try {
      const { ticket, kind, ...stored } = await redis.run(scripts.look, this.#keys.value(key), {
        now: clock.now(),
        ticket: randomId(),
        fresh: randomId(),
        ticketMs: TICKET_MS,
        keepMs: KEEP_MS,
        anew: anew ? 1 : '',
      })
      const found = kind === undefined ? undefined : values.decode(key, { ...stored, kind })
      if (found === undefined) this.#misses += 1
      else this.#hits += 1
      return { ticket, found }
    } catch {
      this.#rest()
      return undefined
    }
  }

  offer(key: string, ticket: string, value: SharedValue): Promise<void> {
    return this.#during(this.#offer(key, ticket, value))
  }

  async declare(invalidated: Invalidated | 'all'): Promise<void> {
    this.#declaring += 1
    try {
      await this.#during(this.#tell(invalidated))
    } catch (error) {
      this.doubt()
      throw error
    } finally {
      this.#declaring -= 1
    }
  }

  doubt(): void {
    this.#doubts += 1
  }

  stats(): SecondLevelStats {
    return {
      hits: this.#hits,
      misses: this.#misses,
      stored: this.#stored,
      refused: this.#refused,
      unfit: this.#unfit,
      failures: this.#failures,
      bypasses: this.#bypasses,
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#underWay)
  }

  async #mayBeAsked(): Promise<boolean> {
    if (this.#parts.watch() < this.#restsUntil) return false
    if (this.#doubts !== this.#cleared) {
      this.#clearing ??= this.#clear().finally(() => {
        this.#clearing = undefined
      })
      await this.#clearing
    }
    return this.#declaring === 0 && this.#doubts === this.#cleared
  }

  async #clear(): Promise<void> {
    const doubts = this.#doubts
    try {
      await this.#during(this.#tell('all'))
      this.#cleared = doubts
    } catch {
      this.#rest()
    }
  }

  #tell(invalidated: Invalidated | 'all'): Promise<void> {
    return declareShared(this.#parts.redis, this.#keys, invalidated)
  }

  async #offer(key: string, ticket: string, { value, tags, expiresAt }: SharedValue): Promise<void> {
    const encoded = this.#parts.values.encode(key, value)
    if (encoded === undefined) return this.#leaveOut()
    const now = this.#parts.clock.now()
    const ends = Math.min(now + this.#parts.ttlMs, expiresAt)
    try {
      const isStored = await this.#parts.redis.run(scripts.offer, this.#keys.value(key), {
        ticket,
        next: randomId(),
        kind: encoded.kind,
        ends,
        valueEnds: expiresAt === Number.POSITIVE_INFINITY ? 0 : expiresAt,
        keepMs: ends - now + KEY_GRACE_MS,
        tags: JSON.stringify(tags.map(escapePart)),
        data: encoded.data,
        tagMs: KEEP_MS,
      })
      if (isStored) this.#stored += 1
      else this.#refused += 1
    } catch {
      this.#rest()
    }
  }

  #leaveOut(): void {
    this.#unfit += 1
    if (this.#saidUnfit) return
    this.#saidUnfit = true
    this.#parts.logger.warn(
      { region: this.#parts.name },
      'realm-cache: a value is not kept in the second level: JSON would change it, or it has more than 1 MiB',
    )
  }

  #rest(): void {
    this.#failures += 1
    this.#restsUntil = this.#parts.watch() + REST_MS
  }

  async #during<R>(work: Promise<R>): Promise<R> {
    this.#underWay.add(work)
    try {
      return await work
    } finally {
      this.#underWay.delete(work)
    }
  }
}
