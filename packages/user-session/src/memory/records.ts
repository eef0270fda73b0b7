import { isExpired, type PagePosition } from '@authstate/spi'
import { entriesOfNow, inSlices } from '@authstate/spi/internal'
import type {
  Found,
  ListedSession,
  Memo,
  MemoResult,
  SessionRecords,
  StepReads,
  StepResult,
} from '../session-records.js'
import type { SessionIndex, SessionName } from '../store.js'
import type { StoredSession } from '../stored.js'
import type { SortedSessions } from './sorted.js'
import { SessionTable } from './table.js'

/** Sessions in this process: each step runs from beginning to end before another. */
export class MemoryRecords implements SessionRecords {
  readonly #tables = new Map<string, SessionTable>()
  readonly #memos = new Map<string, Memo>()

  read({ realmId, id, offline }: SessionName): StoredSession | undefined {
    return this.#tables.get(nameOf(realmId, offline))?.get(id)
  }

  change<T>(reads: StepReads, step: (found: Found) => StepResult<T>): StepResult<T> {
    const table = this.#tables.get(nameOf(reads.realmId, reads.offline))
    const found = table?.get(reads.id)
    let result: StepResult<T>
    try {
      result = step(this.#find(reads, found))
    } catch (error) {
      // A step that throws may have found that the session ends sooner.
      if (found !== undefined) table?.put(found)
      throw error
    }
    for (const { session } of result.ends ?? NONE) this.#tableOf(session, reads, table).delete(session)
    for (const session of result.keeps ?? NONE) this.#tableOf(session, reads, table).put(session)
    return result
  }

  remember<T>(names: readonly string[], step: (memos: (Memo | undefined)[]) => MemoResult<T>): T {
    const { answer, memo } = step(names.map((name) => this.#memos.get(name)))
    if (memo !== undefined) this.#memos.set(names[0] as string, memo)
    return answer
  }

  list(index: SessionIndex, after: PagePosition, limit: number): ListedSession[] {
    return this.#listing(index).behind(after, limit)
  }

  count(index: SessionIndex, now: number): number {
    return this.#listing(index).countAfter(now)
  }

  ids(index: SessionIndex, now: number): Iterable<string> {
    return idsOf(this.#listing(index).after(now))
  }

  async clientCounts(realmId: string, offline: boolean, now: number): Promise<[string, number][]> {
    const counts: [string, number][] = []
    const table = this.#known(realmId, offline)
    await inSlices(table.clientIds(), (clientId) => {
      const count = table.ofClient(clientId).countAfter(now)
      if (count > 0) counts.push([clientId, count])
    })
    return counts
  }

  over(now: number, limit: number): StoredSession[] {
    const found: StoredSession[] = []
    for (const table of this.#tables.values()) {
      found.push(...table.all.over(now, limit - found.length))
      if (found.length === limit) break
    }
    return found
  }

  async forget(now: number): Promise<void> {
    await inSlices(entriesOfNow(this.#memos), ([name, { expiresAt }]) => {
      if (isExpired(expiresAt, now)) this.#memos.delete(name)
    })
    await inSlices(entriesOfNow(this.#tables), ([name, table]) => {
      if (table.size === 0) this.#tables.delete(name)
    })
  }

  close(): void {
    this.#tables.clear()
    this.#memos.clear()
  }

  #find(reads: StepReads, session: StoredSession | undefined): Found {
    const userId = reads.userId ?? session?.core.userId
    if (userId === undefined) return { session, copy: undefined, rivals: NONE, memos: NONE }
    const { realmId, id, now } = reads
    return {
      session,
      copy: reads.copy ? this.#known(realmId, true).get(id) : undefined,
      rivals: reads.rivals
        ? [false, true].flatMap((offline) => [...this.#known(realmId, offline).ofUser(userId).after(now)])
        : NONE,
      memos: reads.memos ? reads.memos(userId).map((name) => this.#memos.get(name)) : NONE,
    }
  }

  /** The table of a realm, to look at: one that nothing was kept in is not made for that. */
  #known(realmId: string, offline: boolean): SessionTable {
    return this.#tables.get(nameOf(realmId, offline)) ?? EMPTY
  }

  /** The table of a realm, to change. */
  #table(realmId: string, offline: boolean): SessionTable {
    const name = nameOf(realmId, offline)
    const known = this.#tables.get(name)
    if (known !== undefined) return known
    const table = new SessionTable()
    this.#tables.set(name, table)
    return table
  }

  /** The table of a session of the realm of a step, most often the one that is at hand. */
  #tableOf({ offline }: StoredSession, reads: StepReads, table: SessionTable | undefined): SessionTable {
    return (offline === reads.offline ? table : undefined) ?? this.#table(reads.realmId, offline)
  }

  #listing({ realmId, offline, kind, name }: SessionIndex): SortedSessions {
    const table = this.#known(realmId, offline)
    switch (kind) {
      case 'user':
        return table.ofUser(name)
      case 'client':
        return table.ofClient(name)
      case 'brokerUser':
        return table.ofBrokerUser(name)
      case 'brokerSession':
        return table.ofBrokerSession(name)
      case 'realm':
        return table.all
    }
  }
}

const NONE: readonly never[] = Object.freeze([])

const EMPTY = new SessionTable()

function* idsOf(sessions: Iterable<StoredSession>): Generator<string> {
  for (const { id } of sessions) yield id
}

const nameOf = (realmId: string, offline: boolean): string => JSON.stringify([realmId, offline])
