import { timers } from '@authstate/spi/internal'
import type { HttpOriginStats } from './contract.js'
import { HttpError } from './errors.js'

/** Where a connection leads, for the count of connections. */
export interface Lane {
  readonly origin: string
  readonly host: string
  /** Connections are used again only by requests of the same key: same proxy, same rules. */
  readonly key: string
}

/** One connection: in use, or idle. */
export interface LaneConnection {
  readonly lane: Lane
  /** Whether another request may use it. */
  isUsable(): boolean
  /** Resolves when the connection is closed. */
  destroy(): Promise<void>
}

/** How many connections there may be, and how many callers may wait for one. */
export interface LaneLimits {
  readonly maxConnections: number
  readonly maxConnectionsPerOrigin: number
  readonly maxQueued: number
  readonly queueTimeoutMs: number
}

/**
 * An origin may use a quarter of what others leave: with the usual limits, eighteen origins that do not
 * answer leave room for one more.
 */
const SHARE_OF_REST = 1 / 4

interface Waiter<C> {
  /** Place in the order in which waiters came. */
  readonly number: number
  readonly lane: Lane
  readonly open: () => C
  readonly give: (connection: C) => void
}

interface Counts {
  open: number
  busy: number
  queued: number
}

/**
 * Hands out connections: an idle one, else a new one, else the caller waits in line.
 *
 * An origin that does not answer holds at most its share, so that others go on. Beyond its first
 * connection it gets another only while it uses fewer than {@link SHARE_OF_REST} of those that are
 * left. If there is no room at all, the origin that uses the fewest connections is served first. An
 * idle connection makes room for one that is needed elsewhere.
 */
export class Lanes<C extends LaneConnection> {
  readonly #limits: LaneLimits
  /** Those used longest ago first. */
  readonly #idle = new Set<C>()
  readonly #busy = new Set<C>()
  /** By origin, each in the order in which they came. */
  readonly #lines = new Map<string, Set<Waiter<C>>>()
  readonly #counts = new Map<string, Counts>()
  readonly #leaving = new Set<Promise<void>>()
  #open = 0
  #queued = 0
  #came = 0

  constructor(limits: LaneLimits) {
    this.#limits = limits
  }

  /**
   * @param open Makes a connection; called at most once, when there is room.
   * @throws {HttpError} `'queue-full'`
   */
  acquire(lane: Lane, open: () => C, signal: AbortSignal): Promise<C> {
    if (signal.aborted) return Promise.reject(signal.reason)
    const isBehindOthers = (this.#counts.get(lane.origin)?.queued ?? 0) > 0
    const connection = isBehindOthers ? undefined : this.#take(lane, open)
    if (connection !== undefined) return Promise.resolve(connection)
    const full = (detail: string) => new HttpError('queue-full', { sent: 'no', host: lane.host, detail })
    // Who waits for a connection that is just leaving is not in line.
    if (this.#queued >= this.#limits.maxQueued + this.#leaving.size)
      return Promise.reject(full('the line is full'))
    return new Promise<C>((resolve, reject) => {
      const waiter: Waiter<C> = {
        number: this.#came++,
        lane,
        open,
        give: (given) => {
          leave()
          resolve(given)
        },
      }
      const leave = (): void => {
        timers.clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        this.#leaveLine(waiter)
      }
      const giveUp = (reason: unknown): void => {
        leave()
        reject(reason)
      }
      const onAbort = (): void => giveUp(signal.reason)
      const timer = timers.setTimeout(
        () => giveUp(full('no connection became free')),
        this.#limits.queueTimeoutMs,
      )
      signal.addEventListener('abort', onAbort, { once: true })
      this.#enterLine(waiter)
    })
  }

  /** Gives a connection back. Safe to repeat; what was given back once is not taken again. */
  release(connection: C, isWhole: boolean): void {
    if (!this.#busy.delete(connection)) return
    this.#count(connection.lane.origin, 'busy', -1)
    if (isWhole && connection.isUsable()) {
      this.#idle.add(connection)
      this.#serve()
    } else this.#discard(connection)
  }

  /** Forgets an idle connection that the other side ended. */
  drop(connection: C): void {
    if (this.#idle.delete(connection)) this.#discard(connection)
  }

  stats(): HttpOriginStats & { readonly byOrigin: Readonly<Record<string, HttpOriginStats>> } {
    return {
      open: this.#open,
      busy: this.#busy.size,
      queued: this.#queued,
      byOrigin: Object.fromEntries([...this.#counts].map(([origin, counts]) => [origin, { ...counts }])),
    }
  }

  /** Ends every connection; resolves when they are closed. */
  async close(): Promise<void> {
    for (const connection of this.#idle) this.drop(connection)
    for (const connection of this.#busy) this.release(connection, false)
    while (this.#leaving.size > 0) await Promise.all(this.#leaving)
  }

  /** Whether an origin may use one connection more. Where the limits allow one origin to use all, it may. */
  #hasShare(origin: string): boolean {
    const { maxConnections, maxConnectionsPerOrigin } = this.#limits
    const busy = this.#counts.get(origin)?.busy ?? 0
    if (busy === 0 || maxConnectionsPerOrigin >= maxConnections) return true
    return busy < (maxConnections - this.#busy.size) * SHARE_OF_REST
  }

  #take(lane: Lane, open: () => C): C | undefined {
    if (!this.#hasShare(lane.origin)) return undefined
    for (const connection of [...this.#idle].reverse()) {
      if (!connection.isUsable()) this.drop(connection)
      else if (connection.lane.key === lane.key && connection.lane.origin === lane.origin) {
        this.#idle.delete(connection)
        return this.#inUse(connection)
      }
    }
    const ofOrigin = this.#counts.get(lane.origin)?.open ?? 0
    const isOriginFull = ofOrigin >= this.#limits.maxConnectionsPerOrigin
    if (isOriginFull || this.#open >= this.#limits.maxConnections) {
      // The room is there when the idle one is gone; then whoever waits is served.
      for (const idle of this.#idle) {
        if (isOriginFull && idle.lane.origin !== lane.origin) continue
        this.drop(idle)
        break
      }
      return undefined
    }
    this.#open++
    this.#count(lane.origin, 'open', 1)
    return this.#inUse(open())
  }

  #inUse(connection: C): C {
    this.#busy.add(connection)
    this.#count(connection.lane.origin, 'busy', 1)
    return connection
  }

  #discard(connection: C): void {
    const leaving = connection.destroy().then(() => {
      this.#leaving.delete(leaving)
      this.#open--
      this.#count(connection.lane.origin, 'open', -1)
      this.#serve()
    })
    this.#leaving.add(leaving)
  }

  #serve(): void {
    const isFull = () => this.#idle.size === 0 && this.#open >= this.#limits.maxConnections
    for (let isServed = true; isServed && !isFull(); ) {
      isServed = false
      // Within an origin those who came first are served first; of two origins with as many connections in use, too.
      const firsts = [...this.#lines.values()].map((line) => line.values().next().value as Waiter<C>)
      const busy = ({ lane }: Waiter<C>): number => this.#counts.get(lane.origin)?.busy ?? 0
      for (const waiter of firsts.sort((a, b) => busy(a) - busy(b) || a.number - b.number)) {
        const connection = this.#take(waiter.lane, waiter.open)
        if (connection === undefined) continue
        waiter.give(connection)
        isServed = true
      }
    }
  }

  #enterLine(waiter: Waiter<C>): void {
    const { origin } = waiter.lane
    const line = this.#lines.get(origin) ?? new Set()
    this.#lines.set(origin, line.add(waiter))
    this.#queued++
    this.#count(origin, 'queued', 1)
  }

  #leaveLine(waiter: Waiter<C>): void {
    const { origin } = waiter.lane
    const line = this.#lines.get(origin)
    line?.delete(waiter)
    if (line?.size === 0) this.#lines.delete(origin)
    this.#queued--
    this.#count(origin, 'queued', -1)
  }

  #count(origin: string, what: keyof Counts, change: 1 | -1): void {
    const counts = this.#counts.get(origin) ?? { open: 0, busy: 0, queued: 0 }
    counts[what] += change
    if (counts.open === 0 && counts.busy === 0 && counts.queued === 0) this.#counts.delete(origin)
    else this.#counts.set(origin, counts)
  }
}
