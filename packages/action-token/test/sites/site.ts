import type { FakeClock } from '@authstate/conformance'
import { RecordingLogger } from '@authstate/conformance'
import {
  type ChangedRecord,
  connect,
  type RedisClient,
  type RedisConnection,
  redisConnection,
  type SiteTerms,
} from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import type { Redis } from 'ioredis'
import { type Plant, planted } from '../../../../tools/testing/planted-connection.js'
import { type ActionTokenProvider, actionTokenSpi } from '../../src/index.js'
import { conflicts } from '../../src/redis/deciding-scripts.js'
import { actionTokenJoiner } from '../../src/redis/joiner.js'
import { redisActionTokens } from '../../src/redis.js'

export const REALM = 'r'
export const KIND = 'code'
const MINUTE_MS = 60_000
const PARTITIONS = 2
const CONSUMER = { name: 'sites', kinds: [...actionTokenJoiner.kinds], details: true }

/** What one site tells the others of a record at one moment. */
export interface Told {
  readonly partition: number
  readonly name: string
  readonly state: string
}

/** What a site is made of. */
interface Parts {
  readonly client: Redis
  readonly clock: FakeClock
  readonly connection: RedisConnection
  readonly provider: ActionTokenProvider
  readonly close: () => Promise<void>
}

/** One of several sites: its own keys, its own clock, and its own node. */
export class Site {
  readonly terms: SiteTerms
  readonly #parts: Parts
  readonly #had = new Map<number, string>()

  private constructor(name: string, parts: Parts) {
    this.terms = { site: name, endsMs: 7 * 1_440 * MINUTE_MS, aheadMs: 5 * MINUTE_MS }
    this.#parts = parts
  }

  static async open(
    name: string,
    {
      client,
      prefix,
      clock,
      plant = {},
    }: {
      readonly client: Redis
      readonly prefix: string
      readonly clock: FakeClock
      readonly plant?: Plant
    },
  ): Promise<Site> {
    const redis = {
      client: client as RedisClient,
      prefix,
      partitions: PARTITIONS,
      changes: { consumers: [CONSUMER] },
    }
    const registry = createProviderRegistry({
      factories: [redisActionTokens(), redisConnection()],
      config: { redis, spi: { 'action-token': { provider: 'redis' } } },
      clock,
      logger: new RecordingLogger(),
    })
    await registry.start()
    const connection = await connect(redis, { clock })
    const close = async () => {
      await registry.close()
      await connection.close()
      const keys = await client.keys(`${prefix}:*`)
      if (keys.length > 0) await client.unlink(...keys)
    }
    const provider = registry.get(actionTokenSpi)
    return new Site(name, { client, clock, connection: planted(connection, plant), provider, close })
  }

  get provider(): ActionTokenProvider {
    return this.#parts.provider
  }

  get clock(): FakeClock {
    return this.#parts.clock
  }

  /** What changed since it was asked last, as it is now. */
  async tell(): Promise<Told[]> {
    const { connection, client, clock } = this.#parts
    const changed: ChangedRecord[] = []
    for (const partition of connection.keys.all) {
      const after = this.#had.get(partition)
      const notes = await client.xrange(connection.keys.key(partition, 'xn'), after ? `(${after}` : '-', '+')
      const names = new Map<string, boolean>()
      for (const [id, [, text = '']] of notes) {
        this.#had.set(partition, id)
        const name = text.slice(1)
        if (!actionTokenJoiner.owns(name)) continue
        names.set(name, (names.get(name) ?? false) || text.startsWith('r'))
      }
      for (const [name, isRemoved] of names) changed.push({ partition, name, at: clock.now(), isRemoved })
    }
    return this.#read(changed)
  }

  /** All that another site has to know. */
  async tellAll(): Promise<Told[]> {
    const { connection, clock } = this.#parts
    const all: ChangedRecord[] = []
    for (const partition of connection.keys.all) {
      let page = await actionTokenJoiner.names(connection, partition, undefined, 3)
      for (;;) {
        all.push(...page.names.map((name) => ({ partition, name, at: clock.now(), isRemoved: false })))
        if (page.next === undefined) break
        page = await actionTokenJoiner.names(connection, partition, page.next, 3)
      }
    }
    return this.#read(all)
  }

  hear({ state, ...record }: Told) {
    return actionTokenJoiner.join(this.#parts.connection, record, state, this.terms)
  }

  /** Keys that were found to be redeemed more than once. */
  conflicts(): Promise<string[]> {
    return conflictsAt(this.#parts.connection)
  }

  /** All that it holds, by what a caller sees and by what other sites would be told. */
  everything(keys: readonly string[], subjects: readonly string[]) {
    return everythingAt(this, keys, subjects)
  }

  close(): Promise<void> {
    return this.#parts.close()
  }

  async #read(changed: readonly ChangedRecord[]): Promise<Told[]> {
    const { connection } = this.#parts
    const told = await Promise.all(
      changed.map(async (record) => {
        const state = await actionTokenJoiner.read(connection, record, this.terms)
        return state === undefined ? [] : [{ partition: record.partition, name: record.name, state }]
      }),
    )
    return told.flat()
  }
}

/** Keys that were found to be redeemed more than once. */
export async function conflictsAt(connection: RedisConnection): Promise<string[]> {
  const found = await Promise.all(
    connection.keys.all.map((partition) =>
      connection.run(conflicts, { conflicts: connection.keys.key(partition, 'xc') }, { done: '' }),
    ),
  )
  return found.flatMap(({ entries }) => entries.map((text) => text.split(':').at(-1) as string))
}

/** All that a site holds, by what a caller sees and by what other sites would be told. */
export async function everythingAt(
  site: { readonly provider: ActionTokenProvider; tellAll(): Promise<readonly Omit<Told, 'partition'>[]> },
  keys: readonly string[],
  subjects: readonly string[],
) {
  const { provider } = site
  const tokens = await Promise.all(keys.map((key) => provider.get(REALM, KIND, key)))
  const lists = await Promise.all(
    subjects.map(async (subject) => {
      const { items } = await provider.listBySubject(REALM, subject, { consumed: true })
      return items.map(({ key }) => key).sort()
    }),
  )
  // A token whose key was stored again is named among those that ended as well.
  const told = new Map((await site.tellAll()).map((one) => [one.name, one]))
  const states = [...told.values()]
    .filter(({ name }) => name.startsWith('ao:'))
    .map(({ name, state }) => {
      const { c, u } = JSON.parse(state) as { readonly c?: unknown; readonly u?: object }
      return [name, c, u && Object.entries(u).sort()] as const
    })
  return { tokens, lists, living: states.filter(([, c]) => c !== undefined).sort(byFirst) }
}

const byFirst = ([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]) =>
  a < b ? -1 : 1
