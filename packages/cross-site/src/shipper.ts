import type {
  ChangedRecord,
  ChangeGap,
  ChangeNote,
  ChangeReading,
  RedisConnection,
  SiteJoiner,
  SiteTerms,
} from '@authstate/redis'
import { escapePart } from '@authstate/redis'
import { timers } from '@authstate/spi/internal'
import type { Link } from './link.js'
import { behind } from './scripts.js'

/** Stands for everything of a partition. */
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
}

/** A record, and what other sites have to know of it. */
interface Told {
  readonly joiner: SiteJoiner
  readonly record: ChangedRecord
  readonly state: string
}

/** Tells other sites what changes at this one, of the partitions whose lease this node holds, and what they missed. */
export class Shipper {
  readonly #parts: ShipperParts
  /** Links whose sites are being told what they missed. */
  readonly #catching = new Map<Link, Promise<void>>()
  #isClosed = false

  constructor(parts: ShipperParts) {
    this.#parts = parts
  }

  /** Notes of one partition: each record once, as it is now. */
  async onNotes(notes: readonly ChangeNote[]): Promise<void> {
    const { connection, joiners } = this.#parts
    const now = connection.clock.now()
    const changed = new Map<string, ChangedRecord>()
    for (const { partition, key, how, at, ended } of notes) {
      const name = key.map(escapePart).join(':')
      if (!joiners.some((joiner) => joiner.owns(name))) continue
      // What only came to its end is no removal: another site may know better.
      const isRemoved = how === 'removal' && ended?.reason !== 'expired'
      const before = changed.get(name)?.isRemoved ?? false
      changed.set(name, { partition, name, at: Math.min(at, now), isRemoved: before || isRemoved })
    }
    await this.#tell(await this.#read([...changed.values()]))
  }

  /** Changes of a partition that nobody is told of. */
  async onGap({ partition }: ChangeGap): Promise<void> {
    for (const { to } of this.#parts.links) await this.remember(to, partition, [ALL])
  }

  /** Notes that a site has to be told everything. */
  async rememberAll(to: string): Promise<void> {
    const { connection } = this.#parts
    await Promise.all(connection.keys.all.map((partition) => this.remember(to, partition, [ALL])))
  }

  /** Notes what a site has not heard of. Answers how many records there are now. */
  async remember(to: string, partition: number, names: readonly string[]): Promise<number> {
    return (await this.#behind(to, partition, { add: names })).count
  }

  /** How many records a site has not heard of. */
  async behind(to: string): Promise<number> {
    const { connection } = this.#parts
    const counts = await Promise.all(connection.keys.all.map((partition) => this.remember(to, partition, [])))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** Tells a site what it missed, of the partitions that this node reads, if nobody here does so already. */
  catchUp(link: Link, reading: ChangeReading): Promise<void> {
    const running = this.#catching.get(link)
    if (running !== undefined) return running
    const run = this.#catchUp(link, reading)
      // It is tried again in a second, and what was not told is still remembered.
      .catch(() => {})
      .finally(() => this.#catching.delete(link))
    this.#catching.set(link, run)
    return run
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#catching.values())
  }

  async #catchUp(link: Link, reading: ChangeReading): Promise<void> {
    for (const partition of reading.partitions()) {
      let done: readonly (readonly [string, string])[] = []
      let again: string[] = []
      while (!this.#isClosed && link.isOpen && reading.partitions().includes(partition)) {
        const { entries } = await this.#behind(link.to, partition, { add: again, done, limit: BATCH })
        if (entries.length === 0) break
        const all = entries.find(([name]) => name === ALL)
        if (all !== undefined) await this.#rememberNames(link.to, partition)
        const names = entries.filter(([name]) => name !== ALL)
        const missed = await this.#tellNames(
          link,
          partition,
          names.map(([name]) => name),
        )
        // What was not taken goes to the end, so that the rest is not kept waiting.
        again = missed
        done = entries.filter(([name]) => !missed.includes(name))
        if (done.length === 0) {
          await this.#behind(link.to, partition, { add: again })
          break
        }
        await pause((entries.length / this.#parts.maxRecordsPerSecond) * 1_000)
      }
      if (done.length > 0 || again.length > 0) await this.#behind(link.to, partition, { add: again, done })
    }
  }

  async #tellNames(link: Link, partition: number, names: readonly string[]): Promise<string[]> {
    const at = this.#parts.connection.clock.now()
    const told = await this.#read(names.map((name) => ({ partition, name, at, isRemoved: false })))
    return this.#tellLink(link, told)
  }

  async #rememberNames(to: string, partition: number): Promise<void> {
    const { connection, joiners } = this.#parts
    for (const joiner of joiners) {
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

  async #tell(told: readonly Told[]): Promise<void> {
    if (told.length === 0) return
    await Promise.all(
      this.#parts.links.map(async (link) => {
        const missed = await this.#tellLink(link, told)
        const [first] = told
        if (missed.length > 0 && first !== undefined)
          await this.remember(link.to, first.record.partition, missed)
      }),
    )
  }

  /** Answers the names of what the other site has not got. */
  async #tellLink(link: Link, told: readonly Told[]): Promise<string[]> {
    const missed = await Promise.all(
      told.map(async ({ joiner, record, state }) => {
        const answer = await link.tell(joiner, record, state)
        if (answer?.known !== undefined) await this.#learn(joiner, record, answer.known)
        return answer === undefined ? [record.name] : []
      }),
    )
    return missed.flat()
  }

  /** What another site knew better: it is joined here, and told to everybody else. */
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

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    timers.setTimeout(resolve, ms)
  })
