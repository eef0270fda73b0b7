import type { RedisConnection } from '@authstate/redis'
import { type LinkRecord, LinkRecords, NOTHING_NOTED } from './link-record.js'
import { alongWith, atFirst, flapsWith, isOpenState, type Standing } from './link-state.js'

/** What {@link Standings} are made of. */
export interface StandingsParts {
  readonly connection: RedisConnection
  readonly to: string
  readonly spis: readonly string[]
  /** Whether all services go offline together. */
  readonly isTogether: boolean
  readonly onChange: (before: ReadonlyMap<string, Standing>, now: ReadonlyMap<string, Standing>) => void
}

/** A change of the state of a service on a link. */
export type Step = (standing: Standing, flaps: readonly number[], spi: string) => Standing

/** How often a step is tried again if other nodes note something at the same time. */
const MOST_TRIES = 5

/** The states of the services of a link. Any node of the site that sees a reason changes them, and they are the same for all nodes. */
export class Standings {
  readonly #parts: StandingsParts
  readonly #records: LinkRecords
  #record: LinkRecord
  #noting: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor(parts: StandingsParts) {
    this.#parts = parts
    this.#records = new LinkRecords(parts.connection, parts.to)
    const first = atFirst(parts.connection.clock.now())
    this.#record = { ...NOTHING_NOTED, standings: new Map(parts.spis.map((spi) => [spi, first])) }
  }

  get all(): ReadonlyMap<string, Standing> {
    return this.#record.standings
  }

  of(spi: string): Standing | undefined {
    return this.#record.standings.get(spi)
  }

  /** Takes a step on this node at once, and notes it for the other nodes. */
  take(step: Step, spis: readonly string[] = this.#parts.spis): void {
    const next = this.#after(this.#record, step, spis)
    if (next === this.#record) return
    this.#adopt(next)
    this.#waiting += 1
    this.#noting = this.#noting
      .then(() => this.#note(step, spis))
      // This site's own Redis is away. Its record is read again when it is back.
      .catch(() => {})
      .finally(() => {
        this.#waiting -= 1
      })
  }

  /** Learns what other nodes noted. */
  async refresh(): Promise<void> {
    if (this.#waiting > 0) return this.#noting
    const record = await this.#records.read()
    if (this.#waiting === 0) this.#adopt(this.#completed(record))
  }

  /** Resolves when nothing is left to be noted. */
  settled(): Promise<void> {
    return this.#noting
  }

  async #note(step: Step, spis: readonly string[]): Promise<void> {
    let { version } = this.#record
    let next = this.#record
    for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
      const { isNoted, record } = await this.#records.note(version, next)
      if (isNoted) {
        this.#record = { ...this.#record, version: record.version }
        return
      }
      const theirs = this.#completed(record)
      next = this.#after(theirs, step, spis)
      this.#adopt(next)
      if (next === theirs) return
      version = theirs.version
    }
  }

  /** Services that nothing is noted of are as at first; those of another configuration are none of ours. */
  #completed(record: LinkRecord): LinkRecord {
    const first = atFirst(this.#parts.connection.clock.now())
    return {
      ...record,
      standings: new Map(
        this.#parts.spis.map((spi) => [spi, record.standings.get(spi) ?? this.#known(spi) ?? first]),
      ),
    }
  }

  /** One that has only begun here. */
  #known(spi: string): Standing | undefined {
    const standing = this.of(spi)
    return standing?.state === 'connecting' ? standing : undefined
  }

  #after(record: LinkRecord, step: Step, spis: readonly string[]): LinkRecord {
    const now = this.#parts.connection.clock.now()
    const standings = new Map(record.standings)
    for (const spi of spis) {
      const standing = standings.get(spi)
      if (standing !== undefined) standings.set(spi, step(standing, record.flaps, spi))
    }
    const wentOffline = [...standings].find(
      ([spi, { state, reason }]) =>
        state === 'offline' && reason === 'auto' && isOpenState(record.standings.get(spi)?.state),
    )
    if (wentOffline !== undefined && this.#parts.isTogether) {
      for (const [spi, standing] of standings) standings.set(spi, alongWith(standing, wentOffline[0], now))
    }
    const isSame = [...standings].every(([spi, standing]) => record.standings.get(spi) === standing)
    if (isSame) return record
    return {
      version: record.version,
      standings,
      flaps: wentOffline === undefined ? record.flaps : flapsWith(record.flaps, now),
    }
  }

  #adopt(record: LinkRecord): void {
    const before = this.#record.standings
    this.#record = record
    this.#parts.onChange(before, record.standings)
  }
}
