import { randomBytes } from 'node:crypto'
import { clearCookie, cookieValues, setCookie } from './cookies.js'
import type { SetCookies } from './interface.js'
import type { CheckedCookie } from './options.js'

/** Longest cookie, with its name and attributes. Browsers take 4 096 bytes. */
const MAX_COOKIE = 3_800
/** All cookies of a session together: servers and balancers take headers of 16 KiB. */
const MAX_ALL = 12_000
const WRITE_ID_BYTES = 6
const WRITE_ID = 8

const nameOf = ({ name }: CheckedCookie, piece: number): string => `${name}.${piece}`

/** A value that was cut into cookies, and put together again. */
export interface Joined {
  /** `undefined`: pieces are missing, or are of different writes. */
  readonly value: string | undefined
  /** Names of cookies that are no piece of the value. */
  readonly strays: readonly string[]
}

/**
 * A value in several cookies.
 *
 * The first says how many there are. Each bears the id of its write, so that pieces of two writes are never joined.
 */
export class Pieces {
  readonly #cookie: CheckedCookie
  readonly #max: number

  constructor(cookie: CheckedCookie, max: number) {
    this.#cookie = cookie
    this.#max = max
  }

  /** `Set-Cookie` headers, those that take unused pieces away among them; `undefined` when the value does not fit. */
  cut(value: string, lifespanMs: number): SetCookies | undefined {
    const writeId = randomBytes(WRITE_ID_BYTES).toString('base64url')
    const overhead = setCookie(this.#cookie, nameOf(this.#cookie, 0), '', lifespanMs).length + WRITE_ID + 1
    const room = MAX_COOKIE - overhead
    const count = Math.ceil(value.length / room)
    if (count > this.#max || value.length + count * overhead > MAX_ALL) return undefined
    return Array.from({ length: this.#max }, (_, piece) => {
      const name = nameOf(this.#cookie, piece)
      if (piece >= count) return clearCookie(this.#cookie, name)
      const head = piece === 0 ? `${count}${writeId}` : writeId
      return setCookie(this.#cookie, name, head + value.slice(piece * room, (piece + 1) * room), lifespanMs)
    })
  }

  /** What a `Cookie` header holds; `undefined` for none. */
  join(header: string | null | undefined): Joined | undefined {
    // By exact names: a cookie that merely begins like ours is somebody else's.
    const held = Array.from({ length: 4 }, (_, piece) => cookieValues(header, nameOf(this.#cookie, piece)))
    const names = held.flatMap((values, piece) => (values.length > 0 ? [nameOf(this.#cookie, piece)] : []))
    if (names.length === 0) return undefined
    for (const first of held[0] ?? []) {
      const count = Number(first[0])
      const writeId = first.slice(1, 1 + WRITE_ID)
      if (!(count >= 1 && count <= 4) || writeId.length !== WRITE_ID) continue
      const parts = held.slice(1, count).map((values) => values.find((value) => value.startsWith(writeId)))
      if (parts.includes(undefined)) continue
      const value = [first.slice(1 + WRITE_ID), ...parts.map((part) => part?.slice(WRITE_ID))].join('')
      return { value, strays: names.slice(count) }
    }
    return { value: undefined, strays: names }
  }

  clear(names?: readonly string[]): SetCookies {
    const all = names ?? Array.from({ length: this.#max }, (_, piece) => nameOf(this.#cookie, piece))
    return all.map((name) => clearCookie(this.#cookie, name))
  }
}
