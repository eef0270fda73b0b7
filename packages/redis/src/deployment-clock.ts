import type { Clock, Logger } from '@authstate/spi'
import { hostClocks } from '@authstate/spi/internal'
import { type Interval, intersected, measured, widened } from './clock-interval.js'
import { notConnected, reasonOf } from './failure.js'

const US_PER_MS = 1000

/** Between two measurements. */
const REFRESH_MS = 5_000

/** Before a measurement that failed is repeated. */
const RETRY_MS = 250

/** The wall clock and the monotonic clock of a host move alike: apart by this much, one of them was set or stood still. */
const JUMP_US = 250 * US_PER_MS

/** The least uncertainty, in us: what a process takes between reading a clock and using it. */
const LEAST_UNCERTAINTY_US = 250

/** Readings may contradict each other by this much before the server is asked to remember that it is behind. */
const SLACK_US = 2 * US_PER_MS

/** A correction loses a microsecond in so many. */
const WEARS_OFF = 1_000

/**
 * How long a node that knows no time of its own does not rely on a correction, and asks often, also where there is none. A
 * server that took over may have one that was made for another server, or lack one; nodes that know how much time has passed
 * mend it as soon as they are connected.
 */
const UNSETTLED_US = 2_000 * US_PER_MS

/** A difference that is worth a warning. */
const WORTH_TELLING_MS = 1_000

/** What one look at the clock of the deployment answers, in us. */
export interface ClockReading {
  readonly nowUs: number
  /** What of it is the correction of a server that is behind: it wears off, a thousandth of the time that passes. */
  readonly behindUs: number
  /** The server is further behind than it may be, and is believed all the same. */
  readonly isTooFarBehind: boolean
  /** The correction as the server keeps it; `''` for none. */
  readonly kept: string
}

/** What a node tells with its question. */
export interface ClockQuestion {
  /** What has passed for certain; 0: nothing is known. */
  readonly floorUs: number
  /** The correction that was found to be too large, as the server keeps it. */
  readonly seen?: string
  /** By how much it is. */
  readonly lowerUs?: number
}

/** What a {@link DeploymentClock} is made of. */
export interface DeploymentClockParts {
  /** Asks the server. */
  readonly read: (question: ClockQuestion) => Promise<ClockReading>
  readonly logger: Logger
  /** Name of this node, for the warning that its host's clock is off. */
  readonly node: string
  /** The clocks of the host. */
  readonly host?: typeof hostClocks
  /** Runs something later, without keeping the process alive. @returns how to keep it from running */
  readonly later: (ms: number, run: () => void) => () => void
}

/** What a clock says of itself. */
export interface ClockState {
  /** How far the wall clock of this host is ahead of the deployment's clock, in ms; negative: behind. */
  readonly hostAheadMs: number
  /** How often the clock of the server was found to have been set. */
  readonly steps: number
}

/**
 * The clock that every node on one Redis goes by: the monotonic clock of the process plus its measured offset from the
 * clock of one server. What the wall clock of the host says does not matter.
 *
 * The offset is known as an interval. Each measurement cuts it down, age widens it by the drift that clocks may have. `now` is
 * its middle, half of it is the uncertainty.
 */
export class DeploymentClock implements Clock {
  readonly #parts: DeploymentClockParts
  readonly #host: typeof hostClocks
  /** What the server alone is off, without its correction. */
  #interval: Interval | undefined
  #middle = 0
  #correction = { us: 0, at: 0 }
  /** Until then, by the monotonic clock in us, the correction may be wrong by all that it is. */
  #unsettledUntil = 0
  /** Until then others may mend what this node has only just begun to go by. */
  #asksOftenUntil = 0
  /** What was answered last, in us: time does not go back. */
  #last = 0
  /** Nothing may be sent: the connection was lost since the last measurement. */
  #isForgotten = true
  /** The host's clocks moved apart: the offset is not to be relied on, and no floor follows from it. */
  #isInDoubt = false
  /** Wall less monotonic, in us, when they were last compared. */
  #apart: number
  #measuring: Promise<void> | undefined
  /** Counts what makes a measurement under way worthless. */
  #epoch = 0
  #steps = 0
  #hasWarnedOfHost = false
  #cancel: () => void = () => {}
  #closed = false
  /** Why the last measurement failed. */
  #failure: unknown

  constructor(parts: DeploymentClockParts) {
    this.#parts = parts
    this.#host = parts.host ?? hostClocks
    this.#apart = this.#wallUs() - this.#monotonicUs()
  }

  /**
   * Measures before the first use, twice: the first question also brings the script to the server, which takes longer.
   *
   * @throws what the server answered
   * @throws {StoreUnavailableError} the connection was lost meanwhile
   */
  async start(): Promise<void> {
    for (let n = 0; n < 2; n++) {
      await this.measure()
      if (this.#failure !== undefined) throw this.#failure
    }
    if (this.#isForgotten) throw notConnected('redis.read-clock')
  }

  now(): number {
    return Math.floor(this.nowUs() / US_PER_MS)
  }

  nowUs(): number {
    const monotonic = this.#monotonicUs()
    this.#compareHostClocks(monotonic)
    const now = Math.round(this.#computed(monotonic))
    // Before the first measurement there is nothing to hold on to.
    if (this.#interval === undefined) return now
    if (now > this.#last) this.#last = now
    return this.#last
  }

  get uncertaintyMs(): number {
    if (this.#interval === undefined) return 0
    const monotonic = this.#monotonicUs()
    const { low, high } = widened(this.#interval, monotonic)
    const heldBack = Math.max(0, this.#last - this.#computed(monotonic))
    const correction = monotonic < this.#unsettledUntil ? this.#correctionAt(monotonic) : 0
    return (Math.max(LEAST_UNCERTAINTY_US, (high - low) / 2) + heldBack + correction) / US_PER_MS
  }

  /** Whether commands may carry the time: not between the loss of a connection and the measurement on the next one. */
  get isKnown(): boolean {
    return !this.#isForgotten
  }

  /** Why the time is not known. */
  get failure(): unknown {
    return this.#failure
  }

  /** A sentence for an operator, as long as the clock of this host is off. */
  get warning(): string | undefined {
    const { hostAheadMs } = this.state
    return Math.abs(hostAheadMs) < WORTH_TELLING_MS
      ? undefined
      : `node "${this.#parts.node}": ${hostText(hostAheadMs)}`
  }

  get state(): ClockState {
    return {
      hostAheadMs: Math.round((this.#wallUs() - this.#computed(this.#monotonicUs())) / US_PER_MS),
      steps: this.#steps,
    }
  }

  async settled(): Promise<void> {
    this.#compareHostClocks(this.#monotonicUs())
    // The first may have begun before the doubt. Without a connection nothing can be sent, whatever the time.
    for (let n = 0; n < 2 && this.#isInDoubt && !this.#isForgotten; n++) await this.measure()
  }

  /** The connection is lost: what answers next may be another server. */
  forget(): void {
    this.#isForgotten = true
    this.#epoch += 1
    this.#measuring = undefined
    this.#cancel()
  }

  /** Measures once, for all calls that come meanwhile. Never rejects: a failure is kept and repeated. */
  measure(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#measuring ??= this.#measure(this.#epoch)
    return this.#measuring
  }

  close(): void {
    this.#closed = true
    this.#epoch += 1
    this.#cancel()
  }

  async #measure(epoch: number): Promise<void> {
    this.#cancel()
    const wasInDoubt = this.#isInDoubt
    let failure: unknown
    let isRefused = false
    try {
      let { reading, interval } = await this.#ask({})
      // The server stood still for as long as the question took to reach it, the first over a new connection above all.
      if (epoch === this.#epoch && this.#hasLost(reading, interval))
        ({ reading, interval } = await this.#ask({}))
      const lowerUs = this.#excess(reading, interval)
      if (epoch === this.#epoch && lowerUs > 0) {
        const seen = reading.kept
        ;({ reading, interval } = await this.#ask({ seen, lowerUs }))
        isRefused = reading.kept === seen
      }
      if (epoch !== this.#epoch) return
      // Clocks that moved apart while the question was under way say nothing of its length.
      if (wasInDoubt || !this.#isInDoubt) this.#take(reading, interval)
    } catch (error) {
      failure = error ?? new Error('the clock could not be read')
    }
    if (epoch !== this.#epoch) return
    if (failure !== undefined && this.#failure === undefined && this.#interval !== undefined) {
      this.#parts.logger.warn(
        { reason: reasonOf(failure) },
        'the clock of Redis could not be read; trying again',
      )
    }
    this.#failure = failure
    this.#measuring = undefined
    const again =
      failure !== undefined ||
      isRefused ||
      (this.#isInDoubt && !wasInDoubt) ||
      this.#monotonicUs() < this.#asksOftenUntil
    this.#cancel = this.#parts.later(again ? RETRY_MS : REFRESH_MS, () => void this.measure())
  }

  async #ask(
    correction: Omit<ClockQuestion, 'floorUs'>,
  ): Promise<{ reading: ClockReading; interval: Interval }> {
    const asked = this.#monotonicUs()
    const reading = await this.#parts.read({ floorUs: this.#floorAt(asked), ...correction })
    const interval = measured(reading.nowUs - reading.behindUs, asked, this.#monotonicUs())
    return { reading, interval }
  }

  /** Whether less has passed by a server for certain than by what was known, though it could be corrected. */
  #hasLost({ behindUs, isTooFarBehind }: ClockReading, newer: Interval): boolean {
    if (this.#interval === undefined || this.#isInDoubt || behindUs === 0 || isTooFarBehind) return false
    const known = corrected(widened(this.#interval, newer.at), this.#correctionAt(newer.at))
    return newer.high + behindUs < known.low
  }

  /**
   * By how much a correction is too large for certain, in us. It was made for a server that was behind; one that took over
   * since is less behind, or not at all. Left as it is, each failover between two servers would add to it.
   */
  #excess({ behindUs }: ClockReading, newer: Interval): number {
    if (behindUs === 0 || this.#interval === undefined || this.#isInDoubt) return 0
    // The same server: who made its correction longer knows of more time than this node, which may have started on it.
    if (intersected(this.#interval, newer) !== undefined) return 0
    const known = corrected(widened(this.#interval, newer.at), this.#correctionAt(newer.at))
    const ahead = newer.low + behindUs - known.high - SLACK_US
    return Math.max(0, Math.floor(Math.min(ahead, behindUs)))
  }

  #take({ behindUs, isTooFarBehind }: ClockReading, newer: Interval): void {
    const known = this.#isForgotten || this.#isInDoubt ? undefined : this.#interval
    const both = known === undefined ? newer : intersected(known, newer)
    const before =
      this.#interval && corrected(widened(this.#interval, newer.at), this.#correctionAt(newer.at))
    const isJudged = this.#interval !== undefined && !this.#isInDoubt
    if (!isJudged) {
      this.#asksOftenUntil = newer.at + UNSETTLED_US
      if (behindUs > 0) this.#unsettledUntil = this.#asksOftenUntil
    }
    this.#interval = both ?? newer
    this.#correction = { us: behindUs, at: newer.at }
    this.#middle = (this.#interval.low + this.#interval.high) / 2
    // What stood still or was set is this host's, so the difference says nothing of the server.
    if (before !== undefined && !this.#isInDoubt)
      this.#tellOfStep(before, corrected(newer, behindUs), isTooFarBehind)
    if (isTooFarBehind) this.#last = 0
    this.#isForgotten = false
    this.#isInDoubt = false
    this.#tellOfHost()
  }

  /** The clock of the server was set, or another server with another clock took over. */
  #tellOfStep(before: Interval, newer: Interval, isTooFarBehind: boolean): void {
    const ahead = newer.low - before.high
    const behind = before.low - newer.high
    const stepUs = Math.max(ahead, behind)
    if (stepUs <= 0) return
    this.#steps += 1
    const stepMs = Math.round(stepUs / US_PER_MS)
    if (stepMs < WORTH_TELLING_MS) return
    const { logger } = this.#parts
    if (isTooFarBehind) {
      logger.error(
        { stepMs },
        'the clock of Redis is too far behind what it was: time goes back on every node',
      )
    } else {
      logger.warn({ stepMs }, `the clock of Redis was set ${ahead > 0 ? 'forward' : 'back'}`)
    }
  }

  #tellOfHost(): void {
    const { hostAheadMs } = this.state
    const isOff = Math.abs(hostAheadMs) >= WORTH_TELLING_MS
    if (isOff && !this.#hasWarnedOfHost) {
      const host = new Date(this.#host.wallMs()).toISOString()
      const deployment = new Date(this.now()).toISOString()
      this.#parts.logger.warn(
        { node: this.#parts.node, hostAheadMs, host, deployment },
        hostText(hostAheadMs),
      )
    }
    this.#hasWarnedOfHost = isOff
  }

  /** What has passed for certain by the clock of the deployment; 0 when nothing is certain. */
  #floorAt(monotonic: number): number {
    // A correction that others may lower must not come back by a node that believed it.
    if (this.#interval === undefined || this.#isInDoubt) return 0
    if (monotonic < this.#unsettledUntil) return 0
    const { low } = corrected(widened(this.#interval, monotonic), this.#correctionAt(monotonic))
    return Math.max(0, Math.floor(monotonic + low - SLACK_US))
  }

  /** A suspended machine, or a clock that was set: one of the two clocks did not move as the other did. */
  #compareHostClocks(monotonic: number): void {
    const apart = this.#wallUs() - monotonic
    if (Math.abs(apart - this.#apart) < JUMP_US) return
    this.#apart = apart
    this.#isInDoubt = true
    if (this.#isForgotten) return
    // The one under way may have begun before.
    void this.measure()
  }

  #computed(monotonic: number): number {
    if (this.#interval === undefined) return this.#wallUs()
    return monotonic + this.#middle + this.#correctionAt(monotonic)
  }

  /** Every node computes the same: it is stored with the instant at which it was made. */
  #correctionAt(monotonic: number): number {
    const { us, at } = this.#correction
    return us === 0 ? 0 : Math.max(0, us - (monotonic - at) / WEARS_OFF)
  }

  #monotonicUs(): number {
    return this.#host.monotonicMs() * US_PER_MS
  }

  #wallUs(): number {
    return this.#host.wallMs() * US_PER_MS
  }
}

function hostText(hostAheadMs: number): string {
  const direction = hostAheadMs > 0 ? 'ahead of' : 'behind'
  return `the clock of this host is ${Math.abs(hostAheadMs)} ms ${direction} the clock of the Redis deployment, which is used instead`
}

const corrected = ({ low, high, at }: Interval, us: number): Interval => ({
  low: low + us,
  high: high + us,
  at,
})
