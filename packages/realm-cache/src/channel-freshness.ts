import type { ClusterProvider } from '@authstate/cluster'
import type { Clock } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { DistrustReason, RealmCacheEvent } from './contract.js'
import type { Freshness } from './region-parts.js'

/**
 * Whether this node has heard of everything that others declared untrue.
 *
 * The work channel must be live, and have answered within the bound, by a watch that does not step. It is read once per turn of the event loop, at
 * the first question: a process that was paused or blocked begins a turn when it goes on, and finds out then.
 */
export class ChannelFreshness implements Freshness {
  readonly #cluster: ClusterProvider
  readonly #clock: Clock
  readonly #watch: () => number
  readonly #maxSilenceMs: number
  readonly #tell: (event: RealmCacheEvent) => void
  /** Lookup in this turn, and all was well. */
  isSure = false
  #isFresh = true
  #checkedThisTurn = false
  #since = 0
  #outages = 0
  #pastMs = 0
  #turn: NodeJS.Immediate | undefined

  constructor(
    cluster: ClusterProvider,
    { clock, watch }: { readonly clock: Clock; readonly watch: () => number },
    maxSilenceMs: number,
    tell: (event: RealmCacheEvent) => void,
  ) {
    this.#cluster = cluster
    this.#clock = clock
    this.#watch = watch
    this.#maxSilenceMs = maxSilenceMs
    this.#tell = tell
    this.checkAgain()
  }

  get outages(): number {
    return this.#outages
  }

  get outageMs(): number {
    return this.#pastMs + (this.#isFresh ? 0 : this.#watch() - this.#since)
  }

  check(): boolean {
    if (this.#checkedThisTurn) return this.#isFresh
    this.#checkedThisTurn = true
    this.#turn = timers
      .setImmediate(() => {
        this.#checkedThisTurn = false
        this.isSure = false
      })
      .unref()
    return this.checkAgain()
  }

  /** Finds out again, and says so if it has changed. */
  checkAgain(): boolean {
    const { state, heardAt, silentMs } = this.#cluster.channel()
    const now = this.#watch()
    const silent = (silentMs ?? this.#clock.now() - heardAt) >= this.#maxSilenceMs
    const isFresh = state === 'live' && !silent
    const changed = isFresh !== this.#isFresh
    this.#isFresh = isFresh
    this.isSure = isFresh && this.#checkedThisTurn
    if (changed && isFresh) this.#end(now)
    if (changed && !isFresh) this.#begin(now, state === 'live' ? 'silence' : 'disconnected')
    return isFresh
  }

  /** Something was missed for good. The caller empties the regions, after which they are true again. */
  missed(reason: DistrustReason, empty: () => void): void {
    const now = this.#watch()
    if (!this.#isFresh) {
      empty()
      return
    }
    this.#begin(now, reason)
    empty()
    this.#end(now)
  }

  close(): void {
    timers.clearImmediate(this.#turn)
    this.#checkedThisTurn = true
    this.#isFresh = false
    this.isSure = false
  }

  #begin(now: number, reason: DistrustReason): void {
    this.#outages += 1
    this.#since = now
    this.#tell({ type: 'distrusted', reason })
  }

  #end(now: number): void {
    const afterMs = Math.max(0, now - this.#since)
    this.#pastMs += afterMs
    this.#tell({ type: 'trusted', afterMs })
  }
}
