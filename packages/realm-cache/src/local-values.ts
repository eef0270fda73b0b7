import { type Clock, isExpired } from '@authstate/spi'
import { LRUCache } from 'lru-cache'
import type { RegionSettings } from './config.js'

/** A value that ends some time, or that there is none. */
export class Timed<T> {
  /** `undefined`: the source has nothing. */
  readonly value: T | undefined
  readonly expiresAt: number
  usedAt: number

  constructor(value: T | undefined, expiresAt: number, usedAt: number) {
    this.value = value
    this.expiresAt = expiresAt
    this.usedAt = usedAt
  }
}

/** A value as it is found: bare where nothing has to be known about it, which makes a hit one look-up. */
export type Found<T> = T | Timed<T>

export function unwrap<T>(found: Found<T>): T | undefined {
  return found instanceof Timed ? found.value : found
}

interface About {
  readonly tags: readonly string[]
  readonly storedAt: number
}

const nothing: readonly string[] = Object.freeze([])

/** What a region keeps: values by key, found by tag too, the least recently used leaving first. */
export class LocalValues<T> {
  readonly #settings: RegionSettings
  readonly #clock: Clock
  // The library wants values that are not null; null and undefined are never kept bare.
  readonly #values: LRUCache<string, Found<T> & {}>
  /** In the order of storing. */
  readonly #about = new Map<string, About>()
  readonly #tagged = new Map<string, Set<string>>()
  #evicted = 0

  constructor(settings: RegionSettings, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
    this.#values = new LRUCache({
      max: settings.maxEntries,
      dispose: (_, key, reason) => {
        this.#forget(key)
        if (reason === 'evict') this.#evicted += 1
      },
    })
  }

  get size(): number {
    return this.#values.size
  }

  /** Values that were removed because there were too many, or because they were not used. */
  get evicted(): number {
    return this.#evicted
  }

  /** Since when the oldest value is here; now, if there is none. */
  get oldestAt(): number {
    const [first] = this.#about.values()
    return first?.storedAt ?? this.#clock.now()
  }

  /** What may be given out now. Counts as a use. */
  use(key: string): Found<T> | undefined {
    const found = this.#values.get(key)
    return found instanceof Timed && !this.#touch(found) ? undefined : found
  }

  /** What there is, though its time may be over: not for longer than `staleIfErrorMs`. */
  standIn(key: string): Found<T> | undefined {
    const found = this.#values.peek(key)
    const over =
      found instanceof Timed && isExpired(found.expiresAt + this.#settings.staleIfErrorMs, this.#clock.now())
    return over ? undefined : found
  }

  tagsOf(key: string): readonly string[] {
    return this.#about.get(key)?.tags ?? nothing
  }

  /** @param expiresAt `Infinity`: it stays until it is dropped. */
  keep(key: string, value: T | undefined, tags: readonly string[], expiresAt: number): void {
    const now = this.#clock.now()
    const isBare =
      value !== undefined &&
      value !== null &&
      expiresAt === Number.POSITIVE_INFINITY &&
      this.#settings.maxIdleMs === 0
    this.#values.set(key, isBare ? value : new Timed(value, expiresAt, now))
    this.#about.set(key, { tags, storedAt: now })
    for (const tag of tags) {
      const keys = this.#tagged.get(tag)
      if (keys === undefined) this.#tagged.set(tag, new Set([key]))
      else keys.add(key)
    }
  }

  drop(key: string): void {
    this.#values.delete(key)
  }

  dropTagged(tag: string): void {
    for (const key of this.#tagged.get(tag) ?? nothing) this.#values.delete(key)
  }

  clear(): void {
    this.#values.clear()
  }

  /** Takes what is over out of memory. */
  sweep(): void {
    const { maxIdleMs, staleIfErrorMs } = this.#settings
    const now = this.#clock.now()
    for (const [key, found] of this.#values.entries()) {
      if (!(found instanceof Timed)) continue
      const isIdle = maxIdleMs > 0 && isExpired(found.usedAt + maxIdleMs, now)
      if (!isIdle && !isExpired(found.expiresAt + staleIfErrorMs, now)) continue
      this.#values.delete(key)
      if (isIdle) this.#evicted += 1
    }
  }

  /** Notes a use; `false` when it comes too late. */
  #touch(timed: Timed<T>): boolean {
    const { maxIdleMs } = this.#settings
    const now = this.#clock.now()
    if (isExpired(timed.expiresAt, now)) return false
    if (maxIdleMs > 0 && isExpired(timed.usedAt + maxIdleMs, now)) return false
    timed.usedAt = now
    return true
  }

  #forget(key: string): void {
    for (const tag of this.tagsOf(key)) {
      const keys = this.#tagged.get(tag)
      keys?.delete(key)
      if (keys?.size === 0) this.#tagged.delete(tag)
    }
    this.#about.delete(key)
  }
}
