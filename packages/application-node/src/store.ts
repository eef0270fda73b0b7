import type { CheckedPage, PagePosition } from '@authstate/spi'
import type { Announcement, ApplicationNode, DeliveryReason, DeliveryState, MessageKind } from './contract.js'

/** Which client of which realm. */
export interface ClientName {
  readonly realmId: string
  readonly clientId: string
}

/** A node as a store has it. */
export type StoredNode = Omit<ApplicationNode, 'realmId' | 'clientId' | 'expiresAt'> & {
  /** `Infinity` for one that stays. */
  readonly expiresAt: number
}

/** What became of {@link NodeStore.putNode}. */
export type PutOutcome =
  | { readonly outcome: 'registered' | 'renewed'; readonly node: StoredNode }
  | { readonly outcome: 'limit' }

/** How a message gets to its host: to the URL as it stands, to a node in its place, or to the node of the session. */
export type Via = 'url' | 'node' | 'session'

/** One message to one node, as far as it never changes. */
export interface MessageTarget {
  readonly clientId: string
  readonly kind: MessageKind
  readonly via: Via
  /** `''` where none is known; such a message is final from the start. */
  readonly host: string
  readonly applicationSessionId?: string | undefined
}

/** One message to one node, as far as it changes. */
export interface MessageState {
  readonly state: DeliveryState
  readonly attempts: number
  readonly lastStatus?: number | undefined
  readonly reason?: DeliveryReason | undefined
  readonly nextAt: number
  /** When its time is over. */
  readonly diesAt: number
}

/** A message to be stored. */
export interface NewMessage {
  /** Tells the messages of a delivery apart: the same target has the same, see `messageIdOf`. */
  readonly id: string
  readonly target: MessageTarget
  /** Given where it is final from the start. */
  readonly refused?: DeliveryReason | undefined
}

/** A delivery, or a part of one, to be stored. */
export interface NewDelivery {
  readonly realmId: string
  readonly deliveryId: string
  readonly announcement: StoredAnnouncement
  readonly messages: readonly NewMessage[]
}

/** An announcement without the list of clients of a session that ended: each message has its own. */
export type StoredAnnouncement = Exclude<Announcement, { type: 'session-ended' }> | StoredSessionEnd

/** A session that ended. */
export interface StoredSessionEnd {
  readonly type: 'session-ended'
  readonly userId: string
  readonly sessionId: string
  readonly at: number
}

/** Bounds and times of a step. */
export interface Terms {
  /** Ms since the epoch, as all instants. */
  readonly now: number
  readonly maxLifeMs: number
  readonly keepMs: number
  readonly deadKeepMs: number
  readonly maxQueued: number
  readonly maxDead: number
}

/** A message with its place. */
export interface StoredMessage {
  readonly realmId: string
  readonly deliveryId: string
  readonly id: string
  readonly createdAt: number
  readonly announcement: StoredAnnouncement
  readonly target: MessageTarget
  readonly state: MessageState
}

/** A delivery as a store has it. */
export interface StoredDelivery {
  readonly createdAt: number
  readonly expiresAt: number
  readonly type: Announcement['type']
  readonly messages: readonly { readonly target: MessageTarget; readonly state: MessageState }[]
}

/** Which messages a process takes. */
export interface Claim {
  readonly now: number
  /** Until then no other process takes what this one takes. */
  readonly leaseUntil: number
  /** Names this process. */
  readonly owner: string
  readonly limit: number
  readonly maxPerClient: number
  /** What this process is sending now: of one client at most `maxPerClient`, to one host one. */
  readonly sending: readonly (ClientName & { readonly host: string })[]
  readonly terms: Terms
}

/** What a process took. */
export interface Claimed {
  /** `attempts` counts the attempt that is to be made. */
  readonly messages: readonly StoredMessage[]
  /** Those that ended in passing: superseded by a larger not-before, or out of time. */
  readonly ended: readonly StoredMessage[]
}

/** How an attempt ended. */
export interface Settlement {
  readonly owner: string
  readonly state: MessageState
  /** No message goes to this host of this client before, because the host does not answer. */
  readonly laneFreeAt: number
  readonly terms: Terms
}

/** A dead letter with its place. */
export interface StoredDeadLetter extends StoredMessage {
  readonly expiresAt: number
}

/** Dead letters of a realm, those that are forgotten soonest first. */
export interface DeadPage {
  readonly items: readonly StoredDeadLetter[]
  /** Where it goes on. Absent at the end. */
  readonly end?: PagePosition | undefined
}

/**
 * What a store of nodes and deliveries can do, one atomic step each. `ApplicationNodes` is the contract over it, written once. All that
 * a store is given was checked; instants are ms since the epoch, by the clock of the deployment, and a store asks no other clock.
 *
 * Messages to one host of one client are in one *lane*: one of them at a time is under way, in all
 * processes together. A lane whose message is taken, or that has to wait, does not delay other
 * lanes.
 *
 * A step that fails throws a `StoreUnavailableError`, whose `applied` says whether it may have been done.
 */
export interface NodeStore {
  /** Records that could not be read so far. @default 0 */
  readonly unreadable?: number
  /**
   * Stores a node, and takes out those of the client that have ended. Where the host is there, `registeredAt` stays, and so does an
   * entry that is `manual`: it is only seen again.
   */
  putNode(client: ClientName, node: StoredNode, maxNodes: number, now: number): Promise<PutOutcome>
  /** Takes a node out; with `source` only one of that source. @returns whether it was there and had not ended */
  removeNode(
    client: ClientName,
    host: string,
    source: 'registered' | undefined,
    now: number,
  ): Promise<boolean>
  /** Those of a client that have not ended, in whatever order. Writes nothing. */
  listNodes(client: ClientName, now: number): Promise<readonly StoredNode[]>
  /** Takes out all nodes of a client. @returns how many had not ended */
  removeNodes(client: ClientName, now: number): Promise<number>
  /** Takes out everything of a realm. Need not be one step. @returns how many nodes had not ended */
  removeRealm(realmId: string, now: number): Promise<number>

  /**
   * Stores messages of a delivery, at most {@link MOST_PER_STEP}; those that are there stay as they
   * are, but one that a full queue refused is stored again. One that is not final is due at once,
   * and one beyond `maxQueued` is `refused`, `queue-full`. Remembers the largest not-before of each
   * host of a client.
   *
   * @returns how many messages the step refused because the queue is full
   */
  enqueue(delivery: NewDelivery, terms: Terms): Promise<number>
  /** A delivery with its messages, in whatever order; `undefined` where there is none or it has ended. */
  loadDelivery(realmId: string, deliveryId: string, now: number): Promise<StoredDelivery | undefined>
  /** Takes messages that are due, of whatever realm, those due longest first, one of each lane. */
  claim(claim: Claim): Promise<Claimed>
  /**
   * Stores how an attempt ended, where the message is still this owner's.
   *
   * A not-before that is smaller than one announced to the same host does not die: it is `superseded`.
   *
   * @returns the state that was stored; `undefined` if another process has the message, or if it was removed
   */
  settle(message: StoredMessage, settlement: Settlement): Promise<MessageState | undefined>
  /** Dead letters of a realm behind a place. */
  listDead(realmId: string, page: CheckedPage, now: number): Promise<DeadPage>
  /** Makes a dead letter due, as if it were new. @returns whether it was there */
  reviveDead(realmId: string, deliveryId: string, id: string, terms: Terms): Promise<boolean>
  /** Takes a dead letter out of the list. @returns whether it was there */
  discardDead(realmId: string, deliveryId: string, id: string, now: number): Promise<boolean>

  /** Resolves when the store can serve. */
  checkHealth?(): Promise<void>
  /** Ends what the store opened itself. Called once. */
  close?(): Promise<void>
}

/** Messages that one step stores at most. */
export const MOST_PER_STEP = 200

/** Lanes that one claim looks at in one place at most: more than that may be full of messages to one client. */
export const MOST_LANES = 1_000
