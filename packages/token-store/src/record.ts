import type { JsonValue, Keyring, UnreadableCounter } from '@authstate/spi'
import { Sealer } from '@authstate/spi/sealing'
import type { WebSession } from '@authstate/web-session'
import type { CheckedSession } from './checks.js'
import type { StoredSession, StoredTokens } from './interface.js'

/** Version of the layout. A record of another one is no session. */
const FORMAT = 1

/** Which request gets new tokens, and until when no other tries. */
export interface Lease {
  readonly owner: string
  /** Ms since the epoch. */
  readonly until: number
}

/** The provider failed: no request asks it again before then. */
export interface Rest {
  readonly until: number
  /** In a row. */
  readonly failures: number
}

/** A session as it is kept in the state. */
export interface SessionRecord {
  readonly session: StoredSession
  /** How often its tokens were replaced. */
  readonly round: number
  readonly lease: Lease | undefined
  readonly rest: Rest | undefined
}

/** The name under which a record keeps one of the application's. */
export const dataName = (name: string): string => `d:${name}`

/** Records of sessions as data of web sessions, and back. */
export class Records {
  readonly #issuer: string
  readonly #sealer: Sealer | undefined

  constructor(issuer: string, encryptAtRest: Keyring | undefined) {
    this.#issuer = issuer
    this.#sealer = encryptAtRest && new Sealer(encryptAtRest, 'token-store tokens')
  }

  get isSealing(): boolean {
    return this.#sealer !== undefined
  }

  /** The data of a new session. */
  dataOf(id: string, session: CheckedSession): Record<string, JsonValue> {
    const { sid, startedAt, authTime, tokens, data } = session
    return {
      v: FORMAT,
      iss: this.#issuer,
      startedAt,
      ...(sid !== undefined && { sid }),
      ...(authTime !== undefined && { authTime }),
      ...this.tokensOf(id, tokens, 0),
      ...Object.fromEntries(Object.entries(data).map(([name, text]) => [dataName(name), text])),
    }
  }

  /** What changes with new tokens. */
  tokensOf(id: string, tokens: StoredTokens, round: number): Record<string, JsonValue> {
    const text = JSON.stringify(tokens)
    const sealed = this.#sealer?.seal(text, [this.#issuer, id])
    return { tokens: sealed === undefined ? (JSON.parse(text) as JsonValue) : [...sealed], round }
  }

  /** `undefined` for what cannot be read. */
  recordOf(found: WebSession): SessionRecord | undefined {
    try {
      return this.#decode(found)
    } catch {
      return undefined
    }
  }

  #decode({ id, data, userId, expiresAt, version }: WebSession): SessionRecord | undefined {
    const { v, iss, startedAt, sid, authTime, round, lease, rest } = data
    if (v !== FORMAT || iss !== this.#issuer || userId === undefined) return undefined
    if (typeof startedAt !== 'number' || typeof round !== 'number') return undefined
    const held = Object.entries(data).filter(([name]) => name.startsWith(dataName('')))
    return {
      session: {
        id,
        issuer: this.#issuer,
        subject: userId,
        ...(typeof sid === 'string' && { sid }),
        startedAt,
        ...(typeof authTime === 'number' && { authTime }),
        expiresAt,
        tokens: this.#open(id, data['tokens']),
        data: Object.fromEntries(held.map(([name, text]) => [name.slice(2), String(text)])),
        version,
      },
      round,
      lease: lease as unknown as Lease | undefined,
      rest: rest as unknown as Rest | undefined,
    }
  }

  #open(id: string, held: JsonValue | undefined): StoredTokens {
    if (this.#sealer === undefined) {
      if (typeof held !== 'object' || held === null || Array.isArray(held)) throw new TypeError('no tokens')
      return held as unknown as StoredTokens
    }
    if (!Array.isArray(held)) throw new TypeError('tokens that are not encrypted')
    const [keyId, sealed] = held
    return JSON.parse(this.#sealer.open([String(keyId), String(sealed)], [this.#issuer, id])) as StoredTokens
  }
}

/** Counts what could not be read. */
export type Unreadable = Pick<UnreadableCounter, 'count'>
