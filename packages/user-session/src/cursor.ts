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

export function encodeCursor({ score, id }: Place): string {
  return Buffer.from(`${score}:${id}`).toString('base64url')
}

/** @throws {TypeError} it is none of ours. */
export function decodeCursor(cursor: string | undefined): Place {
  if (cursor === undefined) return START
  const [, score, id] = /^(\d{1,16}):([\w-]{24})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (score === undefined || id === undefined)
    throw new TypeError('"page.cursor" must be the cursor of a page')
  return { score: Number(score), id }
}
