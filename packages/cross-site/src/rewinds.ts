import type { RedisConnection } from '@authstate/redis'
import type { Logger } from '@authstate/spi'
import type { SiteEmitter } from './events.js'
import type { Link } from './link.js'
import type { PushInfo } from './push/contract.js'
import type { Jobs } from './push/jobs.js'
import { rewind } from './scripts.js'
import { placesOf } from './waits.js'

/** How long another site remembers how far a node has sent its changes. */
const KEEP_MARKS_MS = 86_400_000
/** A push that brings nothing more by itself. */
const OVER: readonly string[] = ['paused', 'done', 'cancelled', 'failed']

/** What {@link Rewinds} are made of. */
export interface RewindsParts {
  /** Of this site. */
  readonly connection: RedisConnection
  readonly site: string
  readonly consumer: string
  readonly links: readonly Link[]
  readonly jobs: Jobs
  readonly events: SiteEmitter
  readonly logger: Logger
  /** How far clocks of sites may be apart. */
  readonly limitMs: number
  /** The partitions that this node sends. */
  readonly partitions: () => readonly number[]
}

/**
 * Finds out whether Redis of this site fell back: to a replica that lacked what was sent already, to a backup, or to nothing. It then asks
 * every site that is online for what was lost, and the others once they are online.
 */
export class Rewinds {
  readonly #parts: RewindsParts
  /** Partitions that this node has looked at since it holds them. */
  readonly #begun = new Map<number, Promise<unknown>>()
  /** By link, the partitions that were compared with what that site has received. */
  readonly #compared = new Map<Link, Set<number>>()
  /** Pushes by which this site gets back what it lost, as far as this node knows. */
  #awaited: readonly PushInfo[] = []
  #isAsking = false

  constructor(parts: RewindsParts) {
    this.#parts = parts
    for (const link of parts.links) this.#compared.set(link, new Set())
  }

  /** Whether this site waits for what it lost, of a site that can be asked. */
  get isBehind(): boolean {
    return this.#isAsking || this.#awaited.some(({ from }) => this.#linkTo(from)?.isOpen() === true)
  }

  /** This node is about to send changes of a partition: how far it had come is kept until it is compared with other sites. */
  async begin(partition: number): Promise<void> {
    let beginning = this.#begun.get(partition)
    if (beginning === undefined) {
      beginning = this.#step(partition, 'begin')
      this.#begun.set(partition, beginning)
      beginning.catch(() => this.#begun.delete(partition))
    }
    await beginning
  }

  /** Notes of a partition that were sent are lost. */
  async lost(partition: number): Promise<void> {
    await this.#step(partition, 'lost')
    this.#say([partition])
  }

  /** Looks at the partitions that this node sends, and asks other sites for what is lost. */
  async beat(pushes: readonly PushInfo[]): Promise<void> {
    const { links, partitions, site } = this.#parts
    this.#awaited = pushes.filter(
      ({ to, reason, status }) => to === site && reason === 'rewound' && !OVER.includes(status),
    )
    const held = partitions()
    for (const partition of this.#begun.keys()) {
      if (held.includes(partition)) continue
      this.#begun.delete(partition)
      for (const compared of this.#compared.values()) compared.delete(partition)
    }
    for (const link of links) {
      const compared = this.#compared.get(link) as Set<number>
      const those = held.filter((partition) => !compared.has(partition))
      if (those.length > 0 && link.isOpen()) await this.#compare(link, those)
    }
    this.#isAsking = false
  }

  /** A site knows this one under another epoch: it asks for everything. */
  async lostAll(link: Link): Promise<void> {
    this.#say(this.#parts.connection.keys.all)
    await this.#ask(link, '0-0')
  }

  async #compare(link: Link, partitions: readonly number[]): Promise<void> {
    const owing = new Map<string, number[]>()
    for (const partition of partitions) {
      await this.begin(partition)
      const before = this.#parts.connection.clock.now() - KEEP_MARKS_MS
      const ids = await link.marks(partition, before)
      if (ids === undefined) return
      const { isLost, owed } = await this.#step(partition, 'compare', link.to, ids.join(' '))
      this.#compared.get(link)?.add(partition)
      if (isLost) this.#say([partition])
      if (owed !== '') owing.set(owed, [...(owing.get(owed) ?? []), partition])
    }
    for (const [owed, those] of owing) {
      await this.#ask(link, owed, those)
      for (const partition of those) await this.#step(partition, 'done', link.to, owed)
    }
  }

  /** Asks a site for what it knows, unless that is under way. */
  async #ask({ to: from }: Link, owed: string, only?: readonly number[]): Promise<void> {
    const { jobs, site, limitMs } = this.#parts
    const isCovered = this.#awaited.some((push) => push.from === from && push.mode === 'full' && !push.only)
    if (isCovered) return
    const since = Number(owed.slice(0, owed.indexOf('-'))) - limitMs
    const asked = { from, to: site, spi: 'all', reason: 'rewound' as const, only }
    const { info } = await jobs.begin(
      since > 0 ? { ...asked, mode: 'delta', since } : { ...asked, mode: 'full' },
    )
    this.#awaited = [...this.#awaited.filter(({ id }) => id !== info.id), info]
  }

  #say(partitions: readonly number[]): void {
    const { events, logger } = this.#parts
    // Other sites are asked with the next beat.
    this.#isAsking = true
    for (const compared of this.#compared.values())
      for (const partition of partitions) compared.delete(partition)
    logger.warn(
      { partitions: partitions.length },
      'Redis of this site lost what it had sent to other sites; they are asked for it',
    )
    events.emit('rewound', { partitions })
  }

  #step(
    partition: number,
    step: 'begin' | 'compare' | 'lost' | 'done',
    site = '',
    ids = '',
  ): Promise<{ readonly isLost: boolean; readonly owed: string }> {
    const { connection, consumer, links } = this.#parts
    const { keys } = connection
    return connection.run(
      rewind,
      { ...placesOf(connection, partition), marks: keys.key(partition, 'xm') },
      { consumer, sites: links.map(({ to }) => to).join(' '), step, site, ids },
    )
  }

  #linkTo(site: string): Link | undefined {
    return this.#parts.links.find(({ to }) => to === site)
  }
}
