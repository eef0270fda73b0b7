import type { Page } from '@authstate/spi'
import { type Column, type Format, jsonLinesOf, jsonOf, tableOf } from './output.js'
import type { Surroundings } from './surroundings.js'

/** Options of a command that lists. */
export interface ListingOptions extends Format {
  readonly cursor?: string
  readonly all?: boolean
}

/** What is listed. */
export interface Listing<T> {
  readonly pageAt: (cursor: string | undefined) => Promise<Page<T>>
  readonly columnsAt: (now: number) => readonly Column<T>[]
  /** Said where there is nothing. */
  readonly none: string
  /** Said below a table. */
  readonly belowTable?: string | undefined
  /** Said whatever the form is. */
  readonly remark?: string | undefined
}

/** Prints one page, or all of them: as a table, as one JSON object, or as an object in each line. */
export async function printListing<T>(
  { stdout, stderr, now }: Surroundings,
  options: ListingOptions,
  { pageAt, columnsAt, none, belowTable = '', remark = '' }: Listing<T>,
): Promise<void> {
  const rows: T[] = []
  let { cursor } = options
  do {
    const page = await pageAt(cursor)
    cursor = page.cursor
    if (options.jsonl) stdout.write(jsonLinesOf(page.items))
    else rows.push(...page.items)
  } while (options.all && cursor !== undefined)
  if (options.json) stdout.write(jsonOf({ items: rows, ...(cursor !== undefined && { cursor }) }))
  else if (!options.jsonl) {
    if (rows.length > 0) stdout.write(tableOf(rows, columnsAt(now()), stdout))
    else stderr.write(`${none}\n`)
    if (belowTable !== '') stderr.write(belowTable)
  }
  if (remark !== '') stderr.write(remark)
  if (cursor !== undefined && !options.json) stderr.write(`more: --cursor ${cursor}\n`)
}
