import {
  type EntriesStep,
  escapePart,
  firstEntries,
  followedBySites,
  KEY_GRACE_MS,
  type RedisConnection,
  redisConnectionSpi,
  type SiteVerbs,
} from '@authstate/redis'
import {
  allSteps,
  type CheckedPage,
  describedSchema,
  isExpired,
  nextStep,
  type PagePosition,
  type ProviderFactory,
} from '@authstate/spi'
import { assertNoProperties } from '@authstate/spi/internal'
import { type WebSessionConfig, webSessionConfig } from './config.js'
import { type WebSessionProvider, webSessionSpi } from './contract.js'
import { SessionKeys, tagOf } from './redis/session-keys.js'
import { framesOf, LAG_MS, namesOf, readSession, restOf, timeText } from './redis/session-text.js'
import {
  DIGEST_CHARACTERS,
  type EndedSession,
  type SaveConditions,
  type SessionChange,
  type SessionDraft,
  type StepTime,
  type StoredSession,
} from './rules.js'
import * as scripts from './scripts.js'
import type { Removal, SessionIndex, SessionName, SessionPage, WebSessionStore } from './store.js'
import { WebSessions } from './web-sessions.js'

/** Keeps sessions in Redis, shared by every node of the deployment. */
export function redisWebSessions(): ProviderFactory<WebSessionProvider, WebSessionConfig>
export function redisWebSessions(...given: unknown[]): ProviderFactory<WebSessionProvider, WebSessionConfig> {
  assertNoProperties(given, 'redisWebSessions', webSessionSpi, 'redis')
  return {
    spi: webSessionSpi,
    id: 'redis',
    dependsOn: [redisConnectionSpi],
    config: describedSchema(webSessionConfig),
    create: (context, config) => {
      const connection = context.get(redisConnectionSpi)
      const sessions = new WebSessions(context, config, new RedisStore(connection))
      return followedBySites(sessions, connection, webSessionSpi.name, VERBS)
    },
  }
}

/** Verbs after which other sites may be waited for. */
const VERBS: SiteVerbs<WebSessionProvider> = {
  save: 'safe',
  update: 'safe',
  remove: 'safe',
  removeByUser: 'safe',
  removeByLabel: 'safe',
  removeByRealm: 'safe',
}

/** Sessions that one script ends at most: those of nearly every user in one step with the fence, of a realm in small ones. */
const ENDED_OF_USER = 1_000
const ENDED_PER_STEP = 100

/** Bearers of an alias that are looked at together. */
const CANDIDATES_PER_STEP = 100

class RedisStore implements WebSessionStore {
  readonly #redis: RedisConnection
  readonly #keys: SessionKeys

  constructor(redis: RedisConnection) {
    this.#redis = redis
    this.#keys = new SessionKeys(redis.keys)
  }

  save(name: SessionName, draft: SessionDraft, { mustExist, ifVersion }: SaveConditions, time: StepTime) {
    const { expiresAt, signIn, alias } = draft
    const { layout } = this.#redis
    const stored = this.#redis.run(scripts.save, this.#keys.session(name), {
      now: timeText(time.now),
      expiresAt: timeText(expiresAt),
      tombstoneMs: time.tombstoneMs,
      graceMs: KEY_GRACE_MS,
      member: this.#keys.member(name.id),
      mustExist: mustExist ? 1 : 0,
      ifVersion: ifVersion ?? '',
      since: signIn === undefined ? '' : timeText(signIn.moment.at),
      beginning: signIn?.moment.beginning ?? '',
      rest: restOf(draft, layout),
      layout,
    })
    if (alias === '' || isExpired(expiresAt, time.now)) return stored
    // Both in one tick. The record decides, so what comes to nothing, or is lost in between, turns nothing back.
    const pointed = this.#point(
      name,
      { alias, score: String(layout < 2 ? expiresAt : expiresAt + LAG_MS) },
      time.now,
    )
    return allSteps<unknown>([stored, pointed]).then(() => stored)
  }

  async update(name: SessionName, change: SessionChange, time: StepTime) {
    const { reply, moved, ended } = await this.#send(name, change, time)
    if (moved !== undefined) await nextStep(this.#point(name, moved, time.now), true)
    if (ended !== undefined) await nextStep(this.#unpoint(name, ended), true)
    return reply
  }

  #send(name: SessionName, change: SessionChange, time: StepTime): Promise<scripts.Updated> {
    const { expiresAt, signIn, generation, ifVersion, set, unset, maxDataBytes } = change
    const args = {
      now: timeText(time.now),
      expiresAt: expiresAt === undefined ? '' : timeText(expiresAt),
      tombstoneMs: time.tombstoneMs,
      graceMs: KEY_GRACE_MS,
      member: this.#keys.member(name.id),
      layout: this.#redis.layout,
    }
    const keys = this.#keys.session(name)
    const isTouch = expiresAt !== undefined && set.size === 0 && unset.length === 0 && signIn === undefined
    if (isTouch && generation === undefined && ifVersion === undefined)
      return this.#redis.run(scripts.touch, keys, args)
    return this.#redis.run(scripts.update, keys, {
      ...args,
      ifVersion: ifVersion ?? '',
      generation: asked(generation),
      owner: signIn === undefined ? '' : `=${signIn === null ? '' : escapePart(signIn.userId)}`,
      since: signIn ? timeText(signIn.moment.at) : '',
      beginning: signIn?.moment.beginning ?? '',
      maxBytes: maxDataBytes,
      unset: namesOf(unset),
      set: set.size === 0 ? '' : framesOf(set),
    })
  }

  load(name: SessionName) {
    return this.#redis.get('web-session.get', this.#keys.record(name), (text) => readSession(name.id, text))
  }

  async find(realmId: string, alias: string, now: number) {
    const pointer = this.#keys.pointer(realmId, alias)
    let newest: StoredSession | undefined
    for (let after: PagePosition | undefined = { score: 0, id: '' }; after !== undefined; ) {
      const entries: readonly PagePosition[] = await this.#redis.run(
        scripts.candidates,
        { pointer },
        { now, afterScore: after.score, afterId: after.id, limit: CANDIDATES_PER_STEP },
      )
      for (const session of await allSteps(entries.map(({ id }) => this.load({ realmId, id })))) {
        if (session === undefined || session === 'unreadable' || session.alias !== alias) continue
        if (!isExpired(session.expiresAt, now) && session.createdAt >= (newest?.createdAt ?? 0))
          newest = session
      }
      after = entries[CANDIDATES_PER_STEP - 1]
    }
    return newest
  }

  async remove(name: SessionName, generation: string | undefined, time: StepTime) {
    const removed = await this.#redis.run(scripts.remove, this.#keys.session(name), {
      now: time.now,
      tombstoneMs: time.tombstoneMs,
      graceMs: KEY_GRACE_MS,
      member: this.#keys.member(name.id),
      generation: asked(generation),
    })
    if (removed === undefined) return undefined
    if (removed.ended !== undefined) await nextStep(this.#unpoint(name, removed.ended), true)
    return { id: name.id, userId: removed.userId }
  }

  async page(index: SessionIndex, { limit, after }: CheckedPage, now: number): Promise<SessionPage> {
    const all = await firstEntries<scripts.MemberEntry>(this.#keys.partitions, after, limit + 1, (steps) =>
      this.#entries(index, steps, now),
    )
    const shown = all.slice(0, limit)
    const { realmId } = index
    const items = await allSteps(shown.map(({ sessionId: id }) => this.load({ realmId, id })))
    return {
      items: items.filter((item, at): item is StoredSession | 'unreadable' =>
        standsIn(index, item, shown[at]?.tag),
      ),
      end: all.length > limit ? shown.at(-1) : undefined,
    }
  }

  #entries(index: SessionIndex, steps: readonly EntriesStep[], now: number) {
    const { realmId } = index
    const asked = steps.map(({ partition, after, limit }) => ({
      key: this.#keys.index(partition, index),
      realm: this.#keys.index(partition, { realmId, kind: 'realm' }),
      args: { now, afterScore: after.score, afterDigest: after.id.slice(0, DIGEST_CHARACTERS), limit },
      partition,
    }))
    if (index.kind !== 'user')
      return this.#redis.runEach(
        scripts.page,
        asked.map(({ key, realm, args }) => ({ keys: { index: key, realm }, args })),
      )
    const { userId } = index
    return this.#redis.runEach(
      scripts.pageOfUser,
      asked.map(({ key, realm, args, partition }) => ({
        keys: { index: key, realm, former: this.#keys.former(partition, realmId, userId) },
        args: { ...args, tag: tagOf(userId) },
      })),
    )
  }

  async count(realmId: string, now: number) {
    let sum = 0
    let steps = this.#keys.partitions.map((partition) => ({ partition, score: '0', digest: '' }))
    while (steps.length > 0) {
      const replies = await this.#redis.runEach(
        scripts.count,
        steps.map(({ partition, score, digest }) => ({
          keys: { realm: this.#keys.index(partition, { realmId, kind: 'realm' }) },
          args: { now, afterScore: score, afterDigest: digest },
        })),
      )
      for (const { count } of replies) sum += count
      steps = steps.flatMap(({ partition }, at) => {
        const next = replies[at]?.next
        return next === undefined ? [] : [{ partition, ...next }]
      })
    }
    return sum
  }

  async endAll(
    index: SessionIndex,
    { mark = '', except }: Removal,
    { now, tombstoneMs }: StepTime,
    onEnded: (session: EndedSession) => void,
  ) {
    const { realmId, kind } = index
    const args = {
      now,
      tombstoneMs,
      graceMs: KEY_GRACE_MS,
      mark,
      except: except === undefined ? '' : this.#keys.member(except),
      limit: kind === 'user' ? ENDED_OF_USER : ENDED_PER_STEP,
      user: kind === 'user' ? escapePart(index.userId) : '',
    }
    let steps: Step[] = this.#keys.partitions.map((partition) => ({
      partition,
      score: '0',
      digest: '',
      found: false,
    }))
    for (let isBegun = false; steps.length > 0; isBegun = true) {
      const replies = await this.#redis.runEach(
        scripts.endAll,
        steps.map(({ partition, score, digest }) => ({
          keys: {
            index: this.#keys.index(partition, index),
            realm: this.#keys.index(partition, { realmId, kind: 'realm' }),
            fence: this.#keys.fence(partition, realmId, kind === 'user' ? index.userId : ''),
            former: this.#keys.former(partition, realmId, kind === 'user' ? index.userId : ''),
          },
          args: { ...args, afterScore: score, afterDigest: digest },
        })),
        isBegun,
      )
      for (const { ended } of replies) for (const session of ended) onEnded(session)
      steps = steps.flatMap(({ partition, digest, found: foundBefore }, at) => {
        const { next, ended } = replies[at] ?? {}
        const found = foundBefore || (ended ?? []).length > 0
        if (next !== undefined) return [{ partition, ...next, found }]
        // In a walk of several steps a session may have moved back: there is one more, until one finds none.
        return digest !== '' && found ? [{ partition, score: '0', digest: ' ', found: false }] : []
      })
    }
  }

  #point({ realmId, id }: SessionName, { alias, score }: scripts.AliasScore, now: number): Promise<void> {
    const keepMs = Number(score) - now + KEY_GRACE_MS
    return this.#redis.run(
      scripts.point,
      { pointer: this.#keys.pointer(realmId, alias) },
      { now, score, keepMs, id },
    )
  }

  #unpoint({ realmId, id }: SessionName, { alias, score }: scripts.AliasScore): Promise<void> {
    return this.#redis.run(scripts.unpoint, { pointer: this.#keys.pointer(realmId, alias) }, { score, id })
  }
}

/** A name that may be empty, distinguished from none. */
const asked = (name: string | undefined): string => (name === undefined ? '' : `=${escapePart(name)}`)

/** Where a walk over a partition goes on. */
interface Step {
  readonly partition: number
  readonly score: string
  readonly digest: string
  /** Whether this walk has ended something. */
  readonly found: boolean
}

/**
 * Whether a session stands in an index now: entries are read in one step, sessions in another.
 *
 * @param tag Of its user, by the entry of the realm's index; one of an earlier session of the id stands for nothing.
 */
function standsIn(index: SessionIndex, session: StoredSession | 'unreadable' | undefined, tag = ''): boolean {
  if (session === undefined || session === 'unreadable') return session === 'unreadable'
  const { userId, labels } = session
  if (index.kind === 'user') return userId === index.userId
  if (index.kind === 'label') return Object.hasOwn(labels, index.name) && labels[index.name] === index.value
  return tag === '' || tag === tagOf(userId)
}
