import { allItems, assertObject, randomId, systemClock } from '@authstate/spi'
import type { SessionData, WebSession, WebSessionPatch, WebSessionProvider } from '../contract.js'
import { changesBetween, type SessionChanges, type SessionSnapshot, snapshotOf } from '../snapshot.js'
import { SessionCookie } from './cookie.js'
import { type CheckedOptions, checkOptions, type SessionState, type SessionsOptions } from './options.js'

/** A `Request`, as far as sessions look at it. */
export interface ReceivedRequest {
  readonly headers: {
    /** The value of a header. */
    get(name: string): string | null
  }
}

/** The `Headers` of a response. */
export interface ResponseHeaders {
  /** Adds a header beside others of its name. */
  append(name: string, value: string): void
}

/** The session of one request. */
export interface Session<Data extends object = Record<string, unknown>> {
  /** A new session has one as well. */
  readonly id: string
  /** What the application keeps: an object of JSON values. Change it, or put another one here. */
  data: Partial<Data>
  /** Whether nothing of it is stored yet. */
  readonly isNew: boolean
  /** Whether it was ended: by `end`, or by somebody else while this request ran, which `commit` finds out. */
  readonly isEnded: boolean
}

/** Sessions of an application. */
export interface Sessions<Data extends object = Record<string, unknown>> {
  /**
   * The session that a request names, or a new one, which is stored once there is something in it.
   *
   * @throws {StoreUnavailableError} the store did not answer: no user is logged out by that, and
   * the request should fail
   */
  load(request: ReceivedRequest): Promise<Session<Data>>

  /**
   * Stores what the request changed, before the response is sent. One that changed nothing prolongs a session now and then.
   *
   * A session that was ended meanwhile stays ended. For the application that is a success: the user is logged out, that is all.
   * Safe to call again.
   *
   * @param headers Those of the response: the cookie is appended.
   * @returns the value for `Set-Cookie`, or `undefined` when the browser has its cookie already
   * @throws {TypeError | RangeError} the data are no JSON, or too large; nothing is stored
   */
  commit(session: Session<Data>, headers?: ResponseHeaders): Promise<string | undefined>

  /**
   * Ends a session: a logout. Whatever another request saves of it is refused from then on.
   *
   * @param headers Those of the response: what takes the cookie away is appended.
   * @returns the same, as a value for `Set-Cookie`. `commit` answers it as well
   */
  end(session: Session<Data>, headers?: ResponseHeaders): Promise<string>

  /**
   * Call it when a user signs in: it gives the session another id. `commit` stores the session
   * under the new id and ends it under the old one, so the old id is of no use to an attacker. The
   * data stay; empty them if they should not.
   *
   * Of one that was ended it makes a new one that is empty.
   */
  regenerate(session: Session<Data>): void

  /** The living sessions of a user: for a page of devices. Each has its id, its data and its times. */
  sessionsOf(userId: string): Promise<WebSession[]>

  /** Ends one by its id. @returns whether it was alive */
  endOne(sessionId: string): Promise<boolean>

  /**
   * Stores the session of a request, then ends all others of its user, and refuses sign-ins under way.
   *
   * @returns how many were alive
   */
  endOthers(session: Session<Data>): Promise<number>

  /** Ends all sessions of a user, and refuses sign-ins under way. @returns how many were alive */
  endAll(userId: string): Promise<number>
}

/** What the sessions know of one, in addition to what its request sees. */
interface Held {
  id: string
  status: 'new' | 'stored' | 'ended'
  /** The id that is stored, where `regenerate` gave it another one since. */
  idBefore: string | undefined
  /** What it was when it was loaded, or saved last. */
  loaded: SessionSnapshot
  userId: string | undefined
  /** When its request began, and when its life ends: ms since the epoch, by the clock of the provider. */
  readonly beganAt: number
  expiresAt: number
  /** What the next response has to send to the browser. */
  cookie: 'none' | 'set' | 'clear'
}

const NOTHING = snapshotOf({})

/** {@link Sessions} over the sessions of a state. */
export function sessionsOver<Data extends object>(
  state: SessionState,
  options: SessionsOptions<Data>,
): Sessions<Data> {
  const sessions = new RequestSessions<Data>(state.webSessions, checkOptions(options, state))
  return {
    load: (request) => sessions.load(request),
    commit: (session, headers) => sessions.commit(session, headers),
    end: (session, headers) => sessions.end(session, headers),
    regenerate: (session) => sessions.regenerate(session),
    sessionsOf: (userId) => sessions.sessionsOf(userId),
    endOne: (sessionId) => sessions.endOne(sessionId),
    endOthers: (session) => sessions.endOthers(session),
    endAll: (userId) => sessions.endAll(userId),
  }
}

class RequestSessions<Data extends object> implements Sessions<Data> {
  readonly #provider: WebSessionProvider
  readonly #options: CheckedOptions<Data>
  readonly #cookie: SessionCookie
  readonly #held = new WeakMap<object, Held>()

  constructor(provider: WebSessionProvider, options: CheckedOptions<Data>) {
    this.#provider = provider
    this.#options = options
    this.#cookie = new SessionCookie(options.realmId, options.secrets, options.cookie)
  }

  async load(request: ReceivedRequest): Promise<Session<Data>> {
    const beganAt = this.#now()
    const id = this.#cookie.idIn(request.headers.get('cookie'))
    const found = id === undefined ? undefined : await this.#provider.get(this.#realm, id)
    if (found === undefined) return this.#session({}, newSession(beganAt))
    const data = found.data as Partial<Data>
    return this.#session(data, {
      id: found.id,
      status: 'stored',
      idBefore: undefined,
      loaded: snapshotOf(data),
      userId: this.#options.userIdOf(data),
      beganAt,
      expiresAt: found.expiresAt,
      cookie: 'none',
    })
  }

  async commit(session: Session<Data>, headers?: ResponseHeaders): Promise<string | undefined> {
    const held = this.#heldOf(session)
    await this.#store(session, held)
    const { cookie } = held
    if (cookie === 'none') return undefined
    const value = cookie === 'clear' ? this.#cookie.cleared() : this.#cookieOf(held)
    headers?.append('set-cookie', value)
    held.cookie = 'none'
    return value
  }

  async end(session: Session<Data>, headers?: ResponseHeaders): Promise<string> {
    const held = this.#heldOf(session)
    if (held.status === 'stored') await this.#provider.remove(this.#realm, held.idBefore ?? held.id)
    held.status = 'ended'
    // What is put into it now would be lost: a strict program is told so.
    session.data = Object.freeze({}) as Partial<Data>
    const value = this.#cookie.cleared()
    headers?.append('set-cookie', value)
    held.cookie = headers === undefined ? 'clear' : 'none'
    return value
  }

  regenerate(session: Session<Data>): void {
    const held = this.#heldOf(session)
    if (held.status === 'ended') {
      session.data = {}
      Object.assign(held, newSession(held.beganAt))
      return
    }
    if (held.status === 'stored') held.idBefore ??= held.id
    held.id = randomId()
  }

  sessionsOf(userId: string): Promise<WebSession[]> {
    return allItems((page) => this.#provider.listByUser(this.#realm, userId, page))
  }

  endOne(sessionId: string): Promise<boolean> {
    return this.#provider.remove(this.#realm, sessionId)
  }

  async endOthers(session: Session<Data>): Promise<number> {
    const held = this.#heldOf(session)
    await this.#store(session, held)
    if (held.status !== 'stored' || held.userId === undefined) return 0
    return this.#provider.removeByUser(this.#realm, held.userId, { except: held.id })
  }

  endAll(userId: string): Promise<number> {
    return this.#provider.removeByUser(this.#realm, userId)
  }

  /** Brings to the store what it does not know yet. */
  async #store(session: Session<Data>, held: Held): Promise<void> {
    if (held.status === 'ended') return
    assertObject(session.data, 'session.data')
    const now = snapshotOf(session.data)
    const userId = this.#options.userIdOf(session.data)
    const isDone =
      held.status === 'new'
        ? await this.#create(held, now, userId)
        : held.idBefore === undefined
          ? await this.#change(held, now, userId)
          : await this.#replace(held.idBefore, held, now)
    if (isDone === 'refused') {
      held.status = 'ended'
      held.cookie = 'none'
      this.#options.onRefused({ sessionId: held.id })
    }
    if (isDone !== 'stored') return
    held.status = 'stored'
    held.idBefore = undefined
    held.loaded = now
    held.userId = userId
    held.expiresAt = this.#now() + this.#options.lifespanMs
  }

  async #create(held: Held, now: SessionSnapshot, userId: string | undefined): Promise<Stored> {
    if (now.names.size === 0) return 'same'
    const isStored = await this.#save(held.id, now.data, signIn(userId, held.beganAt))
    if (isStored) held.cookie = 'set'
    return isStored ? 'stored' : 'refused'
  }

  /** Changes what the request changed, so that a request beside it keeps what it changed itself. */
  async #change(held: Held, now: SessionSnapshot, userId: string | undefined): Promise<Stored> {
    const { lifespanMs, touchAfterMs, cookie } = this.#options
    const isOfAnother = userId !== held.userId
    const changes = changesBetween(held.loaded, now)
    const isTouch = changes === undefined && !isOfAnother
    if (isTouch && held.expiresAt - this.#now() > lifespanMs - touchAfterMs) return 'same'
    const patch: WebSessionPatch = {
      ...changes,
      lifespanMs,
      ...(isOfAnother && (userId === undefined ? { userId: null } : signIn(userId, held.beganAt))),
    }
    const version = await this.#provider.update(this.#realm, held.id, patch)
    if (version !== undefined) {
      if (cookie.persistent) held.cookie = 'set'
      return 'stored'
    }
    // Of a request that changed nothing nothing was refused.
    if (isTouch) held.status = 'ended'
    return isTouch ? 'same' : 'refused'
  }

  /**
   * Stores a session under another id, with what other requests changed in it meanwhile, and ends it under the one it had. In
   * this order: where the store fails in between, the browser still has its session.
   */
  async #replace(idBefore: string, held: Held, now: SessionSnapshot): Promise<Stored> {
    const changes = changesBetween(held.loaded, now)
    const before = await this.#provider.get(this.#realm, idBefore)
    const stored = await this.#saveOver(before, changes, held)
    if (stored === 'refused') return stored
    const wasAlive = await this.#provider.remove(this.#realm, idBefore)
    if (wasAlive || before === undefined) return stored
    const again = await this.#saveOver(undefined, changes, held)
    if (again === 'refused') await this.#provider.remove(this.#realm, held.id)
    return again
  }

  /** @param before What was ended stays ended, with all that was in it: without one, only a sign-in of this request goes on. */
  async #saveOver(
    before: WebSession | undefined,
    changes: SessionChanges | undefined,
    held: Held,
  ): Promise<Stored> {
    const entries = Object.entries({ ...before?.data, ...changes?.set }).filter(
      ([name]) => changes?.unset.includes(name) !== true,
    )
    const data = Object.fromEntries(entries)
    const userId = this.#options.userIdOf(data as Partial<Data>)
    if (before === undefined && userId === undefined) return 'refused'
    // Another id makes no other sign-in.
    const beganAt = userId === before?.userId ? before?.authenticatedAt : undefined
    const isStored = await this.#save(held.id, data, signIn(userId, beganAt ?? held.beganAt))
    if (isStored) held.cookie = 'set'
    return isStored ? 'stored' : 'refused'
  }

  async #save(id: string, data: SessionData, user: ReturnType<typeof signIn>): Promise<boolean> {
    const { lifespanMs } = this.#options
    return (await this.#provider.save(this.#realm, id, { data, lifespanMs, ...user })).outcome === 'stored'
  }

  #session(data: Partial<Data>, held: Held): Session<Data> {
    const session: Session<Data> = {
      data,
      get id() {
        return held.id
      },
      get isNew() {
        return held.status === 'new'
      },
      get isEnded() {
        return held.status === 'ended'
      },
    }
    this.#held.set(session, held)
    return session
  }

  #heldOf(session: Session<Data>): Held {
    const held = this.#held.get(session)
    if (held === undefined)
      throw new TypeError('"session" must be one that "load" of these sessions returned')
    return held
  }

  #cookieOf({ id }: Held): string {
    return this.#cookie.of(id, this.#options.lifespanMs)
  }

  #now(): number {
    return (this.#provider.clock ?? systemClock).now()
  }

  get #realm(): string {
    return this.#options.realmId
  }
}

type Stored = 'stored' | 'same' | 'refused'

const newSession = (beganAt: number): Held => ({
  id: randomId(),
  status: 'new',
  idBefore: undefined,
  loaded: NOTHING,
  userId: undefined,
  beganAt,
  expiresAt: 0,
  cookie: 'none',
})

const signIn = (userId: string | undefined, authenticatedAt: number) =>
  userId === undefined ? {} : { userId, authenticatedAt }
