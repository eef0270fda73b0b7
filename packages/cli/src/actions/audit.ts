import type { AuditEntry, AuditFilter } from '@authstate/audit'
import { instantOf, wholeNumber } from '../arguments.js'
import type { AuditOptions, TailOptions } from '../commands/audit.js'
import type { Context } from '../commands/context.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { type Column, counted, instant, jsonLinesOf, jsonOf, plain, tableOf } from '../output.js'
import { withOperations } from './deployment.js'

const NEEDED = ['audit']
const PAGE = 1_000

/** The last lines, and those that come. */
export async function tail(context: Context, options: TailOptions): Promise<void> {
  const { stdout, stderr, interrupted } = context.surroundings
  const lines = wholeNumber(options.lines ?? '20', '--lines', 1)
  if (lines > PAGE) throw new CommandError(EXIT.usage, `--lines must be 1 to ${PAGE}`)
  if (options.follow && options.json)
    throw new CommandError(EXIT.usage, '--follow needs --jsonl: an endless list is not one JSON object')
  const filter = filterOf(options, context)
  let shown = 0
  const print = (entries: readonly AuditEntry[]) => {
    shown += entries.length
    if (options.jsonl) stdout.write(jsonLinesOf(entries))
    else if (options.json) stdout.write(jsonOf({ items: entries }))
    else if (options.follow) stdout.write(entries.map(lineOf).join(''))
    else if (entries.length > 0) stdout.write(tableOf(entries, COLUMNS, stdout))
    else stderr.write('no lines\n')
  }
  await withOperations(
    context,
    { ...options, readsAudit: true },
    NEEDED,
    async ({ audit }) => {
      if (!options.follow) return print(await lastOf(audit, filter, lines))
      // Before the last ones are read, so that none falls between: one that comes twice is shown once.
      const coming = audit.follow(filter, interrupted)[Symbol.asyncIterator]()
      let next = coming.next()
      const last = await lastOf(audit, filter, lines)
      print(last)
      const seen = new Set(last.map(keyOf))
      for (let { value, done } = await next; done !== true; { value, done } = await next) {
        if (!seen.delete(keyOf(value))) print([value])
        next = coming.next()
      }
    },
    async () => `${counted(shown, 'line')} shown`,
  )
}

/** All lines. */
export async function exportLines(context: Context, options: AuditOptions): Promise<void> {
  const { stdout, stderr } = context.surroundings
  const filter = filterOf(options, context)
  await withOperations(context, { ...options, readsAudit: true }, NEEDED, async ({ audit }) => {
    const all: AuditEntry[] = []
    let count = 0
    let cursor: string | undefined
    do {
      const page = await audit.read({ ...filter, first: 'oldest', limit: PAGE, cursor })
      count += page.items.length
      if (options.json) all.push(...page.items)
      else stdout.write(jsonLinesOf(page.items))
      cursor = page.cursor
    } while (cursor !== undefined)
    if (options.json) stdout.write(jsonOf({ items: all }))
    stderr.write(`${counted(count, 'line')}\n`)
  })
}

type Audit = Parameters<Parameters<typeof withOperations>[3]>[0]['audit']

/** The last lines that a filter takes, the oldest of them first. */
async function lastOf(audit: Audit, filter: AuditFilter, most: number): Promise<AuditEntry[]> {
  const found: AuditEntry[] = []
  let cursor: string | undefined
  do {
    const page = await audit.read({ ...filter, limit: most - found.length, cursor })
    found.push(...page.items)
    cursor = page.cursor
  } while (cursor !== undefined && found.length < most)
  return found.reverse()
}

const ONLY = ['actions', 'trail'] as const

function filterOf({ since, realm, user, event, only }: AuditOptions, { surroundings }: Context): AuditFilter {
  const chosen = ONLY.find((known) => known === only)
  if (only !== undefined && chosen === undefined)
    throw new CommandError(
      EXIT.configuration,
      `--only must be one of ${ONLY.join(', ')}, got ${JSON.stringify(only)}`,
    )
  if (user !== undefined && realm === undefined)
    throw new CommandError(EXIT.usage, '--user needs --realm: the name of a user belongs to a realm')
  return {
    ...(since !== undefined && { since: instantOf(since, surroundings.now()) }),
    ...(realm !== undefined && { realm }),
    ...(event !== undefined && { events: event }),
    ...(chosen !== undefined && { only: chosen }),
    ...(user !== undefined && { record: { kind: 'user', id: user } as const }),
  }
}

const keyOf = ({ id, outcome }: AuditEntry) => `${id} ${outcome}`

const resultOf = ({ outcome, count, reason, details }: AuditEntry): string =>
  [
    outcome,
    count,
    reason,
    ...Object.entries(details ?? {}).map(
      ([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : value}`,
    ),
  ]
    .filter((part) => part !== undefined)
    .join(' ')

const recordsOf = ({ records }: AuditEntry) => records.map(({ kind, name }) => `${kind} ${name}`).join(', ')

const whoOf = ({ actor }: AuditEntry) => actor && `${actor.name} (${actor.via})`

const COLUMNS: readonly Column<AuditEntry>[] = [
  { title: 'AT', of: ({ at }) => instant(at) },
  { title: 'EVENT', of: ({ event }) => event },
  { title: 'REALM', of: ({ realm }) => realm },
  { title: 'WHO', of: whoOf },
  { title: 'RESULT', of: resultOf },
  { title: 'RECORDS', of: recordsOf, canShrink: true },
]

/** A line of those that come later; the width of the next one is unknown. */
const lineOf = (entry: AuditEntry): string =>
  `${COLUMNS.flatMap(({ of }) => of(entry) || [])
    .map(plain)
    .join('  ')}\n`
