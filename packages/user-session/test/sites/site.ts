import type { FakeClock } from '@authstate/conformance'
import {
  type ChangedRecord,
  connect,
  type RedisClient,
  type RedisConnection,
  type SiteTerms,
} from '@authstate/redis'
import type { Redis } from 'ioredis'
import { type Plant, planted } from '../../../../tools/testing/planted-connection.js'
import type { UserSessionProvider } from '../../src/index.js'
import { userSessionJoiner } from '../../src/redis/joiner.js'
import { openNode } from '../support.js'

export const REALM = 'r'
const MINUTE_MS = 60_000
const PARTITIONS = 2
const CONSUMER = { name: 'sites', kinds: [...userSessionJoiner.kinds], details: true }

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
  readonly provider: UserSessionProvider & AsyncDisposable
  readonly prefix: string
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
    { client, prefix, clock, plant = {} }: { client: Redis; prefix: string; clock: FakeClock; plant?: Plant },
  ): Promise<Site> {
    const shared = { prefix, partitions: PARTITIONS, consumers: [CONSUMER] }
    const provider = await openNode({ client: client as RedisClient, clock, ...shared })
    const connection = await connect(
      { client: client as RedisClient, prefix, partitions: PARTITIONS, changes: { consumers: [CONSUMER] } },
      { clock },
    )
    return new Site(name, { client, clock, connection: planted(connection, plant), provider, prefix })
  }

  get provider(): UserSessionProvider {
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
      const names = new Map<string, { isRemoved: boolean; isTouch: boolean }>()
      for (const [id, [, text = '', , gone]] of notes) {
        this.#had.set(partition, id)
        const name = text.slice(1)
        if (!userSessionJoiner.owns(name)) continue
        const isRemoved = text.startsWith('r') && !(gone ?? '').includes('"expired"')
        const before = names.get(name)
        names.set(name, {
          isRemoved: (before?.isRemoved ?? false) || isRemoved,
          isTouch: (before?.isTouch ?? true) && text.startsWith('t'),
        })
      }
      for (const [name, how] of names) changed.push({ partition, name, at: clock.now(), ...how })
    }
    return this.#read(changed)
  }

  /** All that another site has to know. */
  readonly tellAll = async (): Promise<Told[]> => {
    const { connection, clock } = this.#parts
    const all: ChangedRecord[] = []
    for (const partition of connection.keys.all) {
      let page = await userSessionJoiner.names(connection, partition, undefined, 3)
      for (;;) {
        all.push(...page.names.map((name) => ({ partition, name, at: clock.now(), isRemoved: false })))
        if (page.next === undefined) break
        page = await userSessionJoiner.names(connection, partition, page.next, 3)
      }
    }
    return this.#read(all)
  }

  /** One record, all of it unless only times changed. */
  readOne({ partition, name, isTouch = false }: Pick<ChangedRecord, 'partition' | 'name' | 'isTouch'>) {
    return this.#read([{ partition, name, at: this.clock.now(), isRemoved: false, isTouch }])
  }

  async #read(changed: readonly ChangedRecord[]): Promise<Told[]> {
    const { connection } = this.#parts
    const told = await Promise.all(
      changed.map(async (record) => {
        const state = await userSessionJoiner.read(connection, record, this.terms)
        return state === undefined ? [] : [{ partition: record.partition, name: record.name, state }]
      }),
    )
    return told.flat()
  }

  hear({ state, ...record }: Told) {
    return userSessionJoiner.join(this.#parts.connection, record, state, this.terms)
  }

  everything(ids: readonly string[], userIds: readonly string[]) {
    return everythingAt(this, ids, userIds)
  }

  async close(): Promise<void> {
    const { provider, connection } = this.#parts
    await provider[Symbol.asyncDispose]()
    await connection.close()
    await this.clear()
  }

  /** Takes everything away that it holds. */
  async clear(): Promise<void> {
    const { client, prefix } = this.#parts
    const keys = await client.keys(`${prefix}:*`)
    if (keys.length > 0) await client.unlink(...keys)
  }
}

const byFirst = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1)

const shape = (state: string): Readonly<Record<string, unknown>> => {
  const { k: _, ...rest } = JSON.parse(state) as Record<string, unknown>
  return rest
}

/** All that it holds, by what a caller sees and by what other sites would be told. */
export async function everythingAt(
  { provider, clock, tellAll }: Pick<Site, 'provider' | 'clock' | 'tellAll'>,
  ids: readonly string[],
  userIds: readonly string[],
) {
  const sessions: unknown[] = []
  const lists: unknown[] = []
  for (const offline of [false, true]) {
    for (const id of ids) {
      const session = await provider.get(REALM, id, { offline })
      sessions.push(session && { ...session, clients: [...session.clients].sort(byFirst) })
    }
    for (const userId of userIds) {
      const { items } = await provider.listByUser(REALM, userId, { offline, limit: 100 })
      lists.push(items.map(({ id }) => id).sort())
    }
    for (const clientId of ['app', '__proto__']) {
      const { items } = await provider.listByClient(REALM, clientId, { offline, limit: 100 })
      lists.push(items.map(({ id }) => id).sort())
    }
    lists.push(
      await provider.count(REALM, { offline }),
      [...(await provider.clientStats(REALM, { offline }))].sort(byFirst),
    )
  }
  // An offline session that came again is named among those that ended as well.
  const told = new Map(
    (await tellAll())
      .filter(({ name }) => /^[uo]s/.test(name))
      .map(({ name, state }) => [name, shape(state)] as const),
  )
  // Everywhere gone is gone, whatever made it so. What is over is kept where it was, until it is swept.
  const living = [...told].filter(([, { x }]) => x !== undefined && Number(x) > clock.now())
  return { sessions, lists, told: living.sort(byFirst) }
}
