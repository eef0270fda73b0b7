import { BYTES, MICROSECONDS, OVERHEAD, PLANNED_CPU, PLANNED_MEMORY } from './figures.js'

/** What a deployment has to hold. */
export interface Load {
  /** Living user sessions. */
  readonly sessions: number
  /** Client sessions in each. */
  readonly clients: number
  /** Bytes of notes of each. */
  readonly notes: number
  /** How long a session lives, ms. */
  readonly lifeMs: number
  /** Between two refreshes of a client session, ms. */
  readonly refreshMs: number
}

/** What it takes. */
export interface Size {
  readonly load: Load
  /** Bytes of one session with all that belongs to it. */
  readonly bytesPerSession: number
  /** Bytes of all sessions, of logins under way and of their codes. */
  readonly bytes: number
  /** What `maxmemory` should be, over all masters. */
  readonly maxmemory: number
  readonly loginsPerSecond: number
  readonly refreshesPerSecond: number
  /** Processors of masters that are busy, on average. */
  readonly processors: number
  /** Masters that this takes, each with one processor of which 60 % are planned with. */
  readonly masters: number
}

/** How long a login is under way, on average. */
const LOGIN_MS = 60_000

/** What a load takes of Redis. */
export function sizeOf(load: Load): Size {
  const { sessions, clients, notes, lifeMs, refreshMs } = load
  const bytesPerSession = (BYTES.session + clients * BYTES.client + notes * BYTES.note) * OVERHEAD
  const loginsPerSecond = sessions / (lifeMs / 1_000)
  const refreshesPerSecond = (sessions * clients) / (refreshMs / 1_000)
  const underWay = loginsPerSecond * (LOGIN_MS / 1_000)
  const bytes = sessions * bytesPerSession + underWay * (BYTES.login + BYTES.token) * OVERHEAD
  const { create, refresh, remove, put, consume } = MICROSECONDS
  const microseconds = loginsPerSecond * (create + put + consume + remove) + refreshesPerSecond * refresh
  const processors = microseconds / 1e6
  return {
    load,
    bytesPerSession: Math.round(bytesPerSession),
    bytes: Math.round(bytes),
    maxmemory: Math.ceil(bytes / PLANNED_MEMORY),
    loginsPerSecond,
    refreshesPerSecond,
    processors,
    masters: Math.max(1, Math.ceil(processors / PLANNED_CPU)),
  }
}
