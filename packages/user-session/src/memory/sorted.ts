import { comparePositions, type PagePosition } from '@authstate/spi'
import type { StoredSession } from '../stored.js'

/** A session in a listing, by an end that it had when it was put there. */
export interface Entry extends PagePosition {
  readonly session: StoredSession
}

/** Entries of one chunk at most: as many as are moved when one comes or goes. */
const CHUNK = 512

/** Behind every id of ours. */
const LAST = '~'

/**
 * Sessions in the order of a listing, soonest to end first. However many there are, one comes, goes and is found in a few
 * steps, and they are counted by the chunk.
 */
export class SortedSessions {
  readonly #chunks: Entry[][] = []
  /** Chunks that a walk is still to see as they are: one is copied before it changes. */
  #walked: Set<Entry[]> | undefined

  get isEmpty(): boolean {
    return this.#chunks.length === 0
  }

  add(entry: Entry): void {
    const at = Math.max(this.#chunkOf(entry), 0)
    if (this.#chunks.length === 0) {
      this.#chunks.push([entry])
      return
    }
    const chunk = this.#changeable(at)
    chunk.splice(rankIn(chunk, entry), 0, entry)
    if (chunk.length > CHUNK) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK / 2))
  }

  delete(entry: Entry): void {
    const at = this.#chunkOf(entry)
    const chunk = this.#chunks[at]
    const rank = chunk ? rankIn(chunk, entry) - 1 : -1
    if (chunk?.[rank] !== entry) return
    if (chunk.length > 1) {
      this.#changeable(at).splice(rank, 1)
      return
    }
    this.#walked?.delete(chunk)
    this.#chunks.splice(at, 1)
  }

  /** The first behind a place. */
  behind(place: PagePosition, limit: number): Entry[] {
    const found: Entry[] = []
    for (let at = Math.max(this.#chunkOf(place), 0); at < this.#chunks.length && found.length < limit; at++) {
      const chunk = this.#chunks[at] as Entry[]
      const from = found.length > 0 ? 0 : rankIn(chunk, place)
      for (let rank = from; rank < chunk.length && found.length < limit; rank++)
        found.push(chunk[rank] as Entry)
    }
    return found
  }

  /** The first of those that end at an instant or before. */
  over(now: number, limit: number): StoredSession[] {
    const found: StoredSession[] = []
    for (const chunk of this.#chunks) {
      for (const { score, session } of chunk) {
        if (score > now || found.length === limit) return found
        found.push(session)
      }
    }
    return found
  }

  /** How many end after an instant. */
  countAfter(now: number): number {
    const place = { score: now, id: LAST }
    const first = Math.max(this.#chunkOf(place), 0)
    let count = 0
    for (let at = first; at < this.#chunks.length; at++) count += (this.#chunks[at] as Entry[]).length
    const chunk = this.#chunks[first]
    return chunk === undefined ? 0 : count - rankIn(chunk, place)
  }

  /**
   * Those that end after an instant, as they are now: sessions may come and go while they are walked. Nothing is copied
   * here but the list of the chunks.
   */
  after(now: number): Iterable<StoredSession> {
    const first = Math.max(this.#chunkOf({ score: now, id: LAST }), 0)
    const chunks = this.#chunks.slice(first)
    this.#walked = new Set(this.#chunks)
    return sessionsOf(chunks, now)
  }

  /** A chunk to change. Walks go on with the one that was there. */
  #changeable(at: number): Entry[] {
    const chunk = this.#chunks[at] as Entry[]
    if (!this.#walked?.delete(chunk)) return chunk
    const copy = [...chunk]
    this.#chunks[at] = copy
    return copy
  }

  /** The chunk in which an entry of this place is, or comes; -1: before all. */
  #chunkOf(place: PagePosition): number {
    let [low, high] = [0, this.#chunks.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const first = (this.#chunks[middle] as Entry[])[0] as Entry
      if (comparePositions(first, place) <= 0) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

function* sessionsOf(chunks: readonly (readonly Entry[])[], now: number): Generator<StoredSession> {
  for (const chunk of chunks) {
    for (const entry of chunk) if (entry.score > now) yield entry.session
  }
}

/** How many entries of a chunk are at a place or before. */
function rankIn(chunk: readonly Entry[], place: PagePosition): number {
  let [low, high] = [0, chunk.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (comparePositions(chunk[middle] as Entry, place) <= 0) low = middle + 1
    else high = middle
  }
  return low
}
