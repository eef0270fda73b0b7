/** What a session is to the model. */
interface Login {
  readonly subject: string
  readonly sid: string
  readonly startedAt: number
  readonly expiresAt: number
}

/** Which sessions are alive: what an application may serve, and no other. */
export class Model {
  readonly #logins: Login[] = []
  readonly #endedSids = new Set<string>()
  readonly #endedBefore = new Map<string, number>()

  /** @returns its number, or `undefined` when a logout for it came first */
  login(login: Login): number | undefined {
    if (this.#isEnded(login)) return undefined
    return this.#logins.push(login) - 1
  }

  logoutSid(sid: string): void {
    this.#endedSids.add(sid)
  }

  logoutSubject(subject: string, before: number): void {
    this.#endedBefore.set(subject, Math.max(before, this.#endedBefore.get(subject) ?? 0))
  }

  isAlive(number: number, now: number): boolean {
    const login = this.#logins[number]
    return login !== undefined && login.expiresAt > now && !this.#isEnded(login)
  }

  #isEnded({ subject, sid, startedAt }: Login): boolean {
    return this.#endedSids.has(sid) || startedAt <= (this.#endedBefore.get(subject) ?? 0)
  }
}
