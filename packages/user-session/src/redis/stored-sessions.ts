import { escapePart, type RedisConnection, redisConnectionSpi } from '@authstate/redis'
import { beganBefore, type Clock, nextStep, type Realm, UnreadableCounter } from '@authstate/spi'
import * as check from '../checks.js'
import { isRefusal, type LimitedOutcome, type UserSession } from '../contract.js'
import { clientLives, userLives } from '../expiry.js'
import { notesTooLarge } from '../notes.js'
import type { SessionName, SessionStep, StoreParts } from '../store.js'
import type { StoredSession } from '../stored.js'
import { NotesCipher } from './cipher.js'
import { linksOf, RecordCodec } from './record.js'
import type { LimitedReply } from './replies.js'
import { SessionEvents } from './session-events.js'
import { SessionKeys } from './session-keys.js'
import { encodeLives, encodeTimes } from './texts.js'
import type { Values } from './versions.js'

/** What a step that changes a session knows before it runs its script. */
export interface SessionWrite {
  readonly sessionName: SessionName
  readonly key: string
  readonly realm: Realm
  readonly now: number
  /** Spans of the session by the time-outs of now. */
  readonly life: string
}

/** What every step on stored sessions shares: keys, spans and codecs before its script, and the reading of what that answers. */
export class StoredSessions {
  readonly redis: RedisConnection
  readonly keys: SessionKeys
  readonly codec: RecordCodec
  readonly events: SessionEvents
  readonly clock: Clock
  readonly #maxNotesBytes: number
  // A realm whose settings have not changed is the same object.
  readonly #onlineLives = new WeakMap<Realm, string>()
  readonly #offlineLives = new WeakMap<Realm, string>()
  readonly #unreadable: UnreadableCounter

  constructor({ context, config, listeners }: StoreParts) {
    this.#maxNotesBytes = config.maxNotesBytes
    this.clock = context.clock
    this.redis = context.get(redisConnectionSpi)
    this.keys = new SessionKeys(this.redis.keys)
    this.#unreadable = new UnreadableCounter(context.logger, 'user-session', 'a stored session')
    const cipher = new NotesCipher(context.keyring, config.encryptNotes)
    this.codec = new RecordCodec(cipher, () => this.#unreadable.count())
    this.events = new SessionEvents(context.clock, this.codec, listeners)
  }

  /** Records that could not be read so far. */
  get unreadable(): number {
    return this.#unreadable.total
  }

  now(): number {
    return this.clock.now()
  }

  /** Whether online sessions of the user or realm were ended after a login began, for one that no script creates. */
  async refuses(realmId: string, { userId, login: { beginning } }: check.CheckedSession): Promise<boolean> {
    const partition = this.keys.partitionOfUser(userId)
    const marks = await Promise.all(
      [undefined, userId].map((user) =>
        this.redis.get('user-session.create', this.keys.fence(partition, realmId, false, user)),
      ),
    )
    return marks.some((mark) => mark !== null && beganBefore(beginning, mark))
  }

  /**
   * What a step needs before its script.
   *
   * @returns `undefined` for an id that cannot be one of ours
   */
  open({ realmId, id, offline, realm, now }: SessionStep): SessionWrite | undefined {
    const key = this.keys.session(realmId, id, offline)
    if (key === undefined) return undefined
    return { sessionName: { realmId, id, offline }, key, realm, now, life: this.life(realm, offline) }
  }

  /** Spans of the sessions of a realm, as the scripts take them. */
  life(realm: Realm, offline: boolean): string {
    const known = offline ? this.#offlineLives : this.#onlineLives
    const text = known.get(realm) ?? encodeLives(userLives(realm, offline))
    known.set(realm, text)
    return text
  }

  /** Spans of the client sessions of one client. */
  clientLife(realm: Realm, clientId: string, offline: boolean): string {
    return encodeLives(clientLives(realm, clientId, offline))
  }

  /** Arguments of the scripts that begin a session, each of which takes those it knows. */
  encodeNew<T extends string | number>(
    session: StoredSession,
    checked: check.CheckedSession,
    { limits, life, tell }: { readonly limits: string; readonly life: string; readonly tell: T },
  ) {
    const { startedAt, lastRefreshAt, expiresAt } = session
    const { client, login } = checked
    const { rememberMe } = session.core
    const clientExpiresAt = client && session.clients.get(client.clientId)?.expiresAt
    const clientId = client ? escapePart(client.clientId) : ''
    const clientScore = Math.min(clientExpiresAt ?? 0, expiresAt)
    const times = encodeTimes(
      { startedAt, lastRefreshAt, expiresAt, rememberMe },
      clientExpiresAt ?? expiresAt,
    )
    const data = this.codec.data(checked, session)
    const links = linksOf(checked)
    const clientTimes = client
      ? `c ${startedAt} ${startedAt} ${clientExpiresAt} ${clientScore} ${clientId}`
      : ''
    const held = client ? this.codec.client(client, session) : ''
    const isSplit = this.redis.layout >= 2
    return {
      now: startedAt,
      beginning: login.beginning,
      limits,
      life,
      times: isSplit ? `v2 ${times} ${links}` : `v1 ${times}`,
      score: expiresAt,
      data: isSplit ? data : data + links,
      client: clientId,
      clientText: isSplit || !client ? clientTimes : `${clientTimes} ${held}`,
      clientScore,
      clientData: isSplit && client ? `a ${clientId} ${held}` : '',
      tell,
    }
  }

  /**
   * Reads a session, whole or for one client.
   *
   * @param operation For errors.
   */
  async read(
    operation: string,
    key: string,
    sessionName: SessionName,
    clientId?: string,
  ): Promise<UserSession | undefined> {
    const values = await (clientId === undefined
      ? this.redis.hvals(operation, key)
      : this.redis.hmget(operation, key, fieldsOf(clientId)))
    return this.decode(values, sessionName, clientId)
  }

  /** @param only Only if this client session is among the values and lives. */
  decode(values: Values, sessionName: SessionName, only?: string): UserSession | undefined {
    return this.codec.decode(values, sessionName, this.now(), only)
  }

  /** What a script that changes a record answers: its values, nothing, or why it did nothing. */
  record(reply: readonly string[] | string | undefined, sessionName: SessionName): UserSession | undefined {
    if (reply === 'too large') throw notesTooLarge(this.#maxNotesBytes)
    if (reply === 'other user') throw check.otherUser()
    return typeof reply === 'object' ? this.decode(reply, sessionName) : undefined
  }

  /** Runs a script that a limit may refuse, again as long as there is more to end before; tells of what ended. */
  async limited(sessionName: SessionName, run: () => Promise<LimitedReply>): Promise<LimitedOutcome> {
    for (let isBegun = false; ; isBegun = true) {
      const { record, ended } = await nextStep(run(), isBegun)
      this.events.limited(sessionName.realmId, ended)
      if (record === 'more') continue
      if (isRefusal(record)) return { outcome: 'refused', reason: record }
      const session = this.record(record, sessionName)
      return session ? { outcome: 'done', session } : { outcome: 'gone' }
    }
  }
}

/** What is read of a session for one of its clients. */
function fieldsOf(clientId: string): readonly string[] {
  const client = escapePart(clientId)
  return ['t', 'd', `c:${client}`, `a:${client}`]
}
