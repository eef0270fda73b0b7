import { type Clock, Lifecycle } from '@authstate/spi'
import { checkNames, checkTtl } from './checks.js'
import type { GetOptions, Loader } from './contract.js'
import { callLoader, type Load } from './loading.js'
import type { RegionParts } from './region-parts.js'
import { expiryOf } from './rules.js'
import type { SecondLevel } from './second-level.js'

/** A value as a region got it. */
export interface Obtained<T> {
  readonly value: T | undefined
  readonly tags: readonly string[]
  /** `Infinity`: no end. `undefined`: it is not to be kept. */
  readonly expiresAt: number | undefined
}

const nothing: readonly string[] = Object.freeze([])

/** Where a region's values come from: the level that all nodes share, where there is one, else the source. */
export class Origin<T> {
  readonly #parts: RegionParts
  readonly #clock: Clock
  readonly #shared: SecondLevel | undefined
  readonly #lifecycle = new Lifecycle('realm-cache')
  #loads = 0
  #loadFailures = 0

  constructor(parts: RegionParts) {
    this.#parts = parts
    this.#clock = parts.clock
    this.#shared = parts.secondLevel
  }

  get loads(): number {
    return this.#loads
  }

  get loadFailures(): number {
    return this.#loadFailures
  }

  close(): void {
    this.#lifecycle.close()
  }

  /** @param anew From the source, even if the shared level has a value. */
  async obtain(
    load: Load,
    loader: Loader<T>,
    options: GetOptions<T> | undefined,
    anew: boolean,
  ): Promise<Obtained<T>> {
    const { clusterSingleFlight } = this.#parts.settings
    const queue = clusterSingleFlight ? this.#parts.queue : undefined
    if (queue === undefined) return this.#ask(load, loader, options, anew, false)
    let obtained: Obtained<T> | undefined
    await queue(this.#parts.name, load.key, async () => {
      obtained = await this.#ask(load, loader, options, anew, true)
    })
    return obtained ?? this.#ask(load, loader, options, anew, false)
  }

  /** What the source says now. */
  async read(load: Load, loader: Loader<T>, options: GetOptions<T> | undefined): Promise<Obtained<T>> {
    const value = await this.call(load, loader)
    return { value, tags: tagsOf(value, options), expiresAt: this.#expiresAt(value, options) }
  }

  /** What the source says now, to be given out and not kept. */
  async call(load: Load, loader: Loader<T>): Promise<T | undefined> {
    this.#lifecycle.assertOpen()
    this.#loads += 1
    try {
      return await callLoader(load, loader, this.#parts.settings.loadTimeoutMs)
    } catch (error) {
      this.#loadFailures += 1
      throw error
    }
  }

  /** @param isAwaited Others wait to find here what the source says: it must be there when this ends. */
  async #ask(
    load: Load,
    loader: Loader<T>,
    options: GetOptions<T> | undefined,
    anew: boolean,
    isAwaited: boolean,
  ): Promise<Obtained<T>> {
    const shared = this.#shared
    const lookup = shared && (await shared.lookUp(load.key, anew))
    const found = lookup?.found as (Obtained<T> & { readonly expiresAt: number }) | undefined
    if (found !== undefined && isCurrent(found.value, options)) {
      return { ...found, tags: [...new Set([...found.tags, ...tagsOf(found.value, options)])] }
    }
    const obtained = await this.read(load, loader, options)
    const { value, tags, expiresAt } = obtained
    if (shared && lookup && expiresAt !== undefined) {
      const offered = shared.offer(load.key, lookup.ticket, { value, tags, expiresAt })
      if (isAwaited) await offered
    }
    return obtained
  }

  #expiresAt(value: T | undefined, options: GetOptions<T> | undefined): number | undefined {
    const lifeMs = this.#lifeOf(value, options)
    if (lifeMs === 0) return undefined
    return expiryOf(lifeMs, this.#parts.settings.jitter, this.#clock.now(), Math.random())
  }

  /** Ms to keep a value; 0 for not at all, below 0 for no limit. */
  #lifeOf(value: T | undefined, options: GetOptions<T> | undefined): number {
    if (value === undefined) return this.#parts.settings.negativeTtlMs
    if (options?.ttlMs === undefined) return this.#parts.settings.ttlMs || -1
    return typeof options.ttlMs === 'function' ? checkTtl(options.ttlMs(value)) : options.ttlMs
  }
}

/** Whether a value may still be given out, as its reader sees it. */
export function isCurrent<T>(value: T | undefined, options: GetOptions<T> | undefined): boolean {
  return value === undefined || options?.isCurrent === undefined || options.isCurrent(value)
}

function tagsOf<T>(value: T | undefined, options: GetOptions<T> | undefined): readonly string[] {
  const tags = options?.tags
  if (typeof tags !== 'function') return tags ?? nothing
  return value === undefined ? nothing : checkNames(tags(value), 'tags')
}
