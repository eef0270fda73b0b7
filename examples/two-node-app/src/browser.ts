import type { System } from './system.js'

/** What an application answered. */
export interface Page {
  readonly status: number
  readonly body: {
    readonly node?: number
    readonly id?: string
    readonly token?: string
    readonly absent?: string
  }
}

/** Holds cookies, and follows a login to the provider and back. */
export class Browser {
  readonly cookies = new Map<string, string>()
  readonly #system: System

  constructor(system: System, cookies: Iterable<readonly [string, string]> = []) {
    this.#system = system
    for (const [name, value] of cookies) this.cookies.set(name, value)
  }

  /** Another that holds the same cookies now. */
  copy(): Browser {
    return new Browser(this.#system, this.cookies)
  }

  /** @returns the status of the callback: 302 when it signed in */
  async signIn(query: Record<string, string> = {}, meanwhile?: () => Promise<unknown>): Promise<number> {
    const login = await this.#send(`${this.#system.origin}/login?${new URLSearchParams(query)}`)
    const atProvider = await fetch(login.headers.get('location') ?? '', { redirect: 'manual' })
    await meanwhile?.()
    return (await this.#send(atProvider.headers.get('location') ?? '')).status
  }

  /** The page, by the balancer or at one process. */
  async open(at = this.#system.origin, query = ''): Promise<Page> {
    const answer = await this.#send(`${at}/${query}`)
    const body = (await answer.json().catch(() => ({}))) as Page['body']
    return { status: answer.status, body }
  }

  async #send(url: string): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(url, { redirect: 'manual', headers: { cookie } })
    for (const set of answer.headers.getSetCookie()) {
      const [pair = ''] = set.split(';')
      const at = pair.indexOf('=')
      if (set.includes('Max-Age=0')) this.cookies.delete(pair.slice(0, at))
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
    return answer
  }
}
