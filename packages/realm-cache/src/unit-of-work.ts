import { checkInvalidation } from './checks.js'
import type { GetOptions, Invalidation, Loader, UnitOfWork, UnitOfWorkRegion } from './contract.js'
import type { LocalRegion } from './region.js'
import type { Invalidated } from './rules.js'

/** What a unit of work needs from the cache it belongs to. */
export interface UnitParts {
  readonly region: (name: string) => LocalRegion
  /** Regions there are, with the revision each has now. */
  readonly revisions: ReadonlyMap<string, number>
  readonly declare: (
    all: readonly { readonly region: string; readonly invalidated: Invalidated | 'all' }[],
  ) => Promise<void>
}

/** A region that was made after the unit began cannot tell what the snapshot of the unit misses: nothing is kept. */
const BEFORE_ALL = -1

class Touched {
  readonly keys = new Set<string>()
  readonly tags = new Set<string>()
  all = false

  has(key: string, tags: readonly string[]): boolean {
    return this.all || this.keys.has(key) || tags.some((tag) => this.tags.has(tag))
  }

  get invalidated(): Invalidated | 'all' {
    return this.all ? 'all' : { keys: [...this.keys], tags: [...this.tags] }
  }
}

export class CollectingUnit implements UnitOfWork {
  readonly #parts: UnitParts
  readonly #touched = new Map<string, Touched>()

  constructor(parts: UnitParts) {
    this.#parts = parts
  }

  region<T = unknown>(name: string): UnitOfWorkRegion<T> {
    const region = this.#parts.region(name) as LocalRegion<T>
    const touch = (): Touched => {
      const touched = this.#touched.get(name) ?? new Touched()
      this.#touched.set(name, touched)
      return touched
    }
    const unit = {
      startedAt: this.#parts.revisions.get(name) ?? BEFORE_ALL,
      isTouched: (key: string, tags: readonly string[]) => this.#touched.get(name)?.has(key, tags) ?? false,
    }
    return {
      get: (key: string, load: Loader<T>, options?: GetOptions<T>) =>
        region.getWithin(key, load, options, unit),
      invalidate: (what: Invalidation) => {
        const { keys, tags } = checkInvalidation(what)
        const touched = touch()
        for (const key of keys) touched.keys.add(key)
        for (const tag of tags) touched.tags.add(tag)
      },
      clear: () => {
        touch().all = true
      },
    }
  }

  async end(): Promise<void> {
    const collected = [...this.#touched].map(([region, touched]) => ({
      region,
      invalidated: touched.invalidated,
    }))
    if (collected.length === 0) return
    await this.#parts.declare(collected)
    this.#touched.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }
}
