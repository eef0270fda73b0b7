import { connect, missingRight, type RedisConnection } from '@authstate/redis'
import { ConfigurationError, StoreUnavailableError } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { Backup } from './backup.js'
import type { Hello, LinkParts, Telling, Told } from './link-parts.js'
import { LinkCounts, outcomeOf, PROTOCOL } from './link-parts.js'
import { linkKey, readLinkRecord } from './link-record.js'
import {
  answered,
  awaySince,
  blocked,
  byHand,
  caughtUp,
  failed,
  isOpenState,
  type Proof,
  type Standing,
  stableMsAfter,
  weightOf,
} from './link-state.js'
import { membershipMistake } from './membership.js'
import type { LinkInfo, LinkReason, LinkState, ServiceLink } from './public.js'
import { mark } from './scripts.js'
import { Standings } from './standings.js'

/** While it is blocked, a link is checked with every tenth heartbeat. */
const BEATS_WHILE_BLOCKED = 10
const STABLE_MS = 60_000

/** The link from this site to another one. */
export class Link extends LinkCounts {
  readonly to: string
  readonly #parts: LinkParts
  readonly #standings: Standings
  #peer: RedisConnection | undefined
  #rttMs: number | undefined
  #clockOffsetMs: number | undefined
  #peerSeesUs: LinkState | undefined
  #isOneWay = false
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #beating: Promise<Hello | undefined> | undefined
  #isClosed = false

  constructor(parts: LinkParts) {
    super()
    this.#parts = parts
    this.to = parts.to
    const { connection, to, backups, config } = parts
    const told = [...backups.keys()].filter((spi) => this.tells(spi))
    this.#standings = new Standings({
      connection,
      to,
      // A service that stays at its site has nothing to catch up with.
      spis: told.length > 0 ? told : [...backups.keys()],
      isTogether: config.takeOffline.scope === 'link',
      onChange: (before, now) => this.#changed(before, now),
    })
  }

  /** How changes of a service are sent to the other site. */
  backup(spi: string): Backup | undefined {
    return this.#parts.backups.get(spi)
  }

  /** Whether a service travels to the other site at all. */
  tells(spi: string): boolean {
    return (this.backup(spi)?.strategy ?? 'none') !== 'none'
  }

  /** The state of a service; of a service that does not travel, or of all: the state of the link. */
  stateOf(spi: string): LinkState {
    return this.#standings.of(spi)?.state ?? this.#worst.state
  }

  /** Whether records are sent to the other site, of one service or of any. */
  isOpen(spi?: string): boolean {
    if (this.#peer === undefined) return false
    if (spi !== undefined) return isOpenState(this.stateOf(spi))
    return [...this.#standings.all.values()].some(({ state }) => isOpenState(state))
  }

  /** What is wrong with a service that is blocked: a sentence. */
  messageOf(spi: string): string {
    const message = this.#standings.of(spi)?.message ?? this.#worst.message
    return message ?? `the link to the site "${this.to}" is blocked: no node of this site has noted why`
  }

  get info(): Omit<LinkInfo, 'behind'> {
    const { needsTelling: _, stableSince: __, ...worst } = this.#worst
    const services = Object.fromEntries(
      [...this.#standings.all].map(([spi, { state, reason, failures, changedAt }]): [string, ServiceLink] => [
        spi,
        {
          strategy: this.backup(spi)?.strategy ?? 'none',
          state,
          ...(reason !== undefined && { reason }),
          failures,
          changedAt,
        },
      ]),
    )
    return {
      to: this.to,
      ...worst,
      services,
      unconfirmed: this.unconfirmed,
      unguarded: this.unguarded,
      ...(this.#rttMs !== undefined && { rttMs: this.#rttMs }),
      ...(this.#clockOffsetMs !== undefined && { clockOffsetMs: this.#clockOffsetMs }),
      ...(this.#peerSeesUs !== undefined && { peerSeesUs: this.#peerSeesUs }),
    }
  }

  get #worst(): Standing {
    const [first, ...rest] = this.#standings.all.values()
    return rest.reduce(
      (worst, standing) => (weightOf(standing) > weightOf(worst) ? standing : worst),
      first as Standing,
    )
  }

  /** Sends records to the other site together. Returns what came of each. All of them count as one failure at most. */
  async tell(told: readonly Told[]): Promise<readonly Telling[]> {
    const sentAt = this.#now()
    const errors = new Map<string, unknown>()
    const proven = new Set<string>()
    const tellings = await Promise.all(
      told.map(async (item): Promise<Telling> => {
        const { spi } = item.joiner
        try {
          const telling = await this.#tellItem(item)
          if (telling.answer !== undefined) proven.add(spi)
          return telling
        } catch (error) {
          if (!errors.has(spi)) errors.set(spi, error)
          return { outcome: outcomeOf(error) }
        }
      }),
    )
    for (const [spi, error] of errors) this.#fail(error, sentAt, 'tell', spi)
    const worked = [...proven].filter((spi) => !errors.has(spi) && this.stateOf(spi) === 'suspect')
    if (worked.length > 0) this.#answered('tell', worked)
    return tellings
  }

  async #tellItem({ joiner, record, state }: Told): Promise<Telling> {
    const peer = this.#peer
    if (!isOpenState(this.stateOf(joiner.spi))) return { outcome: 'skipped-offline' }
    if (peer === undefined || this.#isClosed) return { outcome: 'not-applied' }
    const { tombstoneMs: endsMs, clock } = this.#parts.config
    const terms = { site: this.to, endsMs, aheadMs: clock.limitMs }
    const answer = await joiner.join(peer, record, state, terms)
    if (['changed', 'same', 'gone'].includes(answer.outcome)) return { outcome: 'applied', answer }
    if (answer.outcome !== 'need-full') this.refused += 1
    return { outcome: 'refused', answer }
  }

  /** Says how far this node sends a partition, before it does so. Sending does not wait for it. */
  mark(partition: number, id: string): void {
    const peer = this.#peer
    // What is sent next fails the same way, and counts.
    if (peer !== undefined && this.isOpen()) this.#mark(peer, partition, id, 0).catch(() => {})
  }

  /** Ids of the last notes of a partition that nodes of this site sent; those before a moment are forgotten. */
  marks(partition: number, before: number): Promise<readonly string[] | undefined> {
    return this.ask((peer) => this.#mark(peer, partition, '', before))
  }

  #mark(peer: RedisConnection, partition: number, id: string, before: number): Promise<readonly string[]> {
    const { node, config } = this.#parts
    const keys = { marks: peer.keys.key(partition, 'xm') }
    return peer.run(mark, keys, { field: `told:${config.site}/${node}`, id, before })
  }

  /** Asks the Redis of the other site; `undefined`: it did not answer, or the link does not allow it now. */
  async ask<T>(question: (peer: RedisConnection) => Promise<T>): Promise<T | undefined> {
    return this.request('cross-site.ask', question).catch(() => undefined)
  }

  /**
   * Runs something at the other site. A failure counts as one of the link.
   *
   * @throws {StoreUnavailableError} with `applied: 'no'` if the link is offline, blocked or was never up; else as the connection there says it
   */
  async request<T>(operation: string, ask: (peer: RedisConnection) => Promise<T>): Promise<T> {
    const peer = this.#peer
    if (peer === undefined || !this.isOpen()) {
      throw new StoreUnavailableError(`${operation}: the site "${this.to}" cannot be reached`, {
        applied: 'no',
      })
    }
    const sentAt = this.#now()
    try {
      const answer = await ask(peer)
      if (this.#worst.state === 'suspect') this.#answered('tell')
      return answer
    } catch (error) {
      this.#fail(error, sentAt, 'tell')
      throw error
    }
  }

  /** A verb waited for the other site and got no answer in time. */
  wasLate(spi: string, sentAt: number): void {
    this.#fail(new Error('no answer in time'), sentAt, 'tell', spi)
  }

  /** An operator took it offline, or wants it back. Resolves when the record that every node reads says so. */
  async byHand(isOffline: boolean, spi?: string): Promise<void> {
    const now = this.#now()
    this.#standings.take(
      (standing) => byHand(standing, isOffline, now),
      spi === undefined ? undefined : [spi],
    )
    await this.#standings.settled()
  }

  /** Sends nothing more until an operator has fixed the reason. */
  block(reason: LinkReason, message: string): void {
    const now = this.#now()
    this.#standings.take((standing) => blocked(standing, reason, message, now))
  }

  /** The other site is there and may receive changes. */
  open(): void {
    this.#answered('beat')
  }

  /** The other site has everything that it missed of some services. */
  caughtUp(spis: readonly string[]): void {
    const now = this.#now()
    const behind = spis.filter((spi) => ['syncing', 'suspect'].includes(this.stateOf(spi)))
    if (behind.length > 0) this.#standings.take((standing) => caughtUp(standing, now), behind)
  }

  /** Reads how other nodes of this site see the link. */
  refresh(): Promise<void> {
    return this.#standings.refresh()
  }

  /** Asks the other site whether it is there; `undefined`: it is not, or it is not the site that the configuration names. */
  beat(): Promise<Hello | undefined> {
    this.#beating ??= this.#beat().finally(() => {
      this.#beating = undefined
    })
    return this.#beating
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#beating
    await this.#standings.settled()
    await this.#peer?.close()
  }

  async #beat(): Promise<Hello | undefined> {
    const standings = [...this.#standings.all.values()]
    const isManual = standings.every(({ state, reason }) => state === 'offline' && reason === 'manual')
    if (this.#isClosed || isManual) return undefined
    const beganAtMs = timers.monotonicMs()
    const isBlocked = standings.some(({ state }) => state === 'blocked')
    if (isBlocked && beganAtMs - this.#lookedAtMs < BEATS_WHILE_BLOCKED * this.#parts.config.heartbeatMs)
      return undefined
    this.#lookedAtMs = beganAtMs
    const sentAt = this.#now()
    try {
      this.#peer ??= await this.#connect()
      const peer = this.#peer
      const askedAtMs = timers.monotonicMs()
      const [hello, view] = await Promise.all([
        peer.hgetall('cross-site.hello', peer.keys.shared('site')),
        peer.hgetall('cross-site.hello', linkKey(peer, this.#parts.config.site)),
      ])
      this.#rttMs = timers.monotonicMs() - askedAtMs
      return this.#hear(hello, view)
    } catch (error) {
      this.#fail(error, sentAt, 'beat')
      return undefined
    }
  }

  async #connect(): Promise<RedisConnection> {
    const { other, logger, clock } = this.#parts
    const { partitions } = this.#parts.connection.keys
    const peer = await connect({ partitions, ...other.redis }, { logger, clock, isGuest: true })
    if (!this.#isClosed) return peer
    await peer.close()
    throw new Error('closed')
  }

  #hear(told: Readonly<Record<string, string>>, view: Readonly<Record<string, string>>): Hello | undefined {
    const { connection, config } = this.#parts
    const { site, epoch = '', protocol = PROTOCOL, membership = '1', members } = told
    if (site === undefined) {
      this.#fail(new Error('no node there has started crossSite yet'), this.#now(), 'beat')
      return undefined
    }
    if (epoch === this.#parts.epoch()) {
      this.block('configuration', `crossSite.sites.${this.to}: leads to the Redis of this site itself`)
      return undefined
    }
    if (site !== this.to) {
      const message = `crossSite.sites.${this.to}: this Redis belongs to the site "${site}"`
      this.block('configuration', message)
      return undefined
    }
    if (protocol !== PROTOCOL) {
      const message = `the site "${this.to}" uses version ${protocol} of the protocol between sites, and this site uses ${PROTOCOL}: upgrade both to the same release`
      this.block('version', message)
      return undefined
    }
    const mistake =
      config.marks && membershipMistake(config, this.to, { version: Number(membership), members })
    if (mistake !== undefined) {
      this.block('configuration', mistake)
      return undefined
    }
    this.#hearView(view)
    const offset = Math.round((this.#peer as RedisConnection).clock.now() - connection.clock.now())
    const wasOff = Math.abs(this.#clockOffsetMs ?? 0) > config.clock.warnMs
    this.#clockOffsetMs = offset
    if (wasOff !== Math.abs(offset) > config.clock.warnMs) this.#parts.onClock(offset)
    if (Math.abs(offset) > config.clock.limitMs) {
      this.block(
        'clock',
        `the clock of the site "${this.to}" is ${offset} ms ahead of the clock of this site: correct the one that is wrong`,
      )
      return undefined
    }
    const [known = this.#parts.epoch(), anew] = [told[`epoch:${config.site}`], told[`anew:${config.site}`]]
    const lostUs = known !== this.#parts.epoch() || anew === known
    return { epoch, membership: Number(membership), lostUs }
  }

  /** How the other site sees this one. */
  #hearView(view: Readonly<Record<string, string>>): void {
    const standings = [...readLinkRecord(new Map(Object.entries(view))).standings.values()]
    const worst = standings.sort((a, b) => weightOf(b) - weightOf(a))[0]
    this.#peerSeesUs = worst?.state
    const isOneWay = worst?.state === 'offline' && worst.reason !== 'manual' && this.#worst.state === 'online'
    if (isOneWay && !this.#isOneWay) this.#parts.onOneWay(worst.state)
    this.#isOneWay = isOneWay
  }

  #answered(proof: Proof, spis?: readonly string[]): void {
    const now = this.#now()
    const { mode, stableMs = STABLE_MS } = this.#parts.config.recovery
    this.#standings.take(
      (standing, flaps) =>
        answered(standing, now, { mode, stableMs: stableMsAfter(stableMs, flaps, now) }, proof),
      spis,
    )
  }

  #fail(error: unknown, sentAt: number, proof: Proof, spi?: string): void {
    if (this.#isClosed) return
    const right = missingRight(error) ?? missingRight((error as Error).cause)
    if (right !== undefined) {
      this.block('rights', `at the site "${this.to}": ${right}`)
    } else if (error instanceof ConfigurationError) {
      this.block('configuration', `crossSite.sites.${this.to}: ${error.message}`)
    } else {
      const now = this.#now()
      const { takeOffline } = this.#parts.config
      this.#standings.take(
        (standing) => failed(standing, sentAt, now, takeOffline, proof),
        spi === undefined ? undefined : [spi],
      )
    }
  }

  #changed(before: ReadonlyMap<string, Standing>, now: ReadonlyMap<string, Standing>): void {
    const changed = [...now].find(([spi, { state, reason }]) => {
      const was = before.get(spi)
      return was !== undefined && (was.state !== state || was.reason !== reason)
    })
    if (changed === undefined) return
    const [spi, standing] = changed
    const { logger, onChange, onBack } = this.#parts
    const since = awaySince(before, now)
    if (since !== undefined) onBack(since)
    const about = { to: this.to, spi, state: standing.state, reason: standing.reason }
    if (standing.state === 'blocked')
      logger.error(about, `a link to another site is blocked: ${standing.message}`)
    else if (standing.state === 'offline')
      logger.warn(about, 'nothing is sent to another site; changes are remembered')
    else if (standing.state === 'online') logger.info(about, 'changes are sent to another site')
    onChange(this.info)
  }

  #now(): number {
    return this.#parts.connection.clock.now()
  }
}
