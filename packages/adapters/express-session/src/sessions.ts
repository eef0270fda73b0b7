import { allItems } from '@authstate/spi'
import {
  changesBetween,
  type Lifetime,
  lifeUntil,
  type SessionData,
  type SessionSnapshot,
  snapshotOf,
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
import { toFramework, type UnavailableStore } from './unavailable.js'

/** A session as it was when a request loaded it, or saved it last. */
export interface Loaded {
  readonly snapshot: SessionSnapshot
  /** When it ended as it was stored, ms since the epoch by the clock of the provider; `undefined`: that is not known. */
  readonly endsAt?: number | undefined
  readonly userId: string | undefined
}

/** What a save knows in addition to the session. */
export interface SaveContext {
  /** Absent for a session that is new or unknown. */
  readonly loaded?: Loaded | undefined
  /** When the request began that saves it, by the clock of the provider. */
  readonly beganAt?: number | undefined
}

/** The sessions of one framework, whatever its store looks like. */
export class Sessions {
  readonly #sessions: WebSessionProvider
  readonly #options: CheckedOptions
  /** When sessions end, by their data as they were handed out. */
  readonly #ends = new WeakMap<object, number>()

  constructor(state: SessionState, options: StoreOptions) {
    this.#options = checkOptions(options, state)
    this.#sessions = state.webSessions
  }

  /** What the framework is answered of its own call. */
  toFramework<T>(operation: UnavailableStore['operation'], work: Promise<T>): Promise<T | undefined> {
    return toFramework(operation, work, this.#options.onUnavailable)
  }

  /** For {@link SaveContext.beganAt}. */
  now(): number | undefined {
    return this.#sessions.clock?.now()
  }

  async get(sessionId: string): Promise<SessionData | undefined> {
    const found = await this.#sessions.get(this.#realm, sessionId)
    if (found === undefined) return this.#takeOver(sessionId)
    this.#ends.set(found.data, found.expiresAt)
    return found.data
  }

  /** What a session is when it is loaded. */
  loadedOf(session: FrameworkSession): Loaded {
    return {
      snapshot: snapshotOf(session),
      endsAt: this.#ends.get(session),
      userId: this.#options.userIdOf(session),
    }
  }

  /** @returns the session in its new state; `undefined` if it has ended */
  async save(
    sessionId: string,
    session: FrameworkSession,
    { loaded, beganAt }: SaveContext,
  ): Promise<Loaded | undefined> {
    const now = this.loadedOf(session)
    const { data } = now.snapshot
    const life = this.#lifeOf(data)
    const isStored =
      loaded !== undefined && this.#options.merge
        ? await this.#change(sessionId, { life: this.#storedLife(life), loaded, now, beganAt })
        : await this.#store(sessionId, {
            data,
            ...this.#storedLife(life),
            mustExist: loaded !== undefined,
            ...ofUser(now.userId, beganAt),
          })
    // What has ended by its own end was not refused.
    if (!isStored && life.expiresAt === undefined) this.#options.onRefused({ sessionId })
    return isStored ? now : undefined
  }

  async touch(sessionId: string, session: FrameworkSession, loaded?: Loaded): Promise<void> {
    const { data } = snapshotOf(session)
    const life = this.#lifeOf(data)
    if (this.#isStoredFor(life, loaded?.endsAt)) return
    const { cookie } = data
    const set: SessionData = cookie === undefined ? {} : { cookie }
    await this.#sessions.update(this.#realm, sessionId, { set, ...this.#storedLife(life) })
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
    return allItems((page) => this.#sessions.list(this.#realm, page))
  }

  sessionsOf(userId: string): Promise<WebSession[]> {
    return allItems((page) => this.#sessions.listByUser(this.#realm, userId, page))
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
  async #change(sessionId: string, { life, loaded, now, beganAt }: Change): Promise<boolean> {
    const version = await this.#sessions.update(this.#realm, sessionId, {
      ...changesBetween(loaded.snapshot, now.snapshot),
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
    const { data } = snapshotOf(before)
    const userId = this.#options.userIdOf(before)
    const isStored = await this.#store(sessionId, {
      data,
      ...this.#storedLife(this.#lifeOf(data)),
      // Whenever its sign-in was, it began before whatever ended the sessions of its user here.
      ...ofUser(userId, LONG_AGO),
    })
    return isStored ? data : undefined
  }

  /** A life with what touches may leave out of it, as far as that is allowed. */
  #storedLife(life: Lifetime): Lifetime {
    if (life.lifespanMs === undefined) return life
    const most = Math.max(life.lifespanMs, this.#sessions.limits.maxLifespanMs)
    return { lifespanMs: Math.min(life.lifespanMs + this.#options.touchAfterMs, most) }
  }

  /** Whether what is stored lasts for a life that begins now, and not much longer. */
  #isStoredFor({ lifespanMs }: Lifetime, endsAt: number | undefined): boolean {
    const now = this.now()
    const { touchAfterMs } = this.#options
    if (touchAfterMs === 0 || lifespanMs === undefined || endsAt === undefined || now === undefined)
      return false
    const spare = endsAt - now - lifespanMs
    return spare >= 0 && spare <= touchAfterMs
  }

  /** What the application says, else what is left of the life of its cookie, by the clock of the host that computed it. */
  #lifeOf(data: SessionData): Lifetime {
    const { ttlMs } = this.#options
    if (ttlMs !== undefined) return { lifespanMs: ttlMs(data) }
    const { expires } = (data['cookie'] ?? {}) as { readonly expires?: string | number | boolean | null }
    if (typeof expires === 'string' || typeof expires === 'number') return lifeUntil(expires)
    return { lifespanMs: this.#options.defaultTtlMs(data) }
  }
}

interface Change {
  readonly life: Lifetime
  readonly loaded: Loaded
  readonly now: Loaded
  readonly beganAt: number | undefined
}

/** Ms since the epoch. */
const LONG_AGO = 1

const ofUser = (userId: string | undefined, authenticatedAt: number | undefined) =>
  userId === undefined ? {} : { userId, ...(authenticatedAt !== undefined && { authenticatedAt }) }
