import type {
  Operations,
  SessionDetails,
  SessionKind,
  SessionRow,
  SessionTarget,
} from '@authstate/operations'
import { wholeNumber } from '../arguments.js'
import type { CommonOptions, Context } from '../commands/context.js'
import type { SessionEndOptions, SessionListOptions } from '../commands/sessions.js'
import { confirm } from '../confirm.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { printListing } from '../listing.js'
import { type Column, counted, instant, jsonOf, plain, relative, tableOf } from '../output.js'
import { withOperations } from './deployment.js'

const KINDS: readonly string[] = ['online', 'offline', 'web'] satisfies SessionKind[]

/** Services that keep sessions. */
const SERVING = ['user-session', 'web-session']

export async function list(context: Context, realm: string, options: SessionListOptions): Promise<void> {
  const { user: userId, client: clientId, kind: kinds = KINDS } = options
  const wrong = kinds.find((kind) => !KINDS.includes(kind))
  if (wrong !== undefined)
    throw new CommandError(
      EXIT.configuration,
      `--kind must be one of ${KINDS.join(', ')}, got ${JSON.stringify(wrong)}`,
    )
  const filter = {
    userId,
    clientId,
    kinds: kinds as SessionKind[],
    limit: wholeNumber(options.limit ?? '50', '--limit', 1),
  }
  await withOperations(context, options, SERVING, ({ sessions, hasReferences }) =>
    printListing<SessionRow>(context.surroundings, options, {
      pageAt: (cursor) => sessions.list(realm, { ...filter, cursor }),
      columnsAt,
      none: 'no sessions',
      belowTable: hasReferences
        ? undefined
        : 'no references: the configuration has no keyring, so none can be named to `show` and `end --ref`\n',
    }),
  )
}

const columnsAt = (now: number): readonly Column<SessionRow>[] => [
  { title: 'KIND', of: ({ kind }) => kind },
  { title: 'USER', of: ({ userId }) => userId },
  { title: 'STARTED', of: ({ startedAt }) => relative(startedAt, now) },
  { title: 'LAST SEEN', of: ({ lastSeenAt }) => relative(lastSeenAt, now) },
  { title: 'EXPIRES', of: ({ expiresAt }) => relative(expiresAt, now) },
  { title: 'CLIENTS', of: ({ clientIds }) => clientIds.join(', '), canShrink: true },
  { title: 'REFERENCE', of: ({ reference }) => reference },
]

export async function show(
  context: Context,
  realm: string,
  reference: string,
  options: CommonOptions,
): Promise<void> {
  const { stdout, now } = context.surroundings
  await withOperations(context, options, SERVING, async ({ sessions }) => {
    const session = await sessions.show(realm, reference)
    if (session === undefined) throw new CommandError(EXIT.nothing, 'no living session has this reference')
    stdout.write(options.json ? jsonOf(session) : detailsOf(session, now()))
  })
}

function detailsOf(session: SessionDetails, now: number): string {
  const time = (at: number) => `${instant(at)} (${relative(at, now)})`
  const { kind, userId, username, ipAddress, startedAt, lastSeenAt, expiresAt, clients, noteNames, state } =
    session
  const rows = [
    ['kind', kind],
    ['user', userId],
    ['name', username],
    ['address', ipAddress],
    ['started', time(startedAt)],
    ['last seen', time(lastSeenAt)],
    ['expires', time(expiresAt)],
    ['state', state],
    ['notes', noteNames.join(', ')],
    ...clients.map((client) => [
      'client',
      `${client.clientId}, last seen ${relative(client.lastSeenAt, now)}, expires ${relative(client.expiresAt, now)}`,
    ]),
  ].filter(([, value]) => value !== undefined && value !== '')
  return rows.map(([name = '', value = '']) => `${name.padEnd(10)}  ${plain(value)}\n`).join('')
}

export async function count(
  context: Context,
  realm: string,
  options: CommonOptions & { byClient?: boolean },
): Promise<void> {
  const { stdout } = context.surroundings
  await withOperations(context, options, [...SERVING, 'auth-session'], async ({ sessions }) => {
    if (!options.byClient) {
      const [counts, logins] = await Promise.all([sessions.count(realm), sessions.countLogins(realm)])
      const { online, offline, web } = counts
      const text = `online ${online}, offline ${offline}, web ${web}; logins under way ${logins}\n`
      stdout.write(options.json ? jsonOf({ ...counts, logins }) : text)
      return
    }
    const clients = await sessions.countByClient(realm)
    const columns: Column<(typeof clients)[number]>[] = [
      { title: 'CLIENT', of: ({ clientId }) => clientId, canShrink: true },
      { title: 'ONLINE', of: ({ online }) => `${online}` },
      { title: 'OFFLINE', of: ({ offline }) => `${offline}` },
    ]
    stdout.write(options.json ? jsonOf({ clients }) : tableOf(clients, columns, stdout))
  })
}

/** What the options say is to end. @throws {CommandError} not one thing */
function targetOf({ ref, user, client, all, except }: SessionEndOptions): SessionTarget {
  if ([ref, user, client, all].filter((given) => given !== undefined).length !== 1) {
    throw new CommandError(
      EXIT.usage,
      'give one of --ref, --user, --client and --all: which sessions are to end?',
    )
  }
  if (except !== undefined && user === undefined) throw new CommandError(EXIT.usage, '--except needs --user')
  if (ref !== undefined) return { references: ref }
  if (user !== undefined) return { userId: user, except }
  return client === undefined ? { all: true } : { clientId: client }
}

const named = (target: SessionTarget, realm: string): string => {
  if ('references' in target) return `end ${counted(target.references.length, 'session')} of ${realm}`
  if ('userId' in target)
    return `end the sessions of user ${target.userId} in ${realm}${target.except ? ' but for one' : ''}`
  return 'clientId' in target
    ? `end the sessions at client ${target.clientId} in ${realm}`
    : `end every session of ${realm}`
}

export async function end(context: Context, realm: string, options: SessionEndOptions): Promise<void> {
  const { surroundings } = context
  const target = targetOf(options)
  const isWide = !('references' in target) && !('userId' in target)
  await confirm(options, surroundings, named(target, realm), isWide ? realm : undefined)
  let before: number | undefined
  const work = async (operations: Operations) => {
    if (options.dryRun) {
      const found = await countOf(operations, realm, target)
      surroundings.stdout.write(options.json ? jsonOf({ found }) : `would end ${counted(found, 'session')}\n`)
      if (found === 0) context.end(EXIT.nothing)
      return
    }
    if (isWide) before = await countOf(operations, realm, target)
    const { ended, unknown } = await operations.sessions.end(realm, target, {
      onProgress: progressTo(surroundings),
    })
    const rest = unknown > 0 ? `, ${counted(unknown, 'reference')} without a living session` : ''
    surroundings.stdout.write(
      options.json ? jsonOf({ ended, unknown }) : `${counted(ended, 'session')} ended${rest}\n`,
    )
    if (ended === 0) context.end(EXIT.nothing)
  }
  await withOperations(context, options, [...SERVING, 'audit'], work, async (operations) => {
    const left = await countOf(operations, realm, target)
    return before === undefined
      ? `${counted(left, 'session')} left`
      : `${Math.max(before - left, 0)} of ${counted(before, 'session')} had ended, ${left} were left`
  })
}

/** How many sessions a target names now. */
async function countOf({ sessions }: Operations, realm: string, target: SessionTarget): Promise<number> {
  if ('references' in target) {
    const shown = await Promise.all(target.references.map((reference) => sessions.show(realm, reference)))
    return shown.filter((session) => session !== undefined).length
  }
  if ('all' in target) {
    const { online, offline, web } = await sessions.count(realm)
    return online + offline + web
  }
  if ('clientId' in target) {
    const clients = await sessions.countByClient(realm)
    const found = clients.find(({ clientId }) => clientId === target.clientId)
    return (found?.online ?? 0) + (found?.offline ?? 0)
  }
  let found = 0
  let cursor: string | undefined
  do {
    const page = await sessions.list(realm, { userId: target.userId, limit: 100, cursor })
    found += page.items.length
    cursor = page.cursor
  } while (cursor !== undefined)
  return target.except === undefined ? found : Math.max(found - 1, 0)
}

/** A line that is written over itself while something takes longer than a second. */
function progressTo({ stderr, interrupted }: Context['surroundings']) {
  if (!stderr.isTerminal) return undefined
  return (left: number, before: number) => {
    const done = Math.max(before - left, 0)
    const share = before === 0 ? 1 : done / before
    const bar = '='.repeat(Math.round(share * 20)).padEnd(20)
    const hint = interrupted.aborted ? '' : '  Ctrl-C stops'
    stderr.write(`\r${done} of ${before} ended [${bar}]${hint}\x1b[K${done === before ? '\n' : ''}`)
  }
}
