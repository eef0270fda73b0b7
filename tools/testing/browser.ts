/** What a server answered. */
export interface Answer {
  readonly status: number
  readonly location: string
  /** Of what answered. */
  readonly path: string
  readonly text: string
}

/** A browser: it keeps every cookie, whatever its path, and follows redirects within one server. */
export class Browser {
  readonly #origin: string
  readonly #cookies = new Map<string, string>()

  constructor(origin: string) {
    this.#origin = origin
  }

  /** Goes to a page, and follows redirects until one leaves the server or is not wanted. */
  async go(path: string, wanted: (location: string) => boolean = () => true): Promise<Answer> {
    return this.#follow(new URL(path, this.#origin), undefined, wanted)
  }

  /** Sends a form, and follows redirects as {@link go} does. */
  async send(path: string, form: Readonly<Record<string, string>>): Promise<Answer> {
    return this.#follow(new URL(path, this.#origin), new URLSearchParams(form), () => true)
  }

  async #follow(
    first: URL,
    form: URLSearchParams | undefined,
    wanted: (location: string) => boolean,
  ): Promise<Answer> {
    for (let [url, body] = [first, form]; ; body = undefined) {
      const answer = await this.#ask(url, body)
      const next = answer.location === '' ? undefined : new URL(answer.location, url)
      if (next?.origin !== this.#origin || !wanted(next.pathname)) return answer
      url = next
    }
  }

  async #ask(url: URL, body: URLSearchParams | undefined): Promise<Answer> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, {
      redirect: 'manual',
      headers: cookie === '' ? {} : { cookie },
      ...(body && { method: 'POST', body }),
    })
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const [name = '', value = ''] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
      if (value === '') this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
    return {
      status: response.status,
      location: response.headers.get('location') ?? '',
      path: url.pathname,
      text: await response.text(),
    }
  }
}
