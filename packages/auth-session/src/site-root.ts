import { higher, larger, later, merged } from '@authstate/spi/internal'

/** A tab, as sites agree on it. */
export interface SharedTab {
  /** When it was created, its number in the root, and its client. */
  readonly h: string
  /** When it was handed over, ms since the epoch, or `0`. */
  readonly p: string
  /** By the name of a field, or of a map, a dot and a name in it: stamp, and `=` and JSON, or `-` where it was taken out. */
  readonly f: Readonly<Record<string, readonly [stamp: string, value: string]>>
}

/** A root, as sites agree on it. */
export interface SharedRootContent {
  /** When it began: 15 digits of a hybrid clock, ms since the epoch, and the site. */
  readonly b: string
  /** `createdAt`, ms since the epoch. */
  readonly c: string
  /** Tabs ever added. */
  readonly s: string
  /** When it was shortened last, or began; its end, and from when that is counted, ms since the epoch. */
  readonly x: readonly [stamp: string, expiresAt: string, updatedAt: string]
  readonly t: Readonly<Record<string, SharedTab>>
  /** Tabs that were removed, and when. */
  readonly r: Readonly<Record<string, string>>
}

/** What sites agree on under the id of a root. `src/lua/lib/shared.lua` joins it as {@link joinRoots} does. */
export interface SharedRoot {
  /** What began at this stamp or before has ended. */
  readonly d?: string
  readonly c?: SharedRootContent
}

/**
 * What two sites hold together: commutative, associative and idempotent, so that order, repetition and loss on the way do not matter.
 *
 * Of a tab each field, and each name of its maps, has its last value. A tab that was removed never comes back.
 */
export function joinRoots(a: SharedRoot | undefined, b: SharedRoot | undefined): SharedRoot | undefined {
  if (a === undefined || b === undefined) return a ?? b
  let d = later(a.d, b.d)
  let c = a.c ?? b.c
  if (a.c !== undefined && b.c !== undefined) {
    const [first, last] = later(a.c.b, b.c.b) === a.c.b ? [b.c, a.c] : [a.c, b.c]
    if (first.b !== last.b) d = later(d, first.b)
    c = first.b === last.b ? joinContent(a.c, b.c) : last
  }
  const isOver = c !== undefined && d !== undefined && later(d, c.b) === d
  return { ...(d !== undefined && { d }), ...(c !== undefined && !isOver && { c }) }
}

function joinContent(a: SharedRootContent, b: SharedRootContent): SharedRootContent {
  const r = merged(a.r, b.r, later)
  const t = merged(a.t, b.t, joinTab)
  for (const tab of Object.keys(r)) delete t[tab]
  const isLonger = a.x[0] === b.x[0] && a.x[1] !== b.x[1]
  const x = isLonger ? (larger(a.x[1], b.x[1]) === a.x[1] ? a.x : b.x) : higher(a.x, b.x)
  return { b: a.b, c: later(a.c, b.c) as string, s: larger(a.s, b.s) as string, x: x as typeof a.x, t, r }
}

const joinTab = (a: SharedTab | undefined, b: SharedTab): SharedTab =>
  a === undefined
    ? b
    : {
        h: later(a.h, b.h) as string,
        p: larger(a.p, b.p) as string,
        f: merged(a.f, b.f, higher),
      }
