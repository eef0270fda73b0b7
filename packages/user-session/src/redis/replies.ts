// What the scripts answer, and how it is read.

import type { RefusalReason } from '../contract.js'

/** A session that ended, as the scripts answer it. */
export interface Ended {
  readonly id: string
  /** Escaped; empty when it could not be read any more. */
  readonly user: string
  /** Escaped. */
  readonly clients: readonly string[]
  /** Of its record, with its notes, where they were asked for. */
  readonly data?: string | undefined
}

/** Where to go on in an index: behind this entry; `undefined` at its end. */
export interface ScriptCursor {
  readonly score: string
  readonly id: string
}

export type Flat = readonly string[]
export type RawEnded = readonly [id: string, user: string, clients: Flat, data?: string]

export const endedOf = ([id, user, clients, data]: RawEnded): Ended => ({ id, user, clients, data })

/** A session that ended to make room, by its twin: u or o. */
export type RawLimited = readonly [twin: 'u' | 'o', ended: RawEnded]

/** A session that a limit ended. */
export interface Limited {
  readonly offline: boolean
  readonly ended: Ended
}

export const limitedOf = ([twin, ended]: RawLimited): Limited => ({
  offline: twin === 'o',
  ended: endedOf(ended),
})

/** A record or why there is none, and what ended to make room. */
export interface LimitedReply {
  readonly record: Flat | string | undefined
  readonly ended: readonly Limited[]
}

export const limitedRecord = (reply: unknown): LimitedReply => {
  const [record, ...ended] = reply as [(Flat | string | null)?, ...RawLimited[]]
  return { record: record ?? undefined, ended: ended.map(limitedOf) }
}

/** As JSON, in which an empty list of clients is an empty object: Lua does not tell them apart. */
type EncodedEnded = readonly [id: string, user: string, clients: Flat | Readonly<Record<string, never>>]

const decodedEnded = ([id, user, clients]: EncodedEnded, data: string | undefined): Ended => ({
  id,
  user,
  clients: Array.isArray(clients) ? (clients as Flat) : [],
  data,
})

/** Sessions that ended, many at once, with the data of each or of none. */
export const endedIn = (text: string, data: Flat): readonly Ended[] =>
  (JSON.parse(text) as readonly EncodedEnded[]).map((ended, index) => decodedEnded(ended, data[index]))

/**
 * Expired sessions of a realm, as the sweep finds them, with the data of each or of none. The text is what it is sent back to
 * take them away.
 */
export function foundIn(
  text: string,
  data: Flat,
): { readonly place: string; readonly ended: readonly Ended[] } {
  const [place, sessions] = JSON.parse(text) as readonly [place: string, sessions: readonly EncodedFound[]]
  return {
    place,
    ended: sessions.map(([id, links, clients], index) =>
      decodedEnded([id, links.replace(/:.*/s, ''), clients], data[index]),
    ),
  }
}

/** User, broker session and broker user are the links; behind the clients are the times as they are stored. */
type EncodedFound = readonly [id: string, links: string, clients: EncodedEnded[2], times: string]

export const cursorOf = (score: string, id: string): ScriptCursor | undefined =>
  id === '' ? undefined : { score, id }
export const flatOrRefusal = (reply: unknown): Flat | string | undefined =>
  (reply as Flat | string | null) ?? undefined

/** A decision on a refresh token. */
export interface RawRotation {
  readonly outcome: 'rotated' | 'reused' | 'stale' | 'foreign' | 'gone'
  /** Escaped. */
  readonly successor: string
  /** The client whose client session ended, escaped, if there is a listener. */
  readonly user: string
}

export const rotationOf = (reply: unknown): RawRotation => {
  const [outcome, successor = '', user = ''] = reply as [RawRotation['outcome'], string?, string?]
  return { outcome, successor, user }
}

/** A session of which a client session ended. */
export interface Detached {
  readonly id: string
  /** Escaped; empty when it could not be read any more. */
  readonly user: string
}

/** Behind how many ended: id and user of each, if there is a listener. */
export const detachedIn = (flat: Flat): readonly Detached[] =>
  flat.flatMap((id, index) => (index % 2 === 0 ? [{ id, user: flat[index + 1] ?? '' }] : []))

/** A session that restarted, and the clients, escaped, whose client sessions ended, if there is a listener. */
export function restartedOf(reply: unknown): LimitedReply & { readonly clients: Flat } {
  const { record, ended } = limitedRecord(reply)
  const clients: unknown = typeof record === 'object' ? record.at(-1) : undefined
  return Array.isArray(clients)
    ? { record: record?.slice(0, -1), ended, clients }
    : { record, ended, clients: [] }
}

/** Whether a client session ended, its client if there is a listener, and the session that ended with it. */
export const detachedOf = (reply: unknown) => {
  if (reply === null) return { removed: false }
  const fields = reply as RawEnded | readonly [user?: string]
  return fields.length > 1
    ? { removed: true, ended: endedOf(fields as RawEnded) }
    : { removed: true, user: fields[0] }
}

/** What became of an offline copy. */
export const offlineOf = (reply: unknown) => {
  const [outcome, ...rest] = reply as [string, ...unknown[]]
  if (outcome === 'unknown') return { outcome, clients: rest as string[] } as const
  if (outcome === 'gone') return { outcome } as const
  if (outcome === 'more') {
    return { outcome, ended: (rest as RawLimited[]).map(limitedOf) } as const
  }
  if (outcome === 'refused') return { outcome, reason: rest[0] as RefusalReason } as const
  const [values, expired, ...ended] = rest as [Flat, RawEnded | null, ...RawLimited[]]
  return {
    outcome: outcome as 'created' | 'refreshed',
    values,
    expired: expired ? endedOf(expired) : undefined,
    ended: ended.map(limitedOf),
  } as const
}
