import { unescapePart } from '@authstate/redis'
import { type ProviderContext, randomId } from '@authstate/spi'
import * as scripts from '../scripts.js'
import { foundIn } from './replies.js'
import type { StoredSessions } from './stored-sessions.js'

/** How long a node that stopped in mid-sweep keeps others from that partition. */
const LEASE_MS = 10_000

/** Sessions taken away, and found, per step: everybody else waits for a script, so it takes about as long as a few commands. */
const STEP = 6

/** Sessions removed per step if there is no listener, which takes about as long. */
const UNTOLD_STEP = 12

/**
 * Ends what has expired, one partition after the other, under a lease for each.
 *
 * If there is a listener, the event of a session is emitted before the session is removed: if the
 * node dies in between, the next node emits it.
 */
export class PartitionSweep {
  readonly #store: StoredSessions
  readonly #owner: string
  #stopped = false

  constructor(store: StoredSessions, { node }: ProviderContext) {
    this.#store = store
    this.#owner = `${node.name} ${randomId()}`
  }

  /** @param onSwept Called for each few that ended. */
  async run(onSwept: (count: number) => void): Promise<void> {
    const { partitions } = this.#store.keys
    // Nodes start at different places, so that they seldom meet.
    const first = Math.floor(Math.random() * partitions.length)
    for (const index of partitions.keys()) {
      await this.#sweep(partitions[(first + index) % partitions.length] as number, onSwept)
    }
  }

  stop(): void {
    this.#stopped = true
  }

  async #sweep(partition: number, onSwept: (count: number) => void): Promise<void> {
    const { keys, redis, events } = this.#store
    let reported: string | undefined
    while (!this.#stopped) {
      const step = await redis.run(
        scripts.sweep,
        { due: keys.due(partition), lease: keys.lease(partition) },
        {
          now: this.#store.now(),
          owner: this.#owner,
          leaseMs: LEASE_MS,
          told: reported ?? '',
          limit: STEP,
          many: UNTOLD_STEP,
          tell: events.sessions('expired'),
        },
      )
      if (step.dropped > 0) onSwept(step.dropped)
      if (step.busy || !step.more) return
      if (step.found !== undefined) {
        // What cannot be taken away, such as a name that is no text, is left to whoever put it there.
        if (step.found === reported) return
        this.#tell(step.found, step.data)
      }
      reported = step.found
    }
  }

  #tell(found: string, data: readonly string[]): void {
    const { place, ended } = foundIn(found, data)
    const realmId = unescapePart(place.slice(2))
    for (const session of ended) this.#store.events.expired(realmId, place.startsWith('o'), session)
  }
}
