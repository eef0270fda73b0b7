import type { Announcement } from './contract.js'

/** The form of a message to a client. */
export type MessageKind = 'logout-token' | 'admin-action' | 'security-event'

/** Where a message stands. `queued` and `retrying` go on; the others are the end. */
export type DeliveryState =
  | 'queued'
  /** 200, 202 or 204 came back. */
  | 'delivered'
  | 'retrying'
  /** The receiver said no: 3xx or 4xx. */
  | 'failed'
  /** Nothing was sent: see the reason. */
  | 'refused'
  /** It would have been wrong by now: the user signed in again, or a larger not-before was announced. */
  | 'superseded'
  /** It was sent as often as it may be, or as long. `retryDead` begins again. */
  | 'dead'

/** Why a message stands where it stands. */
export type DeliveryReason =
  /** The receiver answered with another status than 200, 202 or 204. */
  | 'status'
  /** It did not answer in time. */
  | 'timeout'
  /** There was no connection. */
  | 'connect'
  | 'tls'
  /** The connection broke, or the answer was too large or no HTTP. */
  | 'protocol'
  /** The address is in no network that may be reached. */
  | 'egress'
  /** `allowedHosts` do not have the host, now. */
  | 'host-not-allowed'
  /** The URL contains the node of the session, and that node is unknown. */
  | 'no-host'
  /** The client is unknown, or it has no URL that takes this message. */
  | 'no-target'
  /** The client's URLs or `allowedHosts` are wrong: `checkClient` says how. */
  | 'configuration'
  /** The realm has as many messages under way as it may have, or too many requests wait in this process. */
  | 'queue-full'
  /** A function of the application failed: `clients`, `sign`, `issuer`, `subjectOf` or `hasNewerSession`. */
  | 'application'
  /** Its time was over. */
  | 'expired'
  /** The user has signed in at the client since. */
  | 'newer-session'
  /** A larger not-before was announced to the same node. */
  | 'newer-value'

/** One message to one node. */
export interface DeliveryTarget {
  readonly clientId: string
  /** Absent where none is known. */
  readonly host?: string
  readonly message: MessageKind
  readonly state: DeliveryState
  /** How often it was sent so far. */
  readonly attempts: number
  /** What the receiver answered last. */
  readonly lastStatus?: number
  readonly reason?: DeliveryReason
  /** When it is sent next, ms since the epoch. There while it is `queued` or `retrying`. */
  readonly nextAt?: number
}

/** An announcement, and what became of each of its messages. */
export interface Delivery {
  readonly deliveryId: string
  readonly realmId: string
  readonly type: Announcement['type']
  /** Ms since the epoch. */
  readonly createdAt: number
  /** Whether nothing of it goes on. */
  readonly settled: boolean
  readonly targets: readonly DeliveryTarget[]
}

/** A message that did not arrive. Without a token: one is made when it is sent again. */
export interface DeadLetter {
  readonly id: string
  readonly deliveryId: string
  readonly type: Announcement['type']
  readonly clientId: string
  readonly host?: string
  readonly message: MessageKind
  readonly attempts: number
  readonly lastStatus?: number
  readonly reason?: DeliveryReason
  /** Ms since the epoch. */
  readonly createdAt: number
  /** Ms since the epoch; from this instant on it is forgotten. */
  readonly expiresAt: number
}
