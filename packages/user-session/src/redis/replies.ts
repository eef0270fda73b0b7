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

/** An expired session, as the sweep finds it and is told to take it away; links and place are as in the scripts. */
export type Found = readonly [id: string, links: string, clients: Flat, place: string]

export const endedOf = ([id, user, clients]: RawEnded): Ended => ({ id, user, clients })
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
