import { higher, larger, later, merged } from '@authstate/spi/internal'

/** A session, as sites agree on it. Parts have the stamp of their last change first: 15 digits of a hybrid clock, and the site. */
export interface SharedContent {
  /** When it began. */
  readonly b: string
  /** Its generation, escaped as in its record. */
  readonly g: string
  /** `createdAt`, ms since the epoch in base 36. */
  readonly t: string
  /** The latest removal of all sessions of its user that spared it, millionths of a second since the epoch. */
  readonly k?: string
  /** When it was shortened last, or began, and its end, ms since the epoch. */
  readonly x: readonly [stamp: string, expiresAt: string]
  /** `savedAt`, ms since the epoch in base 36. */
  readonly s: readonly [stamp: string, savedAt: string]
  /** How many changes each site has made; the sum is the version. */
  readonly n: Readonly<Record<string, string>>
  /** Its user, escaped, and when the sign-in began, ms since the epoch in base 36. */
  readonly u: readonly [stamp: string, user: string, since: string]
  readonly a: readonly [stamp: string, alias: string]
  readonly l: readonly [stamp: string, labels: string]
  /** By the JSON of a name: `=` and the JSON of its value, or `-` where it was taken out. */
  readonly f: Readonly<Record<string, readonly [stamp: string, value: string]>>
}

/** What sites agree on under an id. `src/lua/lib/shared.lua` joins it as {@link joinShared} does. */
export interface SharedSession {
  /** What began at this stamp or before has ended: another session took its place. */
  readonly d?: string
  /** Generations that were ended, escaped, and until when they are refused, ms since the epoch. */
  readonly m?: Readonly<Record<string, string>>
  readonly c?: SharedContent
}

/**
 * What two sites hold together: commutative, associative and idempotent, so that order, repetition and loss on the way do not matter.
 *
 * Of the data each name has its last value, a name that was taken out among them. An end beats everything. Of two sessions that began
 * under one id at two sites the later stands.
 */
export function joinShared(
  a: SharedSession | undefined,
  b: SharedSession | undefined,
): SharedSession | undefined {
  if (a === undefined || b === undefined) return a ?? b
  const m = merged(a.m, b.m, larger)
  let d = later(a.d, b.d)
  let c = a.c ?? b.c
  if (a.c !== undefined && b.c !== undefined) {
    const [first, last] = later(a.c.b, b.c.b) === a.c.b ? [b.c, a.c] : [a.c, b.c]
    if (a.c.b !== b.c.b) d = later(d, first.b)
    c = a.c.b === b.c.b ? joinContent(a.c, b.c) : last
  }
  if (c !== undefined && isOver(c, d, m)) {
    d = later(d, c.b)
    c = undefined
  }
  return {
    ...(d !== undefined && { d }),
    ...(Object.keys(m).length > 0 && { m }),
    ...(c !== undefined && { c }),
  }
}

function joinContent(a: SharedContent, b: SharedContent): SharedContent {
  const k = larger(a.k, b.k)
  return {
    b: a.b,
    g: later(a.g, b.g) as string,
    t: later(a.t, b.t) as string,
    ...(k !== undefined && { k }),
    x: a.x[0] === b.x[0] ? [a.x[0], larger(a.x[1], b.x[1]) as string] : of(higher, a.x, b.x),
    s: of(higher, a.s, b.s),
    n: merged(a.n, b.n, larger),
    u: of(higher, a.u, b.u),
    a: of(higher, a.a, b.a),
    l: of(higher, a.l, b.l),
    f: merged(a.f, b.f, higher),
  }
}

const of = <T>(pick: (a: T | undefined, b: T | undefined) => T | undefined, a: T, b: T): T => pick(a, b) as T

/** Of the time in a stamp, ms since the epoch. */
export const STAMP_DIGITS = 15

function isOver(
  { b, g }: SharedContent,
  d: string | undefined,
  m: Readonly<Record<string, string>>,
): boolean {
  const until = Object.hasOwn(m, g) ? m[g] : undefined
  return (
    (d !== undefined && later(d, b) === d) ||
    (until !== undefined && Number(until) >= Number(b.slice(0, STAMP_DIGITS)))
  )
}
