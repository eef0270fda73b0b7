import { randomBytes } from 'node:crypto'
import {
  allItems,
  ConfigurationError,
  type JsonValue,
  type PageOptions,
  randomId,
  UnreadableCounter,
} from '@authstate/spi'
import type { WebSession, WebSessionPatch } from '@authstate/web-session'
import type { CheckedSession, CheckedTarget } from './checks.js'
import { clearCookie, cookieValues, setCookie } from './cookies.js'
import { digestOf } from './digest.js'
import type { Fence, Fences } from './fences.js'
import type { SessionPatch, SetCookies, StoredSession, StoredTokens } from './interface.js'
import type { CheckedOptions, TokenStoreState } from './options.js'
import { dataName, type Records, type SessionRecord } from './record.js'
import type { Claim, Commit, Held, Lead, RefreshPort } from './refresher.js'
import type { Created, Found, Vault } from './vault.js'

/**
 * A token of ours, and when the session ends, in base 36: so that an expired session is distinguished from
 * one that was ended.
 */
const VALUE = /^([\w-]{43})\.([0-9a-z]{1,11})$/

/** Cookies of one name that are looked at: a browser sends one per path and domain. */
const MAX_CANDIDATES = 3

/** Writers that change one session at once. */
const MAX_TRIES = 200

/** How much longer than the provider may take no other request asks it, ms. */
const LEASE_MARGIN_MS = 1_000

/** Sessions in the state; a cookie names one. */
export class SessionVault implements Vault, RefreshPort {
  readonly kind = 'session'
  readonly isShared = true
  readonly isRevocable = true
  readonly limits: readonly string[] = []
  readonly #state: TokenStoreState
  readonly #options: CheckedOptions
  readonly #records: Records
  readonly #fences: Fences
  readonly #unreadable: UnreadableCounter

  constructor(state: TokenStoreState, options: CheckedOptions, records: Records, fences: Fences) {
    this.#state = state
    this.#options = options
    this.#records = records
    this.#fences = fences
    this.#unreadable = new UnreadableCounter(options.logger, 'token-store', 'a stored session')
  }

  async create(session: CheckedSession): Promise<Created> {
    const { webSessions } = this.#state
    const token = randomBytes(32).toString('base64url')
    const id = digestOf(token)
    if (session.tokens.dpop?.key !== undefined && !this.#records.isSealing)
      throw new ConfigurationError(
        'token-store: a DPoP key is stored only with encryption: give "encryptAtRest"',
      )
    const data = this.#records.dataOf(id, session)
    if (sizeOf(data) > webSessions.limits.maxDataBytes) return 'too-large'
    const { outcome } = await webSessions.save(this.#options.realmId, id, {
      data,
      expiresAt: session.expiresAt,
      userId: session.subject,
      // The provider's clock may be ahead of this one.
      authenticatedAt: Math.min(session.startedAt, this.#options.clock.now()),
      labels: session.sid === undefined ? {} : { sid: digestOf(this.#options.issuer, session.sid) },
    })
    if (outcome !== 'stored') return 'ended'
    const { sid, startedAt, authTime, subject, expiresAt, tokens } = session
    const stored: StoredSession = {
      id,
      issuer: this.#options.issuer,
      subject,
      ...(sid !== undefined && { sid }),
      startedAt,
      ...(authTime !== undefined && { authTime }),
      expiresAt,
      tokens,
      data: session.data,
      version: 1,
    }
    // An end leaves its mark and then removes what is there. What is saved is either removed by it or meets the mark.
    if (await this.#fences.isEnded(stored)) {
      await this.remove(stored)
      return 'ended'
    }
    const { cookie, clock } = this.#options
    const value = `${token}.${expiresAt.toString(36)}`
    return {
      held: {
        session: stored,
        round: 0,
        cookies: [setCookie(cookie, cookie.name, value, expiresAt - clock.now())],
      },
    }
  }

  async read(header: string | null | undefined, all: Promise<Fence>): Promise<Found> {
    const { name } = this.#options.cookie
    const values = cookieValues(header, name)
    if (values.length === 0) return { absent: 'none', clear: [] }
    const clear = this.clear()
    let absent: 'unreadable' | 'expired' | 'ended' = 'unreadable'
    for (const value of values.slice(0, MAX_CANDIDATES)) {
      const [, token, end] = VALUE.exec(value) ?? []
      if (token === undefined || end === undefined) continue
      const [found, fence] = await Promise.all([this.#get(digestOf(token)), all])
      if (found === undefined) {
        absent = Number.parseInt(end, 36) <= this.#options.clock.now() ? 'expired' : 'ended'
        continue
      }
      if (found === 'unreadable') continue
      const { session, round } = found
      if (session.startedAt <= fence.before) absent = 'ended'
      else return { held: { session, round, cookies: [] }, clear: [] }
    }
    return { absent, clear }
  }

  async update(session: StoredSession, patch: SessionPatch): Promise<Held | undefined> {
    const changes = Object.entries(patch.data ?? {})
    const set = changes.flatMap(([name, text]) => (text === null ? [] : [[dataName(name), text] as const]))
    const change: WebSessionPatch = {
      set: Object.fromEntries(set),
      unset: changes.flatMap(([name, text]) => (text === null ? [dataName(name)] : [])),
      ...(patch.expiresAt !== undefined && { expiresAt: patch.expiresAt }),
    }
    if ((await this.#state.webSessions.update(this.#options.realmId, session.id, change)) === undefined)
      return undefined
    const found = await this.#get(session.id)
    return found === undefined || found === 'unreadable' ? undefined : { ...found, cookies: [] }
  }

  async remove({ id }: { readonly id: string }): Promise<boolean> {
    return this.#state.webSessions.remove(this.#options.realmId, id)
  }

  async end(target: Exclude<CheckedTarget, { by: 'session' }>): Promise<number> {
    const { webSessions } = this.#state
    const { realmId } = this.#options
    if (target.by === 'sid')
      return webSessions.removeByLabel(realmId, 'sid', digestOf(this.#options.issuer, target.sid))
    const isHit = (found: WebSession) => {
      const startedAt = found.data['startedAt']
      return typeof startedAt !== 'number' || startedAt <= target.before
    }
    let [ended, cursor]: [number, string | undefined] = [0, undefined]
    do {
      const page: PageOptions = cursor === undefined ? {} : { cursor }
      const found =
        target.by === 'subject'
          ? await webSessions.listByUser(realmId, target.subject, page)
          : await webSessions.list(realmId, page)
      const hits = found.items.filter(isHit).map(({ id }) => webSessions.remove(realmId, id))
      ended += (await Promise.all(hits)).filter(Boolean).length
      cursor = found.cursor
    } while (cursor !== undefined)
    return ended
  }

  async sessionsOf({ subject, sid = '' }: { readonly subject?: string; readonly sid?: string }) {
    const { webSessions } = this.#state
    const { realmId, issuer } = this.#options
    const found = await allItems((page) =>
      subject === undefined
        ? webSessions.listByLabel(realmId, 'sid', digestOf(issuer, sid), page)
        : webSessions.listByUser(realmId, subject, page),
    )
    return found.flatMap((item) => this.#records.recordOf(item)?.session ?? [])
  }

  clear(): SetCookies {
    return [clearCookie(this.#options.cookie, this.#options.cookie.name)]
  }

  keyOf({ id }: StoredSession): string {
    return id
  }

  async claim(session: StoredSession, round: number, wants: (held: Held) => boolean): Promise<Claim> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const found = await this.#get(session.id)
      if (found === undefined || found === 'unreadable') return { state: 'gone' }
      const held: Held = { session: found.session, round: found.round, cookies: [] }
      if (!wants(held)) return { state: 'ready', held }
      const now = this.#options.clock.now()
      const { lease, rest } = found
      if (rest !== undefined && rest.until > now) return { state: 'resting', held, until: rest.until }
      if (lease !== undefined && lease.until > now) return { state: 'wait', held }
      const owner = randomId()
      const until = now + this.#options.refreshDeadlineMs + LEASE_MARGIN_MS
      const version = await this.#change(found, { set: { lease: { owner, until } } })
      if (version !== undefined)
        return { state: 'lead', lead: { ...held, owner, failures: rest?.failures ?? 0 } }
    }
    return { state: 'wait', held: { session, round, cookies: [] } }
  }

  adopt(held: Held): Held {
    return held
  }

  async commit(lead: Lead, tokens: StoredTokens): Promise<Commit> {
    const { id } = lead.session
    const round = lead.round + 1
    const set = this.#records.tokensOf(id, tokens, round)
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const found = await this.#get(id)
      if (found === undefined || found === 'unreadable') return { state: 'gone' }
      // Written by a try whose answer was lost.
      if (found.round === round && found.session.tokens.accessToken === tokens.accessToken)
        return { state: 'done', held: { session: found.session, round, cookies: [] } }
      if (found.round !== lead.round || found.lease?.owner !== lead.owner) return { state: 'lost' }
      if (sizeOf(set) > this.#state.webSessions.limits.maxDataBytes) return { state: 'too-large' }
      const version = await this.#change(found, { set, unset: ['lease', 'rest'] })
      if (version !== undefined)
        return { state: 'done', held: { session: { ...found.session, tokens, version }, round, cookies: [] } }
    }
    return { state: 'lost' }
  }

  async rest(lead: Lead, until: number, failures: number): Promise<void> {
    await this.#asLeader(lead, (found) =>
      this.#change(found, { set: { rest: { until, failures } }, unset: ['lease'] }),
    )
  }

  async endOf(lead: Lead): Promise<'ended' | 'lost'> {
    const found = await this.#get(lead.session.id)
    if (found !== undefined && found !== 'unreadable' && found.lease?.owner !== lead.owner) return 'lost'
    await this.remove(lead.session)
    return 'ended'
  }

  async #asLeader(lead: Lead, change: (found: SessionRecord) => Promise<number | undefined>): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const found = await this.#get(lead.session.id)
      if (found === undefined || found === 'unreadable' || found.lease?.owner !== lead.owner) return
      if ((await change(found)) !== undefined) return
    }
  }

  /** Changes what was read and nothing newer. */
  #change({ session }: SessionRecord, change: { set: Record<string, JsonValue>; unset?: string[] }) {
    return this.#state.webSessions.update(this.#options.realmId, session.id, {
      ...change,
      ifVersion: session.version,
    })
  }

  async #get(id: string): Promise<SessionRecord | 'unreadable' | undefined> {
    const found = await this.#state.webSessions.get(this.#options.realmId, id)
    if (found === undefined) return undefined
    const record = this.#records.recordOf(found)
    if (record !== undefined) return record
    this.#unreadable.count()
    return 'unreadable'
  }
}

const sizeOf = (data: Record<string, JsonValue>): number => Buffer.byteLength(JSON.stringify(data))
