import { randomUUID } from 'node:crypto'
import type { MessageKind } from './contract.js'
import type { Claims, SigningRequest } from './options.js'
import type { MessageTarget, StoredAnnouncement } from './store.js'

/** Said of every message that is minted. */
export interface MintContext {
  readonly now: number
  readonly issuer: string
  /** `sub` of the user; there where the announcement names a user. */
  readonly subject: string | undefined
}

/** How a message travels. */
export interface Wire {
  readonly typ: SigningRequest['typ']
  /** Appended to the path of the URL. */
  readonly path: string
  readonly contentType: string
  body(token: string): string
}

/** How long a logout token and an action of Keycloak are good, seconds. */
const LOGOUT_TOKEN_S = 120
const ADMIN_ACTION_S = 30

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'
const VERIFICATION = 'https://schemas.openid.net/secevent/ssf/event-type/verification'

const ACTIONS = {
  'session-ended': { path: '/k_logout', action: 'LOGOUT' },
  'all-sessions-ended': { path: '/k_logout', action: 'LOGOUT' },
  'not-before-raised': { path: '/k_push_not_before', action: 'PUSH_NOT_BEFORE' },
  probe: { path: '/k_test_available', action: 'TEST_AVAILABILITY' },
} as const

/** How a message of a kind travels. */
export function wireOf(kind: MessageKind, { type }: StoredAnnouncement): Wire {
  switch (kind) {
    case 'logout-token':
      return {
        typ: 'logout+jwt',
        path: '',
        contentType: 'application/x-www-form-urlencoded',
        body: (token) => `logout_token=${encodeURIComponent(token)}`,
      }
    case 'admin-action':
      return { typ: 'JWT', path: ACTIONS[type].path, contentType: 'text/plain', body: (token) => token }
    case 'security-event':
      return {
        typ: 'secevent+jwt',
        path: '',
        contentType: 'application/secevent+jwt',
        body: (token) => token,
      }
  }
}

/** What a message of one attempt says. Each time with an id of its own, and a life of its own. */
export function claimsOf(
  { clientId, kind, applicationSessionId }: MessageTarget,
  announcement: StoredAnnouncement,
  context: MintContext,
): Claims {
  switch (kind) {
    case 'logout-token':
      return logoutToken(clientId, announcement, context)
    case 'admin-action':
      return adminAction(clientId, applicationSessionId, announcement, context)
    case 'security-event':
      return securityEvent(clientId, announcement, context)
  }
}

/** OpenID Connect Back-Channel Logout 1.0 §2.4, and the time of the event (`toe`, RFC 8417). */
function logoutToken(clientId: string, announcement: StoredAnnouncement, context: MintContext): Claims {
  const iat = seconds(context.now)
  return {
    iss: context.issuer,
    aud: clientId,
    iat,
    exp: iat + LOGOUT_TOKEN_S,
    jti: randomUUID(),
    ...(context.subject !== undefined && { sub: context.subject }),
    ...(announcement.type === 'session-ended' && { sid: announcement.sessionId }),
    ...('at' in announcement && { toe: announcement.at / 1_000 }),
    events: { [LOGOUT_EVENT]: {} },
  }
}

/** What a Keycloak server sends to its adapters: instants in seconds. */
function adminAction(
  clientId: string,
  applicationSessionId: string | undefined,
  announcement: StoredAnnouncement,
  { now }: MintContext,
): Claims {
  const { action } = ACTIONS[announcement.type]
  const common = { id: randomUUID(), expiration: seconds(now) + ADMIN_ACTION_S, resource: clientId, action }
  switch (announcement.type) {
    case 'session-ended':
      return {
        ...common,
        adapterSessionIds: applicationSessionId === undefined ? [] : [applicationSessionId],
        notBefore: 0,
        keycloakSessionIds: [announcement.sessionId],
      }
    case 'all-sessions-ended':
      return {
        ...common,
        adapterSessionIds: null,
        notBefore: seconds(announcement.at),
        keycloakSessionIds: null,
      }
    case 'not-before-raised':
      return { ...common, notBefore: seconds(announcement.notBefore) }
    case 'probe':
      return common
  }
}

/** A security event token (RFC 8417): CAEP's `session-revoked`, or the verification of a stream. */
function securityEvent(clientId: string, announcement: StoredAnnouncement, context: MintContext): Claims {
  const common = {
    iss: context.issuer,
    aud: clientId,
    iat: seconds(context.now),
    jti: randomUUID(),
  }
  if (!('at' in announcement))
    return { ...common, sub_id: { format: 'opaque', id: clientId }, events: { [VERIFICATION]: {} } }
  const user = { format: 'iss_sub', iss: context.issuer, sub: context.subject ?? '' }
  const subject =
    announcement.type === 'session-ended'
      ? { format: 'complex', user, session: { format: 'opaque', id: announcement.sessionId } }
      : user
  return {
    ...common,
    toe: announcement.at / 1_000,
    sub_id: subject,
    events: { [SESSION_REVOKED]: { event_timestamp: seconds(announcement.at), initiating_entity: 'system' } },
  }
}

const seconds = (ms: number): number => Math.floor(ms / 1_000)
