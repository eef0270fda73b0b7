import type { Duration } from '@authstate/spi'
import * as v from 'valibot'
import { SITE, spanMs, wholeNumber } from './schema-parts.js'

/**
 * `sync`: verbs wait until other sites have the change. `async`: changes are sent as they happen, and no verb waits. `none`: the
 * service stays at its site.
 */
export type Strategy = 'sync' | 'async' | 'none'

/** What a verb does if another site did not confirm its change: it rejects, it resolves and logs a warning, or it resolves. */
export type FailurePolicy = 'fail' | 'warn' | 'ignore'

/** How changes of a service are sent to other sites. */
export interface BackupOptions {
  /** @default `'async'` */
  readonly strategy?: Strategy
  /** With `'sync'`: the names of the verbs that wait. @default all but those that only note a use, such as `refresh` and `touch` */
  readonly syncVerbs?: 'all' | readonly string[]
  /** Whether a verb waits for all sites that are online, or for the first of them. @default `'all'` */
  readonly await?: 'all' | 'any'
  /** @default `'warn'` */
  readonly onFailure?: FailurePolicy
  /** How long a verb waits for another site; of `action-token`, also for the one that decides about a key. @default 2_000 */
  readonly timeoutMs?: number | Duration
  /** Most verbs per node that wait for one site at the same time. A further one counts as failed at once. @default 1_000 */
  readonly maxWaiting?: number
}

/** The service whose keys have a site that decides. */
export const SINGLE_USE = 'action-token'

/** What a verb that may succeed once does while the site that decides is offline. */
export type WhenDeciderOffline = 'refuse' | 'local' | 'local-if-sole'

/** What a service does between sites. */
export interface ServiceOptions extends BackupOptions {
  /**
   * Of `action-token`. While the site that decides about a key is offline, `whenDeciderOffline: 'refuse'` refuses, `'local'` decides here,
   * and `'local-if-sole'` decides here if an operator has taken every other site offline. What is decided here may have been decided at the
   * other site too: then it is found when they meet. @default `'refuse'`
   */
  readonly singleUse?: { readonly whenDeciderOffline?: WhenDeciderOffline }
  /** Options that differ for some of the other sites, by their names. */
  readonly perSite?: Readonly<Record<string, BackupOptions>>
}

const entries = {
  strategy: v.optional(v.picklist(['sync', 'async', 'none'])),
  syncVerbs: v.optional(v.union([v.literal('all'), v.pipe(v.array(v.string()), v.minLength(1))])),
  await: v.optional(v.picklist(['all', 'any'])),
  onFailure: v.optional(v.picklist(['fail', 'warn', 'ignore'])),
  timeoutMs: v.optional(spanMs(1, 60_000)),
  maxWaiting: v.optional(wholeNumber(1, 1_000_000)),
}

export const backupSchema = v.strictObject(entries)
export const serviceSchema = v.strictObject({
  ...entries,
  singleUse: v.optional(
    v.strictObject({ whenDeciderOffline: v.optional(v.picklist(['refuse', 'local', 'local-if-sole'])) }),
  ),
  perSite: v.optional(v.record(SITE, backupSchema)),
})

type Given = v.InferOutput<typeof backupSchema>
type GivenService = v.InferOutput<typeof serviceSchema>

/** How changes of one service are sent to one site. */
export interface Backup {
  readonly strategy: Strategy
  /** `undefined`: all but those that only note a use. */
  readonly syncVerbs: 'all' | readonly string[] | undefined
  readonly await: 'all' | 'any'
  readonly onFailure: FailurePolicy
  readonly timeoutMs: number
  readonly maxWaiting: number
}

const DEFAULTS = {
  syncVerbs: undefined,
  await: 'all',
  onFailure: 'warn',
  timeoutMs: 2_000,
  maxWaiting: 1_000,
} as const

/** The options of services, as they were given. */
export interface ToldBackups {
  readonly defaults: Given
  readonly spi: Readonly<Record<string, GivenService>>
}

/**
 * How changes of a service are sent to a site.
 *
 * @param usual The default of the service. A service that stays at its site by default does so unless it is named.
 */
export function backupOf({ defaults, spi }: ToldBackups, name: string, usual: Strategy, to: string): Backup {
  const { perSite = {}, ...service } = (Object.hasOwn(spi, name) && spi[name]) || ({} as GivenService)
  const ofSite = (Object.hasOwn(perSite, to) && perSite[to]) || {}
  const general: Given = usual === 'none' ? { ...defaults, strategy: usual } : defaults
  const given = { strategy: usual, ...defined(general), ...defined(service), ...defined(ofSite) }
  return { ...DEFAULTS, ...given } as Backup
}

/** Options that have no effect, or that name a site which is not configured. */
export function mistakesOfBackups(told: ToldBackups, sites: readonly string[]): string[] {
  return [
    ...withoutEffect('crossSite.defaults', told.defaults, [
      told.defaults,
      ...Object.values(told.spi).flatMap(({ perSite = {}, ...service }) => [
        service,
        ...Object.values(perSite),
      ]),
    ]),
    ...Object.entries(told.spi).flatMap(([name, { perSite = {}, ...service }]) => [
      ...(service.singleUse !== undefined && name !== SINGLE_USE
        ? [
            `crossSite.spi.${name}.singleUse: has no effect: only keys of action-token have a site that decides`,
          ]
        : []),
      ...withoutEffect(
        `crossSite.spi.${name}`,
        service,
        [service, told.defaults, ...Object.values(perSite)],
        name,
      ),
      ...(name === SINGLE_USE && isApart(told, sites)
        ? [
            `crossSite.spi.${name}.perSite: one site decides about each key, so every site has to hear of all: give strategy: 'none' to all sites or to none`,
          ]
        : []),
      ...Object.entries(perSite).flatMap(([site, given]) => {
        const place = `crossSite.spi.${name}.perSite.${site}`
        if (!sites.includes(site)) return [`${place}: there is no such site. Known: ${sites.join(', ')}`]
        return withoutEffect(place, given, [given, service, told.defaults], name)
      }),
    ]),
  ]
}

/** Whether keys that have a site that decides travel to some sites, and not to others. */
function isApart(told: ToldBackups, sites: readonly string[]): boolean {
  const travels = sites.map((to) => backupOf(told, SINGLE_USE, 'async', to).strategy !== 'none')
  return travels.includes(true) && travels.includes(false)
}

const withoutEffect = (place: string, given: Given, strategies: readonly Given[], spi?: string): string[] =>
  strategies.some(({ strategy }) => strategy === 'sync')
    ? []
    : Object.keys(defined(given))
        .filter((name) => name !== 'strategy' && name !== 'singleUse')
        .filter((name) => name !== 'timeoutMs' || spi !== SINGLE_USE)
        .map((name) => `${place}.${name}: has no effect: no verb waits without strategy: 'sync'`)

/** The options that were given with a value. */
function defined<T extends object>(given: T): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as T
}
