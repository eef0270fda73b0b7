import { assertInteger, assertName, type Page, type PageOptions } from '@authstate/spi'
import { MAX_PAGE_SIZE } from '@authstate/spi/internal'
import { KINDS, type SessionKind } from './references.js'

/** Rows of a page when nothing else is asked for. */
export const DEFAULT_LIMIT = 50

/** A place in a listing of several kinds: in the listing of one of them. */
interface Place {
  readonly kind: SessionKind
  readonly cursor?: string
}

type ListOf<T> = (kind: SessionKind, page: PageOptions) => Promise<Page<T>>

/**
 * One page over several kinds, one kind after the other.
 *
 * @throws {TypeError | RangeError} `limit` or `cursor` is none
 */
export async function pageOver<T>(
  kinds: readonly SessionKind[],
  { limit = DEFAULT_LIMIT, cursor }: PageOptions,
  list: ListOf<T>,
): Promise<Page<T>> {
  assertInteger(limit, 'options.limit', 1, MAX_PAGE_SIZE)
  let place = cursor === undefined ? undefined : decode(cursor, kinds)
  const items: T[] = []
  for (const kind of kinds.slice(place === undefined ? 0 : kinds.indexOf(place.kind))) {
    if (items.length === limit) return { items, cursor: encode({ kind }) }
    const page = await list(kind, { limit: limit - items.length, cursor: place?.cursor })
    items.push(...page.items)
    if (page.cursor !== undefined) return { items, cursor: encode({ kind, cursor: page.cursor }) }
    place = undefined
  }
  return { items }
}

const encode = ({ kind, cursor = '' }: Place): string => `${KINDS.indexOf(kind)}.${cursor}`

function decode(text: string, kinds: readonly SessionKind[]): Place {
  assertName(text, 'options.cursor')
  const [, digit = '', cursor = ''] = /^(\d)\.([\w-]*)$/.exec(text) ?? []
  const kind = KINDS[Number(digit || '-1')]
  if (kind === undefined || !kinds.includes(kind)) {
    throw new TypeError('"options.cursor" must be the cursor of a page of the same listing')
  }
  return { kind, ...(cursor !== '' && { cursor }) }
}
