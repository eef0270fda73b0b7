import { escapePart, type RedisConnection, redisConnectionSpi } from '@authstate/redis'
import { assertName, ProviderClosedError, type ProviderContext, type Realm } from '@authstate/spi'
import * as check from '../checks.js'
import type { SessionScope, UserSession } from '../contract.js'
import { clientLives, userLives } from '../expiry.js'
import { notesTooLarge } from '../notes.js'
import { Ticker, type UserSessionConfig } from '../rules.js'
import { NotesCipher } from './cipher.js'
import type { NewSession } from './new-session.js'
import { CORE_FIELDS, RecordCodec, type RecordPlace } from './record.js'
import { SessionEvents } from './session-events.js'
import { SessionKeys } from './session-keys.js'
import { encodeLives, encodeTimes, fieldsOf, zipFields } from './texts.js'
import { type Fields, upcasters, upgradeRecord } from './versions.js'

/** What a verb that changes a session knows before it runs its script. */
export interface Opened {
  readonly place: RecordPlace
  readonly key: string
  readonly realm: Realm
  readonly now: number
  /** Spans of the session by the time-outs of now. */
  readonly life: string
}

/** What every verb on one session shares: the checks before its script, and the reading of what that answers. */
export class SessionStore {
  readonly redis: RedisConnection
  readonly keys: SessionKeys
  readonly codec: RecordCodec
  readonly events: SessionEvents
  readonly #context: ProviderContext
  readonly #maxNotesBytes: number
  readonly #ticker: Ticker
  // A realm whose settings have not changed is the same object.
  readonly #onlineLives = new WeakMap<Realm, string>()
  readonly #offlineLives = new WeakMap<Realm, string>()
  #unreadable = 0
  #closed = false

  constructor(context: ProviderContext, config: UserSessionConfig) {
    this.#context = context
    this.#maxNotesBytes = config.maxNotesBytes
    this.#ticker = new Ticker(context.clock)
    this.redis = context.get(redisConnectionSpi)
    this.keys = new SessionKeys(this.redis.keys)
    this.events = new SessionEvents(context)
    const cipher = new NotesCipher(context.keyring, config.encryptNotes)
    this.codec = new RecordCodec(cipher, () => this.#countUnreadable())
  }

  /** Records that could not be read so far. */
  get unreadable(): number {
    return this.#unreadable
  }

  now(): number {
    return this.#context.clock.now()
  }

  realm(realmId: string): Realm | Promise<Realm> {
    return this.#context.realm(realmId)
  }

  /** Every verb starts here. */
  enter(realmId: string): void {
    this.assertOpen()
    assertName(realmId, 'realmId')
  }

  enterSession(realmId: string, id: string): void {
    this.enter(realmId)
    assertName(id, 'id')
  }

  /** When a verb that a fence may refuse, or that raises one, begins. */
  begin(): number {
    return this.#ticker.next()
  }

  /** @returns `undefined` for an id that can not be one of ours. */
  async open(realmId: string, id: string, options: SessionScope | undefined): Promise<Opened | undefined> {
    const offline = check.checkScope(options)
    const key = this.keys.session(realmId, id, offline)
    if (key === undefined) return undefined
    if (upcasters.size > 0) await upgradeRecord(this.redis, key)
    const resolved = this.#context.realm(realmId)
    const realm = resolved instanceof Promise ? await resolved : resolved
    return { place: { realmId, id, offline }, key, realm, now: this.now(), life: this.life(realm, offline) }
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

  /** Arguments of the scripts that begin a session. */
  encode({ session, clientExpiresAt }: NewSession, checked: check.CheckedSession) {
    const { startedAt, lastRefreshAt, expiresAt, rememberMe } = session
    const { client } = checked
    const clientScore = Math.min(clientExpiresAt, expiresAt)
    const clientTimes = { startedAt, lastRefreshAt, expiresAt: clientExpiresAt }
    return {
      times: encodeTimes(session, expiresAt, rememberMe),
      score: expiresAt,
      links: this.codec.links(checked),
      core: this.codec.core(checked),
      notes: this.codec.notes(checked.notes, session),
      client: client ? escapePart(client.clientId) : '',
      clientScore,
      clientText: client
        ? `${encodeTimes(clientTimes, clientScore, false)} ${this.codec.client(client, session)}`
        : '',
    }
  }

  decode(fields: Fields, place: RecordPlace): UserSession | undefined {
    return this.codec.decode(fields, place, this.now())
  }

  /** The session with one client session alone; `undefined` unless that lives. */
  decodeFor(
    clientId: string,
    values: readonly (string | null)[],
    place: RecordPlace,
  ): UserSession | undefined {
    const session = this.decode(zipFields(clientFields(clientId), values), place)
    return session?.clients.has(clientId) ? session : undefined
  }

  /** What a script that changes a record answers: its fields, nothing, or why it did nothing. */
  record(reply: readonly string[] | string | undefined, place: RecordPlace): UserSession | undefined {
    if (reply === 'too large') throw notesTooLarge(this.#maxNotesBytes)
    if (reply === 'other user') throw check.otherUser()
    return typeof reply === 'object' ? this.decode(fieldsOf(reply), place) : undefined
  }

  assertOpen(): void {
    if (this.#closed) throw new ProviderClosedError('user-session: the provider is closed')
  }

  close(): void {
    this.#closed = true
    this.events.listeners.clear()
  }

  #countUnreadable(): void {
    this.#unreadable += 1
    if (this.#unreadable > 1) return
    this.#context.logger.warn(
      { spi: 'user-session' },
      'a stored session can not be read and counts as absent; later ones are counted only',
    )
  }
}

/** Fields that a session has for one client. */
export function clientFields(clientId: string): readonly string[] {
  return [...CORE_FIELDS, `c:${escapePart(clientId)}`]
}
