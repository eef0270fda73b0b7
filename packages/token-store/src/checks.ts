import {
  assertBoolean,
  assertInstant,
  assertInteger,
  assertJson,
  assertKnown,
  assertName,
  assertNotes,
  assertNotesPatch,
  assertObject,
  assertOptionalName,
  assertSpanMs,
  assertText,
  type Known,
} from '@authstate/spi'
import type {
  AccessTokenOptions,
  DpopBinding,
  EndTarget,
  NewSession,
  SessionData,
  SessionPatch,
  StoredSession,
  StoredTokens,
  TokenSet,
} from './interface.js'
import type { CheckedOptions, RefreshedTokens } from './options.js'

/** Longest token, characters. */
const MAX_TOKEN = 65_536

const TOKENS: Known<TokenSet> = {
  accessToken: true,
  accessExpiresAt: true,
  issuedAt: true,
  refreshToken: true,
  refreshExpiresAt: true,
  idToken: true,
  scope: true,
  dpop: true,
}
const REFRESHED: Known<RefreshedTokens> = { ...TOKENS, notBefore: true }
const DPOP: Known<DpopBinding> = { thumbprint: true, key: true }
const NEW_SESSION: Known<NewSession> = {
  subject: true,
  sid: true,
  startedAt: true,
  authTime: true,
  expiresAt: true,
  tokens: true,
  data: true,
}
const LISTED: Known<{ readonly subject?: string; readonly sid?: string }> = { subject: true, sid: true }
const PATCH: Known<SessionPatch> = { data: true, expiresAt: true }
const ACCESS: Known<AccessTokenOptions> = {
  minTtlMs: true,
  refreshAheadMs: true,
  force: true,
  deadlineMs: true,
}

/** A login that was checked. */
export interface CheckedSession {
  readonly subject: string
  readonly sid: string | undefined
  readonly startedAt: number
  readonly authTime: number | undefined
  readonly expiresAt: number
  readonly tokens: StoredTokens
  readonly data: SessionData
}

/** @throws {TypeError | RangeError} naming the part that is wrong */
export function checkNewSession(session: NewSession, { clock, sessionMs }: CheckedOptions): CheckedSession {
  assertKnown(session, 'session', NEW_SESSION)
  const now = clock.now()
  const { subject, sid, startedAt = now, authTime, data = {} } = session
  assertName(subject, 'subject')
  assertOptionalName(sid, 'sid')
  assertInstant(startedAt, 'startedAt')
  if (authTime !== undefined) assertInstant(authTime, 'authTime')
  assertNotes(data, 'data', Number.POSITIVE_INFINITY)
  const tokens = checkTokens(session.tokens, 'tokens', TOKENS, now)
  const last = now + sessionMs
  const { expiresAt = Math.min(tokens.refreshExpiresAt ?? last, last) } = session
  assertEnd(expiresAt, now, sessionMs)
  return {
    subject,
    sid,
    startedAt,
    authTime: authTime as number | undefined,
    expiresAt,
    tokens,
    data: { ...data },
  }
}

/** What a refresh brought, as it is stored; what it leaves out stays. @throws {TypeError | RangeError} it is wrong */
export function checkRefreshed(
  given: RefreshedTokens,
  before: StoredTokens,
  now: number,
): { readonly tokens: StoredTokens; readonly notBefore: number | undefined } {
  const tokens = checkTokens(given, 'the tokens of "refresh"', REFRESHED, now)
  const { notBefore } = given
  if (notBefore !== undefined) assertInstant(notBefore, 'notBefore')
  const { refreshToken, refreshExpiresAt, idToken, scope, dpop } = before
  const isRotated = tokens.refreshToken !== undefined && tokens.refreshToken !== refreshToken
  return {
    notBefore,
    tokens: withoutGaps({
      refreshToken,
      ...(!isRotated && { refreshExpiresAt }),
      idToken,
      scope,
      dpop,
      ...withoutGaps(tokens),
    }) as StoredTokens,
  }
}

/** Without names that have no value. */
function withoutGaps<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}

function checkTokens(
  tokens: unknown,
  name: string,
  known: Known<TokenSet>,
  now: number,
): StoredTokens & { readonly accessToken: string } {
  assertKnown<TokenSet>(tokens, name, known)
  const {
    accessToken,
    accessExpiresAt,
    issuedAt = now,
    refreshToken,
    refreshExpiresAt,
    idToken,
    scope,
  } = tokens
  assertToken(accessToken, 'accessToken')
  assertInstant(accessExpiresAt, 'accessExpiresAt')
  assertInstant(issuedAt, 'issuedAt')
  if (refreshToken !== undefined) assertToken(refreshToken, 'refreshToken')
  if (refreshExpiresAt !== undefined) assertInstant(refreshExpiresAt, 'refreshExpiresAt')
  if (idToken !== undefined) assertToken(idToken, 'idToken')
  if (scope !== undefined) assertText(scope, 'scope', MAX_TOKEN)
  const dpop = checkDpop(tokens.dpop)
  return withoutGaps({
    accessToken,
    accessExpiresAt,
    issuedAt,
    refreshToken,
    refreshExpiresAt,
    idToken,
    scope,
    dpop,
  }) as StoredTokens & { readonly accessToken: string }
}

function checkDpop(dpop: unknown): DpopBinding | undefined {
  if (dpop === undefined) return undefined
  assertKnown<DpopBinding>(dpop, 'dpop', DPOP)
  assertName(dpop.thumbprint, 'dpop.thumbprint')
  if (dpop.key !== undefined) assertJson(dpop.key, 'dpop.key', 8)
  return dpop as DpopBinding
}

function assertToken(token: unknown, name: string): asserts token is string {
  assertText(token, name, MAX_TOKEN)
  if (token.length === 0) throw new TypeError(`"${name}" must not be empty`)
}

/** @throws {TypeError | RangeError} naming the part that is wrong */
export function checkPatch(patch: SessionPatch, { clock, sessionMs }: CheckedOptions): SessionPatch {
  assertKnown(patch, 'patch', PATCH)
  if (patch.data !== undefined) assertNotesPatch(patch.data, 'data', Number.POSITIVE_INFINITY)
  if (patch.expiresAt !== undefined) assertEnd(patch.expiresAt, clock.now(), sessionMs)
  return patch as SessionPatch
}

function assertEnd(expiresAt: unknown, now: number, sessionMs: number): asserts expiresAt is number {
  assertInstant(expiresAt, 'expiresAt')
  if (expiresAt - now > sessionMs)
    throw new RangeError(
      `"expiresAt" must be at most ${sessionMs} ms away, the "sessionMs" of the store, got ${expiresAt - now}`,
    )
}

/** {@link AccessTokenOptions} that were checked. */
export interface CheckedAsk {
  readonly minTtlMs: number
  readonly refreshAheadMs: number
  readonly force: boolean
  readonly deadlineMs: number
}

/** @throws {TypeError | RangeError} naming the option that is wrong */
export function checkAsk(options: AccessTokenOptions, { refreshDeadlineMs }: CheckedOptions): CheckedAsk {
  assertKnown(options, 'options', ACCESS)
  const { minTtlMs = 0, refreshAheadMs = 10_000, force = false } = options
  const { deadlineMs = refreshDeadlineMs + 2_000 } = options
  assertInteger(minTtlMs, 'minTtlMs', 0, Number.MAX_SAFE_INTEGER)
  assertInteger(refreshAheadMs, 'refreshAheadMs', 0, Number.MAX_SAFE_INTEGER)
  assertBoolean(force, 'force')
  assertSpanMs(deadlineMs, 'deadlineMs')
  return { minTtlMs, refreshAheadMs, force, deadlineMs }
}

/** A session that was read here. */
export function checkStored(session: StoredSession, name = 'session'): void {
  assertObject(session, name)
  assertName(session.id, `${name}.id`)
  assertName(session.subject, `${name}.subject`)
  assertObject(session.tokens, `${name}.tokens`)
}

/** What is to end, by what. */
export type CheckedTarget =
  | { readonly by: 'session'; readonly id: string }
  | { readonly by: 'sid'; readonly sid: string }
  | { readonly by: 'subject'; readonly subject: string; readonly before: number }
  | { readonly by: 'everybody'; readonly before: number }

/** @throws {TypeError | RangeError} it names nothing that can be ended */
export function checkTarget(target: EndTarget, now: number): CheckedTarget {
  assertObject(target, 'target')
  const { id, sid, subject, before } = target as Readonly<Record<string, unknown>>
  if (id !== undefined) {
    assertName(id, 'id')
    return { by: 'session', id }
  }
  const names = Object.keys(target)
  const known = sid !== undefined ? ['sid'] : ['subject', 'before']
  if (names.some((name) => !known.includes(name)))
    throw new TypeError('"target" must be a session, { id }, { sid }, { subject, before } or { before }')
  if (sid !== undefined) {
    assertName(sid, 'sid')
    return { by: 'sid', sid }
  }
  if (subject !== undefined) {
    assertName(subject, 'subject')
    if (before !== undefined) assertInstant(before, 'before')
    return { by: 'subject', subject, before: (before as number | undefined) ?? now }
  }
  assertInstant(before, 'before')
  return { by: 'everybody', before }
}

/** @throws {TypeError} it names neither a user nor a session of the provider */
export function checkListed(of: { readonly subject?: string; readonly sid?: string }): {
  readonly subject?: string
  readonly sid?: string
} {
  assertKnown(of, 'of', LISTED)
  const { subject, sid } = of
  if ((subject === undefined) === (sid === undefined))
    throw new TypeError('"of" must have a "subject" or a "sid"')
  assertName(subject ?? sid, subject === undefined ? 'sid' : 'subject')
  return of
}
