import type { RedisConnection, SiteJoiner } from '@authstate/redis'
import type { BackupOutcome } from './errors.js'
import type { Link } from './link.js'
import type { Telling, Told } from './link-parts.js'
import { type NotedRecord, readNoted, recordsOf } from './noted.js'
import { unread } from './scripts.js'
import { placesOf } from './waits.js'

/** What became of a flight at one site, by service. A service that is absent had nothing in it. */
export type Landing = ReadonlyMap<string, BackupOutcome>

/** Notes that are sent at once, because verbs wait for it. */
export interface Flight {
  readonly number: number
  readonly landings: ReadonlyMap<Link, Promise<Landing>>
}

/** What {@link Flights} are made of. */
export interface FlightsParts {
  /** Of this site. */
  readonly connection: RedisConnection
  readonly consumer: string
  readonly joiners: readonly SiteJoiner[]
  readonly links: readonly Link[]
  readonly read: (records: readonly NotedRecord['record'][]) => Promise<readonly Told[]>
  readonly tell: (link: Link, told: readonly Told[]) => Promise<readonly Telling[]>
  /** Notes of a partition that this node sent are lost. */
  readonly onLost: (partition: number) => void
}

/** Notes at a time. */
const PAGE = 512
/** Most pages of one flight: the rest is sent in the usual way. */
const MOST_PAGES = 8
/** Flights of a partition that are remembered after they landed. */
const MOST_LANDED = 32

/**
 * Sends changes of a partition to other sites at once. A verb that waits joins the next flight, so that many verbs cost one flight. It
 * needs no lease, and this node sends nothing of it a second time.
 */
export class Flights {
  readonly #parts: FlightsParts
  readonly #partitions = new Map<number, PartitionFlights>()
  /** How often another site knew that something has ended. */
  ended = 0
  readonly #learning = new Set<Promise<unknown>>()

  constructor(parts: FlightsParts) {
    this.#parts = parts
  }

  /**
   * Counts what another site knew to have ended. Both ways in which changes are sent call it, as either may be the first to ask that site.
   *
   * @param learning Resolves when this site knows it too.
   */
  heard(tellings: readonly Telling[], learning: Promise<unknown>): void {
    const isEnded = tellings.some(({ answer }) => answer?.outcome === 'gone' || answer?.found !== undefined)
    if (!isEnded) return
    this.ended += 1
    const learnt = learning.catch(() => {}).finally(() => this.#learning.delete(learnt))
    this.#learning.add(learnt)
  }

  /** Resolves when this site knows all of that. */
  async learnt(): Promise<void> {
    await Promise.all(this.#learning)
  }

  /** A point in time: changes of the partition after it are in flights from this number on. */
  mark(partition: number): number {
    return this.#of(partition).nextNumber
  }

  /** Sends what changed. Returns all flights since a mark that may contain it, as soon as they are under way. */
  async settle(partition: number, mark: number): Promise<readonly Flight[]> {
    const flights = this.#of(partition)
    await flights.board()
    return flights.from(mark)
  }

  /** Tells what changed, though no verb waits for it; while many flights are under way, it is left to the usual way. */
  hurry(partition: number): void {
    const flights = this.#of(partition)
    // What fails is told in the usual way.
    if (flights.inAir < MOST_IN_AIR) flights.board().catch(() => {})
  }

  /** Resolves when the flights of a partition that are under way, or about to depart, have ended. */
  landed(partition: number): Promise<void> {
    return this.#partitions.get(partition)?.landed() ?? Promise.resolve()
  }

  /** Whether this node sent a note to a site. */
  hasTold(partition: number, link: Link, id: string): boolean {
    return this.#partitions.get(partition)?.told.get(link)?.has(id) ?? false
  }

  /** Forgets notes that the consumer has had. */
  forget(partition: number, ids: readonly string[]): void {
    for (const told of this.#partitions.get(partition)?.told.values() ?? [])
      for (const id of ids) told.delete(id)
  }

  #of(partition: number): PartitionFlights {
    let flights = this.#partitions.get(partition)
    if (flights === undefined) {
      flights = new PartitionFlights(partition, this.#parts)
      this.#partitions.set(partition, flights)
    }
    return flights
  }
}

/** Most ids of sent notes that are kept. */
const MOST_TOLD = 4_096

/** Flights of a partition under way at once, beside those that verbs wait for. */
const MOST_IN_AIR = 8

class PartitionFlights {
  readonly told = new Map<Link, Set<string>>()
  readonly #partition: number
  readonly #parts: FlightsParts
  readonly #flights: Flight[] = []
  nextNumber = 0
  inAir = 0
  /** Id of the last note that is on a flight. */
  #after = ''
  #boarding: Promise<void> = Promise.resolve()
  #queued: Promise<void> | undefined

  constructor(partition: number, parts: FlightsParts) {
    this.#partition = partition
    this.#parts = parts
  }

  from(mark: number): readonly Flight[] {
    return this.#flights.filter(({ number }) => number >= mark)
  }

  async landed(): Promise<void> {
    await Promise.allSettled([this.#queued, this.#boarding])
    await Promise.allSettled(this.#flights.flatMap(({ landings }) => [...landings.values()]))
  }

  /** Resolves when everything that changed before the call is on a flight. */
  board(): Promise<void> {
    // The current read may be older than the change: the next one is surely after it.
    this.#queued ??= this.#boarding
      .catch(() => {})
      .then(() => {
        this.#queued = undefined
        this.#boarding = this.#depart()
        return this.#boarding
      })
    return this.#queued
  }

  async #depart(): Promise<void> {
    try {
      this.#add(await this.#tellUnread())
    } catch (error) {
      // What was read is sent in the usual way; verbs that wait for it get the outcome `unknown`.
      const lost = Promise.reject(error)
      lost.catch(() => {})
      this.#add(new Map(this.#parts.links.map((link) => [link, lost])))
      throw error
    }
  }

  #add(landings: Flight['landings']): void {
    this.#flights.push({ number: this.nextNumber, landings })
    this.nextNumber += 1
    if (this.#flights.length > MOST_LANDED) this.#flights.shift()
    this.inAir += 1
    void Promise.allSettled(landings.values()).then(() => {
      this.inAir -= 1
    })
  }

  async #tellUnread(): Promise<Flight['landings']> {
    const { connection, joiners, links, read, tell } = this.#parts
    const notes = await this.#unread()
    const last = notes.at(-1)
    const records = recordsOf(this.#partition, notes, joiners, connection.clock.now())
    const told = records.length === 0 ? [] : await read(records.map(({ record }) => record))
    if (last !== undefined) for (const link of links) link.mark(this.#partition, last.id)
    return new Map(links.map((link) => [link, this.#land(link, told, records, (of) => tell(link, of))]))
  }

  async #land(
    link: Link,
    told: readonly Told[],
    records: readonly NotedRecord[],
    tell: (told: readonly Told[]) => Promise<readonly Telling[]>,
  ): Promise<Landing> {
    const mine = told.filter(({ joiner }) => link.tells(joiner.spi))
    const tellings = mine.length === 0 ? [] : await tell(mine).catch(() => undefined)
    const landing = new Map<string, BackupOutcome>()
    for (const [index, { joiner, record }] of mine.entries()) {
      const outcome = outcomeOf(tellings?.[index])
      landing.set(joiner.spi, worse(landing.get(joiner.spi), outcome))
      if (outcome === 'applied')
        this.#note(
          link,
          records.find((noted) => noted.record.name === record.name),
        )
    }
    return landing
  }

  #note(link: Link, noted: NotedRecord | undefined): void {
    let told = this.told.get(link)
    if (told === undefined || told.size > MOST_TOLD) {
      told = new Set()
      this.told.set(link, told)
    }
    for (const id of noted?.ids ?? []) told.add(id)
  }

  async #unread() {
    const { connection, consumer, onLost } = this.#parts
    const keys = placesOf(connection, this.#partition)
    const all: Parameters<typeof readNoted>[0][] = []
    for (let page = 0; page < MOST_PAGES; page++) {
      const after = this.#after
      const { notes, isLost } = await connection.run(unread, keys, { consumer, after, limit: PAGE })
      if (isLost) onLost(this.#partition)
      all.push(...notes)
      this.#after = notes.at(-1)?.[0] ?? this.#after
      if (notes.length < PAGE) break
    }
    return all.flatMap((note) => readNoted(note) ?? [])
  }
}

/** From the best to the worst: the worst outcome counts for all. */
const BY_WEIGHT: readonly BackupOutcome[] = ['applied', 'skipped-offline', 'not-applied', 'unknown']

export const worse = (one: BackupOutcome | undefined, other: BackupOutcome): BackupOutcome =>
  one !== undefined && BY_WEIGHT.indexOf(one) > BY_WEIGHT.indexOf(other) ? one : other

const outcomeOf = (telling: Telling | undefined): BackupOutcome =>
  telling === undefined ? 'unknown' : telling.outcome === 'refused' ? 'not-applied' : telling.outcome
