import { escapePart, firstEntries, type Script, unescapePart } from '@authstate/redis'
import { encodeCursor, jsonMap, type Page, type PagePosition, type Realm } from '@authstate/spi'
import type { CheckedSessionPage } from '../checks.js'
import type { UserSession } from '../contract.js'
import { FENCE_MS, TOKENS_FENCE_MS } from '../moments.js'
import * as scripts from '../scripts.js'
import type { EndedIndex, Removal, SessionIndex } from '../store.js'
import type { ScriptCursor } from './replies.js'
import type { StoredSessions } from './stored-sessions.js'

/** Where a walk over a partition goes on. */
interface Step {
  readonly partition: number
  readonly after: ScriptCursor
  /** Whether every partition is asked at the same time. */
  readonly together: boolean
}

/** Sessions that the first round trip ends: all of nearly every user, and of a small realm. */
const ENDED_AT_ONCE = 100

/** Sessions that each further script ends: everybody else waits for it, so it takes about as long as a few commands. */
const ENDED_PER_STEP = 8

const REASONS = { user: 'user', brokerSession: 'broker-session', realm: 'realm' } as const

const BEGIN: ScriptCursor = { score: '0', id: '' }

/** Looks at, or changes, many sessions: a hundred per script at most, every partition at once. */
export class RealmWide {
  readonly #store: StoredSessions

  constructor(store: StoredSessions) {
    this.#store = store
  }

  /** A page of an index, merged over the partitions it has. One that cannot be read leaves its place to those behind it. */
  async page(index: SessionIndex, page: CheckedSessionPage): Promise<Page<UserSession>> {
    const items: UserSession[] = []
    for (let after: PagePosition | undefined = page.after; after !== undefined; ) {
      const limit: number = page.limit - items.length
      const part = await this.#part(index, { ...page, limit, after })
      items.push(...part.items)
      after = part.end
      if (after !== undefined && items.length === page.limit) return { items, cursor: encodeCursor(after) }
    }
    return { items }
  }

  /** The next entries of an index that are alive, and where they end if there are more. */
  async #part(
    index: SessionIndex,
    { limit, after }: CheckedSessionPage,
  ): Promise<{ readonly items: readonly UserSession[]; readonly end: PagePosition | undefined }> {
    const { keys } = this.#store
    const { realmId, offline, kind } = index
    const name = nameOf(index)
    const now = this.#store.now()
    const partitions = kind === 'user' ? [keys.partitionOfUser(index.name)] : keys.partitions
    const ofClient = kind === 'client' ? escapePart(index.name) : ''
    const all = await firstEntries<PageEntry>(partitions, after, limit + 1, (steps) =>
      this.#store.redis.runEach(
        scripts.page,
        steps.map((step) => ({
          keys: { index: keys.index(step.partition, kind, realmId, offline, name) },
          args: {
            now,
            afterScore: step.after.score,
            afterId: step.after.id,
            limit: step.limit,
            client: ofClient,
          },
        })),
      ),
    )
    const shown = all.slice(0, limit)
    const items = shown.map(({ id, values }) =>
      this.#store.codec.decode(values, { realmId, id, offline }, now),
    )
    const last = shown.at(-1)
    return {
      items: items.filter((item) => item !== undefined),
      end: all.length > limit ? last : undefined,
    }
  }

  async count(index: SessionIndex): Promise<number> {
    const { keys } = this.#store
    const { realmId, offline, kind } = index
    const name = nameOf(index)
    const now = this.#store.now()
    let living = 0
    await this.#walk(
      keys.partitions,
      scripts.count,
      ({ partition, after }) => ({
        keys: { index: keys.index(partition, kind, realmId, offline, name) },
        args: {
          now,
          client: kind === 'client' ? escapePart(index.name) : '',
          afterScore: after.score,
          afterId: after.id,
          evicted: this.#store.redis.mayEvict ? 1 : '',
        },
      }),
      (reply) => {
        living += reply.living
        return true
      },
    )
    return living
  }

  async clientStats(realmId: string, offline: boolean): Promise<ReadonlyMap<string, number>> {
    const { keys } = this.#store
    const now = this.#store.now()
    const counts = new Map<string, number>()
    const tooMany = new Set<string>()
    await this.#walk(
      keys.partitions,
      scripts.stats,
      ({ partition, after }) => ({
        keys: { clients: keys.index(partition, 'clients', realmId, offline) },
        args: { now, afterScore: after.score, afterId: after.id },
      }),
      (reply) => {
        for (const [client, count] of reply.counts) {
          if (count < 0) tooMany.add(client)
          else counts.set(client, (counts.get(client) ?? 0) + count)
        }
        return true
      },
    )
    for (const client of tooMany) {
      counts.set(client, await this.count({ realmId, offline, kind: 'client', name: unescapePart(client) }))
    }
    return jsonMap(
      [...counts].filter(([, count]) => count > 0).map(([client, count]) => [unescapePart(client), count]),
    )
  }

  /**
   * Ends the sessions of an index that began before a mark, and refuses logins that began before it. Without a mark it ends
   * all, and refuses nothing.
   */
  async endAll(
    { realmId, kind, name, offline }: EndedIndex,
    { mark, except = '' }: Removal,
  ): Promise<number> {
    const { keys, events } = this.#store
    const now = this.#store.now()
    let partitions = kind === 'user' ? [keys.partitionOfUser(name)] : keys.partitions
    const user = kind === 'user' ? name : undefined
    let ended = 0
    // A walk of several steps may miss a session that moved back: it is repeated until there is nothing left to end.
    for (let isBegun = false; partitions.length > 0; isBegun = true) {
      const again = new Set<number>()
      await this.#walk(
        partitions,
        scripts.endAll,
        ({ partition, after, together }) => ({
          keys: {
            index: keys.index(partition, kind, realmId, offline, kind === 'realm' ? undefined : name),
            fence: keys.fence(partition, realmId, offline, user),
          },
          args: {
            now,
            mark,
            fenceMs: FENCE_MS,
            tokensMs: TOKENS_FENCE_MS,
            except,
            tell: events.sessions('removed'),
            afterScore: after.score,
            afterId: after.id,
            limit: together ? Math.ceil(ENDED_AT_ONCE / partitions.length) : ENDED_PER_STEP,
          },
        }),
        (reply, partition) => {
          ended += reply.count
          events.removed(realmId, offline, reply.ended, REASONS[kind])
          if (reply.next && reply.count > 0) again.add(partition)
          return true
        },
        { inTurn: true, isBegun },
      )
      partitions = [...again]
    }
    return ended
  }

  /** Ends the client sessions of a client. */
  async detachAll(realmId: string, clientId: string, offline: boolean): Promise<number> {
    const { keys, events } = this.#store
    const now = this.#store.now()
    const client = escapePart(clientId)
    let ended = 0
    await this.#walk(
      keys.partitions,
      scripts.detachAll,
      ({ partition, after }) => ({
        keys: { index: keys.index(partition, 'client', realmId, offline, clientId) },
        args: { now, client, afterScore: after.score, afterId: after.id, tell: events.clients },
      }),
      (reply) => {
        ended += reply.ended
        for (const session of reply.told) events.clientRemoved(realmId, offline, session, clientId, 'client')
        return true
      },
      { inTurn: true },
    )
    return ended
  }

  /** Computes lives again. @returns How many sessions changed. */
  async recompute(realmId: string, realm: Realm, offline: boolean): Promise<number> {
    const { keys } = this.#store
    const now = this.#store.now()
    const life = this.#store.life(realm, offline)
    // A map: what clients are called is theirs to choose, and an object has names of its own.
    const lives = new Map<string, string>()
    let changed = 0
    await this.#walk(
      keys.partitions,
      scripts.recompute,
      ({ partition, after }) => ({
        keys: { realm: keys.index(partition, 'realm', realmId, offline) },
        args: {
          now,
          life,
          clientLives: JSON.stringify(Object.fromEntries(lives)),
          afterScore: after.score,
          afterId: after.id,
        },
      }),
      (reply) => {
        changed += reply.changed
        // Nothing was written: the script names clients whose time-outs only the realm can say.
        for (const client of reply.unknown) {
          lives.set(client, this.#store.clientLife(realm, unescapePart(client), offline))
        }
        return true
      },
      { inTurn: true },
    )
    return changed
  }

  /**
   * Runs a script on partitions, all at once, and again behind where it stopped on those that are not at their end.
   *
   * @param take Takes an answer. `false`: the partition has given enough.
   * @param options.inTurn After the first round one partition after the other, so that a long walk
   * does not delay other calls.
   * @param options.isBegun The verb has run a script before.
   */
  async #walk<K extends string, A extends string, R extends { readonly next: ScriptCursor | undefined }>(
    partitions: readonly number[],
    script: Script<K, A, R>,
    callOf: (step: Step) => {
      readonly keys: Readonly<Record<K, string>>
      readonly args: Readonly<Record<A, string | number>>
    },
    take: (reply: R, partition: number) => boolean,
    { inTurn = false, ...options }: { readonly inTurn?: boolean; readonly isBegun?: boolean } = {},
  ): Promise<void> {
    const { redis } = this.#store
    let steps: Step[] = partitions.map((partition) => ({ partition, after: BEGIN, together: true }))
    for (let isBegun = options.isBegun ?? false; steps.length > 0; isBegun = true) {
      const waiting = inTurn && !steps[0]?.together ? steps.splice(1) : []
      const replies = await redis.runEach(script, steps.map(callOf), isBegun)
      const next = steps.flatMap(({ partition }, index) => {
        const reply = replies[index] as R
        return take(reply, partition) && reply.next
          ? [{ partition, after: reply.next, together: !inTurn }]
          : []
      })
      steps = [...next, ...waiting]
    }
  }
}

/** Of a realm there is one index, which has no name. */
const nameOf = ({ kind, name }: SessionIndex): string | undefined => (kind === 'realm' ? undefined : name)

interface PageEntry extends PagePosition {
  readonly values: readonly string[]
}
