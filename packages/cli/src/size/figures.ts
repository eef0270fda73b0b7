/**
 * What records take in Redis 7, in bytes as `MEMORY USAGE` counts them, with indexes of more than 128 entries. `test/size.test.ts` holds
 * them to what a Redis says.
 */
export const BYTES = {
  /** A user session without clients and notes, with its entries in the indexes of its user and its realm. */
  session: 890,
  /** A client session in it, with its entry in the index of the client. */
  client: 340,
  /** Each byte of notes. */
  note: 1.2,
  /** A single-use token about a subject. */
  token: 550,
  /** A login under way, with one tab. */
  login: 365,
  /** Failures of a user. */
  failure: 330,
} as const

/** What Redis takes in addition: its table of keys, and what its allocator cannot use. */
export const OVERHEAD = 1.08

/** What a verb costs a master, in microseconds of its processor, sockets included: docs/performance.md, "what verbs cost the server". */
export const MICROSECONDS = {
  create: 48.7,
  refresh: 26.6,
  remove: 36.5,
  put: 22.9,
  consume: 12.5,
} as const

/** How much of a master's one processor is planned with: what is left takes peaks and what is slow. */
export const PLANNED_CPU = 0.6

/** How much of `maxmemory` is planned with: a copy at a snapshot, buffers of replicas, fragments. */
export const PLANNED_MEMORY = 0.6
