import { AsyncLocalStorage } from 'node:async_hooks'
import { ConflictError, Lifecycle, type Logger, StoreUnavailableError } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { Bus } from './bus.js'
import { checkLock } from './checks.js'
import type { Lease, LockOptions, LockSession } from './contract.js'
import { HeldLease, type Leases } from './leases.js'

type Work<R> = (lease: Lease) => R | Promise<R>

const RELEASED = 'lock-released'

/** How often the store is asked again, in case no message comes: at first, and at most. */
const ASK_MS = { first: 20, most: 1_000 }

/** The locks of this node. Of its callers one at a time asks the store; the others wait in a queue here. */
export class Locks {
  readonly #leases: Leases
  readonly #bus: Bus
  readonly #watch: () => number
  readonly #logger: Logger
  readonly #queues = new Map<string, Queue>()
  /** Which session the running code belongs to. */
  readonly #sessions = new AsyncLocalStorage<Session>()
  #inSession = 0
  readonly #lifecycle = new Lifecycle('cluster')

  /** @param watch Measures how long somebody waits: does not step. */
  constructor(leases: Leases, bus: Bus, watch: () => number, logger: Logger) {
    this.#leases = leases
    this.#bus = bus
    this.#watch = watch
    this.#logger = logger
    bus.listen(RELEASED, (message) => this.#queues.get(message as string)?.wake())
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
    for (const queue of this.#queues.values()) queue.wakeAll()
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
    const queue = this.#queues.get(namespace) ?? new Queue()
    this.#queues.set(namespace, queue)
    const waiter = queue.join()
    try {
      let trouble: unknown
      for (let askMs = ASK_MS.first; ; askMs = Math.min(ASK_MS.most, askMs * 2)) {
        this.#lifecycle.assertOpen()
        if (waiter.isFirst()) {
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
            trouble ?? new ConflictError('cluster.withLock: another holder kept the lock for all of "waitMs"')
          )
        }
        // At random, so that the nodes do not ask in step.
        await waiter.wait(Math.min(remainingMs, askMs * (0.5 + Math.random() / 2)))
      }
    } catch (error) {
      this.#leave(namespace, queue, waiter)
      throw error
    }
  }

  async release(namespace: string, lease: HeldLease): Promise<void> {
    const how = await this.#leases.release(lease)
    const queue = this.#queues.get(namespace)
    if (queue !== undefined) this.#leave(namespace, queue, queue.first())
    if (how === 'awaited') {
      // Only sooner: those who wait ask from time to time anyway.
      this.#bus.publish(RELEASED, namespace).catch(() => {})
    }
  }

  async #ask(namespace: string, leaseMs: number): Promise<HeldLease | undefined> {
    const lease = await this.#leases.acquire({ kind: 'lock', key: namespace }, leaseMs, true)
    return lease instanceof HeldLease ? lease : undefined
  }

  #leave(namespace: string, queue: Queue, waiter: Waiter | undefined): void {
    waiter?.leave()
    if (queue.first() === undefined && this.#queues.get(namespace) === queue) this.#queues.delete(namespace)
  }
}

/** Callers of one node that want one lock, first come first served. */
class Queue {
  readonly #waiters: Waiter[] = []

  join(): Waiter {
    const waiter = new Waiter(this.#waiters)
    this.#waiters.push(waiter)
    return waiter
  }

  first(): Waiter | undefined {
    return this.#waiters[0]
  }

  wake(): void {
    this.first()?.wake()
  }

  wakeAll(): void {
    for (const waiter of this.#waiters) waiter.wake()
  }
}

class Waiter {
  readonly #queue: Waiter[]
  #wake: () => void = () => {}

  constructor(queue: Waiter[]) {
    this.#queue = queue
  }

  isFirst(): boolean {
    return this.#queue[0] === this
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
    const index = this.#queue.indexOf(this)
    if (index >= 0) this.#queue.splice(index, 1)
    this.#queue[0]?.wake()
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
