import type { RedisConnection, SiteJoiner } from '@authstate/redis'
import { timers } from '@authstate/spi/internal'
import type { BackupOutcome } from './errors.js'
import type { Link } from './link.js'
import type { Telling, Told } from './link-parts.js'
import { type NotedRecord, readNoted, recordsOf } from './noted.js'
import { unread } from './scripts.js'
import { PATIENCE_MS, placesOf, within } from './waits.js'

/** What became of a flight at one site, by service. A service that is absent had nothing in it. */
export type Landing = ReadonlyMap<string, BackupOutcome>

/** Notes that are sent at once, because verbs wait for it. */
export interface Flight {
  readonly number: number
  readonly landings: ReadonlyMap<Link, Promise<Landing>>
  /** Resolves when it has landed everywhere, or has been in the air for so long that others no longer wait for it. */
  readonly over: Promise<void>
}

/** What departs. */
interface Departing {
  readonly landings: Flight['landings']
  /** Of the states that it carries. */
  readonly bytes: number
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
  /** How long a site that does not confirm keeps changes for others waiting. @default 1000 */
  readonly patienceMs?: number
  /** How long changes are gathered while more than half of what may be is under way. @default 2 */
  readonly gatherMs?: number
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

  /**
   * Tells what changed, though no verb waits for it: at once, a little later while much is under way, and once something has landed while
   * as much is under way as may be.
   */
  hurry(partition: number): void {
    this.#of(partition).hurry()
  }

  /** Nothing more departs by itself. */
  close(): void {
    for (const flights of this.#partitions.values()) flights.close()
  }

  /** Resolves when the flights of a partition that are under way, or about to depart, have ended or took too long. */
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

/** What is under way at once of a partition, beside flights that verbs wait for: flights, and bytes of states. */
const MOST_IN_AIR = 8
const MOST_BYTES = 256 * 1_024
const GATHER_MS = 2

class PartitionFlights {
  readonly told = new Map<Link, Set<string>>()
  readonly #partition: number
  readonly #parts: FlightsParts
  readonly #flights: Flight[] = []
  nextNumber = 0
  #inAir = 0
  #bytes = 0
  /** Whether something changed while as much was under way as may be. */
  #isDue = false
  #isGathering = false
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
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
    await Promise.all(this.#flights.map(({ over }) => over))
  }

  hurry(): void {
    const share = Math.max(this.#inAir / MOST_IN_AIR, this.#bytes / MOST_BYTES)
    if (share >= 1) this.#isDue = true
    if (share >= 1 || this.#isGathering || this.#isClosed) return
    this.#isGathering = true
    if (share > 0.5)
      this.#timer = timers.setTimeout(() => this.#depart(), this.#parts.gatherMs ?? GATHER_MS).unref()
    // What changes in one turn of the event loop is sent together.
    else timers.setImmediate(() => this.#depart())
  }

  close(): void {
    this.#isClosed = true
    timers.clearTimeout(this.#timer)
  }

  #depart(): void {
    this.#isGathering = false
    // What fails is told in the usual way.
    if (!this.#isClosed) this.board().catch(() => {})
  }

  /** Resolves when everything that changed before the call is on a flight. */
  board(): Promise<void> {
    // The current read may be older than the change: the next one is surely after it.
    this.#queued ??= this.#boarding
      .catch(() => {})
      .then(() => {
        this.#queued = undefined
        this.#boarding = this.#fly()
        return this.#boarding
      })
    return this.#queued
  }

  async #fly(): Promise<void> {
    try {
      this.#add(await this.#tellUnread())
    } catch (error) {
      // What was read is sent in the usual way; verbs that wait for it get the outcome `unknown`.
      const lost = Promise.reject(error)
      lost.catch(() => {})
      this.#add({ landings: new Map(this.#parts.links.map((link) => [link, lost])), bytes: 0 })
      throw error
    }
  }

  #add({ landings, bytes }: Departing): void {
    const landed = Promise.allSettled(landings.values()).then(() => {})
    const over = within(landed, this.#parts.patienceMs ?? PATIENCE_MS)
    this.#flights.push({ number: this.nextNumber, landings, over })
    this.nextNumber += 1
    if (this.#flights.length > MOST_LANDED) this.#flights.shift()
    this.#inAir += 1
    this.#bytes += bytes
    void over.then(() => {
      this.#inAir -= 1
      this.#bytes -= bytes
      if (!this.#isDue) return
      this.#isDue = false
      this.hurry()
    })
  }

  async #tellUnread(): Promise<Departing> {
    const { connection, joiners, links, read, tell } = this.#parts
    const notes = await this.#unread()
    const last = notes.at(-1)
    const records = recordsOf(this.#partition, notes, joiners, connection.clock.now())
    const told = records.length === 0 ? [] : await read(records.map(({ record }) => record))
    if (last !== undefined) for (const link of links) link.mark(this.#partition, last.id)
    const landings = links.map(
      (link) => [link, this.#land(link, told, records, (of) => tell(link, of))] as const,
    )
    return { landings: new Map(landings), bytes: bytesOf(told) }
  }

  async #land(
    link: Link,
    told: readonly Told[],
    records: readonly NotedRecord[],
    tell: (told: readonly Told[]) => Promise<readonly Telling[]>,
  ): Promise<Landing> {
    const mine = told.filter(({ joiner }) => link.tells(joiner.spi))
    const idsOf = new Map(records.map(({ record, ids }) => [record.name, ids]))
    const landing = new Map<string, BackupOutcome>()
    for (const part of inParts(mine)) {
      const tellings = await tell(part).catch(() => undefined)
      for (const [index, { joiner, record }] of part.entries()) {
        const outcome = outcomeOf(tellings?.[index])
        landing.set(joiner.spi, worse(landing.get(joiner.spi), outcome))
        if (outcome === 'applied') this.#note(link, idsOf.get(record.name) ?? [])
      }
    }
    return landing
  }

  #note(link: Link, ids: readonly string[]): void {
    let told = this.told.get(link)
    if (told === undefined || told.size > MOST_TOLD) {
      told = new Set()
      this.told.set(link, told)
    }
    for (const id of ids) told.add(id)
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

const bytesOf = (told: readonly Told[]): number => told.reduce((sum, { state }) => sum + state.length, 0)

/** Records in parts that are sent one after the other, so that one flight does not carry more than may be under way. */
function inParts(told: readonly Told[]): readonly (readonly Told[])[] {
  const parts: Told[][] = []
  let bytes = MOST_BYTES
  for (const one of told) {
    if (bytes >= MOST_BYTES) {
      parts.push([])
      bytes = 0
    }
    parts.at(-1)?.push(one)
    bytes += one.state.length
  }
  return parts
}

/** From the best to the worst: the worst outcome counts for all. */
const BY_WEIGHT: readonly BackupOutcome[] = ['applied', 'skipped-offline', 'not-applied', 'unknown']

export const worse = (one: BackupOutcome | undefined, other: BackupOutcome): BackupOutcome =>
  one !== undefined && BY_WEIGHT.indexOf(one) > BY_WEIGHT.indexOf(other) ? one : other

const outcomeOf = (telling: Telling | undefined): BackupOutcome =>
  telling === undefined ? 'unknown' : telling.outcome === 'refused' ? 'not-applied' : telling.outcome
