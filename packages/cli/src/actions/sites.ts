import { setTimeout as pause } from 'node:timers/promises'
import type { Operations } from '@authstate/operations'
import { instantOf } from '../arguments.js'
import type { CommonOptions, Context } from '../commands/context.js'
import type {
  OfflineOptions,
  OnlineOptions,
  PushCommandOptions,
  PushesOptions,
  VerifyCommandOptions,
} from '../commands/sites.js'
import { confirm } from '../confirm.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { type Column, counted, jsonOf, plain, relative, tableOf } from '../output.js'
import { withOperations } from './deployment.js'

/** What is kept in step at least, so that the Redis of the site is reached. */
const NEEDED = ['user-session', 'audit']
const WAYS = ['both', 'out', 'in', 'none'] as const
const MODES = ['delta', 'full', 'mirror'] as const
const BETWEEN_LOOKS_MS = 250
/** After so long without a node that begins, it is said that none does. */
const NOBODY_MS = 15_000

type Sites = Operations['sites']
type Push = Awaited<ReturnType<Sites['push']>>
type NotedLink = Awaited<ReturnType<Sites['list']>>['links'][number]

const withSites = (context: Context, options: CommonOptions, work: (sites: Sites) => Promise<void>) =>
  withOperations(context, options, NEEDED, ({ sites }) => work(sites))

export const list = (context: Context, options: CommonOptions): Promise<void> =>
  withSites(context, options, async (sites) => {
    const { stdout, now } = context.surroundings
    const view = await sites.list()
    if (options.json) return void stdout.write(jsonOf(view))
    stdout.write(`this is ${view.site}\n`)
    stdout.write(tableOf(view.links, linkColumnsAt(now()), stdout))
  })

const linkColumnsAt = (now: number): readonly Column<NotedLink>[] => [
  { title: 'SITE', of: ({ to }) => to },
  { title: 'STATE', of: ({ state, reason }) => (reason === undefined ? state : `${state} (${reason})`) },
  { title: 'SINCE', of: ({ changedAt }) => (changedAt === undefined ? '' : relative(changedAt, now)) },
  { title: 'SEEN', of: ({ seenAt }) => (seenAt === undefined ? 'never' : relative(seenAt, now)) },
  { title: 'BEHIND', of: ({ behind }) => `${behind}` },
]

export async function offline(context: Context, site: string, options: OfflineOptions): Promise<void> {
  const { surroundings } = context
  await confirm(options, surroundings, `tell the site ${plain(site)} nothing more`)
  await withSites(context, options, async (sites) => {
    await known(sites, site)
    if (!options.dryRun) await sites.takeOffline(site)
    const said = options.dryRun
      ? `would tell ${site} nothing more`
      : `${site} is told nothing more; what changes is remembered`
    surroundings.stdout.write(options.json ? jsonOf({ site, isOffline: !options.dryRun }) : `${said}\n`)
  })
}

export async function online(context: Context, site: string, options: OnlineOptions): Promise<void> {
  const { stdout } = context.surroundings
  const push = oneOf(options.push, '--push', WAYS)
  await withSites(context, options, async (sites) => {
    await known(sites, site)
    const pushes = await sites.bringOnline(site, {
      ...(push !== undefined && { push }),
      ...(options.acceptResurrection && { acceptResurrection: true }),
    })
    if (options.json) return void stdout.write(jsonOf({ site, pushes }))
    stdout.write(`${site} is told again what changes, and what it missed\n`)
    for (const { id, from, to } of pushes) stdout.write(`${id}  ${from} tells ${to}\n`)
  })
}

export async function push(context: Context, site: string, options: PushCommandOptions): Promise<void> {
  const { surroundings } = context
  const { stdout, stderr, now } = surroundings
  const mode = oneOf(options.mode, '--mode', MODES)
  const since = options.since === undefined ? undefined : instantOf(options.since, now())
  if (mode === 'delta' && since === undefined)
    throw new CommandError(EXIT.usage, '--mode delta needs --since')
  if (since !== undefined && mode !== undefined && mode !== 'delta')
    throw new CommandError(EXIT.usage, `--since is for delta, not for ${mode}`)
  const [from, to] = options.pull ? [plain(site), 'this site'] : ['this site', plain(site)]
  if (mode === 'mirror')
    await confirm(
      options,
      surroundings,
      `make ${to} a mirror of ${from}, and remove what only ${to} knows`,
      site,
    )
  await withSites(context, options, async (sites) => {
    await known(sites, site)
    if (options.dryRun) {
      const what = {
        mode: mode ?? (since === undefined ? 'full' : 'delta'),
        ...(since !== undefined && { since }),
      }
      return void stdout.write(
        options.json ? jsonOf({ site, ...what }) : `would have ${to} told what ${from} holds: ${what.mode}\n`,
      )
    }
    const asked = await sites[options.pull ? 'pull' : 'push'](site, {
      ...(options.spi !== undefined && { spi: options.spi }),
      ...(mode !== undefined && { mode }),
      ...(since !== undefined && { since }),
    })
    const ended = options.wait ? await waited(context, sites, asked) : asked
    stdout.write(options.json ? jsonOf(ended) : pushText(ended))
    if (!options.wait) stderr.write('nodes of this site do it: authstate site pushes\n')
    else if (ended.status !== 'done') context.end(EXIT.findings)
  })
}

export const pushes = (context: Context, options: PushesOptions): Promise<void> =>
  withSites(context, options, async (sites) => {
    const { stdout, stderr, now } = context.surroundings
    const asked = (['cancel', 'pause', 'resume'] as const).filter((action) => options[action] !== undefined)
    const [action] = asked
    if (asked.length > 1) throw new CommandError(EXIT.usage, 'give one of --cancel, --pause and --resume')
    if (action !== undefined) {
      const push = await sites.controlPush(options[action] ?? '', action)
      if (push === undefined) throw new CommandError(EXIT.nothing, 'there is no such push')
      return void stdout.write(options.json ? jsonOf(push) : pushText(push))
    }
    const all = await sites.pushes({ active: options.active === true })
    if (options.json) return void stdout.write(jsonOf({ items: all }))
    if (all.length > 0) stdout.write(tableOf(all, pushColumnsAt(now()), stdout))
    else stderr.write('there is none\n')
  })

const pushColumnsAt = (now: number): readonly Column<Push>[] => [
  { title: 'ID', of: ({ id }) => id },
  { title: 'FROM', of: ({ from }) => from },
  { title: 'TO', of: ({ to }) => to },
  { title: 'WHAT', of: ({ mode, spi }) => (spi === 'all' ? mode : `${mode} ${spi}`) },
  { title: 'STATUS', of: ({ status }) => status },
  { title: 'PARTITIONS', of: ({ partitions: { done, total } }) => `${done}/${total}` },
  { title: 'LOOKED AT', of: ({ scanned }) => `${scanned}` },
  { title: 'TOLD', of: ({ sent }) => `${sent}` },
  { title: 'ASKED FOR', of: ({ askedAt }) => relative(askedAt, now) },
]

export async function verify(context: Context, site: string, options: VerifyCommandOptions): Promise<void> {
  const { surroundings } = context
  const { stdout } = surroundings
  if (options.repair)
    await confirm(
      options,
      surroundings,
      `tell this site and ${plain(site)} what each lacks, where they differ`,
    )
  await withSites(context, options, async (sites) => {
    await known(sites, site)
    const say = progressOn(context)
    const report = await sites.verify(
      site,
      { ...(options.spi !== undefined && { spi: options.spi }), repair: options.repair === true },
      { onProgress: say, signal: surroundings.interrupted },
    )
    if (options.json) stdout.write(jsonOf(report))
    else {
      const { differences, notCompared } = report
      if (differences.length > 0) stdout.write(tableOf(differences, DIFFERENCES, stdout))
      if (notCompared.length > 0) stdout.write(`not compared: ${notCompared.join(', ')}\n`)
      const { status, error, scanned } = report.push
      if (status !== 'done') stdout.write(`${status}${error === undefined ? '' : `: ${plain(error)}`}\n`)
      else if (differences.length === 0)
        stdout.write(`both hold the same; looked at ${counted(scanned, 'record')}\n`)
      else stdout.write(report.isEqual ? 'they hold the same now\n' : 'they differ\n')
    }
    if (!report.isEqual) context.end(EXIT.findings)
  })
}

const DIFFERENCES: readonly Column<Awaited<ReturnType<Sites['verify']>>['differences'][number]>[] = [
  { title: 'SERVICE', of: ({ spi }) => spi },
  { title: 'PARTITION', of: ({ partition }) => partition.toString(16).padStart(2, '0') },
  { title: 'HERE', of: ({ here }) => `${here}` },
  { title: 'THERE', of: ({ there }) => `${there}` },
  { title: 'PARTS', of: ({ parts }) => `${parts} of 256` },
  { title: 'REPAIRED', of: ({ isRepaired }) => (isRepaired ? 'yes' : 'no') },
]

async function waited(context: Context, sites: Sites, asked: Push): Promise<Push> {
  const say = progressOn(context)
  for (;;) {
    const push = (await sites.pushes()).find(({ id }) => id === asked.id) ?? asked
    if (!['queued', 'running'].includes(push.status)) return push
    say(push)
    await pause(BETWEEN_LOOKS_MS, undefined, { signal: context.surroundings.interrupted })
  }
}

/** Says on a terminal how far a push has come, and elsewhere, once, that no node does it. */
function progressOn({ surroundings: { stderr, now } }: Context): (push: Push) => void {
  let hasSaid = false
  return (push) => {
    if (stderr.isTerminal)
      stderr.write(
        `\r${push.partitions.done}/${push.partitions.total}, ${push.scanned} looked at, ${push.sent} told `,
      )
    if (hasSaid || push.status !== 'queued' || now() - push.askedAt < NOBODY_MS) return
    hasSaid = true
    stderr.write('no node of this site has begun: is one running that keeps sites in step?\n')
  }
}

function pushText(push: Push): string {
  const { id, from, to, mode, status, error, partitions, scanned, sent, changed, conflicts } = push
  const why = error === undefined ? '' : `: ${plain(error)}`
  const refused = conflicts > 0 ? `, ${conflicts} not taken` : ''
  return (
    `${id}  ${from} tells ${to}, ${mode}: ${status}${why}\n` +
    `${partitions.done} of ${counted(partitions.total, 'partition')}, ${scanned} looked at, ${sent} told, ${changed} changed there${refused}\n`
  )
}

async function known(sites: Sites, site: string): Promise<void> {
  const { links } = await sites.list()
  if (links.some(({ to }) => to === site)) return
  const list = links.map(({ to }) => to).join(', ')
  throw new CommandError(EXIT.configuration, `there is no such site. Known: ${list}`)
}

function oneOf<T extends string>(
  given: string | undefined,
  name: string,
  allowed: readonly T[],
): T | undefined {
  if (given === undefined) return undefined
  const found = allowed.find((word) => word === given)
  if (found !== undefined) return found
  throw new CommandError(EXIT.usage, `${name} must be one of ${allowed.join(', ')}`)
}
