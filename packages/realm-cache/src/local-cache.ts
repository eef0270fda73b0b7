import {
  assertFunction,
  assertName,
  type Clock,
  Emitter,
  type EventOf,
  Lifecycle,
  type Logger,
} from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { RealmCacheConfig } from './config.js'
import type {
  CacheRegion,
  RealmCacheEvent,
  RealmCacheEvents,
  RealmCacheProvider,
  RegionOptions,
  UnitOfWork,
} from './contract.js'
import { LocalRegion } from './region.js'
import { regionSettings } from './region-settings.js'
import type { Invalidated } from './rules.js'
import type { Declaration, Transport } from './transport.js'
import { CollectingUnit } from './unit-of-work.js'

const EVENTS: readonly RealmCacheEvent['type'][] = ['invalidated', 'cleared', 'distrusted', 'trusted']

/** Names of regions that a node remembers as doubtful before it says so of all. */
const MAX_DOUBTFUL = 1_000

/** The regions of one node, and what they have in common. */
export class LocalCache implements RealmCacheProvider {
  readonly clock: Clock
  readonly #logger: Logger
  readonly #config: RealmCacheConfig
  readonly #transport: Transport
  readonly #regions = new Map<string, LocalRegion>()
  readonly #listeners: Emitter<RealmCacheEvents>
  readonly #sweeper: NodeJS.Timeout
  /** Regions that are not made here, of which something may have been missed. */
  readonly #doubtful = new Set<string>()
  #allDoubtful = false
  readonly #lifecycle = new Lifecycle('realm-cache')

  constructor(
    clock: Clock,
    logger: Logger,
    config: RealmCacheConfig,
    transport: (cache: LocalCache) => Transport,
  ) {
    this.clock = clock
    this.#logger = logger
    this.#config = config
    this.#listeners = new Emitter<RealmCacheEvents>({ owner: 'realm-cache', events: EVENTS, logger })
    this.#transport = transport(this)
    this.#sweeper = timers
      .setInterval(() => {
        for (const region of this.#regions.values()) region.sweep()
      }, config.sweepEveryMs)
      .unref()
  }

  region<T = unknown>(name: string, options?: RegionOptions): CacheRegion<T> {
    this.#lifecycle.assertOpen()
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
      clock: this.clock,
      freshness: this.#transport.freshness,
      declare: (region, invalidated) => this.declare([{ region, invalidated }]),
      queue: this.#transport.queue,
      secondLevel: this.#transport.secondLevel(
        name,
        settings,
        this.#allDoubtful || this.#doubtful.delete(name),
      ),
    })
    this.#regions.set(name, made)
    return made as unknown as CacheRegion<T>
  }

  regions(): readonly string[] {
    this.#lifecycle.assertOpen()
    return [...this.#regions.keys()]
  }

  async clearAll(): Promise<void> {
    this.#lifecycle.assertOpen()
    this.clearHere('this-node')
    await this.#tell(
      [...this.#regions.keys()].map((region) => ({ region, invalidated: 'all' })),
      () => this.#transport.announce('everything'),
    )
  }

  begin(): UnitOfWork {
    this.#lifecycle.assertOpen()
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
    this.#lifecycle.assertOpen()
    assertFunction(work, 'work')
    const unit = this.begin()
    try {
      return await work(unit)
    } finally {
      await unit.end().catch((error: Error) => {
        // What the work has done is done; its result must not be lost because the others hear of it late.
        this.#logger.warn(
          { error: error.name },
          'realm-cache: other nodes could not be notified at once; they will empty',
        )
      })
    }
  }

  on(listener: (event: RealmCacheEvent) => void): () => void
  on<Type extends RealmCacheEvent['type'] | '*'>(
    type: Type,
    listener: (event: EventOf<RealmCacheEvents, Type>) => void,
  ): () => void
  on(first: unknown, second?: unknown): () => void {
    this.#lifecycle.assertOpen()
    const [type, listener] = typeof first === 'string' ? [first, second] : ['*', first]
    return this.#listeners.on(type as '*', listener as (event: RealmCacheEvent) => void)
  }

  async close(): Promise<void> {
    if (this.#lifecycle.isClosed) return
    this.#lifecycle.close()
    timers.clearInterval(this.#sweeper)
    for (const region of this.#regions.values()) region.close()
    await Promise.all([...this.#regions.values()].map(({ secondLevel }) => secondLevel?.close()))
    await this.#transport.close()
    this.#listeners.clear()
  }

  /** Applies here at once, then tells what all nodes share, then the others. */
  async declare(declarations: readonly Declaration[]): Promise<void> {
    this.#lifecycle.assertOpen()
    this.applyHere(declarations, 'this-node')
    await this.#tell(declarations, (shared) => this.#transport.announce(shared))
  }

  applyHere(declarations: readonly Declaration[], by: 'this-node' | 'another-node'): void {
    for (const { region, invalidated, isShared } of declarations) {
      this.#applyTo(region, invalidated, by)
      if (by === 'another-node' && !isShared) this.#doubt(region)
      // Keys are names within one region; tags and clears reach what is derived from it.
      const derived: Invalidated | 'all' =
        invalidated === 'all' ? 'all' : { keys: [], tags: invalidated.tags }
      if (derived !== 'all' && derived.tags.length === 0) continue
      for (const [name, { settings }] of this.#regions) {
        if (name !== region && settings.dependencies.includes(region)) this.#applyTo(name, derived, by)
      }
    }
  }

  /** Empties every region of this node. */
  clearHere(by: 'this-node' | 'another-node' | 'gap'): void {
    if (by !== 'this-node') this.#doubt()
    for (const [name, region] of this.#regions) {
      region.apply('all')
      this.tell({ type: 'cleared', region: name, by })
    }
  }

  tell(event: RealmCacheEvent): void {
    this.#listeners.emit(event.type, event)
  }

  #applyTo(name: string, invalidated: Invalidated | 'all', by: 'this-node' | 'another-node'): void {
    const region = this.#regions.get(name)
    if (region === undefined) return
    const entries = region.apply(invalidated)
    this.tell(
      invalidated === 'all'
        ? { type: 'cleared', region: name, by }
        : { type: 'invalidated', region: name, by, entries },
    )
  }

  /**
   * Notifies the second level first: a node that gets the message must not find an invalid value
   * there. If the second level could not be notified, the message says so, and the other nodes do
   * not use it before it is empty.
   */
  async #tell(
    declarations: readonly Declaration[],
    announce: (shared: readonly Declaration[]) => Promise<void>,
  ): Promise<void> {
    const levels = declarations.map(({ region }) => this.#regions.get(region)?.secondLevel)
    if (levels.every((level) => level === undefined)) return announce(declarations)
    const outcomes = await Promise.allSettled(
      declarations.map(({ invalidated }, index) => levels[index]?.declare(invalidated)),
    )
    const isShared = (index: number) => levels[index] !== undefined && outcomes[index]?.status === 'fulfilled'
    await announce(declarations.map((declaration, index) => ({ ...declaration, isShared: isShared(index) })))
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  #doubt(name?: string): void {
    if (name === undefined) {
      this.#allDoubtful = true
      for (const { secondLevel } of this.#regions.values()) secondLevel?.doubt()
      return
    }
    const region = this.#regions.get(name)
    if (region === undefined && this.#doubtful.size < MAX_DOUBTFUL) this.#doubtful.add(name)
    else if (region === undefined) this.#allDoubtful = true
    else region.secondLevel?.doubt()
  }
}

function configuredFor(
  { regions }: RealmCacheConfig,
  name: string,
): RealmCacheConfig['regions'][string] | undefined {
  return Object.hasOwn(regions, name) ? regions[name] : undefined
}
