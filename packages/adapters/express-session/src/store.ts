import type { WebSession } from '@authstate/web-session'
import { answer, type Callback } from './callback.js'
import type { FrameworkSession, SessionState, StoreOptions } from './options.js'
import { type Loaded, Sessions } from './sessions.js'

/** A request, as far as a store of express-session knows it. */
export interface SessionRequest {
  sessionID?: string | undefined
  session?: object | null | undefined
}

/** What is used of the base class that express-session exports as `Store`. */
interface BaseStore {
  createSession(req: object, session: object): object
}

/** The methods of a store that express-session calls, and more for your application. */
export interface SessionStore {
  /** Loads a session; `undefined` when there is none. */
  get(sessionId: string, callback?: Callback<FrameworkSession | undefined>): unknown
  /** Saves a session: new, or what a request changed of it. One that was ended stays ended. */
  set(sessionId: string, session: object, callback?: Callback): unknown
  /** Prolongs a session that a request did not change. */
  touch(sessionId: string, session: object, callback?: Callback): unknown
  /** Ends a session: a save that comes later is refused. */
  destroy(sessionId: string, callback?: Callback): unknown
  /** Every session, with its id. */
  all(callback?: Callback<(FrameworkSession & { readonly id: string })[]>): unknown
  /** How many sessions are alive. */
  length(callback?: Callback<number>): unknown
  /** Ends every session. */
  clear(callback?: Callback): unknown
  /** The living sessions of a user: for a page of devices. Each has its id, its data and its times. */
  sessionsOf(userId: string): Promise<WebSession[]>
  /** Ends one. @returns whether it was alive */
  end(sessionId: string): Promise<boolean>
  /** Ends all sessions of the user of a request but its own, and refuses sign-ins under way. @returns how many were alive */
  endOthers(req: SessionRequest): Promise<number>
  /** Ends all sessions of a user, and refuses sign-ins under way. @returns how many were alive */
  endAll(userId: string): Promise<number>
}

type Generate = (req: object) => void

/** The store, over the base class of the express-session that the application runs. */
export function storeClass<B extends object>(
  Base: abstract new () => B,
): new (
  state: SessionState,
  options: StoreOptions,
) => B & SessionStore {
  const base = Base as unknown as new () => BaseStore
  const store: new (state: SessionState, options: StoreOptions) => SessionStore = class
    extends base
    implements SessionStore
  {
    readonly #sessions: Sessions
    readonly #loaded = new WeakMap<object, Loaded>()
    readonly #began = new WeakMap<object, number>()
    #generate: Generate | undefined

    constructor(state: SessionState, options: StoreOptions) {
      super()
      this.#sessions = new Sessions(state, options)
      // The middleware sets it. A request that comes without a session is seen here for the first time.
      Object.defineProperty(this, 'generate', {
        configurable: true,
        enumerable: true,
        get: () => this.#generate,
        set: (generate: Generate) => {
          this.#generate = (req) => {
            this.#begin(req)
            generate(req)
          }
        },
      })
    }

    override createSession(req: object, data: object): object {
      this.#begin(req)
      const loaded = this.#sessions.loadedOf(data as FrameworkSession)
      const session = super.createSession(req, data)
      this.#loaded.set(session, loaded)
      return session
    }

    get(sessionId: string, callback?: Callback<FrameworkSession | undefined>): unknown {
      return answer(this.#sessions.toFramework('load', this.#get(sessionId)), callback)
    }

    set(sessionId: string, session: object, callback?: Callback): unknown {
      return answer(
        this.#sessions.toFramework('save', this.#save(sessionId, session as FrameworkSession)),
        callback,
      )
    }

    touch(sessionId: string, session: object, callback?: Callback): unknown {
      const loaded = this.#loaded.get(session)
      const touched = this.#sessions.touch(sessionId, session as FrameworkSession, loaded)
      return answer(this.#sessions.toFramework('touch', touched), callback)
    }

    destroy(sessionId: string, callback?: Callback): unknown {
      const ended = this.#sessions.toFramework('end', this.#sessions.end(sessionId))
      return answer(
        ended.then(() => undefined),
        callback,
      )
    }

    all(callback?: Callback<(FrameworkSession & { readonly id: string })[]>): unknown {
      const all = this.#sessions.all()
      return answer(
        all.then((sessions) => sessions.map(({ id, data }) => ({ ...data, id }))),
        callback,
      )
    }

    length(callback?: Callback<number>): unknown {
      return answer(this.#sessions.count(), callback)
    }

    clear(callback?: Callback): unknown {
      return answer(this.#sessions.clear(), callback)
    }

    sessionsOf(userId: string): Promise<WebSession[]> {
      return this.#sessions.sessionsOf(userId)
    }

    end(sessionId: string): Promise<boolean> {
      return this.#sessions.end(sessionId)
    }

    async endOthers({ sessionID, session }: SessionRequest): Promise<number> {
      if (sessionID === undefined || !session) return 0
      return this.#sessions.endOthers(sessionID, session as FrameworkSession)
    }

    endAll(userId: string): Promise<number> {
      return this.#sessions.endAll(userId)
    }

    #get(sessionId: string): Promise<FrameworkSession | undefined> {
      return this.#sessions.get(sessionId)
    }

    async #save(sessionId: string, session: FrameworkSession): Promise<void> {
      const { req } = session as { readonly req?: object }
      const beganAt = req === undefined ? undefined : this.#began.get(req)
      const saved = await this.#sessions.save(sessionId, session, {
        loaded: this.#loaded.get(session),
        beganAt,
      })
      // What a request saves once more, it saves over its own.
      if (saved !== undefined && req !== undefined) this.#loaded.set(session, saved)
    }

    #begin(req: object): void {
      const now = this.#sessions.now()
      if (now !== undefined && !this.#began.has(req)) this.#began.set(req, now)
    }
  }
  return store as unknown as new (
    state: SessionState,
    options: StoreOptions,
  ) => B & SessionStore
}
