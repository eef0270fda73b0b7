import { setImmediate as breathe } from 'node:timers/promises'
import { unescapePart } from '@authstate/redis'
import { type ProviderContext, randomId } from '@authstate/spi'
import * as scripts from '../scripts.js'
import type { Found } from './replies.js'
import type { SessionStore } from './session-store.js'

/** How long a node that stopped in mid-sweep keeps others from that partition. */
const LEASE_MS = 10_000

/** Sessions taken away, and found, per step: while a script runs, everybody else waits. */
const STEP = 50

/**
 * Ends what has expired, one partition after the other, under a lease for each.
 *
 * A session is told of before it is taken away: a node that dies in between leaves it to the next one.
 */
export class PartitionSweep {
  readonly #store: SessionStore
  readonly #owner: string
  #stopped = false
  #swept = 0

  constructor(store: SessionStore, { node }: ProviderContext) {
    this.#store = store
    this.#owner = `${node.name} ${randomId()}`
  }

  /** Sessions ended so far. */
  get swept(): number {
    return this.#swept
  }

  /** @returns How many ended. */
  async run(): Promise<number> {
    const before = this.#swept
    const { partitions } = this.#store.keys
    // Nodes start at different places, so that they seldom meet.
    const first = Math.floor(Math.random() * partitions.length)
    for (const index of partitions.keys()) {
      await this.#sweep(partitions[(first + index) % partitions.length] as number)
    }
    return this.#swept - before
  }

  stop(): void {
    this.#stopped = true
  }

  async #sweep(partition: number): Promise<void> {
    const { keys, redis, events } = this.#store
    let told: readonly Found[] = []
    while (!this.#stopped) {
      const step = await redis.run(
        scripts.sweep,
        { due: keys.due(partition), lease: keys.lease(partition) },
        {
          now: this.#store.now(),
          owner: this.#owner,
          leaseMs: LEASE_MS,
          told: JSON.stringify(told),
          limit: STEP,
        },
      )
      this.#swept += step.dropped
      if (step.busy || !step.more) return
      for (const [id, links, clients, place] of step.found) {
        const [user = ''] = links.split(':', 1)
        events.expired(unescapePart(place.slice(2)), place.startsWith('o'), { id, user, clients })
      }
      told = step.found
      await breathe()
    }
  }
}
