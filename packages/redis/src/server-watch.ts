import { ConfigurationError, type Logger, timers } from '@authstate/spi'
import type { RedisClient } from './client.js'
import type { OpenConnection } from './connection.js'
import { type EvictionPolicy, evictionText, evicts, readPolicy } from './eviction.js'
import { reasonOf } from './failure.js'
import { LAYOUT_VERSION, layoutMistake } from './layout.js'
import { listen } from './listen.js'
import type { RedisConfig } from './options.js'
import { scriptParameters } from './script.js'
import { claimLayout } from './scripts.js'

/** Between two looks. */
const LOOK_MS = 5_000

/** What a watch looks at. */
export interface ServerWatchParts {
  readonly connection: OpenConnection
  readonly client: RedisClient
  readonly config: Pick<RedisConfig, 'prefix' | 'partitions' | 'strict'>
  readonly logger: Logger
}

/**
 * Sees to it that the deployment is what this node was told, for as long as it runs: claims the layout again where Redis has
 * lost it, stops the node where another one was claimed meanwhile, and tells of a server that evicts.
 */
export class ServerWatch {
  readonly #parts: ServerWatchParts
  #policy: EvictionPolicy
  #looking: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #onReady = () => void this.look().catch(() => {})
  #stops: readonly (() => void)[] = []

  constructor(parts: ServerWatchParts) {
    this.#parts = parts
  }

  /**
   * The first look, before anything else is served.
   *
   * @throws {ConfigurationError} another layout is recorded, or the server evicts and `strict` is set
   */
  async start(): Promise<void> {
    const { client, config, connection } = this.#parts
    const mistake = await this.#claim()
    if (mistake !== undefined) throw new ConfigurationError(mistake)
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

  /** What an operator should know although Redis answers. */
  get warnings(): readonly string[] {
    return evicts(this.#policy) ? [evictionText(this.#policy)] : []
  }

  /** Looks now, or joins whoever looks. Rejects when Redis did not answer; what was known then stays. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  close(): void {
    for (const stop of this.#stops) stop()
    timers.clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    const { connection, logger } = this.#parts
    const mistake = await this.#claim()
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
    // Who may not ask is told so at the start.
    await this.#readPolicy().catch(() => {})
  }

  async #claim(): Promise<string | undefined> {
    const { connection, client, config } = this.#parts
    const keys = { layout: connection.keys.shared('layout') }
    const args = { partitions: config.partitions, version: LAYOUT_VERSION }
    const parameters = scriptParameters(claimLayout, keys, args, client.isCluster)
    return layoutMistake(await connection.runAnyway(claimLayout, parameters), config)
  }

  async #readPolicy(): Promise<void> {
    const { connection, client, logger } = this.#parts
    const before = this.#policy
    this.#policy = await connection.askAnyway('redis.info', () => readPolicy(client))
    if (this.#policy !== before && evicts(this.#policy)) {
      logger.warn({ policy: this.#policy }, evictionText(this.#policy))
    }
  }
}
