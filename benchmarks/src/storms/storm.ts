/** One turn of clients at a server. */
export interface Storm {
  /** Logins or refreshes that were answered with tokens. */
  readonly done: number
  readonly seconds: number
  /** Of each that was done, from its first request to its tokens. */
  readonly latenciesMs: readonly number[]
}

export const VERIFIER = 'v'.repeat(43)
export const CLIENT = { client_id: 'calendar', redirect_uri: 'https://calendar.example/callback' }
export const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

/** Reads the answers of `/token`, all of which must be tokens: a storm that fails is no measurement. */
export class Answers {
  readonly latenciesMs: number[] = []
  readonly #tokens: string[]
  #refused: string | undefined

  /** @param tokens Refresh tokens that can be used; what arrives is added. */
  constructor(tokens: string[]) {
    this.#tokens = tokens
  }

  read(status: number, body: string, begunAt: number): void {
    if (status !== 200) {
      this.#refused ??= `${status} ${body.slice(0, 200)}`
      return
    }
    this.latenciesMs.push(performance.now() - begunAt)
    this.#tokens.push((JSON.parse(body) as { refresh_token: string }).refresh_token)
  }

  result(seconds: number, errors: number): Storm {
    if (this.#refused !== undefined) throw new Error(`a token request was refused: ${this.#refused}`)
    if (errors > 0) throw new Error(`${errors} connections failed`)
    if (this.latenciesMs.length === 0) throw new Error('no token request was answered')
    return { done: this.latenciesMs.length, seconds, latenciesMs: this.latenciesMs }
  }
}
