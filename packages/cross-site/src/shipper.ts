import type {
  ChangedRecord,
  ChangeGap,
  ChangeNote,
  ChangeReading,
  RedisConnection,
  SiteJoiner,
  SiteTerms,
} from '@authstate/redis'
import { timers } from '@authstate/spi/internal'
import { Flights } from './flights.js'
import type { Link } from './link.js'
import type { Telling, Told } from './link-parts.js'
import { type NotedRecord, notedOf, recordsOf } from './noted.js'
import { Reached } from './reached.js'
import type { Rewinds } from './rewinds.js'
import { behind, progress } from './scripts.js'
import { PATIENCE_MS, pause, placesOf } from './waits.js'

/** Stands for all records of a partition. */
const ALL = '*'

/** Records at a time. */
const BATCH = 256

/** What a {@link Shipper} is made of. */
export interface ShipperParts {
  /** Of this site. */
  readonly connection: RedisConnection
  readonly joiners: readonly SiteJoiner[]
  readonly links: readonly Link[]
  readonly terms: SiteTerms
  readonly maxRecordsPerSecond: number
  readonly consumer: string
  /** Finds out whether Redis of this site lost something. */
  readonly rewinds: Rewinds
  /** Changes of a partition whose single notes are lost. */
  readonly onGap: (gap: ChangeGap) => void
}

/** Sends changes of this site, and what other sites missed, for the partitions whose lease this node holds. */
export class Shipper {
  readonly #parts: ShipperParts
  /** Links over which missed records are being sent. */
  readonly #catching = new Map<Link, Promise<void>>()
  #isClosed = false
  readonly flights: Flights
  readonly #reached: Reached

  constructor(parts: ShipperParts) {
    this.#parts = parts
    const { connection, joiners, links, consumer } = parts
    const { site } = parts.terms
    const behind = (to: string, partition: number) => this.remember(to, partition, [])
    this.#reached = new Reached({ connection, site, consumer, behind })
    this.flights = new Flights({
      connection,
      consumer,
      joiners,
      links,
      read: (records) => this.#read(records),
      tell: (link, told) => this.#tellLink(link, told),
      onLost: (partition) => void parts.rewinds.lost(partition).catch(() => {}),
    })
  }

  /** Notes of one partition: each record once, as it is now. */
  async onNotes(notes: readonly ChangeNote[]): Promise<void> {
    const [first] = notes
    if (first === undefined) return
    const { partition } = first
    const { connection, joiners } = this.#parts
    await Promise.all([this.#parts.rewinds.begin(partition), this.flights.landed(partition)])
    const records = recordsOf(partition, notes.map(notedOf), joiners, connection.clock.now())
    await this.#tell(partition, records, notes.at(-1)?.id ?? first.id)
    this.#reached.told(this.#parts.links, partition, (notes.at(-1) ?? first).id)
    this.flights.forget(
      partition,
      notes.map(({ id }) => id),
    )
  }

  /** Changes of a partition whose notes are lost. */
  async onGap(gap: ChangeGap): Promise<void> {
    const { partition, reason } = gap
    this.#parts.onGap(gap)
    if (reason === 'lost') await this.#parts.rewinds.lost(partition)
    for (const { to } of this.#parts.links) await this.remember(to, partition, [ALL])
  }

  /** Notes that a site needs everything. */
  async rememberAll(to: string): Promise<void> {
    const { connection } = this.#parts
    await Promise.all(connection.keys.all.map((partition) => this.remember(to, partition, [ALL])))
    this.forget(to)
  }

  /** The data of a site may be others than before. */
  forget(to: string): void {
    this.#reached.forget(to)
  }

  /** Notes records that a site has not received. Returns how many there are now. */
  async remember(to: string, partition: number, names: readonly string[]): Promise<number> {
    return (await this.#behind(to, partition, { add: names })).count
  }

  /** How many records of a partition other sites have not received. */
  async behindIn(partition: number): Promise<number> {
    const counts = await Promise.all(this.#parts.links.map(({ to }) => this.remember(to, partition, [])))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** How many records a site has not received. */
  async behind(to: string): Promise<number> {
    const { connection } = this.#parts
    const counts = await Promise.all(connection.keys.all.map((partition) => this.remember(to, partition, [])))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** Sends a site what it missed, for the partitions that this node reads, unless that is under way. */
  catchUp(link: Link, reading: ChangeReading): Promise<void> {
    const running = this.#catching.get(link)
    if (running !== undefined) return running
    const run = this.#catchUp(link, reading)
      // It is tried again in a second, and what was not sent is still remembered.
      .catch(() => {})
      .finally(() => this.#catching.delete(link))
    this.#catching.set(link, run)
    return run
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.flights.close()
    await Promise.all(this.#catching.values())
    await this.#reached.settled()
  }

  async #catchUp(link: Link, reading: ChangeReading): Promise<void> {
    const missing = new Set<string>()
    this.#reached.keep(reading.partitions())
    for (const partition of reading.partitions()) {
      let done: readonly (readonly [string, string])[] = []
      let again: string[] = []
      while (!this.#isClosed && link.isOpen() && reading.partitions().includes(partition)) {
        const { entries } = await this.#behind(link.to, partition, { add: again, done, limit: BATCH })
        if (entries.length === 0) {
          this.#reached.caughtUp(link, partition)
          break
        }
        const all = entries.find(([name]) => name === ALL)
        if (all !== undefined) await this.#rememberNames(link, partition)
        const names = entries.filter(([name]) => name !== ALL)
        const missed = await this.#tellNames(
          link,
          partition,
          names.map(([name]) => name),
        )
        // Records that were not taken go to the end, so that the others do not wait.
        again = missed
        for (const name of missed) missing.add(this.#spiOf(name))
        done = entries.filter(([name]) => !missed.includes(name))
        if (done.length === 0) {
          await this.#behind(link.to, partition, { add: again })
          break
        }
        await pause((entries.length / this.#parts.maxRecordsPerSecond) * 1_000)
      }
      if (done.length > 0 || again.length > 0) await this.#behind(link.to, partition, { add: again, done })
    }
    await this.#endSyncing(link, missing)
  }

  /** Notes which services of a link have caught up: all of them, or those of which every record was taken. */
  async #endSyncing(link: Link, missing: ReadonlySet<string>): Promise<void> {
    const those = (state: string) =>
      this.#parts.joiners.map(({ spi }) => spi).filter((spi) => link.stateOf(spi) === state)
    const [syncing, suspect] = [those('syncing'), those('suspect')]
    if ((syncing.length === 0 && suspect.length === 0) || this.#isClosed || !link.isOpen()) return
    if ((await this.behind(link.to)) === 0) link.caughtUp([...syncing, ...suspect])
    else if (missing.size > 0) link.caughtUp(syncing.filter((spi) => !missing.has(spi)))
  }

  #spiOf(name: string): string {
    return this.#parts.joiners.find(({ owns }) => owns(name))?.spi ?? ''
  }

  async #tellNames(link: Link, partition: number, names: readonly string[]): Promise<string[]> {
    const { connection, consumer } = this.#parts
    const at = connection.clock.now()
    const { last } = await connection.run(progress, placesOf(connection, partition), { consumer })
    const all = await this.#read(names.map((name) => ({ partition, name, at, isRemoved: false })))
    // A remembered record may belong to a service that no longer travels to the site.
    const told = all.filter(({ joiner }) => link.tells(joiner.spi))
    if (last !== '' && told.length > 0) link.mark(partition, last)
    return missedOf(told, await this.#tellLink(link, told))
  }

  async #rememberNames(link: Link, partition: number): Promise<void> {
    const { connection, joiners } = this.#parts
    const { to } = link
    for (const joiner of joiners.filter(({ spi }) => link.tells(spi))) {
      let page = await joiner.names(connection, partition, undefined, 2 * BATCH)
      await this.remember(to, partition, page.names)
      while (page.next !== undefined) {
        page = await joiner.names(connection, partition, page.next, 2 * BATCH)
        await this.remember(to, partition, page.names)
      }
    }
  }

  async #read(records: readonly ChangedRecord[]): Promise<readonly Told[]> {
    const { connection, joiners, terms } = this.#parts
    const told = await Promise.all(
      records.map(async (record) => {
        const joiner = joiners.find(({ owns }) => owns(record.name))
        const state = await joiner?.read(connection, record, terms)
        return joiner === undefined || state === undefined ? [] : [{ joiner, record, state }]
      }),
    )
    return told.flat()
  }

  async #tell(partition: number, records: readonly NotedRecord[], last: string): Promise<void> {
    const { links, joiners } = this.#parts
    const untold = new Map(
      links.map((link) => [
        link,
        new Set(
          records
            .filter(({ ids }) => !ids.every((id) => this.flights.hasTold(partition, link, id)))
            .map(({ record }) => record.name),
        ),
      ]),
    )
    const all = records
      .map(({ record }) => record)
      .filter(({ name }) => [...untold.values()].some((names) => names.has(name)))
    const told = await this.#read(all.filter(({ name }) => joiners.some(({ owns }) => owns(name))))
    await Promise.all(
      [...untold].map(async ([link, names]) => {
        const mine = told.filter(({ joiner, record }) => names.has(record.name) && link.tells(joiner.spi))
        if (mine.length > 0) link.mark(partition, last)
        const missed = await this.#tellInTime(link, mine)
        if (missed.length > 0) await this.remember(link.to, partition, missed)
      }),
    )
  }

  /** Returns the names of records that the other site did not take or did not confirm in time. */
  async #tellInTime(link: Link, told: readonly Told[]): Promise<readonly string[]> {
    if (told.length === 0) return []
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = timers.setTimeout(() => resolve(undefined), PATIENCE_MS)
    })
    const tellings = await Promise.race([this.#tellLink(link, told), late])
    timers.clearTimeout(timer)
    return missedOf(told, tellings)
  }

  /** Sends records to a site, and joins what it knows better. */
  async #tellLink(link: Link, told: readonly Told[]): Promise<readonly Telling[]> {
    const tellings = await this.#tellWhole(link, told, await link.tell(told))
    const learning = Promise.all(
      told.map(async ({ joiner, record }, index) => {
        const known = tellings[index]?.answer?.known
        if (known !== undefined) await this.#learn(joiner, record, known)
      }),
    )
    this.flights.heard(tellings, learning)
    await learning
    return tellings
  }

  /** Sends all of the records of which the other site cannot take times alone. */
  async #tellWhole(
    link: Link,
    told: readonly Told[],
    tellings: readonly Telling[],
  ): Promise<readonly Telling[]> {
    const lacking = [...told.keys()].filter((index) => tellings[index]?.answer?.outcome === 'need-full')
    if (lacking.length === 0) return tellings
    const records = lacking.map((index) => ({ ...(told[index] as Told).record, isTouch: false }))
    const whole = await this.#read(records)
    const answers = await link.tell(whole)
    const byName = new Map(whole.map(({ record }, index) => [record.name, answers[index]]))
    return tellings.map((telling, index) => {
      if (!lacking.includes(index)) return telling
      // What is gone by now has a note of its own.
      return byName.get((told[index] as Told).record.name) ?? { outcome: 'applied' }
    })
  }

  /** What another site knew better: it is joined here, and sent to all other sites. */
  async #learn(joiner: SiteJoiner, record: ChangedRecord, known: string): Promise<void> {
    const { connection, terms, links } = this.#parts
    const { outcome } = await joiner.join(connection, record, known, terms)
    if (outcome !== 'changed') return
    await Promise.all(links.map(({ to }) => this.remember(to, record.partition, [record.name])))
  }

  #behind(
    to: string,
    partition: number,
    {
      add = [],
      done = [],
      limit = 0,
    }: {
      readonly add?: readonly string[]
      readonly done?: readonly (readonly [string, string])[]
      readonly limit?: number
    },
  ) {
    const { connection } = this.#parts
    return connection.run(
      behind,
      { behind: connection.keys.key(partition, 'xb', to) },
      { add: JSON.stringify(add), done: JSON.stringify(done), limit },
    )
  }
}

/** Names of records that a site did not take; `undefined`: it did not answer. */
const missedOf = (told: readonly Told[], tellings: readonly Telling[] | undefined): string[] =>
  told.filter((_, index) => tellings?.[index]?.outcome !== 'applied').map(({ record }) => record.name)
