/** What a server answered. */
export interface Answer {
  readonly status: number
  readonly location: string
  readonly text: string
}

/** A browser: it keeps cookies and follows redirects within one server. */
export class Browser {
  readonly #origin: string
  readonly #cookies = new Map<string, string>()

  constructor(origin: string) {
    this.#origin = origin
  }

  /** Goes to a page, and follows redirects until one leaves the server or is not wanted. */
  async go(path: string, wanted: (location: string) => boolean = () => true): Promise<Answer> {
    for (let url = new URL(path, this.#origin); ; ) {
      const answer = await this.#ask(url)
      const next = answer.location === '' ? undefined : new URL(answer.location, url)
      if (next?.origin !== this.#origin || !wanted(next.pathname)) return answer
      url = next
    }
  }

  async #ask(url: URL): Promise<Answer> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { redirect: 'manual', headers: cookie === '' ? {} : { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const [name = '', value = ''] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
      if (value === '') this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
    return {
      status: response.status,
      location: response.headers.get('location') ?? '',
      text: await response.text(),
    }
  }
}
