import type { Duration } from '@authstate/spi'
import * as v from 'valibot'
import { SITE, spanMs, wholeNumber } from './schema-parts.js'

/**
 * `sync`: verbs wait until other sites have what they did. `async`: other sites are told as something changes, and no verb waits.
 * `none`: it stays at its site.
 */
export type Strategy = 'sync' | 'async' | 'none'

/** What becomes of a verb whose change another site did not confirm: it rejects, it resolves and is logged, or it resolves. */
export type FailurePolicy = 'fail' | 'warn' | 'ignore'

/** How another site is told what a service changes. */
export interface BackupOptions {
  /** @default `'async'` */
  readonly strategy?: Strategy
  /** With `'sync'`: which verbs wait, by their names. @default all but those that only note a use, such as `refresh` and `touch` */
  readonly syncVerbs?: 'all' | readonly string[]
  /** Whether a verb waits for all sites that are online, or for the first of them. @default `'all'` */
  readonly await?: 'all' | 'any'
  /** @default `'warn'` */
  readonly onFailure?: FailurePolicy
  /** How long a verb waits for another site. @default 2_000 */
  readonly timeoutMs?: number | Duration
  /** Most verbs that wait for one site at once, per node: a further one counts as failed at once. @default 1_000 */
  readonly maxWaiting?: number
}

/** What a service does between sites. */
export interface ServiceOptions extends BackupOptions {
  /** What is otherwise for some of the other sites, by their names. */
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
  perSite: v.optional(v.record(SITE, backupSchema)),
})

type Given = v.InferOutput<typeof backupSchema>
type GivenService = v.InferOutput<typeof serviceSchema>

/** How one site is told what one service changes. */
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

/** What is told of services, and to whom. */
export interface ToldBackups {
  readonly defaults: Given
  readonly spi: Readonly<Record<string, GivenService>>
}

/**
 * How a site is told what a service changes.
 *
 * @param usual What the service does where nobody says otherwise. One that usually stays at its site does so unless it is named.
 */
export function backupOf({ defaults, spi }: ToldBackups, name: string, usual: Strategy, to: string): Backup {
  const { perSite = {}, ...service } = (Object.hasOwn(spi, name) && spi[name]) || ({} as GivenService)
  const ofSite = (Object.hasOwn(perSite, to) && perSite[to]) || {}
  const general: Given = usual === 'none' ? { ...defaults, strategy: usual } : defaults
  const given = { strategy: usual, ...defined(general), ...defined(service), ...defined(ofSite) }
  return { ...DEFAULTS, ...given } as Backup
}

/** What has no effect or names what is not there. */
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
      ...withoutEffect(`crossSite.spi.${name}`, service, [service, told.defaults, ...Object.values(perSite)]),
      ...Object.entries(perSite).flatMap(([site, given]) => {
        const place = `crossSite.spi.${name}.perSite.${site}`
        if (!sites.includes(site)) return [`${place}: there is no such site. Known: ${sites.join(', ')}`]
        return withoutEffect(place, given, [given, service, told.defaults])
      }),
    ]),
  ]
}

const withoutEffect = (place: string, given: Given, strategies: readonly Given[]): string[] =>
  strategies.some(({ strategy }) => strategy === 'sync')
    ? []
    : Object.keys(defined(given))
        .filter((name) => name !== 'strategy')
        .map((name) => `${place}.${name}: has no effect: no verb waits without strategy: 'sync'`)

/** What was given, and not as `undefined`. */
function defined<T extends object>(given: T): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as T
}
