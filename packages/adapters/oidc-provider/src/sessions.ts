import type { NewWebSession, WebSessionProvider } from '@authstate/web-session'
import { type Adapter, accountOf, keyOf, type Payload, plain, textOf } from './models.js'
import { accessDenied } from './oauth-error.js'
import { type CheckedOptions, tooLong } from './options.js'
import type { RequestMemory, Requests } from './requests.js'

/** What the adapter of sessions needs. */
export interface SessionContext {
  readonly sessions: WebSessionProvider
  readonly options: CheckedOptions
  readonly requests: Requests
}

const SECOND_MS = 1_000

/**
 * The adapter of sessions. A session is known to its browser by an id, which changes when somebody signs in, and to tokens by a
 * uid, which stays. So the uid is the generation of the id that is stored, and its alias.
 */
export class SessionAdapter implements Adapter {
  readonly #sessions: WebSessionProvider
  readonly #options: CheckedOptions
  readonly #requests: Requests

  constructor({ sessions, options, requests }: SessionContext) {
    this.#sessions = sessions
    this.#options = options
    this.#requests = requests
  }

  async upsert(id: string, payload: Payload, expiresIn?: number): Promise<void> {
    const uid = textOf(payload['uid'])
    if (uid === undefined) throw new TypeError('a session must have a "uid"')
    if (expiresIn === undefined)
      throw new TypeError('a session must have an end: "ttl.Session" of oidc-provider')
    const key = keyOf(id)
    if (expiresIn <= 0) {
      await this.#sessions.remove(this.#realmId, key, { generation: uid })
      return
    }
    const request = await this.#requests.current()
    const userId = accountOf(payload)
    const isStored =
      !(await this.#wasEnded(request, uid)) &&
      (await this.#save(key, {
        data: plain(payload),
        lifespanMs: this.#lifespanOf(expiresIn),
        generation: uid,
        alias: keyOf(uid),
        ...(userId !== undefined && { userId, ...this.#beginningOf(payload, userId, request) }),
      }))
    if (isStored) return
    this.#options.onRefused({ uid, ...(userId !== undefined && { accountId: userId }) })
    // A browser whose session was ended is logged out, that is all. One that signs in now must not get what it came for.
    if (userId !== undefined && request?.signIn?.accountId === userId)
      throw accessDenied('the sign-in began before the sessions of its user were ended')
  }

  async find(id: string): Promise<Payload | undefined> {
    const session = await this.#sessions.get(this.#realmId, keyOf(id))
    if (session === undefined) return undefined
    const request = await this.#requests.current()
    if (request !== undefined) {
      const { generation: uid, userId, authenticatedAt } = session
      request.session ??= { id, uid, userId, authenticatedAt }
    }
    return session.data
  }

  async findByUid(uid: string): Promise<Payload | undefined> {
    return (await this.#sessions.find(this.#realmId, keyOf(uid)))?.data
  }

  async findByUserCode(): Promise<undefined> {
    return undefined
  }

  async consume(): Promise<void> {
    throw new TypeError('a session cannot be consumed')
  }

  async destroy(id: string): Promise<void> {
    const wasAlive = await this.#sessions.remove(this.#realmId, keyOf(id))
    const request = await this.#requests.current()
    if (request?.session?.id === id) request.isSessionGone = !wasAlive
  }

  async revokeByGrantId(): Promise<void> {}

  get #realmId(): string {
    return this.#options.realmId
  }

  async #save(key: string, session: NewWebSession): Promise<boolean> {
    return (await this.#sessions.save(this.#realmId, key, session)).outcome === 'stored'
  }

  /**
   * Whether the session that a request loaded was ended before the request gave it another id. That
   * id is not refused yet. If another request gave the session an id first, it lives on.
   */
  async #wasEnded(request: RequestMemory | undefined, uid: string): Promise<boolean> {
    if (request?.isSessionGone !== true || request.session?.uid !== uid || request.signIn !== undefined)
      return false
    return (await this.#sessions.find(this.#realmId, keyOf(uid))) === undefined
  }

  /** When the sign-in began that made the session its user's. */
  #beginningOf(
    { loginTs }: Payload,
    userId: string,
    request: RequestMemory | undefined,
  ): { readonly authenticatedAt?: number } {
    const now = this.#sessions.clock?.now()
    if (now === undefined) return {}
    // A second of oidc-provider is not over when it is said.
    const saidAt = typeof loginTs === 'number' ? (loginTs + 1) * SECOND_MS - 1 : now
    const { signIn, session } = request ?? {}
    const known =
      signIn?.accountId === userId
        ? signIn.finishedAt
        : session?.userId === userId
          ? session.authenticatedAt
          : undefined
    return { authenticatedAt: Math.max(0, Math.min(now, saidAt, known ?? now)) }
  }

  #lifespanOf(expiresIn: number): number {
    const { maxLifespanMs } = this.#sessions.limits
    const lifespanMs = Math.ceil(expiresIn * SECOND_MS)
    if (lifespanMs > maxLifespanMs) throw tooLong('Session', expiresIn, 'web-session', maxLifespanMs)
    return lifespanMs
  }
}
