import {
  type ChangedRecord,
  connect,
  type JoinAnswer,
  missingRight,
  type RedisConnection,
  type SiteJoiner,
} from '@authstate/redis'
import { ConfigurationError, type Logger } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { CheckedConfig, OtherSite } from './config.js'
import { answered, atFirst, blocked, byHand, failed, type Standing } from './link-state.js'
import type { LinkInfo, LinkReason } from './public.js'

/** What a {@link Link} is made of. */
export interface LinkParts {
  readonly to: string
  readonly other: OtherSite
  readonly config: CheckedConfig
  /** Of this site. */
  readonly connection: RedisConnection
  /** Of this site: a Redis that says the same is this one. */
  readonly epoch: string
  readonly logger: Logger
  readonly onChange: (link: Omit<LinkInfo, 'behind'>) => void
}

/** What the other site said of itself. */
export interface Hello {
  readonly epoch: string
}

const LOOK_WHILE_BLOCKED_MS = 10_000

/** The way from this site to another. */
export class Link {
  readonly to: string
  readonly #parts: LinkParts
  #standing: Standing
  #peer: RedisConnection | undefined
  #rttMs: number | undefined
  #clockOffsetMs: number | undefined
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #beating: Promise<Hello | undefined> | undefined
  #isClosed = false
  /** Times that the other site would not take what it was told. */
  refused = 0

  constructor(parts: LinkParts) {
    this.#parts = parts
    this.to = parts.to
    this.#standing = atFirst(parts.connection.clock.now())
  }

  /** Whether it is worth telling the other site something. */
  get isOpen(): boolean {
    return this.#peer !== undefined && ['online', 'suspect'].includes(this.#standing.state)
  }

  get info(): Omit<LinkInfo, 'behind'> {
    return {
      to: this.to,
      ...this.#standing,
      ...(this.#rttMs !== undefined && { rttMs: this.#rttMs }),
      ...(this.#clockOffsetMs !== undefined && { clockOffsetMs: this.#clockOffsetMs }),
    }
  }

  /** Tells the other site of a record. Answers what came of it; `undefined`: the other site has not got it. */
  async tell(joiner: SiteJoiner, record: ChangedRecord, state: string): Promise<JoinAnswer | undefined> {
    const peer = this.#peer
    if (peer === undefined || !this.isOpen) return undefined
    const sentAt = this.#now()
    const { tombstoneMs: endsMs, clock } = this.#parts.config
    try {
      const terms = { site: this.to, endsMs, aheadMs: clock.limitMs }
      const answer = await joiner.join(peer, record, state, terms)
      if (this.#standing.state === 'suspect') this.#become(answered(this.#standing, this.#now()))
      if (['changed', 'same', 'gone'].includes(answer.outcome)) return answer
      this.refused += 1
      return undefined
    } catch (error) {
      this.#fail(error, sentAt)
      return undefined
    }
  }

  /** Asks the Redis of the other site for something; `undefined`: it did not answer, or is not to be asked. */
  async ask<R>(question: (peer: RedisConnection) => Promise<R>): Promise<R | undefined> {
    const peer = this.#peer
    if (peer === undefined || !this.isOpen) return undefined
    const sentAt = this.#now()
    try {
      const answer = await question(peer)
      if (this.#standing.state === 'suspect') this.#become(answered(this.#standing, this.#now()))
      return answer
    } catch (error) {
      this.#fail(error, sentAt)
      return undefined
    }
  }

  /** An operator took it offline, or no longer has it so. */
  byHand(isOffline: boolean): void {
    this.#become(byHand(this.#standing, isOffline, this.#now()))
  }

  /** Sees to it that nothing is told until an operator says so. */
  block(reason: LinkReason, message: string): void {
    this.#become(blocked(this.#standing, reason, message, this.#now()))
  }

  /** Asks the other site whether it is there; `undefined`: it is not, or it is not the one that is meant. */
  beat(): Promise<Hello | undefined> {
    this.#beating ??= this.#beat().finally(() => {
      this.#beating = undefined
    })
    return this.#beating
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#beating
    await this.#peer?.close()
  }

  async #beat(): Promise<Hello | undefined> {
    const { state, reason } = this.#standing
    if (this.#isClosed || (state === 'offline' && reason === 'manual')) return undefined
    const beganAtMs = timers.monotonicMs()
    if (state === 'blocked' && beganAtMs - this.#lookedAtMs < LOOK_WHILE_BLOCKED_MS) return undefined
    this.#lookedAtMs = beganAtMs
    const sentAt = this.#now()
    try {
      this.#peer ??= await this.#connect()
      const askedAtMs = timers.monotonicMs()
      const hello = await this.#peer.hgetall('cross-site.hello', this.#peer.keys.shared('site'))
      this.#rttMs = timers.monotonicMs() - askedAtMs
      return this.#hear(hello)
    } catch (error) {
      this.#fail(error, sentAt)
      return undefined
    }
  }

  async #connect(): Promise<RedisConnection> {
    const { other, logger } = this.#parts
    const { partitions } = this.#parts.connection.keys
    const peer = await connect({ partitions, ...other.redis }, { logger, isGuest: true })
    if (!this.#isClosed) return peer
    await peer.close()
    throw new Error('closed')
  }

  #hear({ site, epoch = '' }: Readonly<Record<string, string>>): Hello | undefined {
    const { connection, config, logger } = this.#parts
    if (site === undefined) {
      this.#fail(new Error('it has not begun as a site'), this.#now())
      return undefined
    }
    if (epoch === this.#parts.epoch) {
      this.block('configuration', `crossSite.sites.${this.to}: leads to the Redis of this site itself`)
      return undefined
    }
    if (site !== this.to) {
      const message = `crossSite.sites.${this.to}: the Redis there belongs to the site "${site}"`
      this.block('configuration', message)
      return undefined
    }
    const offset = Math.round((this.#peer as RedisConnection).clock.now() - connection.clock.now())
    const wasOff = Math.abs(this.#clockOffsetMs ?? 0) > config.clock.warnMs
    this.#clockOffsetMs = offset
    if (Math.abs(offset) > config.clock.limitMs) {
      this.block(
        'clock',
        `the clock of the site "${this.to}" is ${offset} ms ahead of that of this site: set it right there or here`,
      )
      return undefined
    }
    if (!wasOff && Math.abs(offset) > config.clock.warnMs)
      logger.warn({ to: this.to, offsetMs: offset }, 'the clock of another site is off')
    return { epoch }
  }

  /** The other site is there, and nothing speaks against telling it what changes. */
  open(): void {
    this.#become(answered(this.#standing, this.#now()))
  }

  #fail(error: unknown, sentAt: number): void {
    if (this.#isClosed) return
    const right = missingRight(error) ?? missingRight((error as Error).cause)
    if (right !== undefined) {
      this.block('rights', `at the site "${this.to}": ${right}`)
    } else if (error instanceof ConfigurationError) {
      this.block('configuration', `crossSite.sites.${this.to}: ${error.message}`)
    } else {
      this.#become(failed(this.#standing, sentAt, this.#now(), this.#parts.config.takeOffline))
    }
  }

  #become(standing: Standing): void {
    const before = this.#standing
    this.#standing = standing
    if (before.state === standing.state && before.reason === standing.reason) return
    const { logger, onChange } = this.#parts
    const about = { to: this.to, state: standing.state, reason: standing.reason }
    if (standing.state === 'blocked')
      logger.error(about, `a link to another site is blocked: ${standing.message}`)
    else if (standing.state === 'offline')
      logger.warn(about, 'another site is told nothing; it is remembered')
    else if (standing.state === 'online') logger.info(about, 'another site is told what changes')
    onChange(this.info)
  }

  #now(): number {
    return this.#parts.connection.clock.now()
  }
}
