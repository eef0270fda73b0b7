import {
  assertBoolean,
  assertInstant,
  assertInteger,
  assertName,
  assertNames,
  assertNotes,
  assertNotesPatch,
  assertObject,
  assertOneOf,
  assertOptionalName,
  assertSpanMs,
  assertText,
} from '@authstate/spi'
import type {
  ClientSessionPatch,
  ClientTokenRotation,
  CreateUserSession,
  NewClientSession,
  NewUserSession,
  OfflineCopy,
  PageRequest,
  TokenRotation,
  TransientTokenRotation,
  UserSessionEventType,
  UserSessionPatch,
  UserSessionState,
} from './contract.js'
import { decodeCursor, type Place } from './cursor.js'
import type { LoginMoment, Moments } from './moments.js'
import { CHUNK } from './rules.js'

/** States by the number that stands for them in a store. */
export const STATES = ['LOGGED_IN', 'LOGGING_OUT', 'LOGGED_OUT', 'LOGGED_OUT_UNCONFIRMED'] as const
const EVENTS = ['created', 'removed', 'expired', '*'] as const
const MAX_URI_BYTES = 8_192
const DEFAULT_LIMIT = 20
const MAX_REUSE = 1_000_000

type Notes = Readonly<Record<string, string>>

/** A {@link NewClientSession} that was checked: nothing in it belongs to the caller. */
export interface CheckedClient {
  readonly clientId: string
  readonly protocol: string | undefined
  readonly redirectUri: string | undefined
  readonly action: string | undefined
  readonly notes: Notes
}

/** A {@link NewUserSession} that was checked. */
export interface CheckedSession {
  readonly userId: string
  readonly loginUsername: string
  readonly ipAddress: string | undefined
  readonly authMethod: string | undefined
  readonly rememberMe: boolean
  readonly brokerSessionId: string | undefined
  readonly brokerUserId: string | undefined
  readonly notes: Notes
  readonly client: CheckedClient | undefined
  readonly transient: boolean
  readonly login: LoginMoment
}

export interface CheckedPage {
  readonly offline: boolean
  readonly limit: number
  readonly after: Place
}

export function checkSession(
  session: NewUserSession | CreateUserSession,
  maxNotesBytes: number,
  moments: Moments,
): CheckedSession {
  assertObject(session, 'session')
  const { userId, loginUsername, ipAddress, authMethod, brokerSessionId, brokerUserId, client } = session
  assertName(userId, 'session.userId')
  assertName(loginUsername, 'session.loginUsername')
  assertOptionalName(ipAddress, 'session.ipAddress')
  assertOptionalName(authMethod, 'session.authMethod')
  assertOptionalName(brokerSessionId, 'session.brokerSessionId')
  assertOptionalName(brokerUserId, 'session.brokerUserId')
  return {
    userId,
    loginUsername,
    ipAddress,
    authMethod,
    rememberMe: flag(session.rememberMe, 'session.rememberMe'),
    brokerSessionId,
    brokerUserId,
    notes: checkedNotes(session.notes, 'session.notes', maxNotesBytes),
    client: client === undefined ? undefined : checkClient(client, maxNotesBytes, OF_SESSION),
    transient: flag((session as CreateUserSession).transient, 'session.transient'),
    login: moments.login(session.authenticatedAt, 'session.authenticatedAt'),
  }
}

/** What messages call the parts of a client session. */
const namesIn = (client: string) => ({
  client,
  clientId: `${client}.clientId`,
  protocol: `${client}.protocol`,
  redirectUri: `${client}.redirectUri`,
  action: `${client}.action`,
  notes: `${client}.notes`,
})
const ALONE = namesIn('client')
const OF_SESSION = namesIn('session.client')

export function checkClient(client: NewClientSession, maxNotesBytes: number, names = ALONE): CheckedClient {
  assertObject(client, names.client)
  const { clientId, protocol, redirectUri, action } = client
  assertName(clientId, names.clientId)
  assertOptionalName(protocol, names.protocol)
  if (redirectUri !== undefined) assertText(redirectUri, names.redirectUri, MAX_URI_BYTES)
  assertOptionalName(action, names.action)
  return {
    clientId,
    protocol,
    redirectUri,
    action,
    notes: checkedNotes(client.notes, names.notes, maxNotesBytes),
  }
}

/** Changes to notes, `null` for a removal; empty for none. */
export type NotesPatch = Readonly<Record<string, string | null>>

export interface CheckedPatch {
  readonly state: UserSessionState | null | undefined
  readonly notes: NotesPatch
}

export interface CheckedClientPatch {
  readonly clientId: string
  readonly protocol: string | null | undefined
  readonly redirectUri: string | null | undefined
  readonly action: string | null | undefined
  readonly notes: NotesPatch
}

export function checkPatch(patch: UserSessionPatch, maxNotesBytes: number): CheckedPatch {
  assertObject(patch, 'patch')
  const { state, notes = {} } = patch
  if (state !== undefined && state !== null) assertOneOf(state, 'patch.state', STATES)
  assertNotesPatch(notes, 'patch.notes', maxNotesBytes)
  return { state, notes: { ...notes } }
}

export function checkClientPatch(patch: ClientSessionPatch, maxNotesBytes: number): CheckedClientPatch {
  assertObject(patch, 'patch')
  const { clientId, protocol, redirectUri, action, notes = {} } = patch
  assertName(clientId, 'patch.clientId')
  assertOptionalName(protocol ?? undefined, 'patch.protocol')
  if (typeof redirectUri !== 'undefined' && redirectUri !== null) {
    assertText(redirectUri, 'patch.redirectUri', MAX_URI_BYTES)
  }
  assertOptionalName(action ?? undefined, 'patch.action')
  assertNotesPatch(notes, 'patch.notes', maxNotesBytes)
  return { clientId, protocol, redirectUri, action, notes: { ...notes } }
}

/** Whether the offline twin is meant. */
export function checkScope(options: { readonly offline?: boolean | undefined } | undefined): boolean {
  if (options === undefined) return false
  assertObject(options, 'options')
  return flag(options['offline'], 'options.offline')
}

/** Which of the twins are meant. */
export function checkTwins(
  options: { readonly offline?: boolean | 'both' | undefined } | undefined,
): readonly boolean[] {
  if (options === undefined) return [false]
  assertObject(options, 'options')
  const offline = options['offline']
  if (offline === 'both') return [false, true]
  if (offline === undefined || typeof offline === 'boolean') return [offline ?? false]
  throw new TypeError('"options.offline" must be true, false or "both"')
}

/** An option that names something, such as `clientId`. */
export function checkOption(options: object | undefined, name: string): string | undefined {
  if (options === undefined) return undefined
  assertObject(options, 'options')
  const value = options[name]
  assertOptionalName(value, `options.${name}`)
  return value
}

/** An {@link OfflineCopy} that was checked. */
export interface CheckedCopy {
  readonly clientIds: readonly string[] | undefined
  readonly login: LoginMoment
}

export function checkCopy(options: OfflineCopy = {}, moments: Moments): CheckedCopy {
  assertObject(options, 'options')
  const { clientIds, authenticatedAt } = options
  if (clientIds !== undefined) assertNames(clientIds, 'options.clientIds')
  const login = moments.login(authenticatedAt, 'options.authenticatedAt')
  return { clientIds: clientIds === undefined ? undefined : [...clientIds], login }
}

export function checkPage(page: PageRequest | undefined): CheckedPage {
  if (page === undefined) return { offline: false, limit: DEFAULT_LIMIT, after: decodeCursor(undefined) }
  assertObject(page, 'page')
  const { limit = DEFAULT_LIMIT, cursor } = page
  assertInteger(limit, 'page.limit', 1, CHUNK)
  if (cursor !== undefined) assertName(cursor, 'page.cursor')
  return { offline: flag(page['offline'], 'page.offline'), limit, after: decodeCursor(cursor) }
}

export function checkRotation(rotation: ClientTokenRotation): void {
  checkPresentation(rotation)
  assertName(rotation.clientId, 'rotation.clientId')
  flag(rotation.offline, 'rotation.offline')
}

export function checkTransientRotation(rotation: TransientTokenRotation): void {
  checkPresentation(rotation)
  assertSpanMs(rotation.lifespanMs, 'rotation.lifespanMs')
}

function checkPresentation(rotation: TokenRotation): void {
  assertObject(rotation, 'rotation')
  assertName(rotation.family, 'rotation.family')
  assertName(rotation.presented, 'rotation.presented')
  assertName(rotation.next, 'rotation.next')
  if (rotation.next === rotation.presented)
    throw new TypeError('"rotation.next" must differ from "rotation.presented"')
  assertInstant(rotation.issuedAt, 'rotation.issuedAt')
  assertInteger(rotation.maxReuse, 'rotation.maxReuse', 0, MAX_REUSE)
  assertOptionalName(rotation.attempt, 'rotation.attempt')
  if (rotation.graceMs !== undefined && rotation.graceMs !== 0) {
    assertSpanMs(rotation.graceMs, 'rotation.graceMs')
  }
}

export function checkedType(type: UserSessionEventType | '*'): UserSessionEventType | '*' {
  assertOneOf(type, 'type', EVENTS)
  return type
}

function checkedNotes(notes: Notes | undefined, name: string, maxNotesBytes: number): Notes {
  if (notes === undefined) return {}
  assertNotes(notes, name, maxNotesBytes)
  return { ...notes }
}

/** What `restart` throws when the session belongs to another user. */
export function otherUser(): TypeError {
  return new TypeError(
    '"session.userId" must be the user of the session: another user needs a session of their own',
  )
}

export function flag(value: unknown, name: string): boolean {
  if (value === undefined) return false
  assertBoolean(value, name)
  return value
}
