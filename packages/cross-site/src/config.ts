import type { RedisOptions, SiteJoiner } from '@authstate/redis'
import { ConfigurationError, type Duration } from '@authstate/spi'
import { isPlainObject } from '@authstate/spi/internal'
import * as v from 'valibot'
import {
  type BackupOptions,
  backupSchema,
  mistakesOfBackups,
  type ServiceOptions,
  serviceSchema,
} from './backup.js'
import { DAY_MS, SITE, spanMs, wholeNumber } from './schema-parts.js'
import { mistakesOfServices, type SiteServiceName } from './services.js'

/** Another site, and the way to its Redis. */
export interface OtherSite {
  /** As `redis` of a state has it, but for `changes`. */
  readonly redis: Omit<RedisOptions, 'changes'>
  /** Whether sessions may cross the network unencrypted. @default false */
  readonly allowPlaintext?: boolean
}

/** What `crossSite()` takes. */
export interface CrossSiteConfig {
  /** The site that this is: 1 to 16 of `a-z`, `0-9` and `-`. */
  readonly site: string
  /** The other sites by their names. */
  readonly sites: Readonly<Record<string, OtherSite>>
  /** What every service does that does not say otherwise. One that usually stays at its site does so unless `spi` names it. */
  readonly defaults?: BackupOptions
  /** What each service does, by its name: ours, and those whose joiners are given. @default each that can be kept in step is */
  readonly spi?: { readonly [Name in SiteServiceName | (string & {})]?: ServiceOptions }
  /** How records of plugins' services are kept in step. @default none */
  readonly joiners?: readonly SiteJoiner[]
  /** How long a removal is remembered, and how long a site may be away without a question. @default '7d' */
  readonly tombstoneMs?: number | Duration
  /** How far the clock of another site may be off. @default `{ warnMs: 2_000, limitMs: 30_000 }` */
  readonly clock?: { readonly warnMs?: number | Duration; readonly limitMs?: number | Duration }
  /**
   * When a site is taken offline: after so many failures in a row, and so long after the first. With `scope: 'spi'` each service by
   * itself, else all of a link together. @default 3, `'30s'`, `'link'`
   */
  readonly takeOffline?: {
    readonly afterFailures?: number
    readonly minWaitMs?: number | Duration
    readonly scope?: 'link' | 'spi'
  }
  /**
   * How a site comes back that was taken offline by itself: once it has answered for so long, or when an operator says so. Where that
   * happens more than three times in ten minutes, it takes twice as long each time, ten minutes at most. @default `'auto'`, `'60s'`
   */
  readonly recovery?: { readonly mode?: 'auto' | 'manual'; readonly stableMs?: number | Duration }
  /** Between two questions to another site whether it is there. @default 1_000 */
  readonly heartbeatMs?: number | Duration
  /** Most records per second and node that are told of what was remembered. @default 5_000 */
  readonly maxRecordsPerSecond?: number
}

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
  defaults: v.optional(backupSchema, {}),
  spi: v.optional(v.record(v.string(), serviceSchema), {}),
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
      scope: v.optional(v.picklist(['link', 'spi']), 'link'),
    }),
    {},
  ),
  recovery: v.optional(
    v.strictObject({
      mode: v.optional(v.picklist(['auto', 'manual']), 'auto'),
      stableMs: v.optional(spanMs(0, DAY_MS), 60_000),
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
  singleUse: 'action tokens stay at their site',
  count: 'login failures are counted per site',
  membershipVersion: 'no key has a site that decides about it',
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
  if (issue.type !== 'strict_object' || issue.expected !== 'never') return `${place}: ${issue.message}`
  if (Object.hasOwn(NOT_BUILT, word)) return `${place}: not built yet: ${NOT_BUILT[word]}`
  const parent = path.split('.').slice(0, -1).join('.')
  const known = parent === '' ? Object.keys(schema.entries) : []
  return `${place}: there is no such property${known.length > 0 ? `. Known: ${known.join(', ')}` : ''}`
}

function mistakesOf({ site, sites, clock, defaults, spi, joiners }: CheckedConfig): string[] {
  const names = Object.keys(sites)
  return [
    ...(names.length === 0 ? ['crossSite.sites: names no other site'] : []),
    ...(names.includes(site) ? [`crossSite.sites.${site}: is the site itself`] : []),
    ...mistakesOfServices(spi, joiners),
    ...mistakesOfBackups({ defaults, spi }, names),
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
