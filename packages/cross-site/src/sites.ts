import { randomUUID } from 'node:crypto'
import type { SiteTopic } from '@authstate/cluster/sites'
import type {
  ChangeReaderOptions,
  ChangeReading,
  RedisConnection,
  SiteJoiner,
  SiteTerms,
} from '@authstate/redis'
import { assertOneOf, assertOptions, ConfigurationError, type Known, type Logger } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { CheckedConfig } from './config.js'
import { type Hello, Link } from './link.js'
import { linksNoted } from './links-noted.js'
import type { BringOnlineOptions, CrossSite, LinkInfo, LinkListener } from './public.js'
import type { PushAction, PushInfo, PushOptions, VerifyReport } from './push/contract.js'
import { Desk, type VerifyOptions } from './push/desk.js'
import { Jobs } from './push/jobs.js'
import { Pusher } from './push/pusher.js'
import { Relay } from './relay.js'
import { introduce, progress } from './scripts.js'
import { Shipper } from './shipper.js'
import { LinkWatch } from './watch.js'

/** How long a start waits for other sites. */
const FIRST_BEAT_MS = 2_000
/** How often it is noted that another site was there. */
const SEEN_MS = 60_000
/** Between two looks at what nodes said. */
const RELAY_MS = 100
/** Between two looks at how far it has come. */
const LOOK_MS = 5

/** What {@link Sites} are made of. */
export interface SitesParts {
  readonly connection: RedisConnection
  readonly config: CheckedConfig
  readonly logger: Logger
  readonly joiners: readonly SiteJoiner[]
  /** What of the work channel travels. */
  readonly work: readonly (SiteTopic | 'everything')[]
  readonly consumer: string
  readonly reading: ChangeReaderOptions
}

const BRING_ONLINE: Known<BringOnlineOptions> = { push: true, acceptResurrection: true }

type Recorded = ReadonlyMap<string, string>

/** This site and its links, on one node. */
export class Sites implements CrossSite {
  readonly site: string
  readonly #parts: SitesParts
  readonly #listeners = new Set<LinkListener>()
  #links: readonly Link[] = []
  #shipper: Shipper | undefined
  #relay: Relay | undefined
  #reading: ChangeReading | undefined
  #pusher: Pusher | undefined
  readonly #desk: Desk
  readonly #watch: LinkWatch
  #watchNoMore = () => {}
  readonly #stopping = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(parts: SitesParts) {
    this.#parts = parts
    this.site = parts.config.site
    this.#watch = new LinkWatch(parts.connection)
    this.#desk = new Desk(
      async () => this.site,
      parts.connection,
      () => this.#pushOn(),
    )
  }

  async start(): Promise<void> {
    const { connection, config, logger, joiners, work, consumer, reading } = this.#parts
    const recorded = await this.#introduce({ others: Object.keys(this.#parts.config.sites).join(',') })
    const site = recorded.get('site')
    if (site !== this.site) {
      throw new ConfigurationError(
        `crossSite.site: this node says "${this.site}", its Redis belongs to the site "${site}"`,
      )
    }
    const epoch = recorded.get('epoch') ?? ''
    const onChange: LinkListener = (link) => {
      if (link.state === 'offline' || link.state === 'blocked') this.#relay?.away(link.to)
      for (const listener of this.#listeners) listener(link)
    }
    this.#links = Object.entries(config.sites).map(
      ([to, other]) => new Link({ to, other, config, connection, epoch, logger, onChange }),
    )
    const terms: SiteTerms = { site: this.site, endsMs: config.tombstoneMs, aheadMs: config.clock.limitMs }
    const { maxRecordsPerSecond } = config
    const shipper = new Shipper({ connection, joiners, links: this.#links, terms, maxRecordsPerSecond })
    this.#shipper = shipper
    this.#reading = connection.readChanges(
      consumer,
      {
        onNotes: async (notes) => {
          await shipper.onNotes(notes)
          this.#watch.told(notes)
        },
        onGap: (gap) => shipper.onGap(gap),
      },
      reading,
    )
    this.#pusher = new Pusher({
      connection,
      jobs: new Jobs(connection),
      joiners,
      links: this.#links,
      terms,
      maxRecordsPerSecond,
      heartbeatMs: config.heartbeatMs,
      logger,
      reading: this.#reading,
      remember: (to, partition, names) => shipper.remember(to, partition, names),
    })
    this.#relay = new Relay({
      connection,
      site: this.site,
      links: this.#links,
      work,
      pollMs: reading.pollMs ?? RELAY_MS,
      partitions: () => this.#reading?.partitions() ?? [],
    })
    this.#relay.start()
    await within(this.#beat(), FIRST_BEAT_MS)
    const mistaken = this.#links.map(({ info }) => info).find(({ reason }) => reason === 'configuration')
    if (mistaken !== undefined) throw new ConfigurationError(mistaken.message ?? '')
    this.#watchNoMore = connection.watchSites({
      figures: () => this.#watch.figures(this.#links),
      warnings: () => this.warnings(),
    })
    this.#timer = timers.setInterval(() => void this.#beat(), config.heartbeatMs).unref()
  }

  async links(): Promise<readonly LinkInfo[]> {
    return Promise.all(
      this.#links.map(async (link) => ({
        ...link.info,
        behind: (await this.#shipper?.behind(link.to)) ?? 0,
      })),
    )
  }

  async takeOffline(site: string): Promise<void> {
    const link = this.#linkTo(site)
    await this.#introduce({ [`offline:${site}`]: String(this.#now()) })
    link.byHand(true)
  }

  async bringOnline(site: string, options: BringOnlineOptions = {}): Promise<readonly PushInfo[]> {
    const link = this.#linkTo(site)
    assertOptions(options, 'options', BRING_ONLINE)
    const { push, acceptResurrection = false } = options
    if (push !== undefined) assertOneOf(push, 'options.push', ['both', 'out', 'in', 'none'])
    if (push === 'none') await linksNoted(this.#parts.connection).forgetBehind(site)
    const recorded = await this.#introduce()
    const away = recorded.get(`offline:${site}`) ?? recorded.get(`seen:${site}`)
    await this.#introduce({
      [`offline:${site}`]: '',
      ...(acceptResurrection && { [`seen:${site}`]: String(this.#now()) }),
    })
    link.byHand(false)
    await this.#beat()
    const written = away === undefined ? {} : { since: Number(away) - this.#parts.config.clock.limitMs }
    return Promise.all([
      ...(push === 'out' || push === 'both' ? [this.push(site, written)] : []),
      ...(push === 'in' || push === 'both' ? [this.pull(site, written)] : []),
    ])
  }

  async push(to: string, options?: PushOptions): Promise<PushInfo> {
    this.#linkTo(to)
    this.#assertService(options)
    return this.#desk.push(to, options)
  }

  async pull(from: string, options?: PushOptions): Promise<PushInfo> {
    this.#linkTo(from)
    this.#assertService(options)
    return this.#desk.pull(from, options)
  }

  pushes(options?: { readonly active?: boolean }): Promise<readonly PushInfo[]> {
    return this.#desk.pushes(options)
  }

  controlPush(id: string, action: PushAction): Promise<PushInfo | undefined> {
    return this.#desk.controlPush(id, action)
  }

  async verify(site: string, options?: VerifyOptions): Promise<VerifyReport> {
    this.#linkTo(site)
    this.#assertService(options)
    return this.#desk.verify(site, options, undefined, this.#stopping.signal)
  }

  async caughtUp(): Promise<void> {
    const { connection } = this.#parts
    await Promise.all(connection.keys.all.map((partition) => this.#cameAlong(partition)))
    for (const link of this.#links) {
      while (link.info.state === 'online' && this.#closing === undefined) {
        const isTold = await this.#relay?.caughtUp(link)
        if (isTold !== false && ((await this.#shipper?.behind(link.to)) ?? 0) === 0) break
        await this.#catchUp(link)
        await pause(LOOK_MS)
      }
    }
  }

  onLink(listener: LinkListener): () => void {
    if (typeof listener !== 'function') throw new TypeError('"listener" must be a function')
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  warnings(): readonly string[] {
    return this.#links.flatMap(({ to, info: { state, message }, refused }) => [
      ...(state === 'blocked' ? [`the link to the site "${to}" is blocked: ${message}`] : []),
      ...(state === 'offline' ? [`the site "${to}" is told nothing; what changes is remembered`] : []),
      ...(refused > 0 ? [`the site "${to}" did not take ${refused} records; they are told again`] : []),
    ])
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    timers.clearInterval(this.#timer)
    this.#stopping.abort()
    this.#watchNoMore()
    await this.#pusher?.close()
    await Promise.all([this.#relay?.close(), this.#reading?.close(), this.#shipper?.close()])
    await Promise.all(this.#links.map((link) => link.close()))
    await this.#beating
  }

  /** Waits until the consumer has had the notes that are there now. */
  async #cameAlong(partition: number): Promise<void> {
    const { connection, consumer } = this.#parts
    const keys = { notes: connection.keys.key(partition, 'xn'), had: connection.keys.key(partition, 'xh') }
    let until: string | undefined
    while (this.#closing === undefined) {
      const { last, had } = await connection.run(progress, keys, { consumer })
      until ??= last
      if (!isBehind(had, until)) return
      await pause(LOOK_MS)
    }
  }

  #beat(): Promise<void> {
    this.#beating ??= this.#beatAll().finally(() => {
      this.#beating = undefined
    })
    return this.#beating
  }

  async #beatAll(): Promise<void> {
    // Where this site's own Redis is away there is nothing to tell.
    const recorded = await this.#introduce().catch(() => undefined)
    if (recorded === undefined || this.#closing) return
    await Promise.all(this.#links.map((link) => this.#beatOne(link, recorded).catch(() => {})))
    this.#pushOn()
    await this.#watch.count(this.#links, async (to) => (await this.#shipper?.behind(to)) ?? 0).catch(() => {})
  }

  async #beatOne(link: Link, recorded: Recorded): Promise<void> {
    const { to } = link
    link.byHand(recorded.has(`offline:${to}`))
    const hello = await link.beat()
    if (hello === undefined || this.#closing) return
    const now = this.#now()
    const seen = Number(recorded.get(`seen:${to}`) ?? now)
    if (now - seen > this.#parts.config.tombstoneMs) {
      link.block(
        'away-too-long',
        `the site "${to}" was away for longer than removals are remembered, so sessions that ended since may come back from there: ` +
          'empty it, or say bringOnline with acceptResurrection',
      )
      return
    }
    link.open()
    await this.#noteSeen(to, hello, recorded, now)
    void this.#catchUp(link)
  }

  async #noteSeen(to: string, { epoch }: Hello, recorded: Recorded, now: number): Promise<void> {
    const known = recorded.get(`epoch:${to}`)
    // Its Redis lost its data: it is told everything.
    if (known !== undefined && known !== epoch) {
      await Promise.all([this.#shipper?.rememberAll(to), this.#relay?.owe(to)])
    }
    const isNew = known !== epoch
    if (isNew || now - Number(recorded.get(`seen:${to}`) ?? 0) > SEEN_MS)
      await this.#introduce({ [`seen:${to}`]: String(now), [`epoch:${to}`]: epoch })
  }

  async #catchUp(link: Link): Promise<void> {
    if (this.#reading !== undefined) await this.#shipper?.catchUp(link, this.#reading)
  }

  /** Sees to pushes that somebody asked for. */
  #pushOn(): void {
    // What fails is tried again with the next beat.
    this.#pusher?.beat().catch(() => {})
  }

  #assertService({ spi }: { readonly spi?: string } = {}): void {
    const known = this.#parts.joiners.map((joiner) => joiner.spi)
    if (spi !== undefined && spi !== 'all' && !known.includes(spi)) {
      const list = known.map((name) => `'${name}'`).join(', ')
      throw new TypeError(`"options.spi" must be a service that is kept in step: ${list}`)
    }
  }

  #introduce(set: Readonly<Record<string, string>> = {}): Promise<Recorded> {
    const { connection } = this.#parts
    const keys = { site: connection.keys.shared('site') }
    return connection.run(introduce, keys, { site: this.site, epoch: randomUUID(), set: JSON.stringify(set) })
  }

  #linkTo(site: string): Link {
    const link = this.#links.find(({ to }) => to === site)
    if (link !== undefined) return link
    const known = this.#links.map(({ to }) => `"${to}"`).join(', ')
    throw new TypeError(`"site" must be one of ${known}`)
  }

  #now(): number {
    return this.#parts.connection.clock.now()
  }
}

/** Whether an id of a note comes before another. */
function isBehind(had: string, until: string): boolean {
  if (until === '') return false
  const [ms = 0, n = 0] = had.split('-').map(Number)
  const [untilMs = 0, untilN = 0] = until.split('-').map(Number)
  return ms < untilMs || (ms === untilMs && n < untilN)
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    timers.setTimeout(resolve, ms)
  })

/** Waits, but not for longer than this. */
async function within(run: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = timers.setTimeout(resolve, ms)
  })
  await Promise.race([run, late])
  timers.clearTimeout(timer)
}
