import {
  assertBoolean,
  assertInstant,
  assertInteger,
  assertJson,
  assertKnown,
  assertName,
  assertObject,
  assertOptionalName,
  assertSpanMs,
  assertText,
  type CheckedPage,
  checkPage,
  type Known,
  type Moments,
  type PageOptions,
} from '@authstate/spi'
import type { WebSessionConfig } from './config.js'
import type { Labels, NewWebSession, WebSessionPatch } from './contract.js'
import {
  bytesOf,
  type Fields,
  fieldsOf,
  type SaveConditions,
  type SessionChange,
  type SessionDraft,
  type SignIn,
} from './rules.js'

/** The last instant that a date can say. */
const LAST_INSTANT = 8_640_000_000_000_000

/** Deepest nesting of a session's data: what people keep in sessions is deeper than what they put in tokens. */
const MAX_DEPTH = 64

const MAX_LABELS = 8

/** The version of a session that is not there. */
const NONE = 0

/** Names that one update may take away. */
const MAX_UNSET = 1_000

const NEW_SESSION: Known<NewWebSession> = {
  data: true,
  lifespanMs: true,
  expiresAt: true,
  userId: true,
  authenticatedAt: true,
  labels: true,
  alias: true,
  generation: true,
  mustExist: true,
  ifVersion: true,
}
const PATCH: Known<WebSessionPatch> = {
  set: true,
  unset: true,
  lifespanMs: true,
  expiresAt: true,
  userId: true,
  authenticatedAt: true,
  generation: true,
  ifVersion: true,
}
const PAGE: Known<PageOptions> = { limit: true, cursor: true }
const REMOVE: Known<{ readonly generation?: string | undefined }> = { generation: true }
const REMOVE_BY_USER: Known<{ readonly except?: string | undefined }> = { except: true }

/** What checks of a session need in addition to it. */
export interface CheckContext {
  readonly now: number
  readonly config: WebSessionConfig
  readonly moments: Moments
}

/** @throws {TypeError | RangeError} naming the part of the session that is wrong */
export function checkSession(
  session: NewWebSession,
  context: CheckContext,
): { readonly draft: SessionDraft; readonly conditions: SaveConditions } {
  assertKnown(session, 'session', NEW_SESSION)
  const { userId, labels, alias, generation = '', mustExist = false, ifVersion } = session
  assertOptionalName(userId, 'userId')
  assertOptionalName(alias, 'alias')
  checkGeneration(generation)
  assertBoolean(mustExist, 'mustExist')
  checkVersion(ifVersion, NONE)
  if (mustExist && ifVersion === NONE)
    throw new TypeError('"mustExist" must not be true beside an "ifVersion" of 0')
  const checkedLabels = checkLabels(labels)
  const expiresAt = checkEnd(session, context)
  if (expiresAt === undefined) throw new TypeError('"session" must have a "lifespanMs" or an "expiresAt"')
  return {
    draft: {
      expiresAt,
      fields: checkData(session.data, 'data', context.config),
      signIn: checkSignIn(userId, session.authenticatedAt, context) ?? undefined,
      labels: checkedLabels,
      alias: alias ?? '',
      generation,
    },
    conditions: { mustExist, ifVersion },
  }
}

/** @throws {TypeError | RangeError} naming the part of the patch that is wrong */
export function checkPatch(patch: WebSessionPatch, context: CheckContext): SessionChange {
  assertKnown(patch, 'patch', PATCH)
  const { set, unset = [], userId, authenticatedAt, generation, ifVersion } = patch
  if (generation !== undefined) checkGeneration(generation)
  checkVersion(ifVersion)
  if (userId !== null) assertOptionalName(userId, 'userId')
  const fields = set === undefined ? NO_FIELDS : checkData(set, 'set', context.config)
  checkUnset(unset, fields)
  return {
    expiresAt: checkEnd(patch, context),
    set: fields,
    unset,
    signIn: checkSignIn(userId, authenticatedAt, context),
    generation,
    ifVersion,
    maxDataBytes: context.config.maxDataBytes,
  }
}

/** @throws {TypeError | RangeError} naming the option that is wrong */
export function checkPageOptions(page: PageOptions = {}): CheckedPage {
  assertKnown(page, 'page', PAGE)
  return checkPage(page as PageOptions)
}

/** The generation to end. @throws {TypeError} naming the option that is wrong */
export function checkRemove(options: { readonly generation?: string | undefined }): string | undefined {
  assertKnown(options, 'options', REMOVE)
  const { generation } = options
  if (generation !== undefined) checkGeneration(generation)
  return generation
}

/** The session that stays. @throws {TypeError} naming the option that is wrong */
export function checkRemoveByUser(options: { readonly except?: string | undefined }): string | undefined {
  assertKnown(options, 'options', REMOVE_BY_USER)
  assertOptionalName(options.except, 'except')
  return options.except
}

/** The data have more bytes than are allowed. */
export function tooLarge(name: string, bytes: number, { maxDataBytes }: WebSessionConfig): RangeError {
  return new RangeError(
    `"${name}" must leave the data at most ${maxDataBytes} bytes of JSON, the "maxDataBytes" of web-session, got ${bytes}`,
  )
}

const NO_FIELDS: Fields = new Map()

function checkData(data: unknown, name: string, config: WebSessionConfig): Fields {
  assertObject(data, name)
  assertJson(data, name, MAX_DEPTH)
  const fields = fieldsOf(data as NewWebSession['data'])
  const bytes = bytesOf(fields)
  if (bytes > config.maxDataBytes) throw tooLarge(name, bytes, config)
  return fields
}

function checkUnset(unset: unknown, set: Fields): asserts unset is readonly string[] {
  if (!Array.isArray(unset)) throw new TypeError('"unset" must be a list of names')
  if (unset.length > MAX_UNSET) throw new RangeError(`"unset" must have at most ${MAX_UNSET} names`)
  unset.forEach((name: unknown, index) => {
    assertText(name, `unset[${index}]`)
    if (set.has(name)) throw new TypeError(`"unset[${index}]" must not be a name that "set" sets`)
  })
}

/** @returns `undefined` where none is given */
function checkEnd(
  { lifespanMs, expiresAt }: { readonly lifespanMs?: unknown; readonly expiresAt?: unknown },
  { now, config: { maxLifespanMs } }: CheckContext,
): number | undefined {
  if (lifespanMs !== undefined && expiresAt !== undefined)
    throw new TypeError('"lifespanMs" and "expiresAt" must not both be given')
  if (lifespanMs !== undefined) {
    assertSpanMs(lifespanMs, 'lifespanMs')
    if (lifespanMs <= maxLifespanMs) return now + lifespanMs
    throw new RangeError(
      `"lifespanMs" must be at most ${maxLifespanMs}, the "maxLifespanMs" of web-session, got ${lifespanMs}`,
    )
  }
  if (expiresAt === undefined) return undefined
  assertInstant(expiresAt, 'expiresAt')
  if (expiresAt - now <= maxLifespanMs && expiresAt <= LAST_INSTANT) return expiresAt
  throw new RangeError(
    `"expiresAt" must be at most ${maxLifespanMs} ms away, the "maxLifespanMs" of web-session, got ${expiresAt - now}`,
  )
}

function checkSignIn(
  userId: string | null | undefined,
  authenticatedAt: unknown,
  { moments }: CheckContext,
): SignIn | null | undefined {
  if (userId === undefined || userId === null) {
    if (authenticatedAt !== undefined) throw new TypeError('"authenticatedAt" needs a "userId"')
    return userId
  }
  return { userId, moment: moments.login(authenticatedAt, 'authenticatedAt') }
}

function checkLabels(labels: unknown): Labels {
  if (labels === undefined) return {}
  assertObject(labels, 'labels')
  const given = Object.entries(labels)
  if (given.length > MAX_LABELS)
    throw new RangeError(`"labels" must have at most ${MAX_LABELS} names, got ${given.length}`)
  for (const [name, value] of given) {
    if (name === '__proto__') throw new TypeError('"labels" must not have a name "__proto__"')
    assertName(name, 'labels: a name')
    assertName(value, 'labels: a value')
  }
  return Object.fromEntries(given) as Labels
}

function checkGeneration(generation: unknown): asserts generation is string {
  if (generation !== '') assertName(generation, 'generation')
}

function checkVersion(version: unknown, least = 1): asserts version is number | undefined {
  if (version !== undefined) assertInteger(version, 'ifVersion', least, Number.MAX_SAFE_INTEGER)
}
