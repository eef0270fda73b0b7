import { AsyncLocalStorage } from 'node:async_hooks'
import { ConflictError, Lifecycle, type Logger, StoreUnavailableError, timers } from '@authstate/spi'
import type { Lease, LockOptions, LockSession } from './contract.js'
import { HeldLease, type Leases } from './leases.js'
import { checkLock } from './rules.js'
import type { Inside } from './tasks.js'

type Work<R> = (lease: Lease) => R | Promise<R>

const RELEASED = 'lock-released'

/** How often the store is asked again, in case nobody tells: at first, and at most. */
const ASK_MS = { first: 20, most: 1_000 }

/** The locks of this node. Of its callers one at a time asks the store; the others stand in line here. */
export class Locks {
  readonly #leases: Leases
  readonly #inside: Inside
  readonly #watch: () => number
  readonly #logger: Logger
  readonly #lines = new Map<string, Line>()
  /** Which session the running code belongs to. */
  readonly #sessions = new AsyncLocalStorage<Session>()
  #inSession = 0
  readonly #lifecycle = new Lifecycle('cluster')

  /** @param watch Measures how long somebody waits: does not step. */
  constructor(leases: Leases, inside: Inside, watch: () => number, logger: Logger) {
    this.#leases = leases
    this.#inside = inside
    this.#watch = watch
    this.#logger = logger
    inside.listen(RELEASED, (message) => this.#lines.get(message as string)?.wake())
  }

  /** In the session of the lock that the caller is running under, or in one of its own. */
  async withLock<R>(namespace: string, options: LockOptions, work: Work<R>): Promise<R> {
    const outer = this.#sessions.getStore()
    const session = outer?.current === undefined ? new Session(this) : outer
    this.#inSession += 1
    try {
      return await this.#sessions.run(session, () => session.withLock(namespace, options, work))
    } finally {
      this.#inSession -= 1
      // Node 20 watches every promise of the process while somebody keeps track: only while there is something to track.
      if (this.#inSession === 0) this.#sessions.disable()
    }
  }

  session(): LockSession {
    return new Session(this)
  }

  close(): void {
    this.#lifecycle.close()
    for (const line of this.#lines.values()) line.wakeAll()
  }

  warnOfRepetition(namespace: string): void {
    this.#logger.warn(
      { namespace },
      'cluster: a lock that is held was asked for again; there is nothing to do',
    )
  }

  /** Waits for the lock. Ask {@link release} to end it. */
  async acquire(namespace: string, leaseMs: number, waitMs: number): Promise<HeldLease> {
    const deadline = this.#watch() + waitMs
    const line = this.#lines.get(namespace) ?? new Line()
    this.#lines.set(namespace, line)
    const place = line.join()
    try {
      let trouble: unknown
      for (let askMs = ASK_MS.first; ; askMs = Math.min(ASK_MS.most, askMs * 2)) {
        this.#lifecycle.assertOpen()
        if (place.isFirst()) {
          const lease = await this.#ask(namespace, leaseMs).catch((error: unknown) => {
            if (error instanceof StoreUnavailableError) return error
            throw error
          })
          if (lease instanceof HeldLease) return lease
          trouble = lease
        }
        const remainingMs = deadline - this.#watch()
        if (remainingMs <= 0) {
          throw (
            trouble ?? new ConflictError('cluster.withLock: somebody else held the lock for all of "waitMs"')
          )
        }
        // At random, so that the nodes do not ask in step.
        await place.wait(Math.min(remainingMs, askMs * (0.5 + Math.random() / 2)))
      }
    } catch (error) {
      this.#leave(namespace, line, place)
      throw error
    }
  }

  async release(namespace: string, lease: HeldLease): Promise<void> {
    const how = await this.#leases.release(lease)
    const line = this.#lines.get(namespace)
    if (line !== undefined) this.#leave(namespace, line, line.first())
    if (how === 'awaited') {
      // Only sooner: those who wait ask from time to time anyway.
      this.#inside.tell(RELEASED, namespace).catch(() => {})
    }
  }

  async #ask(namespace: string, leaseMs: number): Promise<HeldLease | undefined> {
    const lease = await this.#leases.acquire({ kind: 'lock', key: namespace }, leaseMs, true)
    return lease instanceof HeldLease ? lease : undefined
  }

  #leave(namespace: string, line: Line, place: Place | undefined): void {
    place?.leave()
    if (line.first() === undefined && this.#lines.get(namespace) === line) this.#lines.delete(namespace)
  }
}

/** Callers of one node who want one lock, first come first served. */
class Line {
  readonly #places: Place[] = []

  join(): Place {
    const place = new Place(this.#places)
    this.#places.push(place)
    return place
  }

  first(): Place | undefined {
    return this.#places[0]
  }

  wake(): void {
    this.first()?.wake()
  }

  wakeAll(): void {
    for (const place of this.#places) place.wake()
  }
}

class Place {
  readonly #line: Place[]
  #wake: () => void = () => {}

  constructor(line: Place[]) {
    this.#line = line
  }

  isFirst(): boolean {
    return this.#line[0] === this
  }

  /** Until woken, but not longer. */
  async wait(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      timer = timers.setTimeout(resolve, ms)
    })
    timers.clearTimeout(timer)
    this.#wake = () => {}
  }

  wake(): void {
    this.#wake()
  }

  leave(): void {
    const index = this.#line.indexOf(this)
    if (index >= 0) this.#line.splice(index, 1)
    this.#line[0]?.wake()
  }
}

class Session implements LockSession {
  readonly #locks: Locks
  #current: { readonly namespace: string; readonly lease: HeldLease | undefined } | undefined

  constructor(locks: Locks) {
    this.#locks = locks
  }

  get current(): string | undefined {
    return this.#current?.lease === undefined ? undefined : this.#current.namespace
  }

  async withLock<R>(namespace: string, options: LockOptions, work: Work<R>): Promise<R> {
    const { leaseMs, waitMs } = checkLock(namespace, options, work)
    const { namespace: other, lease: held } = this.#current ?? {}
    if (held !== undefined && other === namespace) {
      this.#locks.warnOfRepetition(namespace)
      return work(held)
    }
    if (other !== undefined) {
      throw new ConflictError('cluster.withLock: this session holds another lock, or waits for one')
    }
    this.#current = { namespace, lease: undefined }
    try {
      const lease = await this.#locks.acquire(namespace, leaseMs, waitMs)
      this.#current = { namespace, lease }
      try {
        return await work(lease)
      } finally {
        await this.#locks.release(namespace, lease)
      }
    } finally {
      this.#current = undefined
    }
  }
}
