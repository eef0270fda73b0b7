import { hash } from 'node:crypto'
import type { DecideOptions, DecidingSite, RedisConnection, SiteDeciders, SiteJoiner } from '@authstate/redis'
import { markIn, timers } from '@authstate/spi/internal'
import { SINGLE_USE } from './backup.js'
import type { CheckedConfig } from './config.js'
import { SiteUnavailableError } from './errors.js'
import { introduceSite, type Recorded } from './introduction.js'
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
  deciders.hear(await introduceSite(parts.connection, parts.config.site))
  return deciders
}

/** Finds the site that decides about a key, and asks it. */
export class Deciders implements SiteDeciders {
  readonly membership: string
  readonly endsMs: number
  readonly aheadMs: number
  readonly #parts: DecidersParts
  readonly sites: readonly string[]
  readonly #byMark: ReadonlyMap<string, string>
  /** The `membershipVersion` of other sites, as they said it last. */
  readonly #versions = new Map<string, number>()

  constructor(parts: DecidersParts) {
    this.#parts = parts
    const { site, sites, marks = {}, membershipVersion, tombstoneMs, clock } = parts.config
    this.sites = [site, ...Object.keys(sites)].sort()
    this.#byMark = new Map(Object.entries(marks).map(([name, mark]) => [mark, name]))
    this.membership = `${membershipVersion} ${membersOf(parts.config)}`
    this.endsMs = tombstoneMs
    this.aheadMs = clock.limitMs
  }

  deciderOf(key: string): string {
    return this.#homeOf(key) ?? highest(this.sites, key)
  }

  async decide<T>(
    operation: string,
    key: string,
    run: (by: DecidingSite) => Promise<T | 'stale'>,
    { attempt, elseHere = false }: DecideOptions = {},
  ): Promise<T> {
    const site = this.deciderOf(key)
    const asked: Asked = { operation, site, attempt }
    const { config, links } = this.#parts
    const link = links.find(({ to }) => to === site)
    try {
      if (!elseHere) this.#assertAlike(asked, key)
      if (link === undefined) return await this.#here(operation, run)
      if (!link.isOpen(SINGLE_USE)) this.#assertMayDecide(asked, link, elseHere)
      else return await this.#there(asked, link, run)
    } catch (error) {
      const isUndone = error instanceof SiteUnavailableError && error.applied === 'no'
      if (!elseHere || !isUndone || site === config.site) throw error
    }
    return this.#here(operation, run)
  }

  /** What this site has noted of others. */
  hear(recorded: Recorded): void {
    for (const site of this.sites) this.#versions.set(site, Number(recorded.get(`version:${site}`) ?? 1))
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

  async #there<T>(asked: Asked, link: Link, run: (by: DecidingSite) => Promise<T | 'stale'>): Promise<T> {
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
      if (outcome !== 'late') {
        if (outcome.answer === 'stale') throw stale(asked.operation, link.to)
        return outcome.answer as T
      }
      link.wasLate(SINGLE_USE, sentAt)
    } catch (cause) {
      if (cause instanceof SiteUnavailableError) throw cause
      const applied = outcomeOf(cause) === 'not-applied' ? 'no' : 'unknown'
      throw unavailable(asked, applied, cause)
    } finally {
      timers.clearTimeout(timer)
    }
    throw unavailable(asked, 'unknown')
  }

  /** @throws {SiteUnavailableError} this site must not decide in the place of one that cannot be asked */
  #assertMayDecide(asked: Asked, link: Link, elseHere: boolean): void {
    const { config, links } = this.#parts
    const policy = config.spi[SINGLE_USE]?.singleUse?.whenDeciderOffline ?? 'refuse'
    const isSole = links.every(({ info: { services } }) => {
      const { state, reason } = services[SINGLE_USE] ?? {}
      return state === 'offline' && reason === 'manual'
    })
    const { state } = link.info.services[SINGLE_USE] ?? {}
    const mayDecide = policy === 'local' ? state === 'offline' : policy === 'local-if-sole' && isSole
    if (!mayDecide) throw unavailable(asked, 'no')
    if (!elseHere) link.unguarded += 1
  }

  /**
   * A site with a lower version has other sites, so it may decide about the same key, unless the key names the site that decides.
   *
   * @throws {SiteUnavailableError} there is such a site
   */
  #assertAlike({ operation, site }: Asked, key: string): void {
    if (this.#homeOf(key) !== undefined) return
    const { membershipVersion, site: mine } = this.#parts.config
    const behind = this.sites.find((other) => other !== mine && this.#versionOf(other) < membershipVersion)
    if (behind === undefined) return
    throw new SiteUnavailableError(
      `${operation}: the site "${behind}" is not known to have membershipVersion ${membershipVersion}, and may decide about this key by another list of sites: raise it there`,
      { site, applied: 'no' },
    )
  }

  #versionOf(site: string): number {
    return this.#versions.get(site) ?? 1
  }

  /** The site whose mark a key contains. */
  #homeOf(key: string): string | undefined {
    const mark = markIn(key)
    return mark === undefined ? undefined : this.#byMark.get(mark)
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
