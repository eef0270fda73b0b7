import type { ChangeReading, NamesCursor, RedisConnection, SiteJoiner, SiteTerms } from '@authstate/redis'
import type { Logger } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { Link } from '../link.js'
import { pause } from '../waits.js'
import { compare } from './compare.js'
import type { Difference, PushInfo } from './contract.js'
import { DONE, type Figures, type Found, type Job, type Jobs } from './jobs.js'
import { Pace } from './pace.js'
import { namesAt, type Side } from './side.js'
import { mirror, type TellNews, tell } from './tell.js'

/** Partitions at a time, over all pushes of a node. */
const AT_ONCE = 4
/** How often a failure is tried again before the push is paused, and how many heartbeats lie between two tries. */
const TRIES = 30
const BEATS_BETWEEN_TRIES = 2

/** What a {@link Pusher} is made of. */
export interface PusherParts {
  /** Of this site. */
  readonly connection: RedisConnection
  readonly jobs: Jobs
  readonly joiners: readonly SiteJoiner[]
  readonly links: readonly Link[]
  readonly terms: SiteTerms
  readonly maxRecordsPerSecond: number
  readonly logger: Logger
  readonly reading: ChangeReading
  /** Remembers what a site has not received. */
  readonly remember: (to: string, partition: number, names: readonly string[]) => Promise<unknown>
  readonly heartbeatMs: number
  /** A push of the site began, or its status changed. */
  readonly onPush: (push: PushInfo) => void
}

/** How far a push has come in a partition. */
interface Place {
  readonly spi: string
  readonly after?: NamesCursor | undefined
  /** Whether everything was sent, and what the sender does not know is being removed. */
  readonly isMirror?: boolean
}

/** What was done in a partition in one step. */
interface Chunk {
  readonly after: string
  readonly figures: Partial<Figures>
  readonly found?: Found
}

const NOTHING: Figures = { scanned: 0, sent: 0, changed: 0, conflicts: 0, bytes: 0 }
const FIGURES = Object.keys(NOTHING) as (keyof Figures)[]

/** Does the pushes of this site, for the partitions whose lease this node holds. */
export class Pusher {
  readonly #parts: PusherParts
  readonly #pace: Pace
  readonly #running = new Map<string, Promise<void>>()
  readonly #closing = new AbortController()
  /** Pushes that were not over when this node looked last. */
  active: readonly PushInfo[] = []

  constructor(parts: PusherParts) {
    this.#parts = parts
    this.#pace = new Pace(parts.maxRecordsPerSecond)
  }

  /** Looks for what there is to do. */
  async beat(): Promise<void> {
    const { jobs, reading } = this.#parts
    const active = await jobs.list(true)
    const before = this.active
    this.active = active.map(({ info }) => info)
    await this.#tellNews(before)
    for (const job of active) {
      if (job.info.status === 'paused') continue
      for (const partition of reading.partitions()) {
        if (job.info.only?.includes(partition) === false) continue
        const key = `${job.info.id} ${partition}`
        if (job.place(partition) === DONE || this.#running.has(key)) continue
        if (this.#running.size >= AT_ONCE || this.#closing.signal.aborted) return
        const run = this.#run(job, partition)
          // It is tried again with the next heartbeat, from the same place.
          .catch(() => false)
          .then((isDone) => {
            this.#running.delete(key)
            if (isDone) this.beat().catch(() => {})
          })
        this.#running.set(key, run)
      }
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#running.values())
  }

  /** Tells who listens of pushes that began, ended or changed their status. */
  async #tellNews(before: readonly PushInfo[]): Promise<void> {
    const { jobs, onPush } = this.#parts
    const active = this.active
    const gone = before.filter(({ id }) => active.every((push) => push.id !== id))
    const over = await Promise.all(gone.map(async ({ id }) => (await jobs.get(id))?.info))
    for (const push of [...active, ...over])
      if (push !== undefined && before.find(({ id }) => id === push.id)?.status !== push.status) onPush(push)
  }

  /** Returns whether the partition is done. */
  async #run(job: Job, partition: number): Promise<boolean> {
    const { jobs, reading, links, logger, heartbeatMs } = this.#parts
    const { info } = job
    const link = links.find(({ to }) => to === info.from || to === info.to)
    if (link === undefined) {
      await jobs.control(info.id, 'fail', 'the other site is not in the configuration of this node')
      return false
    }
    if (this.#joinersOf(info).length === 0) {
      await jobs.control(info.id, 'fail', `no service "${info.spi}" is kept in step by this node`)
      return false
    }
    let before = job.place(partition)
    let tries = 0
    while (!this.#closing.signal.aborted && reading.partitions().includes(partition)) {
      const chunk = await this.#chunk(info, link, partition, before)
      if (chunk === 'stopped') return false
      if (chunk === undefined) {
        tries += 1
        const error = `the site "${link.to}" did not answer`
        if (tries >= TRIES) {
          await jobs.control(info.id, 'pause', error)
          logger.warn({ push: info.id, to: link.to }, `a push is paused: ${error}`)
          return false
        }
        await pause(BEATS_BETWEEN_TRIES * heartbeatMs, this.#closing.signal)
        if (!(await this.#goesOn(info.id))) return false
        continue
      }
      tries = 0
      const status = await jobs.step(info.id, { partition, before, ...chunk })
      if (status === 'done') logger.info({ push: info.id, from: info.from, to: info.to }, 'a push is done')
      if (chunk.after === DONE) return true
      if (status !== 'running') return false
      before = chunk.after
    }
    return false
  }

  async #goesOn(id: string): Promise<boolean> {
    const job = await this.#parts.jobs.get(id)
    return job !== undefined && ['queued', 'running'].includes(job.info.status)
  }

  /** The next records of a partition. `undefined`: the other site did not answer. */
  #chunk(
    info: PushInfo,
    link: Link,
    partition: number,
    before: string,
  ): Promise<Chunk | 'stopped' | undefined> {
    const isCompared = info.mode === 'verify' || info.mode === 'repair'
    return isCompared ? this.#compare(info, link, partition) : this.#tell(info, link, partition, before)
  }

  async #tell(info: PushInfo, link: Link, partition: number, before: string): Promise<Chunk | undefined> {
    const joiners = this.#joinersOf(info)
    const [first] = joiners
    if (first === undefined) return undefined
    const place: Place = before === '' ? { spi: first.spi } : (JSON.parse(before) as Place)
    const joiner = joiners.find(({ spi }) => spi === place.spi) ?? first
    const { here, there } = this.#sides(link)
    const [from, to] = info.from === link.to ? [there, here] : [here, there]
    const isMirror = place.isMirror === true
    const page = await namesAt(
      isMirror ? to : from,
      joiner,
      partition,
      place.after,
      this.#pace.atATime,
      info.since,
    )
    if (page === undefined) return undefined
    const told = { from, to, joiner, partition, since: info.since, ...this.#news(link, partition) }
    const done = await this.#paced(page.names, (names) =>
      isMirror ? mirror(told, names, this.#mirrorsBefore(info, link)) : tell(told, names),
    )
    if (done === undefined) return undefined
    const figures = { ...done, scanned: page.looked ?? page.names.length }
    if (page.next !== undefined) return { after: JSON.stringify({ ...place, after: page.next }), figures }
    // One service after another. When everything is sent, what the sender does not know is removed.
    const next = joiners[joiners.indexOf(joiner) + 1]
    if (next !== undefined) return { after: placeOf({ spi: next.spi, isMirror }), figures }
    const mirrors = info.mode === 'mirror' && !isMirror
    return { after: mirrors ? placeOf({ spi: first.spi, isMirror: true }) : DONE, figures }
  }

  /** Does something to a few records at a time, at the allowed pace. The next ones may begin before it is done. */
  async #paced(
    names: readonly string[],
    work: (names: readonly string[]) => Promise<Figures | undefined>,
  ): Promise<Figures | undefined> {
    const running: Promise<Figures | undefined>[] = []
    const { atOnce } = this.#pace
    for (let first = 0; first < names.length; first += atOnce) {
      const some = names.slice(first, first + atOnce)
      await this.#pace.take(some.length, this.#closing.signal)
      const run = work(some)
      // The first failure is handled below.
      run.catch(() => {})
      running.push(run)
    }
    let sum: Figures | undefined = NOTHING
    for (const figures of await Promise.all(running)) sum = sum && figures && added(sum, figures)
    return sum
  }

  async #compare(info: PushInfo, link: Link, partition: number): Promise<Chunk | 'stopped' | undefined> {
    const joiners = this.#joinersOf(info)
    const differences: Difference[] = []
    let scanned = 0
    let isStopped = false
    let askedAtMs = 0
    for (const joiner of joiners.filter(({ about }) => about !== undefined)) {
      const difference = await compare(
        {
          ...this.#sides(link),
          joiner,
          partition,
          ...this.#news(link, partition),
          goesOn: async (count) => {
            scanned += count
            // Each of the two sites reads half of it.
            await this.#pace.take(count / 2, this.#closing.signal)
            const now = this.#parts.connection.clock.now()
            if (now - askedAtMs >= 500) {
              askedAtMs = now
              isStopped = this.#closing.signal.aborted || !(await this.#goesOn(info.id))
            }
            return !isStopped
          },
          // Changes on their way arrive meanwhile.
          pause: () => pause(this.#parts.heartbeatMs / 3, this.#closing.signal),
        },
        info.mode === 'repair',
      )
      if (isStopped) return 'stopped'
      if (difference === undefined) return undefined
      if (difference !== 'equal') differences.push(difference)
    }
    const notCompared = joiners.flatMap(({ spi, about }) => (about === undefined ? [spi] : []))
    return { after: DONE, figures: { scanned }, found: { differences, notCompared } }
  }

  #joinersOf({ spi }: PushInfo): readonly SiteJoiner[] {
    return this.#parts.joiners.filter((joiner) => spi === 'all' || joiner.spi === spi)
  }

  /** Asks Redis of this site, and lets it serve others afterwards: a push is slower while they need it. */
  async #rested<R>(ask: () => Promise<R>): Promise<R> {
    const beganAtMs = timers.monotonicMs()
    const answer = await ask()
    this.#pace.rest(timers.monotonicMs() - beganAtMs)
    return answer
  }

  #sides(link: Link): { readonly here: Side; readonly there: Side } {
    const { connection, terms } = this.#parts
    return {
      // If this site's own Redis is away, that counts as if the other one were.
      here: {
        site: terms.site,
        terms,
        ask: (question) => this.#rested(() => question(connection).catch(() => undefined)),
      },
      there: {
        site: link.to,
        terms: { ...terms, site: link.to },
        ask: (question) => link.ask(question),
      },
    }
  }

  #news(link: Link, partition: number): TellNews {
    const { links, remember, terms } = this.#parts
    return {
      onRefused: async ({ site }, names) => {
        if (site === terms.site && names.length > 0) await remember(link.to, partition, names)
      },
      // A third site has not received it.
      onLearned: async ({ site }, names) => {
        if (site !== terms.site || names.length === 0) return
        const others = links.filter((other) => other !== link)
        await Promise.all(others.map(({ to }) => remember(to, partition, names)))
      },
    }
  }

  /** Records written later than this, by the receiver's clock, may be ones that the sender has not received yet. */
  #mirrorsBefore({ askedAt }: PushInfo, { info: { clockOffsetMs = 0, rttMs = 0 } }: Link): number {
    return askedAt - Math.abs(clockOffsetMs) - Math.ceil(rttMs)
  }
}

const added = (a: Figures, b: Figures): Figures =>
  Object.fromEntries(FIGURES.map((figure) => [figure, a[figure] + b[figure]])) as unknown as Figures

const placeOf = ({ spi, isMirror }: Place): string => JSON.stringify({ spi, ...(isMirror && { isMirror }) })
