import {
  assertBoolean,
  assertInstant,
  assertInteger,
  assertKnown,
  assertName,
  assertNames,
  assertNotes,
  assertNotesPatch,
  assertOneOf,
  assertOptionalName,
  assertSpanMs,
  assertText,
  type CheckedPage,
  checkPage as checkLimits,
  type Known,
  type LoginMoment,
  type Moments,
} from '@authstate/spi'
import type {
  ClientRemoval,
  ClientScope,
  ClientSessionPatch,
  ClientTokenRotation,
  CreateUserSession,
  NewClientSession,
  NewUserSession,
  OfflineCopy,
  PageRequest,
  SessionScope,
  TokenRotation,
  TransientTokenRotation,
  TwinScope,
  UserRemoval,
  UserSessionEventType,
  UserSessionListenerOptions,
  UserSessionPatch,
  UserSessionState,
} from './contract.js'

/** States by the number that stands for them in a store. */
export const STATES = ['LOGGED_IN', 'LOGGING_OUT', 'LOGGED_OUT', 'LOGGED_OUT_UNCONFIRMED'] as const
const EVENTS = ['created', 'removed', 'expired', 'client-removed', '*'] as const
const MAX_URI_BYTES = 8_192
const MAX_REUSE = 1_000_000

const NEW_SESSION: Known<NewUserSession> = {
  userId: true,
  loginUsername: true,
  ipAddress: true,
  authMethod: true,
  rememberMe: true,
  brokerSessionId: true,
  brokerUserId: true,
  notes: true,
  client: true,
  authenticatedAt: true,
}
const CREATE: Known<CreateUserSession> = { ...NEW_SESSION, transient: true }
const CLIENT: Known<NewClientSession> = {
  clientId: true,
  protocol: true,
  redirectUri: true,
  action: true,
  nodeHost: true,
  applicationSessionId: true,
  notes: true,
}
const PATCH: Known<UserSessionPatch> = { state: true, notes: true }
const CLIENT_PATCH: Known<ClientSessionPatch> = CLIENT
const SCOPE: Known<SessionScope> = { offline: true }
const CLIENT_SCOPE: Known<ClientScope> = { ...SCOPE, clientId: true }
const CLIENT_REMOVAL: Known<ClientRemoval> = { ...SCOPE, endWhenLast: true }
const TWIN_SCOPE: Known<TwinScope> = { offline: true }
const USER_REMOVAL: Known<UserRemoval> = { ...TWIN_SCOPE, except: true }
const OFFLINE_COPY: Known<OfflineCopy> = { clientIds: true, authenticatedAt: true }
const LISTENER_OPTIONS: Known<UserSessionListenerOptions> = { notes: true }
const PAGE: Known<PageRequest> = { ...SCOPE, limit: true, cursor: true }
const ROTATION: Known<TokenRotation> = {
  family: true,
  presented: true,
  next: true,
  issuedAt: true,
  maxReuse: true,
  attempt: true,
  graceMs: true,
}
const CLIENT_ROTATION: Known<ClientTokenRotation> = { ...ROTATION, ...SCOPE, clientId: true }
const TRANSIENT_ROTATION: Known<TransientTokenRotation> = { ...ROTATION, lifespanMs: true }

/** Notes by name. */
export type Notes = Readonly<Record<string, string>>

/** A {@link NewClientSession} that was checked: nothing in it belongs to the caller. */
export interface CheckedClient {
  readonly clientId: string
  readonly protocol: string | undefined
  readonly redirectUri: string | undefined
  readonly action: string | undefined
  readonly nodeHost: string | undefined
  readonly applicationSessionId: string | undefined
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

export interface CheckedSessionPage extends CheckedPage {
  readonly offline: boolean
}

export function checkSession(
  session: CreateUserSession,
  maxNotesBytes: number,
  moments: Moments,
): CheckedSession {
  return checkLogin(session, CREATE, maxNotesBytes, moments)
}

/** {@link checkSession} for a session that restarts, which is always stored. */
export function checkRestart(
  session: NewUserSession,
  maxNotesBytes: number,
  moments: Moments,
): CheckedSession {
  return checkLogin(session, NEW_SESSION, maxNotesBytes, moments)
}

function checkLogin(
  session: CreateUserSession,
  known: Known<NewUserSession>,
  maxNotesBytes: number,
  moments: Moments,
): CheckedSession {
  assertKnown(session, 'session', known)
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
    transient: flag(session.transient, 'session.transient'),
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
  nodeHost: `${client}.nodeHost`,
  applicationSessionId: `${client}.applicationSessionId`,
  notes: `${client}.notes`,
})
const ALONE = namesIn('client')
const OF_SESSION = namesIn('session.client')

export function checkClient(client: NewClientSession, maxNotesBytes: number, names = ALONE): CheckedClient {
  assertKnown(client, names.client, CLIENT)
  const { clientId, protocol, redirectUri, action, nodeHost, applicationSessionId } = client
  assertName(clientId, names.clientId)
  assertOptionalName(protocol, names.protocol)
  if (redirectUri !== undefined) assertText(redirectUri, names.redirectUri, MAX_URI_BYTES)
  assertOptionalName(action, names.action)
  assertOptionalName(nodeHost, names.nodeHost)
  assertOptionalName(applicationSessionId, names.applicationSessionId)
  return {
    clientId,
    protocol,
    redirectUri,
    action,
    nodeHost,
    applicationSessionId,
    notes: checkedNotes(client.notes, names.notes, maxNotesBytes),
  }
}

/** Changes to notes, `null` for a removal; empty for none. */
export type NotesPatch = Readonly<Record<string, string | null>>

/** A patch of a session that was checked. */
export interface CheckedPatch {
  readonly state: UserSessionState | null | undefined
  readonly notes: NotesPatch
}

/** A patch of a client session that was checked. */
export interface CheckedClientPatch {
  readonly clientId: string
  readonly protocol: string | null | undefined
  readonly redirectUri: string | null | undefined
  readonly action: string | null | undefined
  readonly nodeHost: string | null | undefined
  readonly applicationSessionId: string | null | undefined
  readonly notes: NotesPatch
}

export function checkPatch(patch: UserSessionPatch, maxNotesBytes: number): CheckedPatch {
  assertKnown(patch, 'patch', PATCH)
  const { state, notes = {} } = patch
  if (state !== undefined && state !== null) assertOneOf(state, 'patch.state', STATES)
  assertNotesPatch(notes, 'patch.notes', maxNotesBytes)
  return { state, notes: { ...notes } }
}

export function checkClientPatch(patch: ClientSessionPatch, maxNotesBytes: number): CheckedClientPatch {
  assertKnown(patch, 'patch', CLIENT_PATCH)
  const { clientId, protocol, redirectUri, action, nodeHost, applicationSessionId, notes = {} } = patch
  assertName(clientId, 'patch.clientId')
  assertOptionalName(protocol ?? undefined, 'patch.protocol')
  if (typeof redirectUri !== 'undefined' && redirectUri !== null) {
    assertText(redirectUri, 'patch.redirectUri', MAX_URI_BYTES)
  }
  assertOptionalName(action ?? undefined, 'patch.action')
  assertOptionalName(nodeHost ?? undefined, 'patch.nodeHost')
  assertOptionalName(applicationSessionId ?? undefined, 'patch.applicationSessionId')
  assertNotesPatch(notes, 'patch.notes', maxNotesBytes)
  return { clientId, protocol, redirectUri, action, nodeHost, applicationSessionId, notes: { ...notes } }
}

/** Whether the offline twin is meant. */
export function checkScope(options: SessionScope | undefined): boolean {
  return scopeOf(options, SCOPE)
}

/** {@link checkScope}, and the client whose sight of the session is asked for. */
export function checkClientScope(options: ClientScope | undefined): {
  readonly offline: boolean
  readonly clientId: string | undefined
} {
  const offline = scopeOf(options, CLIENT_SCOPE)
  assertOptionalName(options?.clientId, 'options.clientId')
  return { offline, clientId: options?.clientId }
}

/** {@link checkScope}, and whether the user session ends with its last client session. */
export function checkClientRemoval(options: ClientRemoval | undefined): {
  readonly offline: boolean
  readonly endWhenLast: boolean
} {
  const offline = scopeOf(options, CLIENT_REMOVAL)
  return { offline, endWhenLast: flag(options?.endWhenLast, 'options.endWhenLast') }
}

/** Which of the twins are meant. */
export function checkTwins(options: TwinScope | undefined): readonly boolean[] {
  return twinsOf(options, TWIN_SCOPE)
}

/** {@link checkTwins}, and the session that stays. */
export function checkUserRemoval(options: UserRemoval | undefined): {
  readonly twins: readonly boolean[]
  readonly except: string | undefined
} {
  const twins = twinsOf(options, USER_REMOVAL)
  assertOptionalName(options?.except, 'options.except')
  return { twins, except: options?.except }
}

function twinsOf(options: TwinScope | undefined, known: Known<TwinScope>): readonly boolean[] {
  if (options === undefined) return [false]
  assertKnown(options, 'options', known)
  const offline: unknown = options.offline
  if (offline === 'both') return [false, true]
  if (offline === undefined || typeof offline === 'boolean') return [offline ?? false]
  throw new TypeError('"options.offline" must be true, false or "both"')
}

function scopeOf(options: SessionScope | undefined, known: Known<SessionScope>): boolean {
  if (options === undefined) return false
  assertKnown(options, 'options', known)
  return flag(options.offline, 'options.offline')
}

/** An {@link OfflineCopy} that was checked. */
export interface CheckedCopy {
  readonly clientIds: readonly string[] | undefined
  readonly login: LoginMoment
}

export function checkCopy(options: OfflineCopy = {}, moments: Moments): CheckedCopy {
  assertKnown(options, 'options', OFFLINE_COPY)
  const { clientIds, authenticatedAt } = options
  if (clientIds !== undefined) assertNames(clientIds, 'options.clientIds')
  const login = moments.login(authenticatedAt, 'options.authenticatedAt')
  return { clientIds: clientIds === undefined ? undefined : [...clientIds], login }
}

export function checkPage(page: PageRequest = {}): CheckedSessionPage {
  assertKnown(page, 'page', PAGE)
  return { ...checkLimits(page), offline: flag(page.offline, 'page.offline') }
}

export function checkRotation(rotation: ClientTokenRotation): void {
  checkPresentation(rotation, CLIENT_ROTATION)
  assertName(rotation.clientId, 'rotation.clientId')
  flag(rotation.offline, 'rotation.offline')
}

export function checkTransientRotation(rotation: TransientTokenRotation): void {
  checkPresentation(rotation, TRANSIENT_ROTATION)
  assertSpanMs(rotation.lifespanMs, 'rotation.lifespanMs')
}

function checkPresentation(rotation: TokenRotation, known: Known<TokenRotation>): void {
  assertKnown(rotation, 'rotation', known)
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

/** Whether a listener asks for notes. */
export function checkListening(
  type: UserSessionEventType | '*',
  options: UserSessionListenerOptions | undefined,
): boolean {
  assertOneOf(type, 'type', EVENTS)
  if (options === undefined) return false
  assertKnown(options, 'options', LISTENER_OPTIONS)
  const asksNotes = flag(options.notes, 'options.notes')
  if (asksNotes && (type === 'created' || type === 'client-removed'))
    throw new TypeError(`"options.notes" is for "removed", "expired" and "*": "${type}" has no notes`)
  return asksNotes
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
