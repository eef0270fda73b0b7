import { hash } from 'node:crypto'
import { allItems, type JsonValue, randomId } from '@authstate/spi'
import { lifeUntil, type SessionData, type WebSession, type WebSessionProvider } from '@authstate/web-session'

/** A session, as Auth.js has it. Further fields are kept as JSON. */
export interface AdapterSession {
  sessionToken: string
  userId: string
  expires: Date
}

/** A living session of a user. Its token is not kept, so it is not part of this. */
export interface UserSession {
  readonly id: string
  /** Ms since the epoch, as are the others. */
  readonly createdAt: number
  /** When it was changed last. */
  readonly savedAt: number
  readonly expiresAt: number
  /** Fields that the application put beside token, user and end. */
  readonly fields: Readonly<Record<string, JsonValue>>
}

/** Sessions under digests of their tokens: what is in the store opens nothing. */
export class SessionPart {
  readonly #realmId: string
  readonly #sessions: WebSessionProvider

  constructor(realmId: string, sessions: WebSessionProvider) {
    this.#realmId = realmId
    this.#sessions = sessions
  }

  idOf(sessionToken: string): string {
    if (typeof sessionToken !== 'string') throw new TypeError('"sessionToken" must be a string')
    return hash('sha256', sessionToken, 'base64url')
  }

  async create(session: AdapterSession): Promise<AdapterSession> {
    const { sessionToken, userId, ...rest } = session
    await this.#sessions.save(this.#realmId, this.idOf(sessionToken), {
      data: plain(rest),
      ...lifeUntil(rest.expires),
      userId,
      // A life of its own: a token that somebody uses again is no late save of the session that ended.
      generation: randomId(),
    })
    return session
  }

  async get(sessionToken: string): Promise<AdapterSession | null> {
    const found = await this.#sessions.get(this.#realmId, this.idOf(sessionToken))
    return found === undefined ? null : sessionOf(sessionToken, found)
  }

  async update(
    session: Partial<AdapterSession> & Pick<AdapterSession, 'sessionToken'>,
  ): Promise<AdapterSession | null> {
    const { sessionToken, userId, ...rest } = session
    const version = await this.#sessions.update(this.#realmId, this.idOf(sessionToken), {
      set: plain(rest),
      ...(rest.expires !== undefined && lifeUntil(rest.expires)),
      ...(userId !== undefined && { userId }),
    })
    return version === undefined ? null : this.get(sessionToken)
  }

  async end(sessionToken: string): Promise<AdapterSession | null> {
    const session = await this.get(sessionToken)
    return (await this.endById(this.idOf(sessionToken))) ? session : null
  }

  endById(sessionId: string): Promise<boolean> {
    return this.#sessions.remove(this.#realmId, sessionId)
  }

  endAll(userId: string, options?: { readonly except?: string | undefined }): Promise<number> {
    return this.#sessions.removeByUser(this.#realmId, userId, options)
  }

  async of(userId: string): Promise<UserSession[]> {
    const all = await allItems((page) => this.#sessions.listByUser(this.#realmId, userId, page))
    return all.map(({ id, createdAt, savedAt, expiresAt, data: { expires: _, ...fields } }) => {
      return { id, createdAt, savedAt, expiresAt, fields }
    })
  }
}

/** As JSON has it: dates are texts, what is `undefined` is not there. */
const plain = (fields: object): SessionData => JSON.parse(JSON.stringify(fields)) as SessionData

/** The end is the one that Auth.js gave, to the millisecond: it computes with it when to prolong a session. */
function sessionOf(sessionToken: string, { data, userId = '', expiresAt }: WebSession): AdapterSession {
  const { expires, ...fields } = data
  return {
    ...fields,
    sessionToken,
    userId,
    expires: new Date(typeof expires === 'string' ? expires : expiresAt),
  }
}
