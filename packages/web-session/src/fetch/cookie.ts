import { createHmac, timingSafeEqual } from 'node:crypto'
import { type DerivedKey, deriveKeyring } from '@authstate/spi/internal'
import { parseCookie, stringifySetCookie } from 'cookie'
import type { CheckedCookie } from './options.js'

/** An id as we mint it, and an HMAC-SHA256 in base64url. */
const VALUE = /^([\w-]{21})\.([\w-]{43})$/

/** Cookies of one name that are tried: a browser sends one per path and domain. */
const MAX_CANDIDATES = 3

/** Whether a text can be an id that was minted here. */
export const isSessionId = (text: unknown): text is string =>
  typeof text === 'string' && /^[\w-]{21}$/.test(text)

/** The cookie that names a session: signed, so that a browser cannot name another one. */
export class SessionCookie {
  readonly #realmId: string
  readonly #cookie: CheckedCookie
  readonly #current: DerivedKey
  readonly #all: readonly DerivedKey[]

  /** @param secrets The first one signs, all are tried. At least one, each long enough. */
  constructor(realmId: string, secrets: readonly (string | Uint8Array)[], cookie: CheckedCookie) {
    this.#realmId = realmId
    this.#cookie = cookie
    const ids = secrets.map((_, n) => `s${n}`)
    const keys = Object.fromEntries(secrets.map((secret, n) => [`s${n}`, secret] as const))
    const derived = deriveKeyring({ current: 's0', keys }, 'web-session cookie signature')
    this.#current = derived.current
    this.#all = ids.flatMap((id) => derived.find(id) ?? [])
  }

  /** The id that a Cookie header names; `undefined` for whatever was not signed here. */
  idIn(header: string | null | undefined): string | undefined {
    if (typeof header !== 'string') return undefined
    const values = header.split(';').flatMap((pair) => parseCookie(pair)[this.#cookie.name] ?? [])
    for (const value of values.slice(0, MAX_CANDIDATES)) {
      const id = this.#verified(value)
      if (id !== undefined) return id
    }
    return undefined
  }

  /** A Set-Cookie header for a session that lives this long. */
  of(id: string, lifespanMs: number): string {
    const value = `${id}.${this.#signatureOf(this.#current, id)}`
    const isKept = this.#cookie.persistent
    return this.#set(value, isKept ? { maxAge: Math.ceil(lifespanMs / 1_000) } : {})
  }

  /** A Set-Cookie header that takes it away. */
  cleared(): string {
    return this.#set('', { maxAge: 0, expires: new Date(0) })
  }

  #set(value: string, life: { maxAge?: number; expires?: Date }): string {
    const { name, path, domain, secure, sameSite } = this.#cookie
    return stringifySetCookie(
      {
        name,
        value,
        path,
        httpOnly: true,
        secure,
        sameSite,
        ...(domain !== undefined && { domain }),
        ...life,
      },
      { encode: (text) => text },
    )
  }

  #verified(value: string): string | undefined {
    const [, id, signature] = VALUE.exec(value) ?? []
    if (id === undefined || signature === undefined) return undefined
    const presented = Buffer.from(signature)
    let fits = false
    for (const key of this.#all) {
      fits = timingSafeEqual(presented, Buffer.from(this.#signatureOf(key, id))) || fits
    }
    return fits ? id : undefined
  }

  #signatureOf({ secret }: DerivedKey, id: string): string {
    return createHmac('sha256', secret)
      .update(JSON.stringify([this.#realmId, id]))
      .digest('base64url')
  }
}
