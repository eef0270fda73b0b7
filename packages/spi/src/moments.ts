import { randomInt } from 'node:crypto'
import { assertPastInstant } from './assert.js'
import { type Clock, microsecondsOf, uncertaintyOf } from './clock.js'
import { timers } from './timers.js'

/** When a login began. */
export interface LoginMoment {
  /** Milliseconds since the epoch. */
  readonly at: number
  /**
   * The earliest instant that it can have been, in millionths of a second, the process that was asked for the session, and
   * the count there; behind it `a` where the credentials were checked before that.
   */
  readonly beginning: string
}

const UNITS_PER_MS = 1_000
const NODE_DIGITS = 8
/** How much longer than is needed, in ms, a removal waits for a clock. */
const PATIENCE_MS = 100

/**
 * Says of what begins in this process when it begins, so that every node can tell what began before a removal.
 *
 * Between two nodes the bounds of their clocks decide, and in doubt it began before. Within this process a count decides,
 * which needs no clock.
 */
export class Moments {
  readonly #clock: Clock
  readonly #node = String(randomInt(10 ** NODE_DIGITS)).padStart(NODE_DIGITS, '0')
  #count = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * When a login began.
   *
   * @param authenticatedAt When its credentials were checked. Left out: now.
   * @param name What errors call that.
   */
  login(authenticatedAt: unknown, name: string): LoginMoment {
    if (authenticatedAt !== undefined) assertPastInstant(authenticatedAt, name, this.#clock)
    const instant =
      authenticatedAt === undefined ? microsecondsOf(this.#clock) : authenticatedAt * UNITS_PER_MS
    // Not below 0, which is a clock of a test.
    const earliest = Math.max(0, Math.floor(instant - uncertaintyOf(this.#clock) * UNITS_PER_MS))
    this.#count += 1
    const beginning = `${earliest} ${this.#node} ${this.#count}${authenticatedAt === undefined ? '' : ' a'}`
    return { at: authenticatedAt ?? this.#clock.now(), beginning }
  }

  /** The mark of a removal that begins as soon as the clock is known. */
  async removal(): Promise<string> {
    if (this.#clock.settled !== undefined) await this.#clock.settled()
    return this.mark()
  }

  /**
   * Resolves when everything that begins from now on by this clock is later than a mark, also in
   * whole milliseconds. With an exact clock it resolves at once: the count decides.
   */
  async passed(mark: string): Promise<void> {
    const latest = latestOf(mark) / UNITS_PER_MS
    const isEnough = timers.monotonicMs() + 2 * uncertaintyOf(this.#clock) + PATIENCE_MS
    while (uncertaintyOf(this.#clock) > 0) {
      const left = latest - (this.#clock.now() - uncertaintyOf(this.#clock))
      // A clock that stands still holds nobody up.
      if (left < 0 || timers.monotonicMs() > isEnough) return
      await new Promise((resolve) => timers.setTimeout(resolve, Math.min(Math.ceil(left + 0.1), PATIENCE_MS)))
    }
  }

  /** The mark of a removal that begins now: the latest instant that this can be, and who this process is and its count. */
  mark(): string {
    this.#count += 1
    const now = this.#clock.nowUs?.() ?? this.#clock.now() * UNITS_PER_MS + UNITS_PER_MS - 1
    const latest = Math.ceil(now + uncertaintyOf(this.#clock) * UNITS_PER_MS)
    return `${latest}.0${this.#node}${this.#count}`
  }
}

const MARK = /^(\d+)(?:\.0(\d{8})(\d+))?$/

/**
 * Whether something began before a removal, as far as anybody can tell.
 *
 * The scripts decide by the same rule.
 */
export function beganBefore(beginning: string, mark: string): boolean {
  const [, latest, nodeOfMark, countOfMark] = MARK.exec(mark) ?? []
  const [earliest, node, count, before] = beginning.split(' ')
  if (node !== undefined && node === nodeOfMark) {
    if (Number(count) < Number(countOfMark)) return true
    if (before === undefined) return false
  }
  return Number(latest) >= Number(earliest)
}

/** The latest instant at which a removal can have begun, in millionths of a second. */
export const latestOf = (mark: string): number => Number(MARK.exec(mark)?.[1])

/** The mark that stands after another removal began: one of two nodes belongs to neither, so that the clocks decide. */
export function laterMark(held: string | undefined, mark: string): string {
  if (held === undefined) return mark
  const [, heldLatest, heldNode, heldCount] = MARK.exec(held) ?? []
  const [, latest, node, count] = MARK.exec(mark) ?? []
  const last = Math.max(Number(heldLatest), Number(latest))
  if (heldNode !== node) return String(last)
  return `${last}.0${node}${Math.max(Number(heldCount), Number(count))}`
}
