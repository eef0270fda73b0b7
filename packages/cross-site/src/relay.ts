import { oweWork, type SiteTopic, tellWork, workPartition } from '@authstate/cluster/sites'
import type { RedisConnection } from '@authstate/redis'
import { StoreUnavailableError } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { Link } from './link.js'

/** What a {@link Relay} is made of. */
export interface RelayParts {
  /** Of this site. */
  readonly connection: RedisConnection
  readonly site: string
  readonly links: readonly Link[]
  /** What of the work channel travels. */
  readonly work: readonly (SiteTopic | 'everything')[]
  /** Between two looks. */
  readonly pollMs: number
  /** The partitions whose changes this node sends. */
  readonly partitions: () => readonly number[]
}

/** Sends messages of the work channel to other sites, from the node that holds its partition. */
export class Relay {
  readonly #parts: RelayParts
  /** Sites whose absence is not noted yet. */
  readonly #away = new Set<string>()
  readonly #telling = new Map<string, Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(parts: RelayParts) {
    this.#parts = parts
  }

  start(): void {
    const { work, links, pollMs } = this.#parts
    if (work.length === 0) return
    this.#timer = timers
      .setInterval(() => {
        for (const link of links) void this.tell(link).catch(() => {})
      }, pollMs)
      .unref()
  }

  /** A site is away: its caches are emptied once it is back, because an operator may have changed the data behind them. */
  away(to: string): void {
    this.#away.add(to)
  }

  /** Notes that a site has lost what was sent to it. */
  async owe(to: string): Promise<void> {
    if (this.#parts.work.length > 0) await oweWork(this.#parts.connection, to, 'lost')
  }

  /** Sends a site every message until now. Returns whether the site has received all that this node sends. */
  async caughtUp(link: Link): Promise<boolean> {
    try {
      // The run under way may have looked before the last message.
      await this.#telling.get(link.to)
      await this.tell(link)
      return true
    } catch {
      return false
    }
  }

  /** Sends new messages to a site, unless it is away or another node sends them. */
  tell(link: Link): Promise<void> {
    const running = this.#telling.get(link.to)
    if (running !== undefined) return running
    const run = this.#tell(link).finally(() => this.#telling.delete(link.to))
    this.#telling.set(link.to, run)
    return run
  }

  async close(): Promise<void> {
    this.#isClosed = true
    timers.clearInterval(this.#timer)
    await Promise.allSettled(this.#telling.values())
  }

  async #tell(link: Link): Promise<void> {
    const { connection, site, work, partitions } = this.#parts
    const { to } = link
    const isHere = () => !this.#isClosed && partitions().includes(workPartition(connection))
    if (work.length === 0 || !isHere()) return
    if (this.#away.delete(to)) {
      await oweWork(connection, to, 'away').catch((error: unknown) => {
        this.#away.add(to)
        throw error
      })
    }
    const topics = work.flatMap((of) => (of === 'everything' ? [] : of))
    const isEverything = work.includes('everything')
    while (isHere() && link.isOpen()) {
      const { isMore } = await tellWork(connection, {
        from: site,
        to,
        topics,
        isEverything,
        ask: async (operation, ask) => {
          const asked = await link.ask(async (peer) => ({ answer: await ask(peer) }))
          if (asked !== undefined) return asked.answer
          throw new StoreUnavailableError(`${operation}: the site "${to}" did not answer`, {
            applied: 'unknown',
          })
        },
      })
      if (!isMore) return
    }
  }
}
