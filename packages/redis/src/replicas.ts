import { timers } from '@authstate/spi/internal'
import slotOf from 'cluster-key-slot'
import { internals, type RedisClient } from './client.js'
import { reasonOf, Unconfirmed } from './failure.js'

/** What is asked of replicas, with the defaults filled in. */
export interface ReplicaPolicy {
  readonly minReplicas: number
  readonly replicaTimeoutMs: number
}

interface Waiting {
  wait(replicas: number, timeoutMs: number): Promise<number | string>
}

/**
 * Holds back the answers to writes until replicas have them.
 *
 * WAIT speaks of what its own connection has written, so it goes right behind the writes: once for all those of a tick.
 */
export class Replicas {
  readonly #client: RedisClient
  readonly #policy: ReplicaPolicy
  readonly #asked = new Map<RedisClient, Promise<number>>()

  constructor(client: RedisClient, policy: ReplicaPolicy) {
    this.#client = client
    this.#policy = policy
  }

  /** Whether it may be asked at all. */
  check(): Promise<unknown> {
    return (this.#client as unknown as Waiting).wait(0, 1)
  }

  /** @throws {Unconfirmed} it was written all the same */
  async behind<T>(key: string, write: () => Promise<T>): Promise<T> {
    const written = write()
    const node = this.#nodeOf(key)
    const asked = this.#ask(node)
    // Whoever waits for the write hears of its failure; nobody needs to hear twice.
    asked.catch(() => {})
    const reply = await written
    // Redirected meanwhile: what was asked is not about this write.
    const now = this.#nodeOf(key)
    await this.#expectEnough(now === node ? asked : this.#ask(now))
    return reply
  }

  async #expectEnough(asked: Promise<number>): Promise<void> {
    const { minReplicas, replicaTimeoutMs } = this.#policy
    const confirmed = await asked.catch((cause: Error) => {
      throw new Unconfirmed(`its replicas could not be asked: ${reasonOf(cause)}`, { cause })
    })
    if (confirmed >= minReplicas) return
    throw new Unconfirmed(
      `${confirmed} of ${minReplicas} replicas confirmed it within ${replicaTimeoutMs} ms`,
    )
  }

  #ask(node: RedisClient): Promise<number> {
    let asked = this.#asked.get(node)
    if (asked === undefined) {
      asked = new Promise<number>((resolve, reject) => {
        timers.nextTick(() => {
          this.#asked.delete(node)
          const { minReplicas, replicaTimeoutMs } = this.#policy
          const reply = (node as unknown as Waiting).wait(minReplicas, replicaTimeoutMs)
          reply.then((count) => resolve(Number(count)), reject)
        })
      })
      this.#asked.set(node, asked)
    }
    return asked
  }

  #nodeOf(key: string): RedisClient {
    if (!this.#client.isCluster) return this.#client
    const { slots, nodes, options } = internals(this.#client)
    const [master] = slots?.[slotOf((options?.keyPrefix ?? '') + key)] ?? []
    const node = nodes?.call(this.#client, 'all').find((candidate) => {
      const { host, port } = internals(candidate).options ?? {}
      return `${host}:${port}` === master
    })
    return node ?? this.#client
  }
}
