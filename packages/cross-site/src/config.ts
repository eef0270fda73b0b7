import { describeMistake, type RedisOptions, type SiteJoiner } from '@authstate/redis'
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
import { mistakesOfMarks } from './membership.js'
import { DAY_MS, SITE, spanMs, wholeNumber } from './schema-parts.js'
import { mistakesOfServices, type SiteServiceName } from './services.js'

/** Another site, and how to reach its Redis. */
export interface OtherSite {
  /** As the option `redis` of `createAuthState`, without `changes`. */
  readonly redis: Omit<RedisOptions, 'changes'>
  /** Whether sessions may cross the network unencrypted. @default false */
  readonly allowPlaintext?: boolean
}

/** What `crossSite()` takes. */
export interface CrossSiteConfig {
  /** The name of this site: 1 to 16 characters of `a-z`, `0-9` and `-`. */
  readonly site: string
  /** The other sites by their names. */
  readonly sites: Readonly<Record<string, OtherSite>>
  /**
   * A character for each site, by the names of all sites, this one included: `{ lisbon: 'l', oslo: 'o' }`. Keys that
   * `actionTokens.mintKey()` makes contain that of their site, which then decides who redeems them. @default none: a hash of each key says
   * which site decides
   */
  readonly marks?: Readonly<Record<string, string>>
  /** Raise it at every site whenever `sites` or `marks` change: sites decide only for others that have the same number. @default 1 */
  readonly membershipVersion?: number
  /** Options of every service that does not set its own. A service that stays at its site by default does so unless `spi` names it. */
  readonly defaults?: BackupOptions
  /** What each service does, by its name: built-in ones, and those in `joiners`. @default each that can be kept in step is */
  readonly spi?: { readonly [Name in SiteServiceName | (string & {})]?: ServiceOptions }
  /** How records of plugins' services are kept in step. @default none */
  readonly joiners?: readonly SiteJoiner[]
  /** How long a removal is remembered. A site that was away for longer is blocked. @default '7d' */
  readonly tombstoneMs?: number | Duration
  /** How far the clock of another site may be off. @default `{ warnMs: 2_000, limitMs: 30_000 }` */
  readonly clock?: { readonly warnMs?: number | Duration; readonly limitMs?: number | Duration }
  /**
   * When a site is taken offline: after `afterFailures` failures in a row, and `minWaitMs` after the first of them. With
   * `scope: 'spi'` each service by itself, else all services of a link together. @default 3, `'30s'`, `'link'`
   */
  readonly takeOffline?: {
    readonly afterFailures?: number
    readonly minWaitMs?: number | Duration
    readonly scope?: 'link' | 'spi'
  }
  /**
   * When a site that went offline by itself comes back: once it has answered for `stableMs`, or, with `mode: 'manual'`, when an
   * operator asks for it. After more than three times in ten minutes, `stableMs` doubles each further time, up to ten minutes.
   * @default `'auto'`, `'60s'`
   */
  readonly recovery?: {
    readonly mode?: 'auto' | 'manual'
    readonly stableMs?: number | Duration
    /**
     * What is pushed when a site is back by itself, on top of what was remembered for it: what was written since it began to fail. To the
     * site, from it, or both. @default nothing
     */
    readonly push?: 'out' | 'in' | 'both'
  }
  /**
   * Whether a site that lost data is ready all the same, before it has the data back from other sites.
   * @default `{ serveWhileSyncing: false }`
   */
  readonly health?: { readonly serveWhileSyncing?: boolean }
  /** Time between two checks whether another site is there. @default 1_000 */
  readonly heartbeatMs?: number | Duration
  /** Most remembered records that a node sends per second. @default 5_000 */
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

const MARK = v.pipe(v.string(), v.regex(/^[1-9A-Za-z]$/, 'must be one character of 1-9, A-Z and a-z'))

const schema = v.strictObject({
  site: SITE,
  sites: v.record(
    SITE,
    v.strictObject({
      redis: v.custom<OtherSite['redis']>(isPlainObject, 'must be an object of options'),
      allowPlaintext: v.optional(v.boolean(), false),
    }),
  ),
  marks: v.optional(v.record(SITE, MARK)),
  membershipVersion: v.optional(wholeNumber(1, 1_000_000_000), 1),
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
      stableMs: v.optional(spanMs(0, DAY_MS)),
      push: v.optional(v.picklist(['out', 'in', 'both'])),
    }),
    {},
  ),
  health: v.optional(v.strictObject({ serveWhileSyncing: v.optional(v.boolean(), false) }), {}),
  heartbeatMs: v.optional(spanMs(10, 60_000), 1_000),
  maxRecordsPerSecond: v.optional(wholeNumber(1, 1_000_000), 5_000),
})

/** {@link CrossSiteConfig} with defaults filled in. */
export type CheckedConfig = v.InferOutput<typeof schema>

/** Options that are planned and not built yet, by the last word of their place. */
const NOT_BUILT: Readonly<Record<string, string>> = {
  transport: 'sites are reached through their Redis only',
  count: 'login failures are counted per site',
  outbox: 'use redis.changes.maxNotes',
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
  const word = path.split('.').at(-1) ?? ''
  return issue.type === 'strict_object' && issue.expected === 'never' && Object.hasOwn(NOT_BUILT, word)
    ? `crossSite.${path}: not built yet: ${NOT_BUILT[word]}`
    : describeMistake('crossSite', schema, issue)
}

function mistakesOf({
  site,
  sites,
  marks,
  clock,
  defaults,
  spi,
  joiners,
  recovery,
}: CheckedConfig): string[] {
  const names = Object.keys(sites)
  return [
    ...(names.length === 0 ? ['crossSite.sites: names no other site'] : []),
    ...(names.includes(site) ? [`crossSite.sites.${site}: is the site itself`] : []),
    ...(marks === undefined ? [] : mistakesOfMarks(marks, [site, ...names])),
    ...mistakesOfServices(spi, joiners),
    ...mistakesOfBackups({ defaults, spi }, names),
    ...(clock.warnMs > clock.limitMs ? ['crossSite.clock.warnMs: must not be above limitMs'] : []),
    ...(['stableMs', 'push'] as const).flatMap((name) =>
      recovery.mode === 'manual' && recovery[name] !== undefined
        ? [
            `crossSite.recovery.${name}: has no effect: with mode 'manual' a site comes back by bringOnline alone`,
          ]
        : [],
    ),
    ...Object.entries(sites).flatMap(([name, { redis, allowPlaintext }]) => [
      ...(Object.hasOwn(redis, 'changes')
        ? [
            `crossSite.sites.${name}.redis.changes: has no effect here: set it in the configuration of that site`,
          ]
        : []),
      ...(!allowPlaintext && isPlaintextAway(redis)
        ? [
            `crossSite.sites.${name}.redis: sessions would cross the network unencrypted: use rediss:// or tls, or set allowPlaintext: true`,
          ]
        : []),
    ]),
  ]
}

/** Whether the connection leads to another host without TLS. A client that the application made itself is not checked. */
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
