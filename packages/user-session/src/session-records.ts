import { type Answer, type PagePosition, RecordVersions } from '@authstate/spi'
import type { ClientRemovalReason, RemovalReason } from './contract.js'
import type { Family } from './rotation.js'
import type { SessionIndex, SessionName } from './store.js'
import type { Families, StoredClient, StoredSession } from './stored.js'

/** What a step is about, and what it looks at in addition to that session. */
export interface StepReads extends SessionName {
  /** Ms since the epoch, by the clock of the deployment. */
  readonly now: number
  /** The offline copy of the session as well. */
  readonly copy?: boolean
  /** The living sessions of its user as well, online and offline; the session itself may be among them. */
  readonly rivals?: boolean
  /** What is remembered under these names as well. @param userId Its user. */
  readonly memos?: ((userId: string) => readonly string[]) | undefined
  /** The user, where the session is still to be made. Left out: that of the session; without a session nothing else is read. */
  readonly userId?: string
}

/** What was there. */
export interface Found {
  /** Living or not. */
  readonly session: StoredSession | undefined
  /** Living or not. `undefined` where the step did not ask. */
  readonly copy: StoredSession | undefined
  /** Empty where the step did not ask. */
  readonly rivals: readonly StoredSession[]
  /** In the order of the names; empty where the step did not ask. */
  readonly memos: readonly (Memo | undefined)[]
}

/** A session that is taken away. */
export interface Ending {
  readonly session: StoredSession
  readonly reason: RemovalReason | 'expired'
}

/** What a step makes of what it found. Of two with one name in `ends`, `drops` and `keeps`, the last one stays. */
export interface StepResult<T> {
  readonly answer: T
  /** Taken away, whatever they are listed under as well. */
  readonly ends?: readonly Ending[]
  /** Removed if they are there, as are `ends`. They emit no event: they could not be read. */
  readonly drops?: readonly SessionName[]
  /** Stored from now on, new or changed. */
  readonly keeps?: readonly StoredSession[]
  /** One of `keeps` that was not there before. */
  readonly created?: StoredSession
  /** Client sessions that one of `keeps` lost. */
  readonly detached?: Detachment
}

/** Client sessions that ended while their session stays. */
export interface Detachment {
  readonly session: StoredSession
  readonly clientIds: readonly string[]
  readonly reason: ClientRemovalReason
}

/** What is remembered for a time beside the sessions: removals, and refresh tokens without a session. */
export interface Memo {
  /** A JSON value. */
  readonly value: unknown
  /** From then on it may be forgotten. Ms since the epoch. */
  readonly expiresAt: number
}

/** What a step makes of memos. */
export interface MemoResult<T> {
  readonly answer: T
  /** Remembered under the first name from now on, in place of what was there. */
  readonly memo?: Memo | undefined
}

/** A session as it stands in a listing. */
export interface ListedSession extends PagePosition {
  /** `undefined`: it cannot be read. */
  readonly session: StoredSession | undefined
}

/** The session of a text of {@link encodeSession}. One that cannot be read is counted, and is `undefined`, as if it were not there. */
export type DecodeSession = (text: string) => StoredSession | undefined

/**
 * Where sessions are kept that are read and written whole, such as a table: what {@link RecordStore} needs. Each method is one
 * atomic step, such as a transaction. What a session is listed under says {@link listingsOf}.
 *
 * A step calls nothing of the store. What it throws is thrown on, and nothing is written. A record that cannot be read is
 * as one that is not there, but for its place in listings, and for `over`.
 */
export interface SessionRecords {
  /** A session, living or not. */
  read(name: SessionName): Answer<StoredSession | undefined>
  /** Gives `step` what it reads, writes what it says, and answers what it answered. A step may change the sessions it was given. */
  change<T>(reads: StepReads, step: (found: Found) => StepResult<T>): Answer<StepResult<T>>
  /** Gives `step` what is remembered under some names, and remembers what it says. */
  remember<T>(
    names: readonly string[],
    step: (memos: readonly (Memo | undefined)[]) => MemoResult<T>,
  ): Answer<T>
  /** The next sessions of a listing behind a position, soonest to end first, as `comparePositions` orders them. */
  list(index: SessionIndex, after: PagePosition, limit: number): Answer<readonly ListedSession[]>
  /** How many of a listing end after an instant. */
  count(index: SessionIndex, now: number): Answer<number>
  /** Ids of all of a listing that end after an instant. Sessions may come and go while they are walked. */
  ids(index: SessionIndex, now: number): Answer<Iterable<string>>
  /** Every client with a session that ends after an instant, and how many. */
  clientCounts(
    realmId: string,
    offline: boolean,
    now: number,
  ): Answer<Iterable<readonly [clientId: string, count: number]>>
  /** Some sessions of any realm that end at an instant or before. */
  over(now: number, limit: number): Answer<readonly SessionName[]>
  /** Called by a sweep: memos that end at an instant or before may be forgotten. */
  forget(now: number): Answer<void>
  /** Ends what was opened for the records. */
  close?(): void | Promise<void>
}

/** A listing that a session stands in, and until when. */
export interface Listing {
  readonly kind: SessionIndex['kind']
  /** As of a {@link SessionIndex}. */
  readonly name: string
  /** Its place in the listing. */
  readonly score: number
}

/** Where a session is listed. At a client it stands until its client session there ends. */
export function listingsOf({ core, expiresAt: score, clients }: StoredSession): Listing[] {
  const listings: Listing[] = [
    { kind: 'realm', name: '', score },
    { kind: 'user', name: core.userId, score },
  ]
  if (core.brokerUserId !== undefined) listings.push({ kind: 'brokerUser', name: core.brokerUserId, score })
  if (core.brokerSessionId !== undefined)
    listings.push({ kind: 'brokerSession', name: core.brokerSessionId, score })
  for (const [name, client] of clients)
    listings.push({ kind: 'client', name, score: Math.min(client.expiresAt, score) })
  return listings
}

/** What a text of {@link encodeSession} holds. */
interface SessionText extends Omit<StoredSession, 'clients' | 'families'> {
  readonly v: number
  readonly clients: readonly (readonly [clientId: string, client: StoredClient])[]
  readonly families: readonly (readonly [
    clientId: string,
    known: readonly (readonly [family: string, Family])[],
    forgottenAt: number,
  ])[]
}

/** Of the texts that {@link encodeSession} writes. */
export const sessionTextVersions = new RecordVersions<SessionText>({
  current: '1',
  versionOf: ({ v }) => String(v),
})

/** A session as a text that {@link decodeSession} reads. It names the version of its format. */
export function encodeSession({ clients, families, ...session }: StoredSession): string {
  const record: SessionText = {
    v: Number(sessionTextVersions.current),
    ...session,
    clients: [...clients],
    families: [...families].map(([clientId, { known, forgottenAt }]) => [clientId, [...known], forgottenAt]),
  }
  return JSON.stringify(record)
}

/** The session of an {@link encodeSession}. `undefined`: another version wrote the text, or it is none of ours. */
export function decodeSession(text: string): StoredSession | undefined {
  try {
    const record = sessionTextVersions.upcast(JSON.parse(text))
    if (record === undefined || !isWhole(record)) return undefined
    const { v: _, clients, families, ...session } = record
    return {
      ...session,
      clients: new Map(clients),
      families: new Map(
        families.map(([clientId, known, forgottenAt]): [string, Families] => [
          clientId,
          { known: new Map(known), forgottenAt },
        ]),
      ),
    }
  } catch {
    return undefined
  }
}

/** Whether a session has what every verb looks at. */
function isWhole({
  realmId,
  id,
  core,
  beginning,
  startedAt,
  lastRefreshAt,
  expiresAt,
  notes,
}: Partial<Omit<StoredSession, 'clients' | 'families'>>): boolean {
  return (
    [realmId, id, core?.userId, beginning].every((text) => typeof text === 'string') &&
    [startedAt, lastRefreshAt, expiresAt].every(Number.isFinite) &&
    typeof notes === 'object' &&
    notes !== null
  )
}
