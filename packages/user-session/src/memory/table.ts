import type { StoredSession } from '../stored.js'
import { type Entry, SortedSessions } from './sorted.js'
import { WideMap } from './wide-map.js'

/** Where a session stands in the listings: its writes change it, and these follow. */
interface Placed {
  readonly entry: Entry
  readonly core: StoredSession['core']
  readonly clients: readonly ClientEntry[]
}

interface ClientEntry extends Entry {
  readonly clientId: string
}

/** Client sessions from which on a map finds the one that was there before. */
const MANY = 8

const NONE = new SortedSessions()

/** The sessions of one realm, online or offline, with what they are looked up by. */
export class SessionTable {
  readonly #placed = new WideMap<Placed>()
  readonly #all = new SortedSessions()
  readonly #byUser = new Index()
  readonly #byClient = new Index()
  readonly #byBrokerUser = new Index()
  readonly #byBrokerSession = new Index()

  get size(): number {
    return this.#placed.size
  }

  get(id: string): StoredSession | undefined {
    return this.#placed.get(id)?.entry.session
  }

  get all(): SortedSessions {
    return this.#all
  }

  ofUser(userId: string): SortedSessions {
    return this.#byUser.get(userId)
  }

  /** Those with a client session of a client, by the end of that. */
  ofClient(clientId: string): SortedSessions {
    return this.#byClient.get(clientId)
  }

  ofBrokerUser(brokerUserId: string): SortedSessions {
    return this.#byBrokerUser.get(brokerUserId)
  }

  ofBrokerSession(brokerSessionId: string): SortedSessions {
    return this.#byBrokerSession.get(brokerSessionId)
  }

  clientIds(): Iterable<string> {
    return this.#byClient.keys()
  }

  /** Adds a session, or notes what changed about one. */
  put(session: StoredSession): void {
    const before = this.#placed.get(session.id)
    const { core, expiresAt: score, id } = session
    const isAsBefore =
      before?.core === core && before.entry.session === session && before.entry.score === score
    const entry = isAsBefore ? before.entry : { score, id, session }
    if (!isAsBefore) {
      if (before) this.#unlink(before)
      this.#all.add(entry)
      this.#byUser.add(core.userId, entry)
      this.#byBrokerUser.add(core.brokerUserId, entry)
      this.#byBrokerSession.add(core.brokerSessionId, entry)
    }
    const clients = this.#placeClients(session, before?.clients ?? [])
    if (!isAsBefore || clients !== before.clients) this.#placed.set(id, { entry, core, clients })
  }

  delete(session: StoredSession): void {
    const placed = this.#placed.get(session.id)
    if (placed?.entry.session !== session) return
    this.#unlink(placed)
    for (const entry of placed.clients) this.#byClient.delete(entry.clientId, entry)
    this.#placed.delete(session.id)
  }

  /** Puts client sessions where they belong. Answers the list from before when nothing changed. */
  #placeClients(session: StoredSession, before: readonly ClientEntry[]): readonly ClientEntry[] {
    const known = before.length < MANY ? undefined : new Map(before.map((entry) => [entry.clientId, entry]))
    const entries: ClientEntry[] = []
    let kept = 0
    for (const [clientId, { expiresAt }] of session.clients) {
      const score = Math.min(expiresAt, session.expiresAt)
      const old = known ? known.get(clientId) : before.find((entry) => entry.clientId === clientId)
      if (old?.score === score && old.session === session) {
        entries.push(old)
        kept += 1
        continue
      }
      if (old) this.#byClient.delete(clientId, old)
      const entry = { score, id: session.id, session, clientId }
      this.#byClient.add(clientId, entry)
      entries.push(entry)
    }
    if (kept === before.length && kept === entries.length) return before
    for (const entry of before) {
      if (!session.clients.has(entry.clientId)) this.#byClient.delete(entry.clientId, entry)
    }
    return entries
  }

  #unlink({ entry, core }: Placed): void {
    this.#all.delete(entry)
    this.#byUser.delete(core.userId, entry)
    this.#byBrokerUser.delete(core.brokerUserId, entry)
    this.#byBrokerSession.delete(core.brokerSessionId, entry)
  }
}

/** Sessions by one of their properties. */
class Index {
  readonly #sets = new WideMap<SortedSessions>()

  get(value: string): SortedSessions {
    return this.#sets.get(value) ?? NONE
  }

  keys(): Iterable<string> {
    return this.#sets.keys()
  }

  add(value: string | undefined, entry: Entry): void {
    if (value === undefined) return
    const set = this.#sets.get(value)
    if (set) {
      set.add(entry)
      return
    }
    const first = new SortedSessions()
    first.add(entry)
    this.#sets.set(value, first)
  }

  delete(value: string | undefined, entry: Entry): void {
    if (value === undefined) return
    const set = this.#sets.get(value)
    set?.delete(entry)
    if (set?.isEmpty) this.#sets.delete(value)
  }
}
