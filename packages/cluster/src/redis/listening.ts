import { type RedisClient, type RedisConnection, refusalText } from '@authstate/redis'
import type { Logger } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'

/** Between two connections; `refused` where Redis does not let this node subscribe, or cannot. */
const RETRY_MS = { first: 50, most: 2_000, refused: 60_000 }

/** How long Redis may take to confirm a subscription. */
const CONFIRM_MS = 5_000

interface Subscriber extends RedisClient {
  subscribe(channel: string): Promise<unknown>
  ssubscribe(channel: string): Promise<unknown>
}

/** What was published: that something was added, and the event, if it was one. */
export interface Told {
  /** Id of the entry before it. */
  readonly before: string
  readonly id: string
  readonly sender: string
  readonly number: string
  readonly text: string
}

/** `undefined`: something was added that has to be read. */
export function decodeTold(message: string): Told | undefined {
  const [, before, id, sender, number, text] = /^(\S+) (\S+) (\S+) (\d+) (.*)$/s.exec(message) ?? []
  return text === undefined ? undefined : ({ before, id, sender, number, text } as Told)
}

/** The receiver of what a subscription says. */
export interface Hearing {
  /** Something was added to the channel. */
  onTold(told: Told | undefined): void
  /** It became live, or ended. */
  onChange(): void
}

/**
 * A subscription to what is added to the work channel, on a connection of its own. It makes a reader quicker and is never
 * needed: while it is away, the stream is read as if there were none. It never gives up, and never throws.
 */
export class Listening {
  readonly #redis: RedisConnection
  readonly #channel: string
  readonly #logger: Logger
  readonly #hearing: Hearing
  #client: Subscriber | undefined
  #isLive = false
  #closed = false
  #refused = false
  #failures = 0
  #drop: () => void = () => {}
  #running: Promise<void> | undefined

  constructor(redis: RedisConnection, channel: string, logger: Logger, hearing: Hearing) {
    this.#redis = redis
    this.#channel = channel
    this.#logger = logger
    this.#hearing = hearing
  }

  /** Whether Redis has confirmed the subscription, and its connection stands. */
  get isLive(): boolean {
    return this.#isLive
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Makes sure that the subscription stands: one that a server took away is made again. */
  check(): void {
    const client = this.#client
    if (client === undefined || !this.#isLive) return
    this.#subscribe(client).catch(() => {
      if (this.#client === client) this.#drop()
    })
  }

  /** Subscribes again, where the channel is now. */
  restart(): void {
    if (this.#isLive) this.#drop()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#drop()
    this.#client?.disconnect()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const error = await this.#listen().catch((reason: Error) => reason)
      this.#become(false)
      this.#client?.disconnect()
      this.#client = undefined
      if (!this.#closed) await this.#pause(error)
    }
  }

  /** Listens until the connection ends. */
  async #listen(): Promise<undefined> {
    const client = (await this.#redis.openListener(this.#channel)) as Subscriber
    this.#client = client
    let ended = false
    const end = new Promise<void>((resolve) => {
      this.#drop = () => {
        ended = true
        resolve()
      }
    })
    client.on('close', this.#drop)
    if (this.#closed) return undefined
    client.on(this.#event, (_: string, message: string) => {
      if (this.#client === client && !ended) this.#hearing.onTold(decodeTold(message))
    })
    await Promise.race([this.#subscribe(client), end])
    if (ended || this.#closed) return undefined
    this.#failures = 0
    this.#refused = false
    this.#become(true)
    await end
    return undefined
  }

  get #event(): string {
    return this.#redis.isCluster ? 'smessage' : 'message'
  }

  async #subscribe(client: Subscriber): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = timers.setTimeout(() => reject(new Error('no answer in time')), CONFIRM_MS).unref()
    })
    const answer = this.#redis.isCluster ? client.ssubscribe(this.#channel) : client.subscribe(this.#channel)
    try {
      await Promise.race([answer, late])
    } finally {
      timers.clearTimeout(timer)
    }
  }

  #become(isLive: boolean): void {
    if (this.#isLive === isLive) return
    this.#isLive = isLive
    this.#hearing.onChange()
  }

  async #pause(error: Error | undefined): Promise<void> {
    const refusal = error && refusalOf(error)
    if (refusal !== undefined && !this.#refused) {
      this.#logger.info(
        { reason: refusal },
        'cluster: this node may not listen to the work channel, so it reads it; see docs/acl.md',
      )
    }
    this.#refused = refusal !== undefined
    this.#failures += 1
    const ms = this.#refused
      ? RETRY_MS.refused
      : Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** this.#failures)
    await new Promise<void>((resolve) => {
      const timer = timers.setTimeout(resolve, ms * (0.5 + Math.random() / 2)).unref()
      this.#drop = () => {
        timers.clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** Why Redis lets no client subscribe, if it says so. Before 7.0 a Cluster has no channels of its own. */
const refusalOf = (error: Error): string | undefined =>
  refusalText(error) ?? (/^NOPERM|unknown command/i.test(error.message) ? 'Redis refuses it' : undefined)
