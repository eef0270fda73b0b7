import { AsyncLocalStorage } from 'node:async_hooks'
import type { ConnectionSites, RedisConnection, SiteVerb } from '@authstate/redis'
import { ConfigurationError, type Logger } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { Backup } from './backup.js'
import type { Deciders } from './deciders.js'
import { type BackupOutcome, type BackupResult, CrossSiteError } from './errors.js'
import type { SiteEmitter } from './events.js'
import { type Flight, type Flights, worse } from './flights.js'
import type { Link } from './link.js'
import { outcomeOf } from './link-parts.js'
import { RareWarning } from './rare-warning.js'

/** What a {@link Follower} is made of. */
export interface FollowerParts {
  readonly connection: RedisConnection
  readonly site: string
  /** The mark of this site. */
  readonly mark: string | undefined
  /** `undefined`: action tokens stay at their site. */
  readonly deciders: Deciders | undefined
  readonly links: readonly Link[]
  readonly flights: Flights
  readonly events: SiteEmitter
  readonly logger: Logger
  /** Whether this site holds what it should. */
  readonly isReady: () => boolean
  /** Something changes in a partition, and should be sent soon. */
  readonly onChanging: (partition: number) => void
}

/** A site that a verb waits for. */
interface Awaited {
  readonly link: Link
  readonly backup: Backup
}

/** Partitions in which a verb changed something, with the first flight that may contain it. */
type Changed = Map<number, number>

/** Lets verbs wait for other sites if their service asks for it. */
export class Follower implements ConnectionSites {
  readonly site: string
  readonly mark: string | undefined
  readonly deciders: Deciders | undefined
  readonly #parts: FollowerParts
  readonly #verbs = new AsyncLocalStorage<Changed>()
  readonly #awaited = new Map<string, readonly Awaited[]>()
  readonly #warnings: ReadonlyMap<Link, RareWarning>

  constructor(parts: FollowerParts) {
    this.#parts = parts
    this.site = parts.site
    this.mark = parts.mark
    this.deciders = parts.deciders
    this.#warnings = new Map(parts.links.map((link) => [link, new RareWarning(timers.monotonicMs)]))
  }

  isReady(): boolean {
    return this.#parts.isReady()
  }

  changing(key: string): void {
    const { connection, flights, onChanging } = this.#parts
    const partition = partitionIn(key, connection.keys.prefix)
    if (partition === undefined) return
    const changed = this.#verbs.getStore()
    if (changed !== undefined && !changed.has(partition)) changed.set(partition, flights.mark(partition))
    onChanging(partition)
  }

  follow<T>(verb: SiteVerb, run: () => Promise<T>, joined?: (answer: T) => Promise<T>): Promise<T> {
    const awaited = this.#awaitedBy(verb)
    // Nothing is kept of a verb that has nobody to wait for.
    const isAny = awaited.some(({ link, backup }) => isAwaited(link, verb.spi, backup))
    return isAny ? this.#follow(verb, awaited, run, joined) : run()
  }

  async #follow<T>(
    verb: SiteVerb,
    awaited: readonly Awaited[],
    run: () => Promise<T>,
    joined: (answer: T) => Promise<T> = async (answer) => answer,
  ): Promise<T> {
    const { flights } = this.#parts
    const { ended } = flights
    const changed: Changed = new Map()
    const answer = await this.#verbs.run(changed, run)
    if (changed.size === 0 && verb.kind !== 'as-long') return answer
    const results = await this.#confirm(verb, awaited, changed)
    const hasEnded = flights.ended !== ended
    if (hasEnded) await flights.learnt()
    const result = hasEnded ? await joined(answer) : answer
    const failed = results.filter(({ outcome }) => outcome === 'not-applied' || outcome === 'unknown')
    const isAny = awaited.some(({ backup }) => backup.await === 'any')
    if (failed.length === 0 || (isAny && results.some(({ outcome }) => outcome === 'applied'))) return result
    this.#judge(verb, awaited, results, failed, result)
    return result
  }

  /** Reports that a change was not confirmed. @throws {CrossSiteError} if that is a failure */
  #judge(
    { spi, verb, kind }: SiteVerb,
    awaited: readonly Awaited[],
    sites: readonly BackupResult[],
    failed: readonly BackupResult[],
    result: unknown,
  ): void {
    const { events, logger } = this.#parts
    let isFailure = false
    for (const { site, outcome } of failed) {
      const { link, backup } = awaited.find((one) => one.link.to === site) as Awaited
      const { onFailure } = backup
      link.unconfirmed += 1
      if (onFailure === 'ignore') continue
      events.emit('backup-failed', { to: site, spi, verb, outcome, onFailure })
      if (onFailure === 'fail') {
        if (link.stateOf(spi) === 'blocked') throw new ConfigurationError(link.messageOf(spi))
        isFailure = true
        continue
      }
      const count = this.#warnings.get(link)?.say()
      if (count !== undefined)
        logger.warn(
          { to: site, spi, verb, count },
          'another site did not confirm a change; it is sent again later',
        )
    }
    if (!isFailure) return
    const names = failed.map(({ site, outcome, ms }) => `"${site}" (${outcome} after ${ms} ms)`).join(', ')
    throw new CrossSiteError(
      `${spi}.${verb}: the change is made at this site, but not confirmed by ${names}; it is sent there as soon as possible`,
      { result, sites, retry: kind === 'unsafe' || kind === 'as-long' ? 'unsafe' : 'safe' },
    )
  }

  async #confirm(
    { spi, kind }: SiteVerb,
    awaited: readonly Awaited[],
    changed: Changed,
  ): Promise<readonly BackupResult[]> {
    const beganAtMs = timers.monotonicMs()
    const sentAt = this.#parts.connection.clock.now()
    const { flights } = this.#parts
    const online = awaited.filter(({ link, backup }) => isAwaited(link, spi, backup))
    const departed =
      online.length === 0
        ? Promise.resolve([])
        : Promise.all([...changed].map(([partition, mark]) => flights.settle(partition, mark))).then((all) =>
            all.flat(),
          )
    const results = awaited.map(async ({ link, backup }): Promise<BackupResult> => {
      const confirm = () => (kind === 'as-long' ? asked(link, departed) : landing(link, spi, departed))
      const outcome = await outcomeAt(link, backup, spi, confirm, sentAt)
      return { site: link.to, outcome, ms: Math.round(timers.monotonicMs() - beganAtMs) }
    })
    const isAny = awaited.some(({ backup }) => backup.await === 'any')
    if (!isAny) return Promise.all(results)
    const first = Promise.any(
      results.map(async (pending) => {
        const result = await pending
        if (result.outcome !== 'applied') throw new Error(result.outcome)
        return [result]
      }),
    )
    return first.catch(() => Promise.all(results))
  }

  /** The sites that a verb waits for. They never change. */
  #awaitedBy({ spi, verb, kind }: SiteVerb): readonly Awaited[] {
    const name = `${spi}.${verb}`
    let awaited = this.#awaited.get(name)
    if (awaited === undefined) {
      awaited = this.#parts.links.flatMap((link) => {
        const backup = link.backup(spi)
        if (backup?.strategy !== 'sync') return []
        const { syncVerbs } = backup
        const waits =
          syncVerbs === undefined ? kind !== 'touch' : syncVerbs === 'all' || syncVerbs.includes(verb)
        return waits ? [{ link, backup }] : []
      })
      this.#awaited.set(name, awaited)
    }
    return awaited
  }
}

/** Whether a verb waits for a site. A site that is catching up must not make a verb fail. */
function isAwaited(link: Link, spi: string, { onFailure }: Backup): boolean {
  const state = link.stateOf(spi)
  if (state === 'syncing') return onFailure !== 'fail'
  return state === 'online' || state === 'suspect'
}

/** What became of a change at a site within the time-out. */
async function outcomeAt(
  link: Link,
  backup: Backup,
  spi: string,
  confirm: () => Promise<BackupOutcome>,
  sentAt: number,
): Promise<BackupOutcome> {
  if (!isAwaited(link, spi, backup)) return 'skipped-offline'
  if (link.waiting >= backup.maxWaiting) return 'not-applied'
  link.waiting += 1
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = timers.setTimeout(() => resolve('late'), backup.timeoutMs)
  })
  try {
    const outcome = await Promise.race([confirm(), late])
    if (outcome !== 'late') return outcome
    link.wasLate(spi, sentAt)
    return 'unknown'
  } finally {
    timers.clearTimeout(timer)
    link.waiting -= 1
  }
}

async function landing(
  link: Link,
  spi: string,
  departed: Promise<readonly Flight[]>,
): Promise<BackupOutcome> {
  try {
    const landings = await Promise.all((await departed).map(({ landings }) => landings.get(link)))
    return landings.reduce<BackupOutcome>((worst, at) => worse(worst, at?.get(spi) ?? 'applied'), 'applied')
  } catch {
    // Redis of this site went away after it did what was asked.
    return 'unknown'
  }
}

/** What a question comes to that changes nothing, and takes as long as what a verb changed. */
async function asked(link: Link, departed: Promise<readonly Flight[]>): Promise<BackupOutcome> {
  await departed.catch(() => {})
  try {
    await link.request('cross-site.as-long', (peer) =>
      peer.hgetall('cross-site.as-long', peer.keys.shared('site')),
    )
    return 'applied'
  } catch (error) {
    return outcomeOf(error)
  }
}

/** The partition that a key is in; `undefined`: it is in none. */
function partitionIn(key: string, prefix: string): number | undefined {
  const match = /^:\{([0-9a-f]{2})\}:/.exec(key.slice(prefix.length))
  return match?.[1] === undefined ? undefined : Number.parseInt(match[1], 16)
}
