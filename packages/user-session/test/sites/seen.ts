import type { UserSession } from '../../src/index.js'

/** Exchanges of one family that sites remember, at least. */
const REMEMBERED = 4

/** What refresh tokens belong to: each client session has one family. */
export interface TokensOf {
  readonly id: string
  readonly clientId: string
  readonly isOffline: boolean
}

export interface Token {
  readonly jti: string
  readonly issuedAt: number
}

/** An exchange, and whether its site told of it before the next one there. */
export interface Exchange {
  readonly of: TokensOf
  readonly token: Token
  readonly site: string
  isTold: boolean | undefined
}

const isSame = (a: TokensOf, b: TokensOf) => JSON.stringify(a) === JSON.stringify(b)

/** A restart begins one: each has a login of its own, since two restarts may have one instant. */
export const generationOf = ({ startedAt, loginUsername }: UserSession): string =>
  `${startedAt} ${loginUsername}`

/** What a walk has seen, for what must hold at its end. */
export class Seen {
  readonly ids: string[] = []
  readonly removed = new Set<string>()
  readonly refreshedAt = new Map<string, number>()
  /** Notes that only one site writes, once each: by session, with the generation of the session that they belong to. */
  readonly notes: { readonly id: string; readonly note: string; readonly generation: string }[] = []
  /** Of these a refresh token was found to be used twice. */
  readonly ended: TokensOf[] = []
  readonly #tokens = new Map<string, Token[]>()
  readonly exchanges: Exchange[] = []
  /** Removals of all sessions of a user, and which session each spared, as its site held it then. */
  readonly fences: { readonly userId: string; readonly spared: UserSession | undefined }[] = []

  refreshed(session: UserSession | undefined): void {
    if (session === undefined || session.offline) return
    const { id, lastRefreshAt } = session
    this.refreshedAt.set(id, Math.max(lastRefreshAt, this.refreshedAt.get(id) ?? 0))
  }

  /** Tokens that were issued, the last at the end. */
  tokensOf(of: TokensOf, now: number): Token[] {
    const key = JSON.stringify(of)
    const tokens = this.#tokens.get(key) ?? [{ jti: 'first', issuedAt: now }]
    this.#tokens.set(key, tokens)
    return tokens
  }

  exchanged(exchange: Exchange, next: Token): void {
    const { of, site } = exchange
    // What was not told before the next one is seen by nobody else.
    for (const one of this.exchanges) if (one.site === site && isSame(one.of, of)) one.isTold ??= false
    this.exchanges.push(exchange)
    this.tokensOf(of, next.issuedAt).push(next)
  }

  told(site: string): void {
    for (const one of this.exchanges) if (one.site === site) one.isTold ??= true
  }

  /** Where two sites exchanged one token, as others can see. */
  forks(): readonly TokensOf[] {
    const told = this.exchanges.filter(({ of, isTold }) => isTold && !of.isOffline)
    const isForked = ({ of, token, site }: Exchange) =>
      told.filter((one) => isSame(one.of, of)).length <= REMEMBERED &&
      told.some((one) => isSame(one.of, of) && one.token.jti === token.jti && one.site !== site)
    return told.filter(isForked).map(({ of }) => of)
  }
}
