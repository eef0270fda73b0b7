import {
  type Answer,
  type Clock,
  comparePositions,
  encodeCursor,
  isExpired,
  jsonMap,
  type Page,
  type PagePosition,
  type Realm,
  UnreadableCounter,
} from '@authstate/spi'
import { mapAnswer } from '@authstate/spi/internal'
import {
  type CheckedClient,
  type CheckedClientPatch,
  type CheckedCopy,
  type CheckedPatch,
  type CheckedSession,
  type CheckedSessionPage,
  otherUser,
} from './checks.js'
import {
  type ClientTokenRotation,
  type CreateOutcome,
  type LimitedOutcome,
  type RotationOutcome,
  type SessionTimes,
  type TransientTokenRotation,
  type UserSession,
  userSessionSpi,
} from './contract.js'
import { clientLives, type Lives, userLives } from './expiry.js'
import type { Limits } from './limits.js'
import * as memos from './memos.js'
import { SessionNews } from './news.js'
import { mergeNotes } from './notes.js'
import { RecordWalks } from './record-walks.js'
import {
  type DecodeSession,
  decodeSession,
  type Found,
  type SessionRecords,
  type StepReads,
  type StepResult,
} from './session-records.js'
import * as steps from './steps.js'
import type {
  EndedIndex,
  Removal,
  SessionIndex,
  SessionName,
  SessionStep,
  SessionStore,
  StoreParts,
} from './store.js'
import {
  draft,
  liveClient,
  openClient,
  patchClient,
  putClient,
  type StoredSession,
  settle,
  settleClient,
  snapshot,
} from './stored.js'

/** A store over sessions that are read and written whole: the domain is here, and {@link SessionRecords} keeps them. */
export class RecordStore implements SessionStore {
  readonly #records: SessionRecords
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #maxNotesBytes: number
  readonly #news: SessionNews
  readonly #unreadable: UnreadableCounter
  readonly #walks: RecordWalks

  /** @param records The records, or what makes them of the function that reads their texts. */
  constructor(
    { context, config, limits, listeners }: StoreParts,
    records: SessionRecords | ((decode: DecodeSession) => SessionRecords),
  ) {
    const unreadable = new UnreadableCounter(context.logger, userSessionSpi.name, 'a stored session')
    this.#unreadable = unreadable
    this.#records =
      typeof records === 'function' ? records((text) => decodeSession(text) ?? unreadable.count()) : records
    this.#clock = context.clock
    this.#limits = limits
    this.#maxNotesBytes = config.maxNotesBytes
    this.#news = new SessionNews(context.clock, listeners)
    this.#walks = new RecordWalks(this.#records, (reads, step) => this.#change(reads, step))
  }

  get unreadable() {
    return this.#unreadable.total
  }

  refuses(realmId: string, { userId, login }: CheckedSession) {
    const names = memos.marksOf(realmId, false)(userId)
    return this.#records.remember(names, (marks) => ({ answer: memos.isRefused(marks, login.beginning) }))
  }

  create(step: SessionStep, checked: CheckedSession): Answer<CreateOutcome> {
    const { realmId, id, offline, realm, now } = step
    const arrival = { id, offline, adds: 'online', clientId: checked.client?.clientId } as const
    const reads: StepReads = {
      realmId,
      id,
      offline,
      now,
      userId: checked.userId,
      memos: memos.marksOf(realmId, false),
      rivals: steps.isLimited(arrival, this.#limits),
    }
    return this.#change<CreateOutcome>(reads, ({ rivals, memos: marks }) => {
      if (memos.isRefused(marks, checked.login.beginning)) return steps.REFUSED
      const ends = steps.roomFor(arrival, rivals, this.#limits, now)
      if (typeof ends === 'string') return { answer: { outcome: 'refused', reason: ends } }
      const created = draft(realmId, id, checked, realm, now)
      return {
        answer: { outcome: 'created', session: snapshot(created, now) },
        ends,
        keeps: [created],
        created,
      }
    })
  }

  load(name: SessionName, clientId: string | undefined, now: number) {
    return mapAnswer(this.#records.read(name), (found) => {
      const session = steps.living(found, now)
      if (session === undefined) return undefined
      if (clientId !== undefined && liveClient(session, clientId, now) === undefined) return undefined
      return snapshot(session, now, clientId)
    })
  }

  refresh(step: SessionStep, clientId: string | undefined): Answer<UserSession | undefined> {
    return this.#use(step, clientId, (session) => snapshot(session, step.now, clientId))
  }

  touch(step: SessionStep, clientId: string | undefined): Answer<SessionTimes | undefined> {
    return this.#use(step, clientId, ({ lastRefreshAt, expiresAt }) => ({ lastRefreshAt, expiresAt }))
  }

  update(step: SessionStep, { state, notes }: CheckedPatch): Answer<UserSession | undefined> {
    return this.#write<UserSession | undefined>(step, step, undefined, (session, lives) => {
      session.notes = mergeNotes(session.notes, notes, this.#maxNotesBytes)
      settle(session, lives)
      if (state !== undefined) session.state = state ?? undefined
      return { answer: snapshot(session, step.now), keeps: [session] }
    })
  }

  restart(step: SessionStep, begun: CheckedSession, isTooLate: boolean): Answer<LimitedOutcome> {
    const { realmId, id, offline, realm, now } = step
    const arrival = { id, offline, adds: 'client', clientId: begun.client?.clientId } as const
    const reads = {
      ...step,
      memos: memos.marksOf(realmId, false),
      rivals: steps.isLimited(arrival, this.#limits),
    }
    return this.#write<LimitedOutcome>(reads, step, steps.GONE, (session, _, { rivals, memos: marks }) => {
      if (session.core.userId !== begun.userId) throw otherUser()
      if (isTooLate) return { answer: { outcome: 'refused', reason: 'too-late' } }
      if (memos.isRefused(marks, begun.login.beginning)) return steps.REFUSED
      const ends = steps.roomFor(arrival, rivals, this.#limits, now)
      if (typeof ends === 'string') return { answer: { outcome: 'refused', reason: ends } }
      const clientIds = steps.restartIn(session, begun, realm, now)
      return {
        answer: { outcome: 'done', session: snapshot(session, now) },
        ends,
        keeps: [session],
        detached: { session, clientIds, reason: 'restarted' },
      }
    })
  }

  remove({ realmId, id, offline }: SessionName, now: number) {
    return this.#change({ realmId, id, offline, now }, ({ session }) =>
      steps.living(session, now) === undefined
        ? { answer: false }
        : { answer: true, ends: [{ session: session as StoredSession, reason: 'removed' }] },
    )
  }

  putClient(step: SessionStep, client: CheckedClient): Answer<LimitedOutcome> {
    const { id, offline, realm, now } = step
    const { clientId } = client
    const arrival = { id, offline, adds: 'client', clientId } as const
    const reads = steps.isLimited(arrival, this.#limits) ? { ...step, rivals: true } : step
    return this.#write<LimitedOutcome>(reads, step, steps.GONE, (session, lives, { rivals }) => {
      const keeps = [session]
      const livesAtClient = clientLives(realm, clientId, offline)
      const isThere = openClient(session, clientId, lives, livesAtClient, now) !== undefined
      const ends = isThere ? [] : steps.roomFor(arrival, rivals, this.#limits, now)
      if (typeof ends === 'string') return { answer: { outcome: 'refused', reason: ends }, keeps }
      settle(session, lives)
      settleClient(session, putClient(session, client, now), lives, livesAtClient)
      return { answer: { outcome: 'done', session: snapshot(session, now) }, ends, keeps }
    })
  }

  updateClient(step: SessionStep, patch: CheckedClientPatch): Answer<UserSession | undefined> {
    const { realm, offline, now } = step
    return this.#write<UserSession | undefined>(step, step, undefined, (session, lives) => {
      const keeps = [session]
      const livesAtClient = clientLives(realm, patch.clientId, offline)
      const client = openClient(session, patch.clientId, lives, livesAtClient, now)
      if (client === undefined) return { answer: undefined, keeps }
      patchClient(client, patch, this.#maxNotesBytes)
      settle(session, lives)
      settleClient(session, client, lives, livesAtClient)
      return { answer: snapshot(session, now), keeps }
    })
  }

  removeClient({ realmId, id, offline }: SessionName, clientId: string, endWhenLast: boolean, now: number) {
    return this.#change({ realmId, id, offline, now }, (found) => {
      const session = steps.living(found.session, now)
      if (session === undefined || liveClient(session, clientId, now) === undefined) return { answer: false }
      const isLast =
        [...session.clients.values()].filter((client) => !isExpired(client.expiresAt, now)).length === 1
      if (endWhenLast && isLast) return { answer: true, ends: [{ session, reason: 'last-client' }] }
      return steps.detach(session, clientId, 'removed', true, now)
    })
  }

  createOffline(step: SessionStep, { clientIds, login }: CheckedCopy): Answer<LimitedOutcome> {
    const { realmId, id, realm, now } = step
    const arrival = { id, offline: true, adds: 'offline', clientId: undefined } as const
    const reads = {
      ...step,
      copy: true,
      memos: memos.marksOf(realmId, true),
      rivals: steps.isLimited(arrival, this.#limits),
    }
    return this.#write<LimitedOutcome>(
      reads,
      step,
      steps.GONE,
      (online, lives, { copy, rivals, memos: marks }) => {
        if (memos.isRefused(marks, login.beginning)) return { answer: steps.GONE }
        const clients = steps.wantedOf(online, clientIds, lives, realm, now)
        const before = steps.living(copy, now)
        const existing = before && steps.openSession(before, userLives(realm, true), now) ? before : undefined
        const ends = existing ? [] : steps.roomFor(arrival, rivals, this.#limits, now)
        if (typeof ends === 'string')
          return { answer: { outcome: 'refused', reason: ends }, keeps: before ? [online, before] : [online] }
        const made = steps.copyOf(online, existing, clients, login.beginning, realm, now)
        const answer = { outcome: 'done', session: snapshot(made, now) } as const
        if (existing) return { answer, keeps: [online, made] }
        const over = copy ? [{ session: copy, reason: 'expired' } as const] : []
        return { answer, ends: [...ends, ...over], keeps: [online, made], created: made }
      },
    )
  }

  rotate(step: SessionStep, rotation: ClientTokenRotation): Answer<RotationOutcome> {
    return this.#write<RotationOutcome>(step, step, steps.GONE, (session, lives) => {
      const livesAtClient = clientLives(step.realm, rotation.clientId, step.offline)
      return steps.rotateIn(session, rotation, lives, livesAtClient, step.now)
    })
  }

  rotateTransient(realmId: string, rotation: TransientTokenRotation, now: number) {
    const names = memos.familyNames(realmId, rotation.family)
    return this.#records.remember(names, (found) => memos.rotateTransient(found, rotation, now))
  }

  page(index: SessionIndex, { limit, after }: CheckedSessionPage, now: number): Answer<Page<UserSession>> {
    const firstLiving: PagePosition = { score: now + 1, id: '' }
    const from = comparePositions(after, firstLiving) > 0 ? after : firstLiving
    return mapAnswer(this.#records.list(index, from, limit + 1), (ahead) => {
      const shown = ahead.slice(0, limit)
      const last = shown.at(-1)
      return {
        items: shown.flatMap(({ session }) => (session === undefined ? [] : [snapshot(session, now)])),
        ...(last && ahead.length > limit && { cursor: encodeCursor(last) }),
      }
    })
  }

  count(index: SessionIndex, now: number) {
    return this.#records.count(index, now)
  }

  clientStats(realmId: string, offline: boolean, now: number) {
    return mapAnswer(this.#records.clientCounts(realmId, offline, now), (counts) => jsonMap(counts))
  }

  endAll(index: EndedIndex, removal: Removal, now: number) {
    return this.#walks.endAll(index, removal, now)
  }

  detachAll(realmId: string, clientId: string, offline: boolean, now: number) {
    return this.#walks.detachAll(realmId, clientId, offline, now)
  }

  recompute(realmId: string, realm: Realm, now: number) {
    return this.#walks.recompute(realmId, realm, now)
  }

  sweep(onSwept: (count: number) => void) {
    return this.#walks.sweep(this.#clock.now(), onSwept)
  }

  stop() {
    this.#walks.stop()
  }

  close() {
    return this.#records.close?.()
  }

  /** Notes a use of a session, and of a client session if one is named. */
  #use<T>(
    step: SessionStep,
    clientId: string | undefined,
    answerOf: (session: StoredSession) => T,
  ): Answer<T | undefined> {
    const { realm, now, offline } = step
    return this.#write<T | undefined>(step, step, undefined, (session, lives) => {
      if (clientId !== undefined) {
        const livesAtClient = clientLives(realm, clientId, offline)
        const client = openClient(session, clientId, lives, livesAtClient, now)
        if (client === undefined) return { answer: undefined, keeps: [session] }
        client.lastRefreshAt = Math.max(client.lastRefreshAt, now)
        settleClient(session, client, lives, livesAtClient)
      }
      session.lastRefreshAt = Math.max(session.lastRefreshAt, now)
      settle(session, lives)
      return { answer: answerOf(session), keeps: [session] }
    })
  }

  /** Changes a living session; one that is over by the time-outs of now is over. */
  #write<T>(
    reads: StepReads,
    { realm, offline, now }: SessionStep,
    gone: T,
    change: (session: StoredSession, lives: Lives, found: Found) => StepResult<T>,
  ): Answer<T> {
    return this.#change(reads, (found) => {
      const session = steps.living(found.session, now)
      if (session === undefined) return { answer: gone }
      const lives = userLives(realm, offline)
      if (!steps.openSession(session, lives, now)) return { answer: gone, keeps: [session] }
      return change(session, lives, found)
    })
  }

  #change<T>(reads: StepReads, step: (found: Found) => StepResult<T>): Answer<T> {
    return mapAnswer(this.#records.change(reads, step), (result) => this.#news.tell(result))
  }
}
