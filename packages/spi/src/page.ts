import { assertInteger, assertName } from './assert.js'
import { assertSpelt, type Known } from './known.js'

/** Which part of a listing is asked for. */
export interface PageOptions {
  /** 1 to 100. @default 20 */
  readonly limit?: number | undefined
  /** `cursor` of the page before. */
  readonly cursor?: string | undefined
}

/** A part of a listing. */
export interface Page<T> {
  readonly items: readonly T[]
  /** Where the next page begins; absent on the last one. Opaque. */
  readonly cursor?: string
}

/** A position in a listing: behind the entry with this score and id. */
export interface PagePosition {
  readonly score: number
  readonly id: string
}

/** {@link PageOptions} that were checked. */
export interface CheckedPage {
  readonly limit: number
  /** The page begins behind it. */
  readonly after: PagePosition
}

/** Most entries of a page. */
export const MAX_PAGE_SIZE = 100

const DEFAULT_PAGE_SIZE = 20
const START: PagePosition = Object.freeze({ score: 0, id: '' })

const PAGE: Known<PageOptions> = { limit: true, cursor: true }

/**
 * Limit and cursor of a page, called `page` in messages. Other fields of the argument are the caller's to check.
 *
 * @throws {TypeError | RangeError} one of them is none, or is misspelt
 */
export function checkPage(page: PageOptions = {}): CheckedPage {
  assertSpelt<PageOptions>(page, 'page', PAGE)
  const { limit = DEFAULT_PAGE_SIZE, cursor }: { limit?: unknown; cursor?: unknown } = page
  assertInteger(limit, 'page.limit', 1, MAX_PAGE_SIZE)
  if (cursor === undefined) return { limit, after: START }
  assertName(cursor, 'page.cursor')
  return { limit, after: decodeCursor(cursor) }
}

/**
 * Every item of a listing, page by page: for listings that are known to be short, such as the sessions of a user.
 *
 * @param pageAt Asks for one page, such as `(page) => provider.list(realmId, page)`.
 */
export async function allItems<T>(pageAt: (page: PageOptions) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = []
  let cursor: string | undefined
  do {
    const page = await pageAt({ limit: MAX_PAGE_SIZE, cursor })
    items.push(...page.items)
    cursor = page.cursor
  } while (cursor !== undefined)
  return items
}

/** Orders entries of a listing: by score, then by id, byte by byte. */
export function comparePositions(a: PagePosition, b: PagePosition): number {
  if (a.score !== b.score) return a.score - b.score
  return a.id < b.id ? -1 : Number(a.id > b.id)
}

/** The first few of many positions of a listing, without an order of them all: for a page of what is in no order. */
export class FirstPositions<P extends PagePosition> {
  readonly #wanted: number
  #found: P[] = []

  /** @param wanted How many are kept: one more than a page shows says whether there is another. */
  constructor(wanted: number) {
    this.#wanted = wanted
  }

  /** Looks at one more position. */
  add(position: P): void {
    this.#found.push(position)
    if (this.#found.length >= 2 * this.#wanted) this.#found = this.inOrder()
  }

  /** Those that come first, in their order. */
  inOrder(): P[] {
    return this.#found.sort(comparePositions).slice(0, this.#wanted)
  }
}

const VERSION = 2
const BYTES = 15

/**
 * Characters of an id that a cursor holds. They distinguish records with the same score, and leave
 * 78 random bits of the id secret. A cursor often goes to a browser, and an id alone gives access.
 */
const SHOWN = 8

/** Behind every id that begins with the same characters. */
const LAST = '~'

/**
 * A position, as text that says nothing to those who read it and names no record. Good on every node.
 *
 * @param position Its score is a whole number from 0, its id one of `createIdMinter`.
 */
export function encodeCursor({ score, id }: PagePosition): string {
  const bytes = Buffer.alloc(BYTES)
  bytes.writeUInt8(VERSION)
  bytes.writeBigUInt64BE(BigInt(score), 1)
  bytes.write(id.slice(0, SHOWN), 9, 'base64url')
  return bytes.toString('base64url')
}

/** @throws {TypeError} it is none of ours */
export function decodeCursor(cursor: string): PagePosition {
  const bytes = Buffer.from(cursor, 'base64url')
  const isOurs = bytes.length === BYTES && bytes[0] === VERSION && bytes.toString('base64url') === cursor
  const score = isOurs ? Number(bytes.readBigUInt64BE(1)) : Number.NaN
  if (!Number.isSafeInteger(score)) throw new TypeError('"page.cursor" must be the cursor of a page')
  return { score, id: bytes.toString('base64url', 9) + LAST }
}
