import { hash } from 'node:crypto'
import type { DecidingSite, RedisConnection, SiteDeciders, SiteJoiner } from '@authstate/redis'
import { markIn, timers } from '@authstate/spi/internal'
import { SINGLE_USE } from './backup.js'
import type { CheckedConfig } from './config.js'
import { SiteUnavailableError } from './errors.js'
import type { Link } from './link.js'
import { outcomeOf } from './link-parts.js'
import { membersOf } from './membership.js'
import { setMembership } from './scripts.js'

const TIMEOUT_MS = 2_000

/** What {@link Deciders} are made of. */
export interface DecidersParts {
  readonly connection: RedisConnection
  readonly config: CheckedConfig
  readonly links: readonly Link[]
  readonly remember: (to: string, partition: number, names: readonly string[]) => Promise<unknown>
}

/** What another site is asked. */
interface Asked {
  readonly operation: string
  readonly site: string
  readonly attempt: string | undefined
}

/** What finds the sites that decide; `undefined`: no service of this site needs one. From now on this site decides for others, too. */
export async function startDeciding(
  parts: DecidersParts,
  joiners: readonly SiteJoiner[],
): Promise<Deciders | undefined> {
  if (!joiners.some(({ spi }) => spi === SINGLE_USE)) return undefined
  const deciders = new Deciders(parts)
  await deciders.record()
  return deciders
}

/** Finds the site that decides about a key, and asks it. */
export class Deciders implements SiteDeciders {
  readonly membership: string
  readonly endsMs: number
  readonly aheadMs: number
  readonly #parts: DecidersParts
  readonly #sites: readonly string[]
  readonly #byMark: ReadonlyMap<string, string>
  /** How often this node decided in the place of a site that was offline. */
  unguarded = 0

  constructor(parts: DecidersParts) {
    this.#parts = parts
    const { site, sites, marks = {}, membershipVersion, tombstoneMs, clock } = parts.config
    this.#sites = [site, ...Object.keys(sites)].sort()
    this.#byMark = new Map(Object.entries(marks).map(([name, mark]) => [mark, name]))
    this.membership = `${membershipVersion} ${membersOf(parts.config)}`
    this.endsMs = tombstoneMs
    this.aheadMs = clock.limitMs
  }

  deciderOf(key: string): string {
    const mark = markIn(key)
    return (mark === undefined ? undefined : this.#byMark.get(mark)) ?? highest(this.#sites, key)
  }

  async decide<T>(
    operation: string,
    key: string,
    run: (by: DecidingSite) => Promise<T | 'stale'>,
    attempt?: string,
  ): Promise<T> {
    const site = this.deciderOf(key)
    if (site === this.#parts.config.site) return this.#here(operation, run)
    const link = this.#parts.links.find(({ to }) => to === site) as Link
    const asked: Asked = { operation, site, attempt }
    if (!link.isOpen(SINGLE_USE)) return this.#without(asked, link, run)
    const answer = await this.#there(asked, link, run)
    if (answer === 'stale') throw stale(operation, site)
    return answer as T
  }

  async spread(partition: number, name: string, from: string): Promise<void> {
    const others = this.#parts.links.filter(({ to }) => to !== from)
    await Promise.all(others.map(({ to }) => this.#parts.remember(to, partition, [name])))
  }

  /** From now on this site decides for sites with the same list. */
  async record(): Promise<void> {
    const { connection } = this.#parts
    await connection.runEach(
      setMembership,
      connection.keys.all.map((partition) => ({
        keys: { membership: connection.keys.key(partition, 'xd') },
        args: { membership: this.membership },
      })),
    )
  }

  async #here<T>(operation: string, run: (by: DecidingSite) => Promise<T | 'stale'>): Promise<T> {
    const { connection, config } = this.#parts
    const by = { site: config.site, connection }
    const answer = await run(by)
    if (answer !== 'stale') return answer as T
    // Its Redis may have lost its data.
    await this.record()
    const again = await run(by)
    if (again === 'stale') throw stale(operation, config.site)
    return again as T
  }

  async #there<T>(asked: Asked, link: Link, run: (by: DecidingSite) => Promise<T>): Promise<T> {
    const timeoutMs = link.backup(SINGLE_USE)?.timeoutMs ?? TIMEOUT_MS
    const sentAt = this.#parts.connection.clock.now()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = timers.setTimeout(() => resolve('late'), timeoutMs)
    })
    try {
      const answered = link.request(asked.operation, async (connection) => ({
        answer: await run({ site: link.to, connection }),
      }))
      answered.catch(() => {})
      const outcome = await Promise.race([answered, late])
      if (outcome !== 'late') return outcome.answer
      link.wasLate(SINGLE_USE, sentAt)
    } catch (cause) {
      const applied = outcomeOf(cause) === 'not-applied' ? 'no' : 'unknown'
      throw unavailable(asked, applied, cause)
    } finally {
      timers.clearTimeout(timer)
    }
    throw unavailable(asked, 'unknown')
  }

  #without<T>(asked: Asked, link: Link, run: (by: DecidingSite) => Promise<T | 'stale'>): Promise<T> {
    const { config, links } = this.#parts
    const policy = config.spi[SINGLE_USE]?.singleUse?.whenDeciderOffline ?? 'refuse'
    const isSole = links.every(({ info: { services } }) => {
      const { state, reason } = services[SINGLE_USE] ?? {}
      return state === 'offline' && reason === 'manual'
    })
    const { state } = link.info.services[SINGLE_USE] ?? {}
    const mayDecide = policy === 'local' ? state === 'offline' : policy === 'local-if-sole' && isSole
    if (!mayDecide) throw unavailable(asked, 'no')
    this.unguarded += 1
    return this.#here(asked.operation, run)
  }
}

/** The site with the highest hash of its name and the key. */
function highest(sites: readonly string[], key: string): string {
  let [best, most] = ['', '']
  for (const site of sites) {
    const weight = hash('sha1', `${site} ${key}`)
    if (weight > most) [best, most] = [site, weight]
  }
  return best
}

const unavailable = ({ operation, site, attempt }: Asked, applied: 'no' | 'unknown', cause?: unknown) =>
  new SiteUnavailableError(
    applied === 'no'
      ? `${operation}: the site "${site}" decides about this key, and cannot be asked`
      : `${operation}: the site "${site}" decides about this key, and did not answer: it may have decided`,
    { site, applied, attempt, ...(cause !== undefined && { cause }) },
  )

const stale = (operation: string, site: string) =>
  new SiteUnavailableError(
    `${operation}: the site "${site}" has other sites, marks or another membershipVersion: give every site the same`,
    { site, applied: 'no' },
  )
