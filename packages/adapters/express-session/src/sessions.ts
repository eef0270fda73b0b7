import type { JsonValue } from '@authstate/spi'
import {
  type Lifetime,
  lifeUntil,
  type SessionData,
  type WebSession,
  type WebSessionProvider,
} from '@authstate/web-session'
import {
  type CheckedOptions,
  checkOptions,
  type FrameworkSession,
  type SessionState,
  type StoreOptions,
} from './options.js'

/** A session as it was when a request loaded it, or saved it last. */
export interface Loaded {
  /** Each name with the JSON of its value. */
  readonly names: ReadonlyMap<string, string>
  readonly userId: string | undefined
}

/** What a save knows besides the session. */
export interface SaveContext {
  /** Absent for a session that is new, or of which nobody knows. */
  readonly loaded?: Loaded | undefined
  /** When the request began that saves it, by the clock of the provider. */
  readonly beganAt?: number | undefined
}

/** The sessions of one framework, whatever its store looks like. */
export class Sessions {
  readonly #sessions: WebSessionProvider
  readonly #options: CheckedOptions

  constructor(state: SessionState, options: StoreOptions) {
    this.#options = checkOptions(options, state)
    this.#sessions = state.webSessions
  }

  /** For {@link SaveContext.beganAt}. */
  now(): number | undefined {
    return this.#sessions.clock?.now()
  }

  async get(sessionId: string): Promise<SessionData | undefined> {
    const found = await this.#sessions.get(this.#realm, sessionId)
    return found === undefined ? this.#takeOver(sessionId) : found.data
  }

  /** What a session is when it is loaded. */
  loadedOf(session: FrameworkSession): Loaded {
    return this.#loaded(plain(session), session)
  }

  /** @returns what the session is from now on; nothing where it is gone */
  async save(
    sessionId: string,
    session: FrameworkSession,
    { loaded, beganAt }: SaveContext,
  ): Promise<Loaded | undefined> {
    const data = plain(session)
    const now = this.#loaded(data, session)
    const life = this.#lifeOf(data)
    const isStored =
      loaded !== undefined && this.#options.merge
        ? await this.#change(sessionId, { data, life, loaded, now, beganAt })
        : await this.#store(sessionId, {
            data,
            ...life,
            mustExist: loaded !== undefined,
            ...ofUser(now.userId, beganAt),
          })
    // What has ended by its own end was not refused.
    if (!isStored && life.expiresAt === undefined) this.#options.onRefused({ sessionId })
    return isStored ? now : undefined
  }

  async touch(sessionId: string, session: FrameworkSession): Promise<void> {
    const data = plain(session)
    const { cookie } = data
    const set: SessionData = cookie === undefined ? {} : { cookie }
    await this.#sessions.update(this.#realm, sessionId, { set, ...this.#lifeOf(data) })
  }

  async end(sessionId: string): Promise<boolean> {
    const wasAlive = await this.#sessions.remove(this.#realm, sessionId)
    await this.#options.previous?.remove(sessionId)
    return wasAlive
  }

  count(): Promise<number> {
    return this.#sessions.count(this.#realm)
  }

  async clear(): Promise<void> {
    await this.#sessions.removeByRealm(this.#realm)
  }

  all(): Promise<WebSession[]> {
    return allPages((cursor) => this.#sessions.list(this.#realm, { limit: 100, cursor }))
  }

  sessionsOf(userId: string): Promise<WebSession[]> {
    return allPages((cursor) => this.#sessions.listByUser(this.#realm, userId, { limit: 100, cursor }))
  }

  endOthers(sessionId: string, session: FrameworkSession): Promise<number> {
    const userId = this.#options.userIdOf(session)
    if (userId === undefined) return Promise.resolve(0)
    return this.#sessions.removeByUser(this.#realm, userId, { except: sessionId })
  }

  endAll(userId: string): Promise<number> {
    return this.#sessions.removeByUser(this.#realm, userId)
  }

  get #realm(): string {
    return this.#options.realmId
  }

  /** Changes the names that the request changed, so that a request beside it keeps what it changed itself. */
  async #change(sessionId: string, { data, life, loaded, now, beganAt }: Change): Promise<boolean> {
    const changed = [...now.names].filter(([name, json]) => loaded.names.get(name) !== json)
    const version = await this.#sessions.update(this.#realm, sessionId, {
      set: pick(
        data,
        changed.map(([name]) => name),
      ),
      unset: [...loaded.names.keys()].filter((name) => !now.names.has(name)),
      ...life,
      ...(now.userId !== loaded.userId &&
        (now.userId === undefined ? { userId: null } : ofUser(now.userId, beganAt))),
    })
    return version !== undefined
  }

  async #store(sessionId: string, session: Parameters<WebSessionProvider['save']>[2]): Promise<boolean> {
    return (await this.#sessions.save(this.#realm, sessionId, session)).outcome === 'stored'
  }

  /** Takes a session over from where it was before, unless it was ended here. */
  async #takeOver(sessionId: string): Promise<SessionData | undefined> {
    const before = await this.#options.previous?.get(sessionId)
    if (before === undefined) return undefined
    // Another request may have taken it over meanwhile, and changed it.
    const found = await this.#sessions.get(this.#realm, sessionId)
    if (found !== undefined) return found.data
    const data = plain(before)
    const userId = this.#options.userIdOf(before)
    const isStored = await this.#store(sessionId, {
      data,
      ...this.#lifeOf(data),
      // Whenever its sign-in was, it began before whatever ended the sessions of its user here.
      ...ofUser(userId, LONG_AGO),
    })
    return isStored ? data : undefined
  }

  /** What the application says, else what is left of the life of its cookie, by the clock of the host that computed it. */
  #lifeOf(data: SessionData): Lifetime {
    const { ttlMs } = this.#options
    if (ttlMs !== undefined) return { lifespanMs: ttlMs(data) }
    const { expires } = (data['cookie'] ?? {}) as { readonly expires?: string | number | boolean | null }
    if (typeof expires === 'string' || typeof expires === 'number') return lifeUntil(expires)
    return { lifespanMs: this.#options.defaultTtlMs(data) }
  }

  #loaded(data: SessionData, session: FrameworkSession): Loaded {
    const names = Object.keys(data).map((name) => [name, JSON.stringify(data[name])] as const)
    return { names: new Map(names), userId: this.#options.userIdOf(session) }
  }
}

interface Change {
  readonly data: SessionData
  readonly life: Lifetime
  readonly loaded: Loaded
  readonly now: Loaded
  readonly beganAt: number | undefined
}

/** A session as JSON has it: dates are texts, what is `undefined` is not there. */
const plain = (session: FrameworkSession): SessionData => JSON.parse(JSON.stringify(session)) as SessionData

const pick = (data: SessionData, names: readonly string[]): SessionData =>
  Object.fromEntries(names.map((name) => [name, data[name] as JsonValue]))

/** Ms since the epoch. */
const LONG_AGO = 1

const ofUser = (userId: string | undefined, authenticatedAt: number | undefined) =>
  userId === undefined ? {} : { userId, ...(authenticatedAt !== undefined && { authenticatedAt }) }

async function allPages(
  pageAt: (cursor: string | undefined) => ReturnType<WebSessionProvider['list']>,
): Promise<WebSession[]> {
  const all: WebSession[] = []
  for (let cursor: string | undefined, isLast = false; !isLast; isLast = cursor === undefined) {
    const page: Awaited<ReturnType<typeof pageAt>> = await pageAt(cursor)
    all.push(...page.items)
    cursor = page.cursor
  }
  return all
}
