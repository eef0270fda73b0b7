/** What sites agree on of the failures of a user or of a network. `src/lua/lib/shared.lua` makes it and joins it as {@link joinFailures} does. */
export interface SharedFailures {
  /** Stamp of the latest clear: 15 digits of a hybrid clock, and the site. `''`: there was none. A later one replaces all else. */
  readonly g: string
  /** Failures since then, and those of a second factor, by the site that counted them. */
  readonly f: Readonly<Record<string, readonly [failures: number, secondary: number]>>
  /** Temporary lock-outs. */
  readonly t: number
  /** lockedUntil and permanentlyLockedAt, ms since the epoch. */
  readonly u: number
  readonly p: number
  /** Why the last lock was set, behind 16 digits of permanentlyLockedAt and 16 of lockedUntil at that time. */
  readonly w: string
  /** lastFailureAt, ms since the epoch, and its address behind ten digits of the count at that time. */
  readonly l: number
  readonly i: string
  /** expiresAt, ms since the epoch. */
  readonly x: number
  /** The policy by which failures that two sites counted lock together. */
  readonly q: string
}

/**
 * What two sites hold together: commutative, associative and idempotent, so that order, repetition and loss on the way do not matter.
 *
 * Of two clears the later stands, with what was counted behind it: it wins over a failure that did not know it. Counters of one site grow, and
 * the sum of all sites is the count. Locks and times are the highest of both, so that a threshold which both crossed counts once.
 */
export function joinFailures(
  a: SharedFailures | undefined,
  b: SharedFailures | undefined,
): SharedFailures | undefined {
  if (a === undefined || b === undefined) return a ?? b
  if (a.g !== b.g) return a.g > b.g ? a : b
  const last = a.l > b.l || (a.l === b.l && higherText(a.i, b.i) === a.i) ? a : b
  const sites = new Set([...Object.keys(a.f), ...Object.keys(b.f)])
  return {
    g: a.g,
    f: Object.fromEntries(
      [...sites].map((site) => [site, higherCounts(countsOf(a, site), countsOf(b, site))]),
    ),
    t: Math.max(a.t, b.t),
    u: Math.max(a.u, b.u),
    p: Math.max(a.p, b.p),
    w: higherText(a.w, b.w),
    l: last.l,
    i: last.i,
    x: Math.max(a.x, b.x),
    q: higherText(a.q, b.q),
  }
}

const countsOf = ({ f }: SharedFailures, site: string): readonly [number, number] => f[site] ?? [0, 0]

const higherCounts = (a: readonly [number, number], b: readonly [number, number]) =>
  [Math.max(a[0], b[0]), Math.max(a[1], b[1])] as const

/** Byte by byte, as Redis compares. */
const higherText = (a: string, b: string): string =>
  Buffer.compare(Buffer.from(a), Buffer.from(b)) >= 0 ? a : b
