import {
  escapePart,
  firstEntries,
  KEY_GRACE_MS,
  type RedisConnection,
  redisConnectionSpi,
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
import { type WebSessionConfig, webSessionConfig } from './config.js'
import { type WebSessionProvider, webSessionSpi } from './contract.js'
import { SessionKeys } from './redis/session-keys.js'
import { framesOf, namesOf, readSession, restOf } from './redis/session-text.js'
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
export function redisWebSessions(): ProviderFactory<WebSessionProvider, WebSessionConfig> {
  return {
    spi: webSessionSpi,
    id: 'redis',
    dependsOn: [redisConnectionSpi],
    config: describedSchema(webSessionConfig),
    create: (context, config) =>
      new WebSessions(context, config, new RedisStore(context.get(redisConnectionSpi))),
  }
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
    const stored = this.#redis.run(scripts.save, this.#keys.session(name), {
      ...this.#argsOf(name, time),
      expiresAt,
      mustExist: mustExist ? 1 : 0,
      ifVersion: ifVersion ?? '',
      since: signIn?.moment.at ?? 0,
      beginning: signIn?.moment.beginning ?? '',
      rest: restOf(draft),
    })
    if (alias === '' || isExpired(expiresAt, time.now)) return stored
    // Both in one tick. The record decides, so what comes to nothing, or is lost in between, turns nothing back.
    const pointed = this.#point(name, { alias, expiresAt: String(expiresAt) }, time.now)
    return allSteps<unknown>([stored, pointed]).then(() => stored)
  }

  async update(name: SessionName, change: SessionChange, time: StepTime) {
    const { expiresAt, signIn, generation, ifVersion, set, unset, maxDataBytes } = change
    const { reply, moved, ended } = await this.#redis.run(scripts.update, this.#keys.session(name), {
      ...this.#argsOf(name, time),
      expiresAt: expiresAt ?? '',
      ifVersion: ifVersion ?? '',
      generation: asked(generation),
      owner: signIn === undefined ? '' : `=${signIn === null ? '' : escapePart(signIn.userId)}`,
      since: signIn?.moment.at ?? 0,
      beginning: signIn?.moment.beginning ?? '',
      maxBytes: maxDataBytes,
      unset: namesOf(unset),
      set: set.size === 0 ? '' : framesOf(set),
    })
    if (moved !== undefined) await nextStep(this.#point(name, moved, time.now), true)
    if (ended !== undefined) await nextStep(this.#unpoint(name, ended), true)
    return reply
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
      ...this.#argsOf(name, time),
      generation: asked(generation),
    })
    if (removed === undefined) return undefined
    if (removed.ended !== undefined) await nextStep(this.#unpoint(name, removed.ended), true)
    return { id: name.id, userId: removed.userId }
  }

  async page(index: SessionIndex, { limit, after }: CheckedPage, now: number): Promise<SessionPage> {
    const all = await firstEntries<scripts.MemberEntry>(
      this.#keys.partitions,
      after,
      limit + 1,
      async (steps) => {
        const replies = await this.#redis.runEach(
          scripts.page,
          steps.map((step) => ({
            keys: { index: this.#keys.index(step.partition, index) },
            args: {
              now,
              afterScore: step.after.score,
              afterDigest: step.after.id.slice(0, DIGEST_CHARACTERS),
              limit: step.limit,
            },
          })),
        )
        return replies.map((entries, at) => ({
          entries,
          next: entries.length === steps[at]?.limit ? entries.at(-1) : undefined,
        }))
      },
    )
    const shown = all.slice(0, limit)
    const { realmId } = index
    const items = await allSteps(shown.map(({ sessionId: id }) => this.load({ realmId, id })))
    return {
      items: items.filter((item): item is StoredSession | 'unreadable' => standsIn(index, item)),
      end: all.length > limit ? shown.at(-1) : undefined,
    }
  }

  async count(realmId: string, now: number) {
    const counts = await allSteps(
      this.#keys.partitions.map((partition) =>
        this.#redis.countAfter(
          'web-session.count',
          this.#keys.index(partition, { realmId, kind: 'realm' }),
          now,
        ),
      ),
    )
    return counts.reduce((sum, count) => sum + count, 0)
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

  #point({ realmId, id }: SessionName, { alias, expiresAt }: scripts.AliasEnd, now: number): Promise<void> {
    const keepMs = Number(expiresAt) - now + KEY_GRACE_MS
    return this.#redis.run(
      scripts.point,
      { pointer: this.#keys.pointer(realmId, alias) },
      { now, expiresAt, keepMs, id },
    )
  }

  #unpoint({ realmId, id }: SessionName, { alias, expiresAt }: scripts.AliasEnd): Promise<void> {
    return this.#redis.run(
      scripts.unpoint,
      { pointer: this.#keys.pointer(realmId, alias) },
      { expiresAt, id },
    )
  }

  #argsOf({ id }: SessionName, { now, tombstoneMs }: StepTime) {
    return { now, tombstoneMs, graceMs: KEY_GRACE_MS, member: this.#keys.member(id) }
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

/** Whether a session stands in an index now: entries are read in one step, sessions in another. */
function standsIn(index: SessionIndex, session: StoredSession | 'unreadable' | undefined): boolean {
  if (session === undefined || session === 'unreadable') return session === 'unreadable'
  const { userId, labels } = session
  if (index.kind === 'user') return userId === index.userId
  return index.kind === 'realm' || (Object.hasOwn(labels, index.name) && labels[index.name] === index.value)
}
