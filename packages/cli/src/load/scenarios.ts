import { randomId } from '@authstate/spi'
import type { AuthState } from 'authstate'

/** What the load does. */
export const SCENARIOS = ['login-storm', 'refresh-storm', 'mixed'] as const

/** One of {@link SCENARIOS}. */
export type Scenario = (typeof SCENARIOS)[number]

/** Services that a load needs. */
export const NEEDED = ['user-session', 'auth-session', 'action-token', 'login-failure']

/** What a load may hold, and what it consists of. */
export interface WorkOptions {
  readonly scenario: Scenario
  readonly realm: string
  /** Sessions that live at once, at most. */
  readonly sessions: number
}

/** Sessions that are there before a storm of refreshes begins, made so many at a time. */
const AT_ONCE = 64
const CLIENT = 'load'

/** What is done to the deployment: users of a realm of its own log in, refresh and leave. */
export class Work {
  readonly #state: AuthState
  readonly #options: WorkOptions
  readonly #ids: string[] = []

  constructor(state: AuthState, options: WorkOptions) {
    this.#state = state
    this.#options = options
  }

  /** Makes the sessions that are refreshed. */
  async prepare(signal: AbortSignal): Promise<void> {
    const { scenario, sessions } = this.#options
    const count = scenario === 'login-storm' ? 0 : sessions
    for (let made = 0; made < count && !signal.aborted; made += AT_ONCE)
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - made) }, () => this.#signIn()))
  }

  /** One operation. */
  operate(n: number): Promise<void> {
    const { scenario } = this.#options
    if (scenario === 'login-storm') return this.#login()
    if (scenario === 'refresh-storm') return this.#refresh()
    // Of a hundred: five log in, five leave, two mistype their password, the rest refreshes.
    const turn = n % 20
    if (turn === 0) return this.#login()
    if (turn === 10) return this.#leave()
    return n % 50 === 7 ? this.#mistype() : this.#refresh()
  }

  /** A login as a server does it: a root, a tab, a code that is redeemed, a session. */
  async #login(): Promise<void> {
    const { authSessions, actionTokens } = this.#state
    const { realm } = this.#options
    const root = await authSessions.getOrCreateRoot(realm, undefined)
    await authSessions.addTab(realm, root.id, { clientId: CLIENT })
    const code = randomId()
    await actionTokens.put(realm, 'code', code, { lifespanMs: 60_000, data: { clientId: CLIENT } })
    await actionTokens.consume(realm, 'code', code)
    await this.#signIn()
    await authSessions.removeRoot(realm, root.id)
  }

  async #signIn(): Promise<void> {
    const { realm, sessions } = this.#options
    const userId = `load-${randomId()}`
    const created = await this.#state.userSessions.create(realm, {
      userId,
      loginUsername: userId,
      client: { clientId: CLIENT },
    })
    if (created.outcome !== 'created') throw new Refused()
    if (this.#ids.length < sessions) {
      this.#ids.push(created.session.id)
      return
    }
    // Somebody else leaves, so that there are no more than asked for.
    const place = Math.floor(Math.random() * this.#ids.length)
    const left = this.#ids[place]
    this.#ids[place] = created.session.id
    if (left !== undefined) await this.#state.userSessions.remove(realm, left)
  }

  async #refresh(): Promise<void> {
    const id = this.#ids[Math.floor(Math.random() * this.#ids.length)]
    if (id === undefined) return this.#login()
    await this.#state.userSessions.refresh(this.#options.realm, id, { clientId: CLIENT })
  }

  async #leave(): Promise<void> {
    const place = Math.floor(Math.random() * this.#ids.length)
    const last = this.#ids.pop()
    if (last === undefined) return
    const left = this.#ids[place] ?? last
    if (place < this.#ids.length) this.#ids[place] = last
    await this.#state.userSessions.remove(this.#options.realm, left)
  }

  async #mistype(): Promise<void> {
    await this.#state.loginFailures.recordFailure(
      this.#options.realm,
      `load-${Math.floor(Math.random() * 100)}`,
    )
  }
}

/** The deployment refused a login: a limit of its settings. */
export class Refused extends Error {
  constructor() {
    super('the deployment refused a login')
    this.name = 'Refused'
  }
}
