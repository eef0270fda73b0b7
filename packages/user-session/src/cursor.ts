/** A place in a listing: behind the entry with this score and id. */
export interface Place {
  readonly score: number
  readonly id: string
}

export const START: Place = { score: 0, id: '' }

/** Orders entries of a listing: soonest to end first, then by id. */
export function comparePlaces(a: Place, b: Place): number {
  if (a.score !== b.score) return a.score - b.score
  return a.id < b.id ? -1 : Number(a.id > b.id)
}

const VERSION = 2
const BYTES = 15

/**
 * Characters of an id that a cursor holds: they tell sessions apart that end in the same millisecond, and leave 78 random
 * bits of the id that nobody can know. A cursor often goes to a browser, and an id is a bearer's.
 */
const SHOWN = 8

/** Behind every id that begins with the same characters. */
const LAST = '~'

/** A place, as text that says nothing to those who read it and names no session. Good on every node. */
export function encodeCursor({ score, id }: Place): string {
  const bytes = Buffer.alloc(BYTES)
  bytes.writeUInt8(VERSION)
  bytes.writeBigUInt64BE(BigInt(score), 1)
  bytes.write(id.slice(0, SHOWN), 9, 'base64url')
  return bytes.toString('base64url')
}

/** @throws {TypeError} it is none of ours. */
export function decodeCursor(cursor: string | undefined): Place {
  if (cursor === undefined) return START
  const bytes = Buffer.from(cursor, 'base64url')
  const isOurs = bytes.length === BYTES && bytes[0] === VERSION && bytes.toString('base64url') === cursor
  const score = isOurs ? Number(bytes.readBigUInt64BE(1)) : Number.NaN
  if (!Number.isSafeInteger(score)) throw new TypeError('"page.cursor" must be the cursor of a page')
  return { score, id: bytes.toString('base64url', 9) + LAST }
}
