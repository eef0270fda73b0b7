import { assertName, type Clock, ProviderClosedError } from '@authstate/spi'
import { LRUCache } from 'lru-cache'
import type { CacheRegion, GetOptions, Invalidation, Loader, RegionStats } from './contract.js'
import { callLoader, isInsideLoad } from './loading.js'
import { Revisions } from './revisions.js'
import {
  checkGet,
  checkInvalidation,
  checkNames,
  checkTtl,
  expiryOf,
  isExpired,
  mayStore,
  type RegionSettings,
  type Untrue,
} from './rules.js'

/** Whether what is kept may be given out, and how often and how long it might not. */
export interface Trust {
  readonly trusted: boolean
  readonly outages: number
  readonly outageMs: number
}

/** What a region needs from the cache it belongs to. */
export interface RegionParts {
  readonly name: string
  readonly settings: RegionSettings
  readonly clock: Clock
  readonly trust: Trust
  /** Makes something untrue here and on the other nodes. */
  readonly declare: (region: string, untrue: Untrue | 'all') => Promise<void>
  /** Waits while another node loads the same key, where that is wanted. */
  readonly queue: ((region: string, key: string, load: () => Promise<void>) => Promise<void>) | undefined
}

interface Entry<T> {
  /** `undefined`: the source has nothing. */
  readonly value: T | undefined
  readonly tags: readonly string[]
  readonly storedAt: number
  readonly expiresAt: number
  /** Nothing about time has to be looked at: the quick way of a hit. */
  readonly timeless: boolean
  usedAt: number
}

/** A load that callers of one key share. */
interface Flight<T> {
  /** The region's revision when it began. */
  readonly startedAt: number
  readonly done: Promise<{ readonly value: T | undefined; readonly overtaken: boolean }>
}

const keyName = (key: string) => `k${key}`
const tagName = (tag: string) => `t${tag}`
const nothing: readonly string[] = Object.freeze([])

export class LocalRegion<T = unknown> implements CacheRegion<T> {
  readonly name: string
  readonly enabled: boolean
  readonly #parts: RegionParts
  readonly #settings: RegionSettings
  readonly #clock: Clock
  readonly #trust: Trust
  readonly #entries: LRUCache<string, Entry<T>>
  readonly #tagged = new Map<string, Set<string>>()
  readonly #revisions: Revisions
  readonly #flights = new Map<string, Flight<T>>()
  readonly #idleEnds: boolean
  #closed = false
  #hits = 0
  #misses = 0
  #loads = 0
  #loadFailures = 0
  #staleAnswers = 0
  #evictions = 0
  #invalidations = 0
  #overtaken = 0
  #bypasses = 0

  constructor(parts: RegionParts) {
    this.#parts = parts
    this.#settings = parts.settings
    this.#clock = parts.clock
    this.#trust = parts.trust
    this.name = parts.name
    this.enabled = parts.settings.enabled
    this.#idleEnds = parts.settings.maxIdleMs > 0
    this.#revisions = new Revisions(parts.settings.maxEntries * 2)
    this.#entries = new LRUCache({
      max: parts.settings.maxEntries,
      dispose: (entry, key, reason) => {
        this.#untag(key, entry.tags)
        if (reason === 'evict') this.#evictions += 1
      },
    })
  }

  get settings(): RegionSettings {
    return this.#settings
  }

  /** Grows with every declaration; what was read at one revision is not kept if it is older than the next. */
  get revision(): number {
    return this.#revisions.current
  }

  get(key: string, load: Loader<T>, options?: GetOptions<T>): Promise<T | undefined> {
    const entry = this.#usable(key)
    if (entry !== undefined && this.#isCurrent(key, entry, options)) {
      this.#hits += 1
      return Promise.resolve(entry.value)
    }
    return this.#miss(key, load, options)
  }

  peek(key: string): T | undefined {
    const entry = this.#usable(key)
    if (entry !== undefined) {
      this.#hits += 1
      return entry.value
    }
    assertName(key, 'key')
    this.#assertOpen()
    this.#misses += 1
    return undefined
  }

  refresh(key: string, load: Loader<T>, options?: GetOptions<T>): Promise<T | undefined> {
    return this.#miss(key, load, options)
  }

  async invalidate(what: Invalidation): Promise<void> {
    await this.#parts.declare(this.name, checkInvalidation(what))
  }

  async clear(): Promise<void> {
    await this.#parts.declare(this.name, 'all')
  }

  stats(): RegionStats {
    const now = this.#clock.now()
    let oldestAt = now
    for (const { storedAt } of this.#entries.values()) oldestAt = Math.min(oldestAt, storedAt)
    const asked = this.#hits + this.#misses
    return {
      size: this.#entries.size,
      hits: this.#hits,
      misses: this.#misses,
      hitRate: asked === 0 ? 0 : this.#hits / asked,
      loads: this.#loads,
      loadFailures: this.#loadFailures,
      staleAnswers: this.#staleAnswers,
      evictions: this.#evictions,
      invalidations: this.#invalidations,
      overtaken: this.#overtaken,
      bypasses: this.#bypasses,
      oldestMs: now - oldestAt,
      outages: this.#trust.outages,
      outageMs: this.#trust.outageMs,
    }
  }

  /** A value for a unit of work, which has a mind of its own about what is kept and what is true. */
  async getWithin(
    key: string,
    load: Loader<T>,
    options: GetOptions<T> | undefined,
    unit: { readonly startedAt: number; isTouched(key: string, tags: readonly string[]): boolean },
  ): Promise<T | undefined> {
    checkGet(key, load, options)
    const entry = unit.isTouched(key, nothing) ? undefined : this.#usable(key)
    if (entry !== undefined && !unit.isTouched(key, entry.tags) && this.#isCurrent(key, entry, options)) {
      this.#hits += 1
      return entry.value
    }
    this.#misses += 1
    const loadedAt = this.#revisions.of(keyName(key))
    const value = await this.#read(key, load)
    const tags = tagsOf(value, options)
    if (unit.isTouched(key, tags)) this.#bypasses += 1
    else this.#keep(key, value, tags, options, { started: unit.startedAt, loaded: loadedAt })
    return value
  }

  /** Drops what is no longer true and remembers that it is. Answers how many values went. */
  apply(untrue: Untrue | 'all'): number {
    const before = this.#entries.size
    if (untrue === 'all') {
      this.#invalidations += 1
      this.#revisions.raiseAll()
      this.#flights.clear()
      this.#entries.clear()
      return before
    }
    for (const key of untrue.keys) {
      this.#revisions.raise(keyName(key))
      this.#flights.delete(key)
      this.#entries.delete(key)
    }
    for (const tag of untrue.tags) {
      this.#revisions.raise(tagName(tag))
      for (const key of this.#tagged.get(tag) ?? nothing) this.#entries.delete(key)
    }
    this.#invalidations += untrue.keys.length + untrue.tags.length
    return before - this.#entries.size
  }

  /** Takes what is over out of memory. */
  sweep(): void {
    const now = this.#clock.now()
    for (const [key, entry] of this.#entries.entries()) {
      if (this.#isOver(entry, now)) {
        this.#entries.delete(key)
        if (!isExpired(entry.expiresAt, now)) this.#evictions += 1
      }
    }
  }

  close(): void {
    this.#closed = true
    this.#entries.clear()
    this.#flights.clear()
  }

  /** The entry of a key if it may be given out now. */
  #usable(key: string): Entry<T> | undefined {
    if (!this.#trust.trusted) return undefined
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.timeless) return entry
    const now = this.#clock.now()
    if (isExpired(entry.expiresAt, now)) return undefined
    if (this.#idleEnds) {
      if (isExpired(entry.usedAt + this.#settings.maxIdleMs, now)) return undefined
      entry.usedAt = now
    }
    return entry
  }

  #isCurrent(key: string, entry: Entry<T>, options: GetOptions<T> | undefined): boolean {
    if (entry.value === undefined || options?.isCurrent === undefined) return true
    if (options.isCurrent(entry.value)) return true
    this.apply({ keys: [key], tags: nothing })
    return false
  }

  async #miss(key: string, load: Loader<T>, options: GetOptions<T> | undefined): Promise<T | undefined> {
    checkGet(key, load, options)
    this.#misses += 1
    if (isInsideLoad(this, key)) throw new TypeError('"load" must not ask for its own key')
    for (;;) {
      if (!this.enabled || !this.#trust.trusted) {
        this.#bypasses += 1
        return this.#read(key, load)
      }
      const joinedAt = this.#revisions.current
      const flight = this.#flights.get(key) ?? this.#fly(key, load, options)
      const answer = await this.#answer(key, flight)
      // It was read before, and declared untrue before this caller came: somebody else's answer, not this one's.
      if (!answer.overtaken || joinedAt === flight.startedAt) return answer.value
      const entry = this.#usable(key)
      if (entry !== undefined) return entry.value
    }
  }

  /** What the flight brings, or the value that ran out where that may be given instead. */
  async #answer(key: string, flight: Flight<T>): ReturnType<() => Flight<T>['done']> {
    const { softTimeoutMs } = this.#settings
    let timer: NodeJS.Timeout | undefined
    try {
      if (softTimeoutMs === 0 || this.#ranOut(key) === undefined) return await flight.done
      const tooLong = new Promise<undefined>((resolve) => {
        timer = setTimeout(() => resolve(undefined), softTimeoutMs).unref()
      })
      return (await Promise.race([flight.done, tooLong])) ?? this.#stale(key) ?? (await flight.done)
    } catch (error) {
      const stale = this.#stale(key)
      if (stale !== undefined) return stale
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  #fly(key: string, load: Loader<T>, options: GetOptions<T> | undefined): Flight<T> {
    const startedAt = this.#revisions.current
    const loadedAt = this.#revisions.of(keyName(key))
    const done = this.#queued(key, load).then((value) => {
      const tags = tagsOf(value, options)
      return {
        value,
        overtaken: !this.#keep(key, value, tags, options, { started: startedAt, loaded: loadedAt }),
      }
    })
    const flight: Flight<T> = { startedAt, done }
    this.#flights.set(key, flight)
    const landed = () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
    done.then(landed, landed)
    return flight
  }

  async #queued(key: string, load: Loader<T>): Promise<T | undefined> {
    const queue = this.#settings.clusterSingleFlight ? this.#parts.queue : undefined
    if (queue === undefined) return this.#read(key, load)
    let loaded: { readonly value: T | undefined } | undefined
    await queue(this.name, key, async () => {
      loaded = { value: await this.#read(key, load) }
    })
    return loaded === undefined ? this.#read(key, load) : loaded.value
  }

  async #read(key: string, load: Loader<T>): Promise<T | undefined> {
    this.#assertOpen()
    this.#loads += 1
    try {
      return await callLoader(this, key, load, this.#settings.loadTimeoutMs)
    } catch (error) {
      this.#loadFailures += 1
      throw error
    }
  }

  /** Keeps a loaded value. `false` when it, or something it depends on, was declared untrue since it was read. */
  #keep(
    key: string,
    value: T | undefined,
    tags: readonly string[],
    options: GetOptions<T> | undefined,
    { started, loaded }: { readonly started: number; readonly loaded: number },
  ): boolean {
    const untouched =
      mayStore({ revision: this.#revisions.of(keyName(key)), loaded, started }) &&
      tags.every((tag) => this.#revisions.of(tagName(tag)) <= started)
    if (!untouched) {
      this.#overtaken += 1
      return false
    }
    const lifeMs = this.#lifeOf(value, options)
    if (lifeMs === 0 || this.#closed || !this.enabled || !this.#trust.trusted) return true
    const now = this.#clock.now()
    const expiresAt = expiryOf(lifeMs, this.#settings.jitter, now, Math.random())
    const timeless = expiresAt === Number.POSITIVE_INFINITY && !this.#idleEnds
    this.#entries.set(key, { value, tags, storedAt: now, expiresAt, timeless, usedAt: now })
    for (const tag of tags) {
      const keys = this.#tagged.get(tag)
      if (keys === undefined) this.#tagged.set(tag, new Set([key]))
      else keys.add(key)
    }
    return true
  }

  /** Ms to keep a value; 0 for not at all, below 0 for no limit. */
  #lifeOf(value: T | undefined, options: GetOptions<T> | undefined): number {
    if (value === undefined) return this.#settings.negativeTtlMs
    if (options?.ttlMs === undefined) return this.#settings.ttlMs || -1
    return typeof options.ttlMs === 'function' ? checkTtl(options.ttlMs(value)) : options.ttlMs
  }

  /** An entry whose time is over, but not so long that it could not stand in for a source that fails. */
  #ranOut(key: string): Entry<T> | undefined {
    if (this.#settings.staleIfErrorMs === 0 || !this.#trust.trusted) return undefined
    const entry = this.#entries.peek(key)
    return entry && !isExpired(entry.expiresAt + this.#settings.staleIfErrorMs, this.#clock.now())
      ? entry
      : undefined
  }

  #stale(key: string): { readonly value: T | undefined; readonly overtaken: boolean } | undefined {
    const entry = this.#ranOut(key)
    if (entry === undefined) return undefined
    this.#staleAnswers += 1
    return { value: entry.value, overtaken: false }
  }

  /** Whether an entry can not be given out any more, not even in place of an error. */
  #isOver(entry: Entry<T>, now: number): boolean {
    const { maxIdleMs, staleIfErrorMs } = this.#settings
    return (
      isExpired(entry.expiresAt + staleIfErrorMs, now) ||
      (this.#idleEnds && isExpired(entry.usedAt + maxIdleMs, now))
    )
  }

  #assertOpen(): void {
    if (this.#closed) throw new ProviderClosedError('realm-cache: the provider is closed')
  }

  #untag(key: string, tags: readonly string[]): void {
    for (const tag of tags) {
      const keys = this.#tagged.get(tag)
      keys?.delete(key)
      if (keys?.size === 0) this.#tagged.delete(tag)
    }
  }
}

function tagsOf<T>(value: T | undefined, options: GetOptions<T> | undefined): readonly string[] {
  const tags = options?.tags
  if (typeof tags !== 'function') return tags ?? nothing
  return value === undefined ? nothing : checkNames(tags(value), 'tags')
}
