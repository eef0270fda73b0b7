import type { RedisOptions, SiteJoiner } from '@authstate/redis'
import { ConfigurationError, type Duration, parseDuration } from '@authstate/spi'
import { isPlainObject } from '@authstate/spi/internal'
import * as v from 'valibot'
import { mistakesOfServices, type SiteServiceName, type Strategy } from './services.js'

/** Another site, and the way to its Redis. */
export interface OtherSite {
  /** As `redis` of a state has it, but for `changes`. */
  readonly redis: Omit<RedisOptions, 'changes'>
  /** Whether sessions may cross the network unencrypted. @default false */
  readonly allowPlaintext?: boolean
}

/** What a service does between sites. */
export interface ServiceOptions {
  readonly strategy?: Strategy
}

/** What `crossSite()` takes. */
export interface CrossSiteConfig {
  /** The site that this is: 1 to 16 of `a-z`, `0-9` and `-`. */
  readonly site: string
  /** The other sites by their names. */
  readonly sites: Readonly<Record<string, OtherSite>>
  /** What each service does, by its name: ours, and those whose joiners are given. @default each that can be kept in step is */
  readonly spi?: { readonly [Name in SiteServiceName | (string & {})]?: ServiceOptions }
  /** How records of plugins' services are kept in step. @default none */
  readonly joiners?: readonly SiteJoiner[]
  /** How long a removal is remembered, and how long a site may be away without a question. @default '7d' */
  readonly tombstoneMs?: number | Duration
  /** How far the clock of another site may be off. @default `{ warnMs: 2_000, limitMs: 30_000 }` */
  readonly clock?: { readonly warnMs?: number | Duration; readonly limitMs?: number | Duration }
  /** When a site is taken offline: after so many failures in a row, and so long after the first. @default 3, `'30s'` */
  readonly takeOffline?: { readonly afterFailures?: number; readonly minWaitMs?: number | Duration }
  /** Between two questions to another site whether it is there. @default 1_000 */
  readonly heartbeatMs?: number | Duration
  /** Most records per second and node that are told of what was remembered. @default 5_000 */
  readonly maxRecordsPerSecond?: number
}

const SITE = v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,16}$/, 'must be 1 to 16 of a-z, 0-9 and "-"'))
const wholeNumber = (least: number, most: number) =>
  v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(least), v.maxValue(most))
const spanMs = (least: number, most: number) =>
  v.pipe(
    v.union([v.number(), v.string()]),
    v.transform((given) => parseDuration(given)),
    wholeNumber(least, most),
  )
const DAY_MS = 86_400_000

const isJoiner = (given: unknown): boolean => {
  const { spi, kinds, ...verbs } = (given ?? {}) as Partial<SiteJoiner>
  const has = ['owns', 'read', 'join', 'names'] as const
  return (
    typeof spi === 'string' &&
    Array.isArray(kinds) &&
    kinds.length > 0 &&
    has.every((name) => typeof verbs[name] === 'function')
  )
}

const schema = v.strictObject({
  site: SITE,
  sites: v.record(
    SITE,
    v.strictObject({
      redis: v.custom<OtherSite['redis']>(isPlainObject, 'must be an object of options'),
      allowPlaintext: v.optional(v.boolean(), false),
    }),
  ),
  spi: v.optional(
    v.record(v.string(), v.strictObject({ strategy: v.optional(v.picklist(['async', 'none'])) })),
    {},
  ),
  joiners: v.optional(
    v.array(v.custom<SiteJoiner>(isJoiner, 'must be a joiner of the records of a service')),
    [],
  ),
  tombstoneMs: v.optional(spanMs(3_600_000, 366 * DAY_MS), 7 * DAY_MS),
  clock: v.optional(
    v.strictObject({
      warnMs: v.optional(spanMs(1, DAY_MS), 2_000),
      limitMs: v.optional(spanMs(1, DAY_MS), 30_000),
    }),
    {},
  ),
  takeOffline: v.optional(
    v.strictObject({
      afterFailures: v.optional(wholeNumber(0, 1_000_000), 3),
      minWaitMs: v.optional(spanMs(0, DAY_MS), 30_000),
    }),
    {},
  ),
  heartbeatMs: v.optional(spanMs(10, 60_000), 1_000),
  maxRecordsPerSecond: v.optional(wholeNumber(1, 1_000_000), 5_000),
})

/** {@link CrossSiteConfig} with defaults filled in. */
export type CheckedConfig = v.InferOutput<typeof schema>

/** What sites may have one day and have not yet, by the last word of its place. */
const NOT_BUILT: Readonly<Record<string, string>> = {
  transport: 'sites are reached through their Redis only',
  defaults: 'say it in spi',
  perSite: 'every site is told the same',
  syncVerbs: 'no verb waits for another site',
  await: 'no verb waits for another site',
  onFailure: 'no verb waits for another site, so none fails because of one',
  timeoutMs: 'no verb waits for another site',
  singleUse: 'action tokens stay at their site',
  count: 'login failures are counted per site',
  membershipVersion: 'no key has a site that decides about it',
  recovery: 'a site that comes back is told by itself what it missed',
  health: 'a site serves whatever it holds',
  outbox: 'say redis.changes.maxNotes',
}

/** @throws {ConfigurationError} names every place that cannot work, and no value */
export function parseConfig(given: CrossSiteConfig): CheckedConfig {
  const parsed = v.safeParse(schema, given)
  const mistakes = parsed.success ? mistakesOf(parsed.output) : parsed.issues.map(describe)
  if (!parsed.success || mistakes.length > 0) throw new ConfigurationError(mistakes.join('\n'))
  return parsed.output
}

function describe(issue: v.InferIssue<typeof schema>): string {
  const path = v.getDotPath(issue) ?? ''
  const place = path === '' ? 'crossSite' : `crossSite.${path}`
  const word = path.split('.').at(-1) ?? ''
  if (word === 'strategy' && issue.input === 'sync')
    return `${place}: 'sync' is not built yet: no verb waits for another site. It can be 'async' or 'none'`
  if (issue.type !== 'strict_object' || issue.expected !== 'never') return `${place}: ${issue.message}`
  if (Object.hasOwn(NOT_BUILT, word)) return `${place}: not built yet: ${NOT_BUILT[word]}`
  const parent = path.split('.').slice(0, -1).join('.')
  const known = parent === '' ? Object.keys(schema.entries) : []
  return `${place}: there is no such property${known.length > 0 ? `. Known: ${known.join(', ')}` : ''}`
}

function mistakesOf({ site, sites, clock, spi, joiners }: CheckedConfig): string[] {
  const names = Object.keys(sites)
  return [
    ...(names.length === 0 ? ['crossSite.sites: names no other site'] : []),
    ...(names.includes(site) ? [`crossSite.sites.${site}: is the site itself`] : []),
    ...mistakesOfServices(spi, joiners),
    ...(clock.warnMs > clock.limitMs ? ['crossSite.clock.warnMs: must not be above limitMs'] : []),
    ...Object.entries(sites).flatMap(([name, { redis, allowPlaintext }]) => [
      ...(Object.hasOwn(redis, 'changes')
        ? [`crossSite.sites.${name}.redis.changes: has no effect: that site says who is told of its changes`]
        : []),
      ...(!allowPlaintext && isPlaintextAway(redis)
        ? [
            `crossSite.sites.${name}.redis: sessions would cross the network unencrypted: use rediss:// or tls, or say allowPlaintext: true`,
          ]
        : []),
    ]),
  ]
}

/** Whether the way leads to another host without TLS. A client of the application is its own affair. */
function isPlaintextAway({ url, tls, nodes, sentinels }: OtherSite['redis']): boolean {
  if (tls !== undefined && tls !== false) return false
  if (url !== undefined) {
    if (!url.startsWith('redis://') || !URL.canParse(url)) return false
    return !isLoopback(new URL(url).hostname)
  }
  return [...(nodes ?? []), ...(sentinels ?? [])].some(
    (address) => !isLoopback(typeof address === 'string' ? (address.split(':')[0] ?? '') : address.host),
  )
}

const isLoopback = (host: string): boolean =>
  host === '' ||
  host === 'localhost' ||
  host === '[::1]' ||
  host === '::1' ||
  /^127\.\d+\.\d+\.\d+$/.test(host)
