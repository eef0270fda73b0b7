/** What better-auth stores, by the form of its keys and values. */
import { hash } from 'node:crypto'
import { assertName, type JsonValue } from '@authstate/spi'

const LIST = 'active-sessions-'
const VERIFICATION = 'verification:'
/** When all sessions of a user were revoked. Asked for with every session. */
const REVOKED = 'revoked-sessions-before-'

/** What a key is about. */
export type Place =
  /** The list of a user's sessions. */
  | { readonly place: 'list'; readonly userId: string }
  /** Whatever else. `isToken`: it may be that of a session. `isKnown`: better-auth is known to store such a thing. */
  | {
      readonly place: 'value'
      readonly kind: 'verification' | 'data'
      readonly isToken: boolean
      readonly isKnown: boolean
    }

/** What a key is about. Session tokens are letters and digits: no colon. */
export function placeOf(key: string): Place {
  if (key.startsWith(LIST) && isName(key.slice(LIST.length)))
    return { place: 'list', userId: key.slice(LIST.length) }
  if (key.startsWith(VERIFICATION))
    return { place: 'value', kind: 'verification', isToken: false, isKnown: true }
  if (key.startsWith(REVOKED)) return { place: 'value', kind: 'data', isToken: false, isKnown: true }
  return { place: 'value', kind: 'data', isToken: isName(key) && !key.includes(':'), isKnown: false }
}

/** Name of a key of any length. What is in the store does not tell it: some keys are links of mails. */
export const nameOf = (key: string): string => hash('sha256', key, 'base64url')

/** Whose session it is that is stored under its own token; `undefined` for every other value. */
export function userOfSession(token: string, value: string): string | undefined {
  const { session } = (parsed(value) ?? {}) as { readonly session?: unknown }
  if (typeof session !== 'object' || session === null) return undefined
  const { token: own, userId } = session as { readonly token?: unknown; readonly userId?: unknown }
  if (own !== token || (typeof userId !== 'string' && typeof userId !== 'number')) return undefined
  const name = String(userId)
  return isName(name) ? name : undefined
}

/** One entry of the list of a user's sessions. */
export interface Listed {
  readonly token: string
  /** Ms since the epoch, by the clock of the host that computed it. */
  readonly expiresAt: number
}

/** Whether a value is a list as this version of better-auth writes it. */
export function isList(value: string): boolean {
  const list = parsed(value)
  return Array.isArray(list) && list.every(isListed)
}

/** A session as better-auth has it: its `ipAddress`, `userAgent`, times and own fields. */
export type SessionFields = Readonly<Record<string, JsonValue>>

/** The session of a value that {@link userOfSession} knows. */
export function sessionIn(value: unknown): SessionFields {
  const { session } = ((typeof value === 'string' && parsed(value)) || {}) as { readonly session?: unknown }
  return typeof session === 'object' && session !== null ? (session as SessionFields) : {}
}

/** When a session ends, as it says itself: by the clock of the host that computed it. */
export function endOf({ expiresAt }: SessionFields): number | undefined {
  const at = new Date(typeof expiresAt === 'string' || typeof expiresAt === 'number' ? expiresAt : Number.NaN)
  return Number.isFinite(at.getTime()) ? at.getTime() : undefined
}

function isListed(entry: unknown): entry is Listed {
  const { token, expiresAt } = (entry ?? {}) as Partial<Listed>
  return typeof token === 'string' && typeof expiresAt === 'number'
}

/** Whether the SPIs take it for an id. */
function isName(text: string): boolean {
  try {
    assertName(text, 'key')
    return true
  } catch {
    return false
  }
}

/** What a text says in JSON; `undefined` for every other. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
