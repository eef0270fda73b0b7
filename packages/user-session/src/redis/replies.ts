// What the scripts answer, and how it is read.

/** A session that ended, as the scripts answer it. */
export interface Ended {
  readonly id: string
  /** Escaped; empty when it could not be read any more. */
  readonly user: string
  /** Escaped. */
  readonly clients: readonly string[]
}

/** A place in an index to go on behind; `undefined` at its end. */
export interface ScriptPlace {
  readonly score: string
  readonly id: string
}

export type Flat = readonly string[]
export type RawEnded = readonly [id: string, user: string, clients: Flat]

export const endedOf = ([id, user, clients]: RawEnded): Ended => ({ id, user, clients })

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

const decodedEnded = ([id, user, clients]: EncodedEnded): Ended => ({
  id,
  user,
  clients: Array.isArray(clients) ? (clients as Flat) : [],
})

/** Sessions that ended, many at once. */
export const endedIn = (text: string): readonly Ended[] =>
  (JSON.parse(text) as readonly EncodedEnded[]).map(decodedEnded)

/** Expired sessions of a realm, as the sweep finds them. The text is what it is sent back to take them away. */
export function foundIn(text: string): { readonly place: string; readonly ended: readonly Ended[] } {
  const [place, sessions] = JSON.parse(text) as readonly [place: string, sessions: readonly EncodedFound[]]
  return {
    place,
    ended: sessions.map(([id, links, clients]) => decodedEnded([id, links.replace(/:.*/s, ''), clients])),
  }
}

/** User, broker session and broker user are the links; behind the clients are the times as they are stored. */
type EncodedFound = readonly [id: string, links: string, clients: EncodedEnded[2], times: string]

export const placeOf = (score: string, id: string): ScriptPlace | undefined =>
  id === '' ? undefined : { score, id }
export const flatOrRefusal = (reply: unknown): Flat | string | undefined =>
  (reply as Flat | string | null) ?? undefined

/** A decision on a refresh token. */
export interface RawRotation {
  readonly outcome: 'rotated' | 'reused' | 'stale' | 'foreign' | 'gone'
  /** Escaped. */
  readonly successor: string
}

export const rotationOf = (reply: unknown): RawRotation => {
  const [outcome, successor = ''] = reply as [RawRotation['outcome'], string?]
  return { outcome, successor }
}
