import { type Clock, Lifecycle, type Logger, randomId, StoreUnavailableError } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { Lease } from './contract.js'

/** What leases are kept in. One call is one atomic step. */
export interface LeaseStore {
  /**
   * Takes a lease that has no holder. Asking again as the same owner is the same as asking once.
   *
   * @param waits Whether the caller goes on trying: then the release tells.
   */
  acquire(lease: LeaseName, owner: string, leaseMs: number, waits: boolean): Promise<Acquired>
  /** `false` if another owner has it, or none. */
  renew(lease: LeaseName, owner: string, leaseMs: number): Promise<boolean>
  /** Gives back what this owner holds and nothing else. `'awaited'` when somebody tried to get it meanwhile. */
  release(lease: LeaseName, owner: string): Promise<'free' | 'awaited' | 'lost'>
}

export interface LeaseName {
  readonly kind: 'task' | 'lock'
  readonly key: string
}

/** `fence` is that of the holder, which may be another owner. */
export interface Acquired {
  readonly acquired: boolean
  readonly fence: number
}

/** Renewals that fit into a lease: one may fail, and the next still comes in time. */
const RENEWALS_PER_LEASE = 3

const RELEASE_ATTEMPTS = 5
const RELEASE_RETRY_MS = 50

/** The leases that this node holds. */
export class Leases {
  readonly #store: LeaseStore
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #held = new Map<HeldLease, () => Promise<unknown>>()
  readonly #lifecycle = new Lifecycle('cluster')

  constructor(store: LeaseStore, clock: Clock, logger: Logger) {
    this.#store = store
    this.#clock = clock
    this.#logger = logger
  }

  /** The lease, or the fence of who holds it. */
  async acquire(
    name: LeaseName,
    leaseMs: number,
    waits = false,
  ): Promise<HeldLease | { readonly fence: number }> {
    this.#lifecycle.assertOpen()
    const owner = randomId()
    const asked = readClocks(this.#clock)
    let reply: Acquired
    try {
      reply = await this.#store.acquire(name, owner, leaseMs, waits)
    } catch (error) {
      // It may have been taken for us: nobody would know.
      if (error instanceof StoreUnavailableError && error.applied === 'unknown') {
        this.#store.release(name, owner).catch(() => {})
      }
      throw error
    }
    if (!reply.acquired) return { fence: reply.fence }
    const lease = new HeldLease(reply.fence, this.#clock, leaseMs, asked, () =>
      this.#store.renew(name, owner, leaseMs),
    )
    this.#held.set(lease, () => this.#giveBack(name, owner))
    return lease
  }

  /** Ends a lease of {@link acquire}. `'awaited'` when somebody tried to get it meanwhile. */
  async release(lease: HeldLease): Promise<'free' | 'awaited' | 'lost'> {
    const giveBack = this.#held.get(lease)
    this.#held.delete(lease)
    lease.end()
    return ((await giveBack?.()) as 'free' | 'awaited' | 'lost' | undefined) ?? 'lost'
  }

  /** Gives back everything. */
  async close(): Promise<void> {
    this.#lifecycle.close()
    await Promise.all([...this.#held.keys()].map((lease) => this.release(lease)))
  }

  async #giveBack(name: LeaseName, owner: string): Promise<'free' | 'awaited' | 'lost'> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#store.release(name, owner)
      } catch (error) {
        if (attempt === RELEASE_ATTEMPTS || this.#lifecycle.isClosed) {
          this.#logger.warn(
            { error: (error as Error).name },
            'cluster: a lease could not be given back; it runs out',
          )
          return 'lost'
        }
        await new Promise((resolve) => timers.setTimeout(resolve, RELEASE_RETRY_MS * attempt))
      }
    }
  }
}

/** Both clocks: the injected one decides, the monotonic one notices when the other is set back. */
interface Clocks {
  readonly now: number
  readonly monotonic: number
}

const readClocks = (clock: Clock): Clocks => ({ now: clock.now(), monotonic: timers.monotonicMs() })

/** A lease while it is held. It ends for this node before the store lets another have it. */
export class HeldLease implements Lease {
  readonly fence: number
  readonly #clock: Clock
  readonly #leaseMs: number
  readonly #renew: () => Promise<boolean>
  readonly #abort = new AbortController()
  #since: Clocks
  #renewal: NodeJS.Timeout | undefined
  #expiry: NodeJS.Timeout | undefined

  /** @param since When the store was asked: the lease began later. */
  constructor(fence: number, clock: Clock, leaseMs: number, since: Clocks, renew: () => Promise<boolean>) {
    this.fence = fence
    this.#clock = clock
    this.#leaseMs = leaseMs
    this.#since = since
    this.#renew = renew
    this.#schedule()
    this.#expireAfter(leaseMs)
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  held(): boolean {
    if (this.signal.aborted) return false
    const { now, monotonic } = readClocks(this.#clock)
    return now - this.#since.now < this.#leaseMs && monotonic - this.#since.monotonic < this.#leaseMs
  }

  end(): void {
    timers.clearTimeout(this.#renewal)
    timers.clearTimeout(this.#expiry)
    this.#abort.abort()
  }

  #schedule(): void {
    const dueMs = Math.ceil(this.#leaseMs / RENEWALS_PER_LEASE)
    this.#renewal = timers.setTimeout(() => void this.#extend(), dueMs).unref()
  }

  #expireAfter(ms: number): void {
    timers.clearTimeout(this.#expiry)
    this.#expiry = timers.setTimeout(() => this.end(), ms).unref()
  }

  async #extend(): Promise<void> {
    const asked = readClocks(this.#clock)
    // Past its end others may have had it, whatever the store says now.
    const renewed = this.held() && (await this.#renew().catch(() => undefined))
    if (this.signal.aborted) return
    if (renewed === false || !this.held()) {
      this.end()
      return
    }
    if (renewed === true) {
      this.#since = asked
      this.#expireAfter(this.#leaseMs - (timers.monotonicMs() - asked.monotonic))
    }
    this.#schedule()
  }
}
