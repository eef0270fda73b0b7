import { assertName, type Clock, Lifecycle } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import { checkGet, checkInvalidation } from './checks.js'
import type { RegionSettings } from './config.js'
import type { CacheRegion, GetOptions, Invalidation, Loader, RegionStats } from './contract.js'
import { isInsideLoad, Load, waitFor } from './loading.js'
import { type Found, LocalValues, unwrap } from './local-values.js'
import { isCurrent, type Obtained, Origin } from './origin.js'
import type { Freshness, RegionParts } from './region-parts.js'
import { Revisions } from './revisions.js'
import { type Invalidated, mayStore } from './rules.js'
import type { SecondLevel } from './second-level.js'
import { Turns } from './turns.js'

/** A load that callers of one key share. */
interface Flight<T> {
  /** The region's revision when it began. */
  readonly startedAt: number
  /** It asks the source, whatever there is elsewhere. */
  readonly isAnew: boolean
  readonly load: Load
  /** What its value will carry; `undefined`: that shows when it is there. */
  readonly tags: readonly string[] | undefined
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
  readonly #freshness: Freshness
  readonly #values: LocalValues<T>
  readonly #origin: Origin<T>
  readonly #revisions: Revisions
  readonly #flights = new Map<string, Flight<T>>()
  /** Loads while nothing may be kept. */
  readonly #turns = new Turns<T | undefined>(this)
  readonly #lifecycle = new Lifecycle('realm-cache')
  #hits = 0
  #misses = 0
  #staleAnswers = 0
  #invalidations = 0
  #overtaken = 0
  #bypasses = 0

  constructor(parts: RegionParts) {
    this.#parts = parts
    this.#settings = parts.settings
    this.#clock = parts.clock
    this.#freshness = parts.freshness
    this.name = parts.name
    this.enabled = parts.settings.enabled
    this.#revisions = new Revisions(parts.settings.maxEntries * 2)
    this.#values = new LocalValues(parts.settings, parts.clock)
    this.#origin = new Origin(parts)
  }

  /** What all nodes share between this region and its source. */
  get secondLevel(): SecondLevel | undefined {
    return this.#parts.secondLevel
  }

  get settings(): RegionSettings {
    return this.#settings
  }

  /** Grows with every declaration; what was read at one revision is not kept if it is older than the next. */
  get revision(): number {
    return this.#revisions.current
  }

  get(key: string, load: Loader<T>, options?: GetOptions<T>): Promise<T | undefined> {
    const found = this.#find(key)
    if (found !== undefined && this.#isCurrent(key, found, options)) {
      this.#hits += 1
      return Promise.resolve(unwrap(found))
    }
    return this.#miss(key, load, options, false)
  }

  peek(key: string): T | undefined {
    const found = this.#find(key)
    if (found !== undefined) {
      this.#hits += 1
      return unwrap(found)
    }
    assertName(key, 'key')
    this.#lifecycle.assertOpen()
    this.#misses += 1
    return undefined
  }

  refresh(key: string, load: Loader<T>, options?: GetOptions<T>): Promise<T | undefined> {
    return this.#miss(key, load, options, true)
  }

  async invalidate(what: Invalidation): Promise<void> {
    await this.#parts.declare(this.name, checkInvalidation(what))
  }

  async clear(): Promise<void> {
    await this.#parts.declare(this.name, 'all')
  }

  stats(): RegionStats {
    this.#lifecycle.assertOpen()
    const asked = this.#hits + this.#misses
    return {
      size: this.#values.size,
      hits: this.#hits,
      misses: this.#misses,
      hitRate: asked === 0 ? 0 : this.#hits / asked,
      loads: this.#origin.loads,
      loadFailures: this.#origin.loadFailures,
      staleAnswers: this.#staleAnswers,
      evictions: this.#values.evicted,
      invalidations: this.#invalidations,
      overtaken: this.#overtaken,
      bypasses: this.#bypasses,
      oldestMs: this.#clock.now() - this.#values.oldestAt,
      outages: this.#freshness.outages,
      outageMs: this.#freshness.outageMs,
      ...(this.secondLevel && { secondLevel: this.secondLevel.stats() }),
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
    const touched = unit.isTouched(key, this.#values.tagsOf(key))
    const found = touched ? undefined : this.#find(key)
    if (found !== undefined && this.#isCurrent(key, found, options)) {
      this.#hits += 1
      return unwrap(found)
    }
    this.#misses += 1
    const loadedAt = this.#revisions.of(keyName(key))
    const wanted = new Load(this, key)
    const read = await waitFor(wanted, () => this.#origin.read(wanted, load, options))
    if (unit.isTouched(key, read.tags)) this.#bypasses += 1
    else this.#keep(key, read, { started: unit.startedAt, loaded: loadedAt })
    return read.value
  }

  /** Drops what is no longer true and remembers that it is. Answers how many values went. */
  apply(invalidated: Invalidated | 'all'): number {
    const before = this.#values.size
    if (invalidated === 'all') {
      this.#invalidations += 1
      this.#revisions.raiseAll()
      this.#flights.clear()
      this.#values.clear()
      return before
    }
    for (const key of invalidated.keys) {
      this.#revisions.raise(keyName(key))
      this.#flights.delete(key)
      this.#values.drop(key)
    }
    for (const tag of invalidated.tags) {
      this.#revisions.raise(tagName(tag))
      this.#values.dropTagged(tag)
      // Whoever comes now must not wait for a load that this has overtaken, or may have.
      for (const [key, { tags }] of this.#flights) {
        if (tags === undefined || tags.includes(tag)) this.#flights.delete(key)
      }
    }
    this.#invalidations += invalidated.keys.length + invalidated.tags.length
    return before - this.#values.size
  }

  /** Takes what is over out of memory. */
  sweep(): void {
    this.#values.sweep()
  }

  close(): void {
    this.#lifecycle.close()
    this.#origin.close()
    this.#values.clear()
    this.#flights.clear()
  }

  #find(key: string): Found<T> | undefined {
    return this.#freshness.isSure || this.#freshness.check() ? this.#values.use(key) : undefined
  }

  #isFresh(): boolean {
    return this.#freshness.isSure || this.#freshness.check()
  }

  #isCurrent(key: string, found: Found<T>, options: GetOptions<T> | undefined): boolean {
    if (options?.isCurrent === undefined || isCurrent(unwrap(found), options)) return true
    this.apply({ keys: [key], tags: nothing })
    return false
  }

  async #miss(
    key: string,
    load: Loader<T>,
    options: GetOptions<T> | undefined,
    anew: boolean,
  ): Promise<T | undefined> {
    checkGet(key, load, options)
    this.#misses += 1
    if (isInsideLoad(this, key)) throw new TypeError('"load" must not ask for its own key')
    for (;;) {
      if (!this.enabled) {
        this.#bypasses += 1
        const wanted = new Load(this, key)
        return waitFor(wanted, () => this.#origin.call(wanted, load))
      }
      if (!this.#isFresh()) {
        this.#bypasses += 1
        return this.#turns.call(key, (wanted) => this.#origin.call(wanted, load))
      }
      const joinedAt = this.#revisions.current
      const flight = this.#flightFor(key, anew) ?? this.#fly(key, load, options, anew)
      const answer = await waitFor(flight.load, () => this.#answer(key, flight))
      // It was read before, and declared untrue before this caller came: somebody else's answer, not this one's.
      if (!answer.overtaken || joinedAt === flight.startedAt) return answer.value
      const found = this.#find(key)
      if (found !== undefined) return unwrap(found)
    }
  }

  #flightFor(key: string, anew: boolean): Flight<T> | undefined {
    const flight = this.#flights.get(key)
    return anew && !flight?.isAnew ? undefined : flight
  }

  /** What the flight brings, or the value that ran out where that may be given instead. */
  async #answer(key: string, flight: Flight<T>): ReturnType<() => Flight<T>['done']> {
    const { softTimeoutMs } = this.#settings
    let timer: NodeJS.Timeout | undefined
    try {
      if (softTimeoutMs === 0 || this.#standIn(key) === undefined) return await flight.done
      const tooLong = new Promise<undefined>((resolve) => {
        timer = timers.setTimeout(() => resolve(undefined), softTimeoutMs).unref()
      })
      return (await Promise.race([flight.done, tooLong])) ?? this.#stale(key) ?? (await flight.done)
    } catch (error) {
      const stale = this.#stale(key)
      if (stale !== undefined) return stale
      throw error
    } finally {
      timers.clearTimeout(timer)
    }
  }

  #fly(key: string, load: Loader<T>, options: GetOptions<T> | undefined, anew: boolean): Flight<T> {
    const startedAt = this.#revisions.current
    const loadedAt = this.#revisions.of(keyName(key))
    const wanted = new Load(this, key)
    const done = this.#origin.obtain(wanted, load, options, anew).then((obtained) => ({
      value: obtained.value,
      overtaken: !this.#keep(key, obtained, { started: startedAt, loaded: loadedAt }),
    }))
    // Where nothing lies before the source, every load asks it.
    const flight: Flight<T> = {
      startedAt,
      isAnew: anew || this.secondLevel === undefined,
      load: wanted,
      tags: this.secondLevel === undefined ? givenTags(options) : undefined,
      done,
    }
    this.#flights.set(key, flight)
    const landed = () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
    done.then(landed, landed)
    return flight
  }

  /** Keeps a value. `false` when it, or something it depends on, was declared untrue since it was read. */
  #keep(
    key: string,
    { value, tags, expiresAt }: Obtained<T>,
    { started, loaded }: { readonly started: number; readonly loaded: number },
  ): boolean {
    const untouched =
      mayStore({ revision: this.#revisions.of(keyName(key)), loaded, started }) &&
      tags.every((tag) => this.#revisions.of(tagName(tag)) <= started)
    if (!untouched) {
      this.#overtaken += 1
      return false
    }
    if (expiresAt === undefined || this.#lifecycle.isClosed || !this.enabled || !this.#isFresh()) return true
    this.#values.keep(key, value, tags, expiresAt)
    return true
  }

  /** What may be given in place of a source that fails or is slow. */
  #standIn(key: string): Found<T> | undefined {
    return this.#settings.staleIfErrorMs > 0 && this.#isFresh() ? this.#values.standIn(key) : undefined
  }

  #stale(key: string): { readonly value: T | undefined; readonly overtaken: boolean } | undefined {
    const found = this.#standIn(key)
    if (found === undefined) return undefined
    this.#staleAnswers += 1
    return { value: unwrap(found), overtaken: false }
  }
}

/** The tags of a value that is not there yet, where they do not depend on it. */
function givenTags<T>(options: GetOptions<T> | undefined): readonly string[] | undefined {
  return typeof options?.tags === 'function' ? undefined : (options?.tags ?? nothing)
}
