import { assertFunction, assertName, type Clock, type Logger, ProviderClosedError } from '@authstate/spi'
import type {
  CacheRegion,
  RealmCacheEvent,
  RealmCacheProvider,
  RegionOptions,
  UnitOfWork,
} from './contract.js'
import { LocalRegion, type RegionParts, type Trust } from './region.js'
import { type RealmCacheConfig, regionSettings, type Untrue } from './rules.js'
import { CollectingUnit } from './unit-of-work.js'

/** Something that is no longer true in a region. */
export interface Declaration {
  readonly region: string
  readonly untrue: Untrue | 'all'
}

/** What tells the other nodes. */
export interface Outside {
  readonly trust: Trust
  /** Resolves when it is certain that the other nodes will hear, or be told that they may have missed something. */
  announce(declarations: readonly Declaration[] | 'everything'): Promise<void>
  readonly queue: RegionParts['queue']
  close(): Promise<void>
}

/** The regions of one node, and what they have in common. */
export class LocalCache implements RealmCacheProvider {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #config: RealmCacheConfig
  readonly #outside: Outside
  readonly #regions = new Map<string, LocalRegion>()
  readonly #listeners = new Set<(event: RealmCacheEvent) => void>()
  readonly #sweeper: NodeJS.Timeout
  #closed = false

  constructor(
    clock: Clock,
    logger: Logger,
    config: RealmCacheConfig,
    outside: (cache: LocalCache) => Outside,
  ) {
    this.#clock = clock
    this.#logger = logger
    this.#config = config
    this.#outside = outside(this)
    this.#sweeper = setInterval(() => {
      for (const region of this.#regions.values()) region.sweep()
    }, config.sweepEveryMs).unref()
  }

  region<T = unknown>(name: string, options?: RegionOptions): CacheRegion<T> {
    this.#assertOpen()
    assertName(name, 'name')
    const known = this.#regions.get(name)
    if (known !== undefined && options === undefined) return known as unknown as CacheRegion<T>
    const settings = regionSettings(name, options ?? {}, configuredFor(this.#config, name))
    if (known !== undefined) {
      if (JSON.stringify(known.settings) !== JSON.stringify(settings)) {
        throw new TypeError('"options" differ from those the region was made with')
      }
      return known as unknown as CacheRegion<T>
    }
    const made = new LocalRegion({
      name,
      settings,
      clock: this.#clock,
      trust: this.#outside.trust,
      declare: (region, untrue) => this.declare([{ region, untrue }]),
      queue: this.#outside.queue,
    })
    this.#regions.set(name, made)
    return made as unknown as CacheRegion<T>
  }

  regions(): readonly string[] {
    return [...this.#regions.keys()]
  }

  async clearAll(): Promise<void> {
    this.#assertOpen()
    this.clearHere('this-node')
    await this.#outside.announce('everything')
  }

  begin(): UnitOfWork {
    this.#assertOpen()
    return new CollectingUnit({
      region: (name) => {
        this.region(name)
        return this.#regions.get(name) as LocalRegion
      },
      revisions: new Map([...this.#regions].map(([name, region]) => [name, region.revision])),
      declare: (declarations) => this.declare(declarations),
    })
  }

  async inUnitOfWork<R>(work: (unit: UnitOfWork) => R | Promise<R>): Promise<R> {
    assertFunction(work, 'work')
    const unit = this.begin()
    try {
      return await work(unit)
    } finally {
      await unit.end().catch((error: Error) => {
        // What the work has done is done; its result must not be lost because the others hear of it late.
        this.#logger.warn(
          { error: error.name },
          'realm-cache: other nodes could not be told at once; they will empty',
        )
      })
    }
  }

  on(listener: (event: RealmCacheEvent) => void): () => void {
    assertFunction(listener, 'listener')
    const own = (event: RealmCacheEvent) => listener(event)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#sweeper)
    for (const region of this.#regions.values()) region.close()
    await this.#outside.close()
    this.#listeners.clear()
  }

  /** Applies here at once, then tells the others. */
  async declare(declarations: readonly Declaration[]): Promise<void> {
    this.#assertOpen()
    this.applyHere(declarations, 'this-node')
    await this.#outside.announce(declarations)
  }

  applyHere(declarations: readonly Declaration[], by: 'this-node' | 'another-node'): void {
    for (const { region, untrue } of declarations) {
      this.#applyTo(region, untrue, by)
      // Keys are names within one region; tags and clears reach what is derived from it.
      const derived: Untrue | 'all' = untrue === 'all' ? 'all' : { keys: [], tags: untrue.tags }
      if (derived !== 'all' && derived.tags.length === 0) continue
      for (const [name, { settings }] of this.#regions) {
        if (name !== region && settings.dependencies.includes(region)) this.#applyTo(name, derived, by)
      }
    }
  }

  /** Empties every region of this node. */
  clearHere(by: 'this-node' | 'another-node' | 'gap'): void {
    for (const [name, region] of this.#regions) {
      region.apply('all')
      this.tell({ type: 'cleared', region: name, by })
    }
  }

  tell(event: RealmCacheEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        this.#logger.error({ error: (error as Error)?.name }, 'realm-cache: a listener failed')
      }
    }
  }

  #applyTo(name: string, untrue: Untrue | 'all', by: 'this-node' | 'another-node'): void {
    const region = this.#regions.get(name)
    if (region === undefined) return
    const entries = region.apply(untrue)
    this.tell(
      untrue === 'all'
        ? { type: 'cleared', region: name, by }
        : { type: 'invalidated', region: name, by, entries },
    )
  }

  #assertOpen(): void {
    if (this.#closed) throw new ProviderClosedError('realm-cache: the provider is closed')
  }
}

function configuredFor(
  { regions }: RealmCacheConfig,
  name: string,
): RealmCacheConfig['regions'][string] | undefined {
  return Object.hasOwn(regions, name) ? regions[name] : undefined
}
