import { createHash } from 'node:crypto'
import type { Announcement, ApplicationNode, DeliveryReason, MessageKind } from './contract.js'
import type { MessageState, MessageTarget, NewMessage, StoredAnnouncement, StoredNode } from './store.js'
import type { CheckedTargets, TargetUrl } from './targets.js'

/**
 * The forms in which a client can get a message: the first that it takes is used, and security events in
 * addition.
 */
const WORDS: Readonly<Record<Announcement['type'], readonly MessageKind[]>> = {
  'session-ended': ['logout-token', 'admin-action'],
  'all-sessions-ended': ['logout-token', 'admin-action'],
  'not-before-raised': ['admin-action'],
  probe: ['admin-action'],
}

/** Whether an announcement can be said in words of a kind. */
export function canSay(kind: MessageKind, announcement: StoredAnnouncement): boolean {
  switch (announcement.type) {
    case 'session-ended':
      return true
    case 'all-sessions-ended':
      // An action of Keycloak ends sessions by their ids, or everybody's; a token names a session or a user.
      return (announcement.userId === undefined) === (kind === 'admin-action')
    case 'not-before-raised':
      return kind === 'admin-action'
    case 'probe':
      return kind !== 'logout-token'
  }
}

/** A client that gets a message, and what is known of its session. */
export interface Recipient {
  readonly clientId: string
  readonly nodeHost?: string | undefined
  readonly applicationSessionId?: string | undefined
}

/** The messages that tell a client; those that cannot be sent say why. Always at least one. */
export function messagesTo(
  recipient: Recipient,
  announcement: StoredAnnouncement,
  targets: CheckedTargets,
  nodes: readonly string[],
): NewMessage[] {
  const usual = WORDS[announcement.type].find((kind) => {
    return targets.urls[kind] !== undefined && canSay(kind, announcement)
  })
  const kinds: readonly (MessageKind | undefined)[] = [
    usual,
    canSay('security-event', announcement) ? 'security-event' : undefined,
  ]
  const messages = kinds.flatMap((kind) => {
    const url = kind && targets.urls[kind]
    return kind === undefined || url === undefined
      ? []
      : placesOf(recipient, kind, url, targets, nodes).map((place) =>
          messageTo({ ...place, kind, clientId: recipient.clientId, ...sessionOf(recipient) }, targets, url),
        )
  })
  return messages.length > 0
    ? messages
    : [unreachable(recipient.clientId, usual ?? 'admin-action', 'no-target')]
}

/** A message that is final from the start, to a client of which no host is known. */
export function unreachable(clientId: string, kind: MessageKind, refused: DeliveryReason): NewMessage {
  const target: MessageTarget = { clientId, kind, via: 'url', host: '' }
  return { id: messageIdOf(target), target, refused }
}

function placesOf(
  { nodeHost }: Recipient,
  kind: MessageKind,
  url: TargetUrl,
  { everyNode }: CheckedTargets,
  nodes: readonly string[],
): Pick<MessageTarget, 'via' | 'host'>[] {
  if (url.wantsSessionHost) {
    if (nodeHost !== undefined) {
      // A client says which node it is when it asks for tokens: it is believed only where that node is known.
      return [{ via: 'session', host: nodes.includes(nodeHost) ? nodeHost : '' }]
    }
    return nodes.length > 0 ? nodes.map((host) => ({ via: 'session', host })) : [{ via: 'session', host: '' }]
  }
  if (nodes.length > 0 && (kind === 'admin-action' || everyNode)) {
    return nodes.map((host) => ({ via: 'node', host }))
  }
  return [{ via: 'url', host: url.host ?? '' }]
}

function messageTo(target: MessageTarget, targets: CheckedTargets, url: TargetUrl): NewMessage {
  const id = messageIdOf(target)
  if (target.host === '') return { id, target, refused: 'no-host' }
  const reached = url.at(target.via === 'url' ? undefined : target.host)
  if (reached === undefined) return { id, target, refused: 'no-host' }
  return { id, target, refused: targets.isAllowed(hostIn(reached)) ? undefined : 'host-not-allowed' }
}

/** The host that a URL reaches, without brackets. */
export const hostIn = ({ hostname }: URL): string =>
  hostname.startsWith('[') ? hostname.slice(1, -1) : hostname

const sessionOf = ({ applicationSessionId }: Recipient) =>
  applicationSessionId === undefined ? {} : { applicationSessionId }

/** What tells the messages of a delivery apart: 16 characters of base64url. */
export function messageIdOf({ clientId, kind, via, host }: MessageTarget): string {
  const text = JSON.stringify([clientId, kind, via, host])
  return createHash('sha256').update(text).digest('base64url').slice(0, 16)
}

/** The delivery that is announced with a key: the same for the same key. */
export function deliveryIdOf(realmId: string, dedupeKey: string): string {
  const text = JSON.stringify([realmId, dedupeKey])
  return createHash('sha256').update(text).digest('base64url').slice(0, DELIVERY_ID_LENGTH)
}

/** Of a random id, and of one that a key gives. */
const DELIVERY_ID_LENGTH = 21
const DIGEST_LENGTH = 8

/** What a dead letter is called: characters that say where it stands among those of one instant, then delivery and message. */
export function deadIdOf(deliveryId: string, id: string): string {
  const digest = createHash('sha1')
    .update(deliveryId + id)
    .digest('hex')
  return digest.slice(0, DIGEST_LENGTH) + deliveryId + id
}

/** The parts of the id of a dead letter; `undefined` of what is none. */
export function partsOfDeadId(
  deadId: string,
): { readonly deliveryId: string; readonly id: string } | undefined {
  if (!/^[A-Za-z0-9_-]{45}$/.test(deadId)) return undefined
  const deliveryId = deadId.slice(DIGEST_LENGTH, DIGEST_LENGTH + DELIVERY_ID_LENGTH)
  const id = deadId.slice(DIGEST_LENGTH + DELIVERY_ID_LENGTH)
  return deadIdOf(deliveryId, id) === deadId ? { deliveryId, id } : undefined
}

/** When a message is sent again, and whether. */
export interface RetryPolicy {
  readonly maxAttempts: number
  readonly retryBaseMs: number
  readonly retryMaxMs: number
}

/** How a try ended that did not deliver, before it is known whether there is another. */
export interface Failure {
  readonly reason: DeliveryReason
  readonly status?: number | undefined
  /** Whether another try may do better. */
  readonly isPassing: boolean
  /** What the receiver asked for. */
  readonly retryAfterMs?: number | undefined
}

/** The state after a failure: another try later, or the end. */
export function afterFailure(
  { attempts, diesAt }: MessageState,
  { reason, status, isPassing, retryAfterMs }: Failure,
  policy: RetryPolicy,
  now: number,
  random: () => number,
): MessageState {
  const told = { attempts, diesAt, reason, ...(status !== undefined && { lastStatus: status }) }
  if (!isPassing) {
    const state = FINAL_REFUSALS.has(reason)
      ? 'refused'
      : reason === 'newer-session'
        ? 'superseded'
        : 'failed'
    return { ...told, state, nextAt: now }
  }
  const nextAt = now + pauseMs(attempts, retryAfterMs, policy, random)
  if (attempts >= policy.maxAttempts || nextAt >= diesAt) return { ...told, state: 'dead', nextAt: now }
  return { ...told, state: 'retrying', nextAt }
}

const FINAL_REFUSALS: ReadonlySet<DeliveryReason> = new Set([
  'egress',
  'host-not-allowed',
  'no-host',
  'no-target',
  'configuration',
])

/** Full jitter below a bound that doubles, or what the receiver asked for; never above `retryMaxMs`. At least 1. */
function pauseMs(
  attempts: number,
  retryAfterMs: number | undefined,
  { retryBaseMs, retryMaxMs }: RetryPolicy,
  random: () => number,
): number {
  if (retryAfterMs !== undefined) return Math.max(1, Math.min(retryAfterMs, retryMaxMs))
  const bound = Math.min(retryMaxMs, retryBaseMs * 2 ** Math.min(attempts - 1, 40))
  return Math.max(1, Math.ceil(random() * bound))
}

/** Statuses after which the receiver may do better. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429])

/** Whether a status says that the receiver has the message. */
export const isDelivered = (status: number): boolean => status === 200 || status === 202 || status === 204

/** Whether a status may be another one later. */
export const isPassingStatus = (status: number): boolean => PASSING.has(status) || status >= 500

/** `Retry-After` in ms: seconds, or a date by the clock of the deployment. */
export function retryAfterMsOf(value: unknown, now: number): number | undefined {
  if (typeof value !== 'string') return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000
  const at = /[a-z]/i.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}

/** Whether nothing more happens to a message. */
export const isFinal = ({ state }: Pick<MessageState, 'state'>): boolean =>
  state !== 'queued' && state !== 'retrying'

/** A node as callers see it. */
export const toNode = (
  realmId: string,
  clientId: string,
  { expiresAt, ...node }: StoredNode,
): ApplicationNode => ({
  realmId,
  clientId,
  ...node,
  ...(expiresAt !== Number.POSITIVE_INFINITY && { expiresAt }),
})
