import { hash } from 'node:crypto'
import { isExpired, type PagePosition } from '@authstate/spi'
import type { TokenData, UseCount } from './contract.js'

/** A token that was checked. */
export interface TokenDraft {
  /** Ms since the epoch. */
  readonly expiresAt: number
  /** An object as JSON. Never looked into by a store. */
  readonly data: string
  /** `''` for none. */
  readonly family: string
  /** `''` for none. */
  readonly subject: string
}

/** How a token was redeemed. */
export interface Consumption {
  /** Ms since the epoch. */
  readonly at: number
  /** The name that the caller gave to this try; `''` for none, which no other try shares. */
  readonly attempt: string
  /** How long the same attempt is honoured, ms since the epoch; `undefined`: as long as the token lives. */
  readonly graceUntil: number | undefined
  /** What takes the token's place; `''` for nothing. */
  readonly successor: string
}

/** A token as a store keeps it. */
export interface StoredToken extends TokenDraft {
  /** Absent while it can still be consumed. */
  readonly consumption?: Consumption | undefined
}

/** An attempt to redeem a token. */
export interface Attempt {
  /** `''` for none. */
  readonly name: string
  /** See {@link Consumption.graceUntil}. */
  readonly graceUntil: number | undefined
  /** See {@link Consumption.successor}. */
  readonly successor: string
  readonly now: number
  /** A token that ended then or before counts as unknown: now, less `readGraceMs`. */
  readonly goneBy: number
}

/** What a store answers to an attempt. The token is as it was before. */
export type AttemptReply =
  /** `successor` is that of the first time, `''` for none. Absent where this is the first time. */
  | { readonly outcome: 'consumed'; readonly token: TokenDraft; readonly successor?: string }
  | { readonly outcome: 'used'; readonly token: TokenDraft; readonly consumedAt: number }
  | { readonly outcome: 'expired' }
  | { readonly outcome: 'unknown' }
  /** There is something that another version wrote, or somebody else. */
  | { readonly outcome: 'unreadable' }

/** What an attempt leads to. */
export interface AttemptStep {
  readonly reply: AttemptReply
  /** To be kept with the token in the same step. Absent where nothing changes. */
  readonly consumption?: Consumption
}

/**
 * What an attempt to redeem a token comes to: the first one redeems it, the same one may be repeated within its grace, and
 * every other one is a replay.
 */
export function applyAttempt(token: StoredToken | undefined, attempt: Attempt): AttemptStep {
  const { name, graceUntil, successor, now, goneBy } = attempt
  if (token === undefined || isExpired(token.expiresAt, goneBy)) return { reply: { outcome: 'unknown' } }
  if (isExpired(token.expiresAt, now)) return { reply: { outcome: 'expired' } }
  const { consumption } = token
  if (consumption === undefined) {
    return {
      reply: { outcome: 'consumed', token },
      consumption: { at: now, attempt: name, graceUntil, successor },
    }
  }
  const honoured = consumption.graceUntil === undefined || !isExpired(consumption.graceUntil, now)
  return name !== '' && name === consumption.attempt && honoured
    ? { reply: { outcome: 'consumed', token, successor: consumption.successor } }
    : { reply: { outcome: 'used', token, consumedAt: consumption.at } }
}

/**
 * Whether a token may be stored where there is this one: never in place of one that was consumed and has not expired.
 *
 * @param onlyAbsent Nor in place of one that can still be consumed.
 */
export function mayReplace(before: StoredToken | undefined, now: number, onlyAbsent: boolean): boolean {
  if (before === undefined || isExpired(before.expiresAt, now)) return true
  return !onlyAbsent && before.consumption === undefined
}

/** What a listing of tokens is asked for. */
export interface Listed {
  /** `undefined`: of every kind. */
  readonly kind: string | undefined
  /** Also those that were consumed. */
  readonly consumed: boolean
}

/** Whether a token, which is about the subject, is one of those that a listing shows. */
export function isListed(kind: string, token: StoredToken, listed: Listed, now: number): boolean {
  if (isExpired(token.expiresAt, now)) return false
  return (listed.kind ?? kind) === kind && (listed.consumed || token.consumption === undefined)
}

/** Where a token comes in a listing: by its end, then by what says nothing of its key, which may be a bearer's. */
export function positionOf(kind: string, key: string, expiresAt: number): PagePosition {
  return { score: expiresAt, id: hash('sha256', JSON.stringify([kind, key]), 'base64url').slice(0, 8) }
}

/** What one more try comes to. @param before What was counted, if anything was. */
export function countedUse(before: UseCount | undefined, windowMs: number, now: number): UseCount {
  return before === undefined || isExpired(before.resetsAt, now)
    ? { count: 1, resetsAt: now + windowMs }
    : { count: before.count + 1, resetsAt: before.resetsAt }
}

/** `undefined` for what this version cannot read. */
export function decodeData(text: string): TokenData | undefined {
  try {
    const data: unknown = JSON.parse(text)
    return typeof data === 'object' && data !== null && !Array.isArray(data) ? (data as TokenData) : undefined
  } catch {
    return undefined
  }
}
