import type { RedisConnection } from '@authstate/redis'
import type { Link } from './link.js'
import { progress, reached } from './scripts.js'
import { placesOf } from './waits.js'

/** What {@link Reached} is made of. */
export interface ReachedParts {
  /** Of this site. */
  readonly connection: RedisConnection
  readonly site: string
  readonly consumer: string
  /** How many records of a partition a site has not received. */
  readonly behind: (to: string, partition: number) => Promise<number>
}

/** The key that notes how far other sites have sent a partition. */
export const reachedKey = ({ keys }: RedisConnection, partition: number): string => keys.key(partition, 'xa')

/**
 * Notes at other sites how far this one has sent its changes, so that a barrier there can wait for it. Sending never waits for a note: of
 * several places only the last is noted.
 */
export class Reached {
  readonly #parts: ReachedParts
  /** The last note of each partition that this node has sent. */
  readonly #last = new Map<number, string>()
  readonly #noted = new Map<Link, Map<number, string>>()
  /** Partitions that are due for a note. */
  readonly #due = new Map<Link, Set<number>>()
  readonly #running = new Map<Link, Promise<void>>()

  constructor(parts: ReachedParts) {
    this.#parts = parts
  }

  /** The notes of a partition up to this one were sent to other sites, or are remembered for them. */
  told(links: readonly Link[], partition: number, id: string): void {
    this.#last.set(partition, id)
    for (const link of links) this.#look(link, partition)
  }

  /** A site has received everything that was remembered for it of a partition. */
  caughtUp(link: Link, partition: number): void {
    const noted = this.#noted.get(link)?.get(partition)
    const last = this.#last.get(partition)
    if (noted === undefined || (last !== undefined && noted !== last)) this.#look(link, partition)
  }

  /** A site may have lost its data: everything is noted again. */
  forget(to: string): void {
    for (const link of [...this.#noted.keys()].filter((one) => one.to === to)) this.#noted.delete(link)
  }

  /** Forgets all other partitions: another node sends them. */
  keep(partitions: readonly number[]): void {
    for (const places of [this.#last, ...this.#noted.values()])
      for (const partition of places.keys()) if (!partitions.includes(partition)) places.delete(partition)
  }

  /** Resolves when nothing is being noted. */
  async settled(): Promise<void> {
    await Promise.all(this.#running.values())
  }

  #look(link: Link, partition: number): void {
    const due = this.#due.get(link) ?? new Set()
    this.#due.set(link, due.add(partition))
    if (this.#running.has(link)) return
    const run = this.#run(link, due)
      // A note that failed is tried again with the next heartbeat.
      .catch(() => due.clear())
      .finally(() => this.#running.delete(link))
    this.#running.set(link, run)
  }

  async #run(link: Link, due: Set<number>): Promise<void> {
    while (due.size > 0) {
      const partitions = [...due]
      due.clear()
      await Promise.all(partitions.map((partition) => this.#note(link, partition)))
    }
  }

  async #note(link: Link, partition: number): Promise<void> {
    const { site, behind } = this.#parts
    // Missed records are remembered before the place is known, so this order leaves nothing out.
    const id = this.#last.get(partition) ?? (await this.#had(partition))
    if (id === '' || !link.isOpen() || (await behind(link.to, partition)) > 0) return
    const answer = await link.ask((peer) =>
      peer.run(reached, { reached: reachedKey(peer, partition) }, { site, id }),
    )
    if (answer === undefined) return
    const noted = this.#noted.get(link) ?? new Map<number, string>()
    this.#noted.set(link, noted.set(partition, id))
  }

  async #had(partition: number): Promise<string> {
    const { connection, consumer } = this.#parts
    return (await connection.run(progress, placesOf(connection, partition), { consumer })).had
  }
}
