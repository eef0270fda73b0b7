import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { ConfigurationError, isExpired, randomId } from '@authstate/spi'
import type { CheckedSession } from './checks.js'
import type { Fence, Fences } from './fences.js'
import type { SessionPatch, SetCookies, StoredSession, StoredTokens } from './interface.js'
import { Jwe } from './jwe.js'
import type { CheckedCookieStore } from './options.js'
import { Pieces } from './pieces.js'
import type { Claim, Commit, Held, Lead, RefreshPort } from './refresher.js'
import type { Share } from './share.js'
import type { Created, Found, Vault } from './vault.js'

const FORMAT = 1
const LEASE_MARGIN_MS = 1_000

/** What is in a cookie. Short names: every byte travels with every request. */
interface Content {
  readonly v: number
  readonly i: string
  readonly s: string
  readonly d?: string
  readonly b: number
  readonly h?: number
  readonly e: number
  /** Version of the session, and how often its tokens were replaced. */
  readonly n: number
  readonly r: number
  readonly t: StoredTokens
  readonly x: StoredSession['data']
}

/** Which request gets new tokens, the result, and until when none may ask. */
const LEASE = 'refresh-lease'
const RESULT = 'refresh-result'
const REST = 'refresh-rest'

/** How long failures in a row are counted after the last rest, ms. */
const REMEMBERED_MS = 60_000

/** The refresh token is worth nothing: the session is over. */
const OVER = 'over'

/** Sessions in cookies, encrypted. What nodes share of them is under names that only the refresh token tells. */
export class CookieVault implements Vault, RefreshPort {
  readonly kind = 'cookie'
  readonly isShared: boolean
  readonly isRevocable: boolean
  readonly limits: readonly string[]
  readonly #options: CheckedCookieStore
  readonly #jwe: Jwe
  readonly #pieces: Pieces
  readonly #share: Share
  readonly #fences: Fences | undefined

  /** @param fences Left out: nothing but its own cookie ends a session. */
  constructor(options: CheckedCookieStore, share: Share, fences: Fences | undefined) {
    this.#options = options
    this.#jwe = new Jwe(
      options.keyring,
      JSON.stringify([options.issuer, options.realmId, options.cookie.name]),
    )
    this.#pieces = new Pieces(options.cookie, options.maxPieces)
    this.#share = share
    this.#fences = fences
    this.isShared = fences !== undefined
    this.isRevocable = fences !== undefined
    this.limits = fences === undefined ? ALONE : SHARED
  }

  async create(session: CheckedSession): Promise<Created> {
    const { subject, sid, startedAt, authTime, expiresAt, tokens, data } = session
    const stored: StoredSession = {
      id: randomId(),
      issuer: this.#options.issuer,
      subject,
      ...(sid !== undefined && { sid }),
      startedAt,
      ...(authTime !== undefined && { authTime }),
      expiresAt,
      tokens,
      data,
      version: 1,
    }
    const held = this.#heldOf(stored, 0)
    if (held === undefined) return 'too-large'
    if (await this.#fences?.isEnded(stored)) return 'ended'
    return { held }
  }

  async read(header: string | null | undefined, all: Promise<Fence>): Promise<Found> {
    const joined = this.#pieces.join(header)
    if (joined === undefined) return { absent: 'none', clear: [] }
    const content = joined.value === undefined ? undefined : this.#contentOf(joined.value)
    if (content === undefined) return { absent: 'unreadable', clear: this.clear() }
    const session = this.#sessionOf(content)
    if (isExpired(session.expiresAt, this.#options.clock.now()))
      return { absent: 'expired', clear: this.clear() }
    if (await this.#fences?.isEnded(session, all)) return { absent: 'ended', clear: this.clear() }
    return {
      held: { session, round: content.r, cookies: [] },
      clear: this.#pieces.clear(joined.strays),
    }
  }

  async update(session: StoredSession, patch: SessionPatch, round: number): Promise<Held | undefined> {
    const { clock } = this.#options
    const { expiresAt = session.expiresAt } = patch
    if (isExpired(session.expiresAt, clock.now()) || isExpired(expiresAt, clock.now())) return undefined
    if (await this.#fences?.isEnded(session)) return undefined
    const data = Object.entries({ ...session.data, ...patch.data }).filter(([, text]) => text !== null)
    const changed: StoredSession = {
      ...session,
      expiresAt,
      data: Object.fromEntries(data) as StoredSession['data'],
      version: session.version + 1,
    }
    const held = this.#heldOf(changed, round)
    if (held === undefined) throw new RangeError('"data" is too large: the session must fit into its cookies')
    return held
  }

  async remove({ id }: { readonly id: string }): Promise<boolean | 'unknown'> {
    if (this.#fences === undefined) return 'unknown'
    await this.#fences.mark('session', id)
    return 'unknown'
  }

  async end(): Promise<'unknown'> {
    if (this.#fences === undefined)
      throw new ConfigurationError(
        'token-store: a store in cookies needs a state to end sessions that it does not hold: the state keeps the marks',
      )
    return 'unknown'
  }

  async sessionsOf(): Promise<never> {
    throw new ConfigurationError(
      'token-store: sessions in cookies cannot be listed: use createSessionTokenStore',
    )
  }

  clear(): SetCookies {
    return this.#pieces.clear()
  }

  keyOf({ id, tokens }: StoredSession, round: number): string {
    return tokens.refreshToken === undefined ? id : secretOf(tokens.refreshToken, round, 'name')
  }

  async claim(session: StoredSession, round: number, wants: (held: Held) => boolean): Promise<Claim> {
    const given: Held = { session, round, cookies: [] }
    const { refreshToken } = session.tokens
    if (!wants(given) || refreshToken === undefined) return { state: 'ready', held: given }
    const key = this.keyOf(session, round)
    const done = await this.#resultOf(session, round)
    if (done !== undefined) return done
    const [failures, until] = ((await this.#share.get(REST, key)) ?? '0 0').split(' ').map(Number)
    const now = this.#options.clock.now()
    if (until !== undefined && until > now) return { state: 'resting', held: given, until }
    const owner = randomId()
    const leaseMs = this.#options.refreshDeadlineMs + LEASE_MARGIN_MS
    if (!(await this.#share.putIfAbsent(LEASE, key, owner, leaseMs))) return { state: 'wait', held: given }
    // The leader of before leaves the result first and then the lease.
    const result = await this.#resultOf(session, round)
    if (result !== undefined) {
      await this.#share.remove(LEASE, key)
      return result
    }
    return { state: 'lead', lead: { ...given, owner, failures: failures ?? 0 } }
  }

  adopt(held: Held, session: StoredSession): Held {
    if (held.session.version === session.version + 1 && held.session.data === session.data) return held
    const { tokens } = held.session
    return this.#heldOf({ ...session, tokens, version: session.version + 1 }, held.round) ?? held
  }

  async commit(lead: Lead, tokens: StoredTokens): Promise<Commit> {
    const { session, round } = lead
    const { refreshToken = '' } = session.tokens
    if (await this.#fences?.isEnded(session)) return { state: 'gone' }
    const held = this.#heldOf({ ...session, tokens, version: session.version + 1 }, round + 1)
    if (held === undefined) return { state: 'too-large' }
    const key = this.keyOf(session, round)
    const sealed = seal(JSON.stringify(tokens), refreshToken, round)
    if (!(await this.#share.putIfAbsent(RESULT, key, sealed, this.#options.resultMs))) {
      const text = await this.#share.get(RESULT, key)
      // Another leader's, or that of a try whose answer was lost.
      const isMine = text !== undefined && open(text, refreshToken, round) === JSON.stringify(tokens)
      return isMine ? { state: 'done', held } : { state: 'lost' }
    }
    await this.#share.remove(LEASE, key)
    return { state: 'done', held }
  }

  async rest({ session, round }: Lead, until: number, failures: number): Promise<void> {
    const key = this.keyOf(session, round)
    const now = this.#options.clock.now()
    // What is remembered of failures outlives the rest, so that the next one is longer.
    await this.#share.put(REST, key, `${failures} ${until}`, Math.max(1, until - now) + REMEMBERED_MS)
    await this.#share.remove(LEASE, key)
  }

  async endOf({ session, round }: Lead): Promise<'ended' | 'lost'> {
    const key = this.keyOf(session, round)
    const left = Math.max(1, session.expiresAt - this.#options.clock.now())
    const isFirst = await this.#share.putIfAbsent(RESULT, key, OVER, left)
    if (isFirst) await this.#share.remove(LEASE, key)
    return isFirst || (await this.#share.get(RESULT, key)) === OVER ? 'ended' : 'lost'
  }

  /** What another request got for the same refresh token. */
  async #resultOf(session: StoredSession, round: number): Promise<Claim | undefined> {
    const { refreshToken = '' } = session.tokens
    const text = await this.#share.get(RESULT, this.keyOf(session, round))
    if (text === undefined) return undefined
    if (text === OVER) return { state: 'gone' }
    const opened = open(text, refreshToken, round)
    if (opened === undefined) return undefined
    const tokens = JSON.parse(opened) as StoredTokens
    const held = this.#heldOf({ ...session, tokens, version: session.version + 1 }, round + 1)
    return held && { state: 'ready', held }
  }

  /** The session as its cookie keeps it: tokens that do not fit are left out. */
  #heldOf(session: StoredSession, round: number): Held | undefined {
    const { keep, clock } = this.#options
    const life = session.expiresAt - clock.now()
    for (let kept = keep.length; kept >= 0; kept--) {
      const those = keep.slice(0, kept)
      if (keep.includes('refresh') && !those.includes('refresh')) return undefined
      const tokens = tokensIn(session.tokens, (name) => those.includes(name))
      const cookies = this.#pieces.cut(
        this.#jwe.encrypt(JSON.stringify(contentOf(session, tokens, round))),
        life,
      )
      // This request has all of them.
      if (cookies !== undefined) return { session, round, cookies }
    }
    return undefined
  }

  #contentOf(value: string): Content | undefined {
    const plain = this.#jwe.decrypt(value)
    if (plain === undefined) return undefined
    try {
      const content = JSON.parse(plain) as Partial<Content>
      return content.v === FORMAT ? (content as Content) : undefined
    } catch {
      return undefined
    }
  }

  #sessionOf({ i, s, d, b, h, e, n, t, x }: Content): StoredSession {
    return {
      id: i,
      issuer: this.#options.issuer,
      subject: s,
      ...(d !== undefined && { sid: d }),
      startedAt: b,
      ...(h !== undefined && { authTime: h }),
      expiresAt: e,
      tokens: t,
      data: x,
      version: n,
    }
  }
}

const SHARED = [
  'sessions cannot be listed',
  'an end by another process does not say how many sessions it ended',
]
const ALONE = [
  'sessions cannot be listed',
  'only the browser with the cookie can end a session; a copy of the cookie works until the session or its refresh token ends',
  'each process refreshes for itself',
]

function contentOf(session: StoredSession, tokens: StoredTokens, round: number): Content {
  const { id, subject, sid, startedAt, authTime, expiresAt, data, version } = session
  return {
    v: FORMAT,
    i: id,
    s: subject,
    ...(sid !== undefined && { d: sid }),
    b: startedAt,
    ...(authTime !== undefined && { h: authTime }),
    e: expiresAt,
    n: version,
    r: round,
    t: tokens,
    x: data,
  }
}

/** The tokens without those that are not kept. */
function tokensIn(tokens: StoredTokens, keeps: (name: 'refresh' | 'access' | 'id') => boolean): StoredTokens {
  const { accessToken, refreshToken, idToken, ...rest } = tokens
  return {
    ...rest,
    ...(keeps('access') && accessToken !== undefined && { accessToken }),
    ...(keeps('refresh') && refreshToken !== undefined && { refreshToken }),
    ...(keeps('id') && idToken !== undefined && { idToken }),
  }
}

const keyFrom = (refreshToken: string, round: number, use: string): Buffer =>
  Buffer.from(hkdfSync('sha256', refreshToken, '', `token-store ${use} ${round}`, 32))

/** A holder of the refresh token can compute it, and it does not reveal the refresh token. */
const secretOf = (refreshToken: string, round: number, use: string): string =>
  keyFrom(refreshToken, round, use).toString('base64url')

function seal(text: string, refreshToken: string, round: number): string {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', keyFrom(refreshToken, round, 'result'), iv)
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
    'base64url',
  )
}

function open(sealed: string, refreshToken: string, round: number): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url')
  const tag = bytes.length - 16
  try {
    const key = keyFrom(refreshToken, round, 'result')
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
    decipher.setAuthTag(bytes.subarray(tag))
    return decipher.update(bytes.subarray(12, tag), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    return undefined
  }
}
