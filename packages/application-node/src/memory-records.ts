import type { DueQueue } from './due-queue.js'
import type { ClientName, MessageState, MessageTarget, StoredAnnouncement, StoredMessage } from './store.js'

/** A message in memory. */
export interface Message {
  readonly delivery: MutableDelivery
  readonly id: string
  readonly target: MessageTarget
  state: MessageState
  owner: string
  /** Of a dead letter; absent of one that was discarded or made room. */
  deadUntil?: number
}

/** An announcement in memory, and its messages. */
export interface MutableDelivery {
  readonly realmId: string
  readonly deliveryId: string
  readonly announcement: StoredAnnouncement
  readonly createdAt: number
  expiresAt: number
  readonly messages: Map<string, Message>
  /** How many of them go on, and the latest instant at which one of them is given up. */
  open: number
  diesAt: number
  readonly dead: Set<Message>
}

/** Messages to one host of one client. */
export interface Lane extends ClientName {
  readonly host: string
  /** By when each is sent next. */
  readonly messages: DueQueue<Message>
  /** Before that no message of it is taken: one is under way, or the host does not answer. */
  freeAt: number
  /** The largest that was announced, and when it is forgotten. */
  notBefore: number
  notBeforeUntil: number
}

export function storedOf({ delivery, id, target, state }: Message): StoredMessage {
  const { realmId, deliveryId, createdAt, announcement } = delivery
  return { realmId, deliveryId, id, createdAt, announcement, target, state }
}

export function isOutdated({ delivery: { announcement } }: Message, { notBefore }: Lane): boolean {
  return announcement.type === 'not-before-raised' && announcement.notBefore < notBefore
}

export function add(counts: Map<string, number>, key: string, change: number): void {
  counts.set(key, (counts.get(key) ?? 0) + change)
}

export const textOf = (...parts: readonly string[]): string => JSON.stringify(parts)

export const isOfRealm = (key: string, realmId: string): boolean =>
  key.startsWith(`${textOf(realmId).slice(0, -1)},`)

export const laneKeyOf = ({ delivery: { realmId }, target: { clientId, host } }: Message): string =>
  textOf(realmId, clientId, host)
