import type { Page, PageOptions } from '@authstate/spi'
import type { SessionKind } from './references.js'

/** A session, as a row of a list. */
export interface SessionRow {
  /** Names the session to these verbs for twelve hours. Absent without a keyring. */
  readonly reference?: string
  readonly kind: SessionKind
  /** Absent for a web session without a user. */
  readonly userId?: string
  readonly username?: string
  readonly ipAddress?: string
  /** Ms since the epoch. */
  readonly startedAt: number
  /** When it was used or changed last, ms since the epoch. */
  readonly lastSeenAt: number
  /** Ms since the epoch. */
  readonly expiresAt: number
  /** Ids of the clients that the user signed in to; empty for a web session. */
  readonly clientIds: readonly string[]
}

/** A client session, as an operator sees it. */
export interface ClientRow {
  readonly clientId: string
  /** Ms since the epoch. */
  readonly startedAt: number
  /** Ms since the epoch. */
  readonly lastSeenAt: number
  /** Ms since the epoch. */
  readonly expiresAt: number
  readonly protocol?: string
  readonly nodeHost?: string
}

/** All that an operator sees of one session: names of notes, never their values. */
export interface SessionDetails extends SessionRow {
  readonly clients: readonly ClientRow[]
  /** Names of its notes, or of the data of a web session. */
  readonly noteNames: readonly string[]
  readonly authMethod?: string
  readonly rememberMe?: boolean
  readonly state?: string
  /** What lines of the audit call it, where the state has one: `AuditEntry.records`. */
  readonly auditName?: string
}

/** Which sessions are listed. */
export interface SessionFilter extends PageOptions {
  /** Those of one user. */
  readonly userId?: string | undefined
  /** Those at one client; a web session is at none. Not beside `userId`. */
  readonly clientId?: string | undefined
  /** @default all */
  readonly kinds?: readonly SessionKind[] | undefined
}

/** Which sessions end: one of these. */
export type SessionTarget =
  /** At most 100. */
  | { readonly references: readonly string[] }
  /** All of a user, online, offline and of the web, but for one. */
  | { readonly userId: string; readonly except?: string | undefined }
  /** The client sessions of a client, online and offline; the user sessions stay. */
  | { readonly clientId: string }
  /** All of the realm. */
  | { readonly all: true }

/** How {@link SessionOperations.end} tells what it does. */
export interface EndOptions {
  /**
   * Called about once in a second with how many sessions of the realm are left, of how many; only for `{ all:
   * true }`.
   */
  readonly onProgress?: ((left: number, before: number) => void) | undefined
}

/** What ended. */
export interface Ended {
  readonly ended: number
  /**
   * References that name nothing: forged, older than twelve hours, of another realm, or of a session that has
   * ended.
   */
  readonly unknown: number
}

/** How many sessions are alive. */
export interface SessionCounts {
  readonly online: number
  readonly offline: number
  readonly web: number
}

/** Sessions of users and of web applications. */
export interface SessionOperations {
  /**
   * Living sessions of a realm, a page of 50 or `limit` (1 to 100) at a time: online, then offline, then web sessions.
   *
   * @throws {TypeError | RangeError} an argument cannot be; names it
   */
  list(realmId: string, filter?: SessionFilter): Promise<Page<SessionRow>>

  /** One session; `undefined` when the reference names none. */
  show(realmId: string, reference: string): Promise<SessionDetails | undefined>

  /**
   * Ends sessions. Safe to repeat: what has ended is not counted twice.
   *
   * @throws {ConfigurationError} a reference is given, and there is no keyring to read it with
   * @throws {TypeError} an argument cannot be, or `except` names no session: then nothing has ended
   */
  end(realmId: string, target: SessionTarget, options?: EndOptions): Promise<Ended>

  /** How many sessions of a realm are alive, by kind. */
  count(realmId: string): Promise<SessionCounts>

  /** In how many browsers a login is under way. 0 if no provider keeps logins under way. */
  countLogins(realmId: string): Promise<number>

  /** How many sessions are alive at each client, online sessions and offline ones; the largest first. */
  countByClient(realmId: string): Promise<readonly { clientId: string; online: number; offline: number }[]>
}
