import type { StoredSession } from '../stored.js'

/** The sessions of one realm, online or offline, with what they are looked up by. */
export class SessionTable {
  readonly #sessions = new Map<string, StoredSession>()
  readonly #byUser = new Index()
  readonly #byClient = new Index()
  readonly #byBrokerUser = new Index()
  readonly #byBrokerSession = new Index()

  get size(): number {
    return this.#sessions.size
  }

  get(id: string): StoredSession | undefined {
    return this.#sessions.get(id)
  }

  /** A list, so that the table may change while it is walked. */
  all(): StoredSession[] {
    return [...this.#sessions.values()]
  }

  ofUser(userId: string): StoredSession[] {
    return this.#byUser.get(userId)
  }

  ofClient(clientId: string): StoredSession[] {
    return this.#byClient.get(clientId)
  }

  ofBrokerUser(brokerUserId: string): StoredSession[] {
    return this.#byBrokerUser.get(brokerUserId)
  }

  ofBrokerSession(brokerSessionId: string): StoredSession[] {
    return this.#byBrokerSession.get(brokerSessionId)
  }

  clientIds(): string[] {
    return this.#byClient.keys()
  }

  /** Adds a session, or notes what changed about one. */
  put(session: StoredSession, change: () => void = () => {}): void {
    this.#unlink(session)
    change()
    this.#sessions.set(session.id, session)
    this.#byUser.add(session.core.userId, session)
    this.#byBrokerUser.add(session.core.brokerUserId, session)
    this.#byBrokerSession.add(session.core.brokerSessionId, session)
    for (const clientId of session.clients.keys()) this.#byClient.add(clientId, session)
  }

  delete(session: StoredSession): void {
    this.#unlink(session)
    this.#sessions.delete(session.id)
  }

  #unlink(session: StoredSession): void {
    this.#byUser.delete(session.core.userId, session)
    this.#byBrokerUser.delete(session.core.brokerUserId, session)
    this.#byBrokerSession.delete(session.core.brokerSessionId, session)
    for (const clientId of session.clients.keys()) this.#byClient.delete(clientId, session)
  }
}

/** Sessions by one of their properties. */
class Index {
  readonly #sets = new Map<string, Set<StoredSession>>()

  get(value: string): StoredSession[] {
    return [...(this.#sets.get(value) ?? [])]
  }

  keys(): string[] {
    return [...this.#sets.keys()]
  }

  add(value: string | undefined, session: StoredSession): void {
    if (value === undefined) return
    const set = this.#sets.get(value) ?? new Set()
    this.#sets.set(value, set.add(session))
  }

  delete(value: string | undefined, session: StoredSession): void {
    if (value === undefined) return
    const set = this.#sets.get(value)
    set?.delete(session)
    if (set?.size === 0) this.#sets.delete(value)
  }
}
