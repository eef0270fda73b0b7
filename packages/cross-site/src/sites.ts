import { randomUUID } from 'node:crypto'
import type { ChangeReading, SiteTerms } from '@authstate/redis'
import { assertOneOf, assertOptions, ConfigurationError, type Known } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import { assertService, linkTo } from './asked-for.js'
import { Barriers } from './barrier.js'
import { checkVerbs } from './check-verbs.js'
import { settleConflicts } from './conflicts.js'
import { startDeciding } from './deciders.js'
import { newsOfLink, type SiteEmitter } from './events.js'
import { Follower } from './follower.js'
import { Gathering } from './gathering.js'
import { introduceAtStart, introduceSite, type Recorded } from './introduction.js'
import { Link } from './link.js'
import { hearOperators, linksNoted, offlineField, seenNow } from './links-noted.js'
import type { BarrierOptions, BringOnlineOptions, CrossSite, LinkInfo, LinkListener } from './public.js'
import type { PushAction, PushInfo, PushOptions, VerifyReport } from './push/contract.js'
import { Desk, type VerifyOptions } from './push/desk.js'
import { Jobs } from './push/jobs.js'
import { Pusher } from './push/pusher.js'
import { askAfter } from './recovery.js'
import { Relay } from './relay.js'
import { Rewinds } from './rewinds.js'
import { Shipper } from './shipper.js'
import type { SitesParts } from './sites-parts.js'
import { cameAlong, LOOK_MS, pause, within } from './waits.js'
import { LinkWatch, warningsOf } from './watch.js'

/** How long a start waits for other sites. */
const FIRST_BEAT_MS = 2_000
/** Time between two looks at the work channel. */
const RELAY_MS = 100

const BRING_ONLINE: Known<BringOnlineOptions> = { spi: true, push: true, acceptResurrection: true }

/** This site and its links, on one node. */
export class Sites implements CrossSite {
  readonly site: string
  readonly #parts: SitesParts
  readonly #events: SiteEmitter
  /** Of this start alone. */
  #epoch = ''
  /** What departed at once need not be read at once. */
  readonly #gathering = new Gathering((partition) => this.#reading?.hurry(partition))
  #follower: Follower | undefined
  #links: readonly Link[] = []
  #shipper: Shipper | undefined
  #relay: Relay | undefined
  #reading: ChangeReading | undefined
  #pusher: Pusher | undefined
  #rewinds: Rewinds | undefined
  readonly #desk: Desk
  readonly #barriers: Barriers
  readonly #watch: LinkWatch
  #watchNoMore = () => {}
  readonly #stopping = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(parts: SitesParts) {
    this.#parts = parts
    this.site = parts.config.site
    this.#events = parts.events
    this.#watch = new LinkWatch(parts.connection)
    this.#desk = new Desk(
      async () => this.site,
      parts.connection,
      () => void this.#pushOn(),
    )
    this.#barriers = new Barriers({
      ...parts,
      site: this.site,
      others: Object.keys(parts.config.sites),
      behind: async (partition) => (await this.#shipper?.behindIn(partition)) ?? 0,
      signal: this.#stopping.signal,
    })
  }

  async start(): Promise<void> {
    const { connection, config, logger, joiners, work, consumer, reading, backups, clocks } = this.#parts
    if (connection.sites !== undefined) {
      throw new ConfigurationError(
        'crossSite: start() was already called for this connection; call it once per connection',
      )
    }
    checkVerbs(connection, config)
    const recorded = await introduceAtStart(connection, config, joiners)
    this.#epoch = recorded.get('epoch') ?? ''
    const events = this.#events
    const node = randomUUID().slice(0, 8)
    const onChange: LinkListener = (link) => {
      if (link.state === 'offline' || link.state === 'blocked') this.#relay?.away(link.to)
      if (link.state !== 'online') this.#shipper?.forget(link.to)
      events.emit('link', { link })
    }
    this.#links = Object.entries(config.sites).map(
      ([to, other]) =>
        new Link({
          to,
          other,
          config,
          backups: backups(to),
          connection,
          clock: clocks[to],
          node,
          epoch: () => this.#epoch,
          logger,
          onChange,
          ...newsOfLink(events, logger, to, config.clock.warnMs),
          onBack: askAfter(this.#desk, to, config, logger),
        }),
    )
    const terms: SiteTerms = { site: this.site, endsMs: config.tombstoneMs, aheadMs: config.clock.limitMs }
    const { maxRecordsPerSecond } = config
    const jobs = new Jobs(connection)
    const partitions = () => this.#reading?.partitions() ?? []
    const limitMs = config.clock.limitMs
    const rewinds = new Rewinds({
      ...this.#parts,
      site: this.site,
      links: this.#links,
      jobs,
      events,
      limitMs,
      partitions,
    })
    this.#rewinds = rewinds
    const shipper = new Shipper({
      connection,
      joiners,
      links: this.#links,
      terms,
      maxRecordsPerSecond,
      consumer,
      rewinds,
      onGap: ({ partition, reason }) => {
        if (reason === 'missed') events.emit('outbox-overflow', { partition })
      },
    })
    this.#shipper = shipper
    const remember = shipper.remember.bind(shipper)
    await Promise.all(this.#links.map((link) => link.refresh()))
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
      jobs,
      joiners,
      links: this.#links,
      terms,
      maxRecordsPerSecond,
      heartbeatMs: config.heartbeatMs,
      logger,
      reading: this.#reading,
      remember,
      onPush: (push) => events.emit('push', { push }),
    })
    this.#relay = new Relay({
      connection,
      site: this.site,
      links: this.#links,
      work,
      pollMs: reading.pollMs ?? RELAY_MS,
      partitions,
    })
    this.#relay.start()
    await within(this.#beat(), FIRST_BEAT_MS)
    const mistaken = this.#links.map(({ info }) => info).find(({ reason }) => reason === 'configuration')
    if (mistaken !== undefined) throw new ConfigurationError(mistaken.message ?? '')
    this.#watchNoMore = connection.watchSites({
      figures: () => this.#watch.figures(this.#links),
      warnings: () => this.warnings(),
    })
    this.#follower = new Follower({
      connection,
      site: this.site,
      mark: config.marks?.[this.site],
      deciders: await startDeciding({ connection, config, links: this.#links }, joiners),
      links: this.#links,
      flights: shipper.flights,
      isReady: () => this.isReady(),
      events,
      logger,
      onChanging: (partition) => {
        this.#barriers.changing(partition)
        this.#hurry(partition)
        this.#gathering.add(partition)
      },
    })
    connection.goWithSites(this.#follower)
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

  async takeOffline(site: string, { spi }: { spi?: string } = {}): Promise<void> {
    const link = this.#linkTo(site, spi)
    await this.#introduce({ [offlineField(site, spi)]: String(this.#now()) })
    await link.byHand(true, spi)
  }

  async bringOnline(site: string, options: BringOnlineOptions = {}): Promise<readonly PushInfo[]> {
    assertOptions(options, 'options', BRING_ONLINE)
    const { push, spi, acceptResurrection = false } = options
    const link = this.#linkTo(site, spi)
    if (push !== undefined) assertOneOf(push, 'options.push', ['both', 'out', 'in', 'none'])
    if (push === 'none') await linksNoted(this.#parts.connection).forgetBehind(site)
    const recorded = await this.#introduce()
    const away = recorded.get(offlineField(site, spi)) ?? recorded.get(`seen:${site}`)
    await this.#introduce({
      [offlineField(site, spi)]: '',
      ...(acceptResurrection && { [`seen:${site}`]: String(this.#now()) }),
    })
    await link.byHand(false, spi)
    await this.#beat()
    const written = away === undefined ? {} : { since: Number(away) - this.#parts.config.clock.limitMs }
    return Promise.all([
      ...(push === 'out' || push === 'both' ? [this.push(site, written)] : []),
      ...(push === 'in' || push === 'both' ? [this.pull(site, written)] : []),
    ])
  }

  async push(to: string, options?: PushOptions): Promise<PushInfo> {
    this.#linkTo(to)
    assertService(this.#parts.joiners, options)
    return this.#desk.push(to, options)
  }

  async pull(from: string, options?: PushOptions): Promise<PushInfo> {
    this.#linkTo(from)
    assertService(this.#parts.joiners, options)
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
    assertService(this.#parts.joiners, options)
    return this.#desk.verify(site, options, undefined, this.#stopping.signal)
  }

  token(): Promise<string> {
    return this.#barriers.token()
  }

  barrier(token: string, options?: BarrierOptions): Promise<boolean> {
    return this.#barriers.barrier(token, options)
  }

  async caughtUp(): Promise<void> {
    const { connection, consumer } = this.#parts
    const isOver = () => this.#closing !== undefined
    await Promise.all(
      connection.keys.all.map((partition) => cameAlong(connection, consumer, partition, isOver)),
    )
    for (const link of this.#links) {
      while (['online', 'syncing'].includes(link.info.state) && this.#closing === undefined) {
        const isTold = await this.#relay?.caughtUp(link)
        if (isTold !== false && ((await this.#shipper?.behind(link.to)) ?? 0) === 0) break
        await this.#catchUp(link)
        await pause(LOOK_MS)
      }
    }
  }

  on: CrossSite['on'] = (event, listener) => this.#events.on(event, listener as never)

  onLink(listener: LinkListener): () => void {
    if (typeof listener !== 'function') throw new TypeError('"listener" must be a function')
    return this.#events.on('link', ({ link }) => listener(link))
  }

  warnings(): readonly string[] {
    return warningsOf(this.#links, this.#rewinds?.isBehind === true)
  }

  isReady(): boolean {
    return this.#parts.config.health.serveWhileSyncing || this.#rewinds?.isBehind !== true
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
    this.#gathering.close()
    const { connection } = this.#parts
    if (this.#follower !== undefined && connection.sites === this.#follower) connection.goWithSites(undefined)
    await Promise.all([this.#relay?.close(), this.#reading?.close(), this.#shipper?.close()])
    await Promise.all(this.#links.map((link) => link.close()))
    await this.#beating
    this.#events.clear()
  }

  /** Something changed: the node that reads the partition tells it at once. */
  #hurry(partition: number): void {
    const isOpen = this.#links.some((link) => link.isOpen())
    if (isOpen && this.#reading?.partitions().includes(partition)) this.#shipper?.flights.hurry(partition)
  }

  #beat(): Promise<void> {
    this.#beating ??= this.#beatAll().finally(() => {
      this.#beating = undefined
    })
    return this.#beating
  }

  async #beatAll(): Promise<void> {
    // While this site's own Redis is away, there is nothing to send.
    const recorded = await this.#introduce().catch(() => undefined)
    if (recorded === undefined || this.#closing) return
    this.#epoch = recorded.get('epoch') ?? ''
    this.#follower?.deciders?.hear(recorded)
    await Promise.all(this.#links.map((link) => this.#beatOne(link, recorded).catch(() => {})))
    await this.#pushOn()
    await settleConflicts(this.#parts, this.#reading?.partitions() ?? [])
    // What is asked for now is begun with the next beat.
    await this.#rewinds?.beat(this.#pusher?.active ?? []).catch(() => {})
    await this.#watch.count(this.#links, async (to) => (await this.#shipper?.behind(to)) ?? 0).catch(() => {})
  }

  async #beatOne(link: Link, recorded: Recorded): Promise<void> {
    const { to } = link
    await link.refresh()
    await hearOperators(link, recorded)
    const hello = await link.beat()
    if (hello === undefined || this.#closing) return
    const now = this.#now()
    const seen = Number(recorded.get(`seen:${to}`) ?? now)
    if (now - seen > this.#parts.config.tombstoneMs) {
      link.block(
        'away-too-long',
        `the site "${to}" was away for longer than tombstoneMs, so sessions that ended since may come back from there: ` +
          'empty its Redis, or call bringOnline with acceptResurrection: true',
      )
      return
    }
    link.open()
    if (hello.lostUs && recorded.get(`asked:${to}`) !== this.#epoch) {
      await this.#rewinds?.lostAll(link)
      await this.#introduce({ [`asked:${to}`]: this.#epoch })
    }
    const news = seenNow(to, hello, recorded, now)
    if (news?.isNew) await this.#shipper?.rememberAll(to)
    if (news?.isAnew) await this.#relay?.owe(to)
    if (news !== undefined) await this.#introduce(news.fields)
    void this.#catchUp(link)
  }

  async #catchUp(link: Link): Promise<void> {
    if (this.#reading !== undefined) await this.#shipper?.catchUp(link, this.#reading)
  }

  /** Does the pushes that were asked for. */
  async #pushOn(): Promise<void> {
    // A failure is tried again with the next heartbeat.
    await this.#pusher?.beat().catch(() => {})
  }

  #introduce(set?: Readonly<Record<string, string>>): Promise<Recorded> {
    return introduceSite(this.#parts.connection, this.site, set)
  }

  #linkTo(site: string, spi?: string): Link {
    return linkTo(this.#links, site, spi)
  }

  #now(): number {
    return this.#parts.connection.clock.now()
  }
}
