/** A life that most cases use. */
export const LIFESPAN_MS = 60_000

/** `maxLifespanMs` of the suite. */
export const CEILING_MS = 3_600_000

export const GRACE_MS = 5_000

/** Callers of a race, and how often it is run. */
export const RACERS = 10
export const ROUNDS = 50

export const token = { lifespanMs: LIFESPAN_MS } as const

/** Names that would collide, or break a key, if they were put together carelessly. */
export const awkward = [
  'a:b',
  'a',
  'b:c',
  '{a}',
  '%3a',
  ':',
  'a b',
  '🔑',
  '__proto__',
  'constructor',
  'a\u0000',
  'a\u0000b',
  'x'.repeat(512),
]

/** What names are joined with, carelessly. */
export const separators = [':', '|', '/', ',', '.', '-', '_', ' ', '\u0000', '{', '}', '%3A']
