import { higher, larger, later } from '@authstate/spi/internal'

/**
 * What a token is, as one site wrote it: when it was first stored and when this was written, each 15 digits of a hybrid clock and the
 * site; its end, ms since the epoch; family and subject, escaped as in its record; its data.
 */
export type SharedContent = readonly [
  birth: string,
  stamp: string,
  expiresAt: string,
  family: string,
  subject: string,
  data: string,
]

/** How a token was redeemed: the birth of what was redeemed, when that ends, and what its record says of it. */
export type SharedUse = readonly [birth: string, expiresAt: string, text: string]

/** What sites agree on of a token. `src/lua/lib/shared.lua` joins it as {@link joinShared} does. */
export interface SharedToken {
  /** Stamp of its latest removal. What was born before it has ended; a key may be stored again. */
  readonly d?: string
  /** Until when that removal matters, ms since the epoch: what was removed ends then. */
  readonly e?: string
  readonly c?: SharedContent
  /** By the name of the attempt, which a caller makes once per request. More than one: the token was redeemed more than once. */
  readonly u?: Readonly<Record<string, SharedUse>>
}

/**
 * What two sites hold together: commutative, associative and idempotent, so that order, repetition and loss on the way do not matter.
 *
 * Of two contents the one that was stored later stands, of one that was changed the later change. Every redemption is kept, so that two
 * of them are seen. A removal takes away what was born before it.
 */
export function joinShared(a: SharedToken | undefined, b: SharedToken | undefined): SharedToken | undefined {
  if (a === undefined || b === undefined) return a ?? b
  const d = later(a.d, b.d)
  const e = larger(a.e, b.e)
  const lives = (birth: string) => d === undefined || birth > d
  const c = [a.c, b.c]
    .filter((content) => content !== undefined && lives(content[0]))
    .reduce(higher, undefined)
  const uses = new Map<string, SharedUse>()
  for (const [id, use] of [...Object.entries(a.u ?? {}), ...Object.entries(b.u ?? {})]) {
    if (lives(use[0])) uses.set(id, higher(uses.get(id), use) as SharedUse)
  }
  return {
    ...(d !== undefined && { d }),
    ...(e !== undefined && { e }),
    ...(c !== undefined && { c }),
    // Names of attempts come from callers: `__proto__` is one like any other.
    ...(uses.size > 0 && { u: Object.fromEntries(uses) }),
  }
}
