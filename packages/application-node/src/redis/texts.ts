import type { DeliveryReason, DeliveryState, MessageKind } from '../contract.js'
import type { MessageState, MessageTarget, StoredAnnouncement, StoredNode, Via } from '../store.js'

/** A target as it is stored: JSON of the lane, client, kind, way, host and the application's session id. */
export function targetText(lane: string, target: MessageTarget): string {
  const { clientId, kind, via, host, applicationSessionId } = target
  const parts = [lane, clientId, kind, via, host]
  return JSON.stringify(applicationSessionId === undefined ? parts : [...parts, applicationSessionId])
}

/** `undefined` where it cannot be read. */
export function readTarget(
  text: string,
): { readonly lane: string; readonly target: MessageTarget } | undefined {
  const parts = readJson(text)
  if (!Array.isArray(parts) || parts.length < 5 || parts.some((part) => typeof part !== 'string'))
    return undefined
  const [lane, clientId, kind, via, host, applicationSessionId] = parts as string[]
  if (!isOneOf(kind, KINDS) || !isOneOf(via, VIAS)) return undefined
  const target = {
    clientId: clientId ?? '',
    kind,
    via,
    host: host ?? '',
    ...(applicationSessionId !== undefined && { applicationSessionId }),
  }
  return { lane: lane ?? '', target }
}

/** A state as lib/message.lua has it. */
export function stateText({ state, attempts, lastStatus, reason, nextAt, diesAt }: MessageState): string {
  return [state, attempts, lastStatus ?? '-', reason ?? '-', nextAt, diesAt, '-'].join(' ')
}

/** `undefined` where it cannot be read. */
export function readState(text: string): MessageState | undefined {
  const match = /^(\S+) (\d+) (\d+|-) (\S+) (\d+) (\d+) \S+$/.exec(text)
  const [, state, attempts, status, reason, nextAt, diesAt] = match ?? []
  if (!isOneOf(state, STATES)) return undefined
  return {
    state,
    attempts: Number(attempts),
    nextAt: Number(nextAt),
    diesAt: Number(diesAt),
    ...(status !== '-' && { lastStatus: Number(status) }),
    ...(reason !== '-' && { reason: reason as DeliveryReason }),
  }
}

/** `undefined` where it cannot be read. */
export function readAnnouncement(text: string): StoredAnnouncement | undefined {
  const value = readJson(text)
  const type = (value as { readonly type?: unknown } | undefined)?.type
  return isOneOf(type, TYPES) ? (value as StoredAnnouncement) : undefined
}

/** A node as it is stored under its host; `undefined` where it cannot be read. */
export function readNode(host: string, text: string): StoredNode | undefined {
  const match = /^(registered|manual) (\d+) (\d+) (\d+|inf) ([\s\S]*)$/.exec(text)
  if (match === null) return undefined
  const [, source, registeredAt, lastSeenAt, expiresAt, version = ''] = match
  return {
    host,
    source: source as StoredNode['source'],
    registeredAt: Number(registeredAt),
    lastSeenAt: Number(lastSeenAt),
    expiresAt: expiresAt === 'inf' ? Number.POSITIVE_INFINITY : Number(expiresAt),
    ...(version.startsWith('=') && { version: version.slice(1) }),
  }
}

const KINDS = ['logout-token', 'admin-action', 'security-event'] as const satisfies readonly MessageKind[]
const VIAS = ['url', 'node', 'session'] as const satisfies readonly Via[]
const STATES = [
  'queued',
  'delivered',
  'retrying',
  'failed',
  'refused',
  'superseded',
  'dead',
] as const satisfies readonly DeliveryState[]
const TYPES = [
  'session-ended',
  'all-sessions-ended',
  'not-before-raised',
  'probe',
] as const satisfies readonly StoredAnnouncement['type'][]

function isOneOf<const T extends string>(value: unknown, values: readonly T[]): value is T {
  return (values as readonly unknown[]).includes(value)
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
