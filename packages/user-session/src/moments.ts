import { randomInt } from 'node:crypto'
import { assertPastInstant, type Clock, microsecondsOf, uncertaintyOf } from '@authstate/spi'

/** How long, in ms, after the check of its credentials a login is still taken. */
export const MAX_LOGIN_MS = 3_600_000

/** How long, in ms, the mark of a removal is kept: longer than any login that it refuses is taken. */
export const FENCE_MS = MAX_LOGIN_MS + 60_000

/** When a login began. */
export interface LoginMoment {
  /** Milliseconds since the epoch. */
  readonly at: number
  /**
   * The earliest instant that it can have been, in millionths of a second; of a login that began in this process also who
   * this process is, and its count.
   */
  readonly beginning: string
}

const UNITS_PER_MS = 1_000
const NODE_DIGITS = 8

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
    const uncertainty = uncertaintyOf(this.#clock) * UNITS_PER_MS
    if (authenticatedAt !== undefined) {
      assertPastInstant(authenticatedAt, name, this.#clock)
      return { at: authenticatedAt, beginning: `${floor(authenticatedAt * UNITS_PER_MS - uncertainty)}` }
    }
    this.#count += 1
    const earliest = floor(microsecondsOf(this.#clock) - uncertainty)
    return { at: this.#clock.now(), beginning: `${earliest} ${this.#node} ${this.#count}` }
  }

  /** The mark of a removal that begins now: the latest instant that this can be, and who this process is and its count. */
  mark(): string {
    this.#count += 1
    const now = this.#clock.nowUs?.() ?? this.#clock.now() * UNITS_PER_MS + UNITS_PER_MS - 1
    const latest = Math.ceil(now + uncertaintyOf(this.#clock) * UNITS_PER_MS)
    return `${latest}.0${this.#node}${this.#count}`
  }

  /** Whether a login began so long ago that no mark of then is kept. */
  isTooLate({ at }: LoginMoment): boolean {
    return this.#clock.now() - at > MAX_LOGIN_MS
  }
}

// Not below 0, which is a clock of a test.
const floor = (instant: number): number => Math.max(0, Math.floor(instant))

const MARK = /^(\d+)(?:\.0(\d{8})(\d+))?$/

/**
 * Whether something began before a removal, as far as anybody can tell.
 *
 * The scripts decide by the same rule.
 */
export function beganBefore(beginning: string, mark: string): boolean {
  const [, latest, nodeOfMark, countOfMark] = MARK.exec(mark) ?? []
  const [earliest, node, count] = beginning.split(' ')
  if (node !== undefined && node === nodeOfMark) return Number(count) < Number(countOfMark)
  return Number(latest) >= Number(earliest)
}

/** The mark that stands after another removal began: one of two nodes belongs to neither, so that the clocks decide. */
export function laterMark(held: string | undefined, mark: string): string {
  if (held === undefined) return mark
  const [, heldLatest, heldNode, heldCount] = MARK.exec(held) ?? []
  const [, latest, node, count] = MARK.exec(mark) ?? []
  const last = Math.max(Number(heldLatest), Number(latest))
  if (heldNode !== node) return String(last)
  return `${last}.0${node}${Math.max(Number(heldCount), Number(count))}`
}
