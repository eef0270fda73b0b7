import { escapePart, unescapePart } from '@authstate/redis'
import { nextStep, type Realm } from '@authstate/spi'
import {
  type CheckedClient,
  type CheckedClientPatch,
  type CheckedCopy,
  type CheckedPatch,
  type CheckedSession,
  type CheckedSessionPage,
  STATES,
} from '../checks.js'
import type {
  ClientTokenRotation,
  CreateOutcome,
  LimitedOutcome,
  RefusalReason,
  RotationOutcome,
  TransientTokenRotation,
} from '../contract.js'
import * as scripts from '../scripts.js'
import type {
  EndedIndex,
  Removal,
  SessionIndex,
  SessionName,
  SessionStep,
  SessionStore,
  StoreParts,
} from '../store.js'
import { draft, snapshot } from '../stored.js'
import { createOffline } from './offline.js'
import { PartitionSweep } from './partition-sweep.js'
import { RealmWide } from './realm-wide.js'
import { type SessionWrite, StoredSessions } from './stored-sessions.js'
import { decodeTimes, encodeLimits } from './texts.js'
import { outcomeOf, presentationOf } from './tokens.js'

/** Keeps sessions in Redis: a script for each step. */
export class RedisStore implements SessionStore {
  readonly #stored: StoredSessions
  readonly #wide: RealmWide
  readonly #sweep: PartitionSweep
  readonly #maxNotesBytes: number
  /** As the scripts take them. */
  readonly #limits: string

  constructor(parts: StoreParts) {
    this.#stored = new StoredSessions(parts)
    this.#wide = new RealmWide(this.#stored)
    this.#sweep = new PartitionSweep(this.#stored, parts.context)
    this.#maxNotesBytes = parts.config.maxNotesBytes
    this.#limits = encodeLimits(parts.limits)
  }

  get unreadable() {
    return this.#stored.unreadable
  }

  partitionOf(userId: string) {
    return this.#stored.keys.partitionOfUser(userId)
  }

  refuses(realmId: string, session: CheckedSession) {
    return this.#stored.refuses(realmId, session)
  }

  async create({ realmId, id, realm, now }: SessionStep, checked: CheckedSession): Promise<CreateOutcome> {
    const { redis, events, keys } = this.#stored
    const begun = draft(realmId, id, checked, realm, now)
    const session = keys.minted(this.partitionOf(checked.userId), realmId, id)
    const args = this.#stored.encodeNew(begun, checked, {
      limits: this.#limits,
      life: '',
      tell: events.notes,
    })
    for (let isBegun = false; ; isBegun = true) {
      const { outcome, ended } = await nextStep(redis.run(scripts.create, { session }, args), isBegun)
      events.limited(realmId, ended)
      if (outcome === 'more') continue
      if (outcome !== 'created') return { outcome: 'refused', reason: outcome as RefusalReason }
      const created = snapshot(begun, now)
      events.created(created)
      return { outcome: 'created', session: created }
    }
  }

  async load(name: SessionName, clientId: string | undefined) {
    const key = this.#keyOf(name)
    if (key === undefined) return undefined
    return this.#stored.read('user-session.get', key, name, clientId)
  }

  async refresh(step: SessionStep, clientId: string | undefined) {
    const opened = this.#stored.open(step)
    if (opened === undefined) return undefined
    const values = await this.#refresh(opened, clientId, 'record')
    return values && this.#stored.decode(values, opened.sessionName, clientId)
  }

  async touch(step: SessionStep, clientId: string | undefined) {
    const opened = this.#stored.open(step)
    if (opened === undefined) return undefined
    const { key, now, life } = opened
    const times =
      clientId === undefined
        ? await this.#stored.redis.run(
            scripts.touch,
            { session: key },
            { now, life, layout: this.#layout, evicted: this.#evicted },
          )
        : (await this.#refresh(opened, clientId, 'times'))?.[0]
    if (times == null) return undefined
    const { lastRefreshAt, expiresAt } = decodeTimes(times)
    return { lastRefreshAt, expiresAt }
  }

  /** Whether a use looks after indexes that Redis may have evicted; empty: it never does. */
  get #evicted() {
    return this.#stored.redis.mayEvict ? 1 : ''
  }

  /** In which records are written. */
  get #layout() {
    return this.#stored.redis.layout
  }

  #refresh(
    { key, sessionName, realm, now, life }: SessionWrite,
    clientId: string | undefined,
    answer: 'record' | 'times',
  ) {
    const clientLife =
      clientId === undefined ? '' : this.#stored.clientLife(realm, clientId, sessionName.offline)
    return this.#stored.redis.run(
      scripts.refresh,
      { session: key },
      {
        now,
        life,
        client: escapePart(clientId ?? ''),
        clientLife,
        answer,
        layout: this.#layout,
        evicted: this.#evicted,
      },
    )
  }

  async update(step: SessionStep, { state, notes }: CheckedPatch) {
    const opened = this.#stored.open(step)
    if (opened === undefined) return undefined
    const { sessionName, key, now, life } = opened
    const args = {
      now,
      life,
      state: state === undefined ? '' : state === null ? '-' : STATES.indexOf(state),
      notes: this.#stored.codec.notesPatch(notes, sessionName),
      maxBytes: this.#maxNotesBytes,
      layout: this.#layout,
    }
    return this.#stored.record(
      await this.#stored.redis.run(scripts.update, { session: key }, args),
      sessionName,
    )
  }

  async restart(step: SessionStep, begun: CheckedSession, isTooLate: boolean): Promise<LimitedOutcome> {
    const opened = this.#stored.open(step)
    if (opened === undefined) return { outcome: 'gone' }
    const { sessionName, key, realm, now, life } = opened
    const { redis, events } = this.#stored
    const { realmId, id } = sessionName
    const args = {
      ...this.#stored.encodeNew(draft(realmId, id, begun, realm, now), begun, {
        limits: this.#limits,
        life,
        tell: events.notes || events.clients,
      }),
      ...(isTooLate && { beginning: '' }),
    }
    const session = { id, user: escapePart(begun.userId) }
    return this.#stored.limited(sessionName, async () => {
      const { clients, ...reply } = await redis.run(scripts.restart, { session: key }, args)
      for (const client of clients)
        events.clientRemoved(realmId, false, session, unescapePart(client), 'restarted')
      return reply
    })
  }

  async remove(name: SessionName, now: number) {
    const key = this.#keyOf(name)
    if (key === undefined) return false
    const { redis, events } = this.#stored
    const ended = await redis.run(scripts.remove, { session: key }, { now, tell: events.notes })
    if (ended) events.removed(name.realmId, name.offline, [ended], 'removed')
    return ended !== undefined
  }

  async putClient(step: SessionStep, client: CheckedClient): Promise<LimitedOutcome> {
    const opened = this.#stored.open(step)
    if (opened === undefined) return { outcome: 'gone' }
    const { sessionName, key, realm, now, life } = opened
    const { redis, codec, events } = this.#stored
    const args = {
      now,
      life,
      client: escapePart(client.clientId),
      clientLife: this.#stored.clientLife(realm, client.clientId, sessionName.offline),
      clientData: codec.client(client, sessionName),
      limits: this.#limits,
      layout: this.#layout,
      tell: events.notes,
    }
    return this.#stored.limited(sessionName, () => redis.run(scripts.putClient, { session: key }, args))
  }

  async updateClient(step: SessionStep, patch: CheckedClientPatch) {
    const opened = this.#stored.open(step)
    if (opened === undefined) return undefined
    const { sessionName, key, realm, now, life } = opened
    const args = {
      now,
      life,
      client: escapePart(patch.clientId),
      clientLife: this.#stored.clientLife(realm, patch.clientId, sessionName.offline),
      patch: this.#stored.codec.client(patch, sessionName),
      maxBytes: this.#maxNotesBytes,
      layout: this.#layout,
    }
    const reply = await this.#stored.redis.run(scripts.updateClient, { session: key }, args)
    return this.#stored.record(reply, sessionName)
  }

  async removeClient(name: SessionName, clientId: string, endWhenLast: boolean, now: number) {
    const key = this.#keyOf(name)
    if (key === undefined) return false
    const { realmId, id, offline } = name
    const { redis, events } = this.#stored
    const { removed, ended, user } = await redis.run(
      scripts.removeClient,
      { session: key },
      {
        now,
        client: escapePart(clientId),
        endWhenLast: endWhenLast ? 1 : 0,
        tell: events.notes || events.clients,
      },
    )
    if (ended) events.removed(realmId, offline, [ended], 'last-client')
    else if (removed && user !== undefined)
      events.clientRemoved(realmId, offline, { id, user }, clientId, 'removed')
    return removed
  }

  async createOffline(step: SessionStep, copy: CheckedCopy): Promise<LimitedOutcome> {
    const opened = this.#stored.open(step)
    return opened ? createOffline(this.#stored, opened, copy, this.#limits) : { outcome: 'gone' }
  }

  async rotate(step: SessionStep, rotation: ClientTokenRotation): Promise<RotationOutcome> {
    const opened = this.#stored.open(step)
    if (opened === undefined) return { outcome: 'gone' }
    const { key, sessionName, realm, now, life } = opened
    const { redis, events } = this.#stored
    const { clientId } = rotation
    const clientLife = this.#stored.clientLife(realm, clientId, sessionName.offline)
    const decided = await redis.run(
      scripts.rotate,
      { session: key },
      {
        ...presentationOf(rotation, now, { clientId }),
        life,
        clientLife,
        layout: this.#layout,
        tell: events.clients,
      },
    )
    if (decided.outcome === 'reused' || decided.outcome === 'stale') {
      const session = { id: sessionName.id, user: decided.user }
      events.clientRemoved(sessionName.realmId, sessionName.offline, session, clientId, decided.outcome)
    }
    return outcomeOf(decided)
  }

  async rotateTransient(realmId: string, rotation: TransientTokenRotation, now: number) {
    const decided = await this.#stored.redis.run(
      scripts.rotateTransient,
      this.#stored.keys.family(realmId, rotation.family),
      presentationOf(rotation, now, { expiresAt: now + rotation.lifespanMs }),
    )
    return outcomeOf(decided)
  }

  page(index: SessionIndex, page: CheckedSessionPage) {
    return this.#wide.page(index, page)
  }

  count(index: SessionIndex) {
    return this.#wide.count(index)
  }

  clientStats(realmId: string, offline: boolean) {
    return this.#wide.clientStats(realmId, offline)
  }

  endAll(index: EndedIndex, removal: Removal) {
    return this.#wide.endAll(index, removal)
  }

  detachAll(realmId: string, clientId: string, offline: boolean) {
    return this.#wide.detachAll(realmId, clientId, offline)
  }

  async recompute(realmId: string, realm: Realm) {
    const online = await this.#wide.recompute(realmId, realm, false)
    return online + (await nextStep(this.#wide.recompute(realmId, realm, true), true))
  }

  sweep(onSwept: (count: number) => void) {
    return this.#sweep.run(onSwept)
  }

  stop() {
    this.#sweep.stop()
  }

  #keyOf({ realmId, id, offline }: SessionName): string | undefined {
    return this.#stored.keys.session(realmId, id, offline)
  }
}
