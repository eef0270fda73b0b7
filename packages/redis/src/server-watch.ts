import { ConfigurationError, type Logger } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import {
  lackingConsumers,
  Noting,
  type RecordedConsumers,
  recordedAs,
  unknownConsumers,
} from './changes/consumers.js'
import type { RedisClient } from './client.js'
import type { OpenConnection } from './connection.js'
import { type EvictionPolicy, evictionText, evicts, readPolicy } from './eviction.js'
import { reasonOf } from './failure.js'
import {
  type ClaimedLayout,
  LAYOUT_VERSION,
  layoutMistake,
  unknownConsumerText,
  unrecordedConsumerText,
  writtenLayout,
} from './layout.js'
import { listen } from './listen.js'
import type { RedisConfig } from './options.js'
import { claimLayout, forgetConsumers } from './scripts.js'

/** Between two looks. */
const LOOK_MS = 5_000

/** What a watch looks at. */
export interface ServerWatchParts {
  readonly connection: OpenConnection
  readonly client: RedisClient
  readonly config: Pick<RedisConfig, 'prefix' | 'partitions' | 'strict' | 'changes' | 'layout'>
  readonly logger: Logger
}

/**
 * Checks, for as long as the node runs, that the deployment is as this node is configured. It
 * claims the layout again if Redis has lost it, and stops the node if another layout was claimed
 * meanwhile. It learns which consumers of changes there are, and warns of a server that evicts.
 */
export class ServerWatch {
  readonly #parts: ServerWatchParts
  #policy: EvictionPolicy
  #layout: Pick<ClaimedLayout, 'version' | 'raisedAt'>
  /** Whether the last look found that no server evicts, and no look before that one does. */
  #neverEvicts = false
  #hasEvicted = false
  /** The consumers of changes that this node knows. */
  #consumers: RecordedConsumers
  /** Consumers that were dropped, until what is kept for them is removed as well. */
  readonly #gone = new Set<string>()
  /** Consumers of this node's configuration of which not all is recorded. */
  #unrecorded: readonly string[] = []
  #looking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #onReady = () => void this.look().catch(() => {})
  #stops: readonly (() => void)[] = []

  constructor(parts: ServerWatchParts) {
    this.#parts = parts
    this.#consumers = recordedAs(parts.config.changes.consumers)
    this.#layout = { version: parts.config.layout ?? LAYOUT_VERSION, raisedAt: 0 }
  }

  /**
   * The first look, before anything else is served.
   *
   * @throws {ConfigurationError} another layout is recorded, or a consumer of changes that this node does not know, or the server
   *   evicts and `strict` is set
   */
  async start(): Promise<void> {
    const { client, config, connection } = this.#parts
    const recorded = await this.#claim(true, config.layout === LAYOUT_VERSION)
    const mistake = layoutMistake(recorded, config)
    if (mistake !== undefined) throw new ConfigurationError(mistake)
    const { drop } = config.changes
    const unknown = unknownConsumers(recorded.consumers, this.#consumers).filter(
      (name) => !drop.includes(name),
    )
    if (unknown.length > 0) throw new ConfigurationError(unknownConsumerText(unknown, config))
    this.#layout = recorded
    await this.#forget(config.changes.drop, recorded.consumers)
    this.#learn(recorded.consumers)
    await this.#readPolicy().catch((cause: unknown) => {
      if (config.strict) {
        const message = `redis.strict: the maxmemory-policy could not be read: ${reasonOf(cause)}`
        throw new ConfigurationError(message, { cause })
      }
    })
    if (config.strict && this.#policy === undefined) {
      throw new ConfigurationError('redis.strict: Redis does not say its maxmemory-policy')
    }
    if (config.strict && evicts(this.#policy)) {
      throw new ConfigurationError(`redis.strict: ${evictionText(this.#policy)}`)
    }
    connection.goWatched(this)
    const events = client.isCluster ? ['ready', '+node'] : ['ready']
    this.#stops = events.map((event) => listen(client, event, this.#onReady))
    this.#timer = timers.setInterval(this.#onReady, LOOK_MS).unref()
  }

  /** Whether a server evicts, or does not say that it never does. */
  get mayEvict(): boolean {
    return !this.#neverEvicts
  }

  /** The layout in which records are written now. */
  get layout(): number {
    const { version, raisedAt } = this.#layout
    return raisedAt === 0 ? version : writtenLayout(this.#layout, this.#parts.connection.clock.now())
  }

  /** Every node reads the latest layout: the deployment goes over to it, unless the configuration says that it stays. */
  async raiseLayout(): Promise<void> {
    const { config, logger } = this.#parts
    if (this.#layout.version >= LAYOUT_VERSION || config.layout !== undefined) return
    const recorded = await this.#claim(false, true)
    if (layoutMistake(recorded, config) !== undefined) return
    this.#layout = recorded
    logger.info(
      { layout: recorded.version },
      'every node reads this layout of the records; they are written in it from now on',
    )
  }

  /** What an operator should know although Redis answers. */
  get warnings(): readonly string[] {
    const names = this.#unrecorded
    return [
      ...(evicts(this.#policy) ? [evictionText(this.#policy)] : []),
      ...(names.length === 0 ? [] : [unrecordedConsumerText(names)]),
    ]
  }

  /** Looks now, or joins a look that runs. Rejects if Redis did not answer; what was known then stays. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** The same, and never with what a look that runs has read already. */
  async lookAfresh(): Promise<void> {
    await this.#looking?.catch(() => {})
    await this.look()
  }

  close(): void {
    for (const stop of this.#stops) stop()
    timers.clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    const { connection, logger } = this.#parts
    const recorded = await this.#claim(false)
    const mistake = layoutMistake(recorded, this.#parts.config)
    if (mistake !== undefined && connection.refusal !== mistake) {
      logger.error(
        {},
        `another node has claimed another layout, this one serves nothing any more: ${mistake}`,
      )
    }
    if (mistake === undefined && connection.refusal !== undefined) {
      logger.info({}, 'the layout is the one of this node again; it serves')
    }
    connection.refuseWith(mistake)
    if (mistake === undefined) {
      this.#layout = recorded
      this.#learn(recorded.consumers)
      await this.#forget([...this.#gone], recorded.consumers)
      this.#gone.clear()
    }
    // Who may not ask is told so at the start.
    await this.#readPolicy().catch(() => {})
  }

  async #claim(isStart: boolean, raises = false): Promise<ClaimedLayout> {
    const { connection, config } = this.#parts
    const keys = { layout: connection.keys.shared('layout') }
    const args = {
      partitions: config.partitions,
      reads: LAYOUT_VERSION,
      consumers: JSON.stringify(Object.fromEntries(this.#consumers)),
      isStart: isStart ? 1 : 0,
      drop: isStart ? JSON.stringify(config.changes.drop) : '[]',
      version: this.#layout.version,
      raisedAt: raises ? Math.floor(connection.clock.now()) : 0,
    }
    return connection.runAnyway(claimLayout, keys, args)
  }

  /** Notes from now on what these ask for. */
  #learn(consumers: RecordedConsumers): void {
    const { connection, config, logger } = this.#parts
    const added = unknownConsumers(consumers, this.#consumers)
    if (added.length > 0) {
      logger.warn(
        { consumers: added },
        'a consumer of changes was added; this node notes changes for it and does not start again without it',
      )
    }
    const gone = unknownConsumers(this.#consumers, consumers)
    if (gone.length > 0) {
      logger.warn(
        { consumers: gone },
        'a consumer of changes is no longer recorded; this node notes nothing more for it',
      )
    }
    for (const name of gone) this.#gone.add(name)
    for (const name of consumers.keys()) this.#gone.delete(name)
    this.#consumers = consumers
    const unrecorded = lackingConsumers(recordedAs(config.changes.consumers), consumers)
    if (unrecorded.some((name) => !this.#unrecorded.includes(name))) {
      logger.warn({ consumers: unrecorded }, unrecordedConsumerText(unrecorded))
    }
    this.#unrecorded = unrecorded
    const { noting } = connection
    if (noting === undefined ? consumers.size === 0 : noting.equals(consumers)) return
    connection.note(consumers.size === 0 ? undefined : new Noting(consumers, config.changes.maxNotes))
  }

  /**
   * Removes what is kept for dropped consumers. Every node does that when it learns of the drop:
   * until then it may have noted changes for them, and delivered them.
   */
  async #forget(dropped: readonly string[], left: RecordedConsumers): Promise<void> {
    const { connection } = this.#parts
    const { keys } = connection
    if (dropped.length === 0) return
    const args = { dropped: JSON.stringify(dropped), isLast: left.size === 0 ? 1 : 0 }
    const calls = keys.all.map((partition) => ({
      keys: {
        notes: keys.key(partition, 'xn'),
        had: keys.key(partition, 'xh'),
        leases: keys.key(partition, 'xl', ''),
      },
      args,
    }))
    await connection.runEach(forgetConsumers, calls)
  }

  async #readPolicy(): Promise<void> {
    const { connection, client, logger } = this.#parts
    const before = this.#policy
    try {
      this.#policy = await connection.askAnyway('redis.info', 'INFO', () => readPolicy(client))
      // What was evicted before an operator mended the policy is missing until somebody looks for it.
      this.#hasEvicted ||= evicts(this.#policy)
      this.#neverEvicts = !this.#hasEvicted && this.#policy !== undefined
    } catch (error) {
      this.#neverEvicts = false
      throw error
    }
    if (this.#policy !== before && evicts(this.#policy)) {
      logger.warn({ policy: this.#policy }, evictionText(this.#policy))
    }
  }
}
