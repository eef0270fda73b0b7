/**
 * Tells the applications of an auth server what ended: every node of every client, as a logout token, as an action of Keycloak or
 * as a security event. And keeps which nodes a client has.
 *
 * A message is stored before it is sent. It is sent until the receiver confirms it, or until it is
 * clear that it will not arrive. A message counts as delivered only if it was confirmed.
 *
 * @module
 */
import { defineSpi, type EventOf, type Page, type PageOptions, type Provider } from '@authstate/spi'
import type { DeadLetter, Delivery, DeliveryReason, MessageKind } from './records.js'

export type * from './records.js'

/** A node of a client: one process of an application, under the name by which it is reached. */
export interface ApplicationNode {
  readonly realmId: string
  readonly clientId: string
  /** In lower-case ASCII, without a port; an IPv6 address without brackets. */
  readonly host: string
  /** `manual`: an administrator named it. It stays until it is removed. */
  readonly source: 'registered' | 'manual'
  /** Ms since the epoch. */
  readonly registeredAt: number
  /** When the node registered last, ms since the epoch. */
  readonly lastSeenAt: number
  /** Ms since the epoch; from this instant on it is removed. Absent for a node that stays. */
  readonly expiresAt?: number
  /** What the node said its version is. */
  readonly version?: string
}

/** What a node says of itself. */
export interface NewNode {
  /** A name, or an address where a network of `allowedHosts` has it. Without a port. */
  readonly host: string
  readonly version?: string | undefined
}

/** What became of a registration. */
export type RegisterOutcome =
  | { readonly outcome: 'registered' | 'renewed'; readonly node: ApplicationNode }
  /**
   * `host`: it is not a host. `host-not-allowed`: the client's `allowedHosts` do not contain it, or
   * the client is unknown. `limit`: the client has `maxNodes` already.
   */
  | { readonly outcome: 'refused'; readonly reason: 'host' | 'host-not-allowed' | 'limit' }

/**
 * Where a client is reached: what the function `clients` answers. It comes from the configuration of the client, which an
 * administrator owns, and never from a request.
 *
 * In a URL `${application.session.host}` stands for the node that a session belongs to: in the host, alone or as its first labels.
 */
export interface ClientTargets {
  /** Base of the actions of Keycloak: `k_logout`, `k_push_not_before` and `k_test_available` are appended. */
  readonly managementUrl?: string | undefined
  /** Takes logout tokens (OpenID Connect Back-Channel Logout 1.0). */
  readonly backchannelLogoutUri?: string | undefined
  /** Takes security events (RFC 8417) by push (RFC 8935), in addition to what else the client takes. */
  readonly securityEventUri?: string | undefined
  /**
   * Logout tokens and security events go to every registered node. For applications that keep sessions in memory; where nodes share a
   * store, one message is enough. Actions go to every node anyway.
   *
   * @default false
   */
  readonly everyNode?: boolean | undefined
  /**
   * Hosts that may be registered and sent to: `'app-1.example.com'`, `'app-*.example.com'` with `*` within one label, or a
   * network, `'10.20.0.0/16'`. Looked at when a node registers and again at every send.
   *
   * @default the hosts of the URLs
   */
  readonly allowedHosts?: readonly string[] | undefined
  /** Networks that the client may be reached in although they are not public; see `egress` of http-client. */
  readonly egress?: readonly string[] | undefined
  /** `true`: URLs may begin with `http:`. @default false */
  readonly allowInsecure?: boolean | undefined
  /** For how long a node is known that does not register again, ms. 0: for ever. @default 0 */
  readonly nodeTimeoutMs?: number | undefined
  /** @default 100 */
  readonly maxNodes?: number | undefined
  /** `true`: it fences by the time of the event (`toe`), so that a late message spares a newer session. @default false */
  readonly honoursEventTime?: boolean | undefined
  /** `alg` of what is signed for the client, passed to `sign`; never `none`. @default that of `sign` */
  readonly alg?: string | undefined
}

/** A session that ended, and where it was used. */
export interface SessionEnded {
  readonly type: 'session-ended'
  readonly userId: string
  /** `sid` of the messages. */
  readonly sessionId: string
  /** When it ended, ms since the epoch. */
  readonly at: number
  /** Those that had a client session in it. */
  readonly clients: readonly {
    readonly clientId: string
    /** The node that signed in. */
    readonly nodeHost?: string | undefined
    /** What the application calls its session. */
    readonly applicationSessionId?: string | undefined
  }[]
}

/** All sessions of a user, or without one of everybody, ended at clients. */
export interface AllSessionsEnded {
  readonly type: 'all-sessions-ended'
  /** Left out: everybody's. Then only actions of Keycloak can say so. */
  readonly userId?: string | undefined
  /** When they ended, ms since the epoch. */
  readonly at: number
}

/** Tokens that were issued before an instant are refused. Only actions of Keycloak can say so. */
export interface NotBeforeRaised {
  readonly type: 'not-before-raised'
  /** Ms since the epoch. */
  readonly notBefore: number
}

/** A question whether the nodes are there. As an action of Keycloak, or the verification of a stream of security events. */
export interface Probe {
  readonly type: 'probe'
}

/** What is announced to nodes. */
export type Announcement = SessionEnded | AllSessionsEnded | NotBeforeRaised | Probe

/** To whom. */
export interface AnnounceOptions {
  /**
   * Of a session that ended: those of its clients that get the message. Of anything else: the clients.
   * @default all of them
   */
  readonly clientIds?: readonly string[] | undefined
  /**
   * Announced again with the same key it is the same delivery, for as long as that is kept: what was stored is not sent twice, and
   * what a full queue refused is stored now.
   */
  readonly dedupeKey?: string | undefined
}

/** What an announcement came to. */
export interface Announced {
  readonly deliveryId: string
  /** Messages that it became, those included that were refused. */
  readonly targets: number
  /** Those that were refused at once, by reason; `delivery` says which. */
  readonly refused: Readonly<Partial<Record<DeliveryReason, number>>>
}

/** What events of a message tell. */
export interface DeliveryEvent {
  readonly realmId: string
  readonly deliveryId: string
  readonly clientId: string
  /** The node. Absent where none is known. */
  readonly host?: string
  /** How it was said: `logout-token`, `admin-action` or `security-event`. */
  readonly message: MessageKind
  /** How often it was sent so far. */
  readonly attempts: number
  /** What the receiver answered, where it did. */
  readonly status?: number
  /** Why; absent where it arrived. */
  readonly reason?: DeliveryReason
}

/**
 * Results of messages that this node sent, emitted after they are stored. Messages of other nodes emit nothing here.
 */
export interface ApplicationNodeEvents {
  /** The receiver confirmed a message. */
  readonly delivered: DeliveryEvent & { readonly type: 'delivered' }
  /** A message is sent again later. */
  readonly retrying: DeliveryEvent & { readonly type: 'retrying' }
  /** The receiver said no. */
  readonly failed: DeliveryEvent & { readonly type: 'failed' }
  /** A message may not be sent. */
  readonly refused: DeliveryEvent & { readonly type: 'refused' }
  /** A message would have been wrong by now. */
  readonly superseded: DeliveryEvent & { readonly type: 'superseded' }
  /** A message is sent no more. */
  readonly dead: DeliveryEvent & { readonly type: 'dead' }
}

/** What this process did so far. */
export interface ApplicationNodeStats {
  /** Requests under way now. */
  readonly sending: number
  /** Requests that were sent. */
  readonly attempts: number
  readonly delivered: number
  readonly retrying: number
  readonly failed: number
  readonly refused: number
  readonly superseded: number
  readonly dead: number
  /** Stored records that could not be read. */
  readonly unreadable: number
}

/**
 * The nodes of clients, and messages to them.
 *
 * Every verb throws `TypeError` or `RangeError` for a bad argument, which it names, and then nothing was written;
 * `StoreUnavailableError` when the store did not answer; `ProviderClosedError` after `close()`. Each verb about a node is one step.
 */
export interface ApplicationNodeProvider extends Provider {
  /**
   * A node says that it is there; again and again, sooner than `nodeTimeoutMs`. Call it for a request whose client was
   * authenticated. Safe to repeat.
   *
   * @throws {ConfigurationError} the client's targets are wrong; names the client and the property
   */
  register(realmId: string, clientId: string, node: NewNode): Promise<RegisterOutcome>

  /**
   * A node says that it leaves. An entry that an administrator made stays. Safe to repeat.
   *
   * @returns whether it was known; `false` also for a client that does not exist
   */
  unregister(realmId: string, clientId: string, host: string): Promise<boolean>

  /** An administrator names a node, which then stays. As {@link register}, and it takes the place of a registered entry. */
  addManual(realmId: string, clientId: string, host: string): Promise<RegisterOutcome>

  /** An administrator takes a node away, of whatever source. Safe to repeat. @returns whether it was known */
  removeNode(realmId: string, clientId: string, host: string): Promise<boolean>

  /** The nodes of a client that are known now, by host. Nothing is written. */
  list(realmId: string, clientId: string): Promise<readonly ApplicationNode[]>

  /** Forgets the nodes of a client that is no more. Safe to repeat. @returns how many were known */
  removeByClient(realmId: string, clientId: string): Promise<number>

  /** Forgets nodes, messages and dead letters of a realm. Not one step. Safe to repeat. @returns how many nodes were known */
  removeByRealm(realmId: string): Promise<number>

  /**
   * Looks whether messages can be sent to a client: its URLs, `allowedHosts`, `egress` and limits. Call it at start for each client, and
   * when an administrator changes one.
   *
   * @throws {ConfigurationError} names the client and the property
   */
  checkClient(realmId: string, clientId: string): Promise<void>

  /**
   * Stores messages to clients and answers at once: nothing is waited for. From then on they are sent, by whatever node; a node
   * that dies loses none. A message can arrive twice, each time with a `jti` of its own, so a receiver must bear that.
   *
   * Up to 200 messages are stored in one step, more in several. Safe to repeat with a `dedupeKey`; without one the messages are sent twice.
   *
   * A client that cannot get the message does not affect the others: its message is `refused`, with the reason.
   */
  announce(realmId: string, announcement: Announcement, options?: AnnounceOptions): Promise<Announced>

  /** What became of an announcement; `undefined` when it is unknown or forgotten. */
  delivery(realmId: string, deliveryId: string): Promise<Delivery | undefined>

  /**
   * Call it for a page of an administrator: it waits until all messages of a delivery are finished,
   * and never longer than `waitMs`.
   *
   * @param options.waitMs At most 60 000.
   * @returns how it stands then, `settled` or not; `undefined` when it is unknown
   */
  settled(
    realmId: string,
    deliveryId: string,
    options: { readonly waitMs: number },
  ): Promise<Delivery | undefined>

  /**
   * Sends what is due now, of whatever realm, and waits until all of that is done. A node does so by itself, unless
   * `dispatch` is off: then it is for a job that runs from time to time. @returns how many messages it sent
   */
  deliverDue(): Promise<number>

  /** Messages of a realm that did not arrive, those that are forgotten soonest first. */
  listDead(realmId: string, page?: PageOptions): Promise<Page<DeadLetter>>

  /** Sends a dead letter again, with all attempts. @returns whether it was there: of N calls exactly one gets `true` */
  retryDead(realmId: string, id: string): Promise<boolean>

  /** Forgets a dead letter. @returns whether it was there */
  discardDead(realmId: string, id: string): Promise<boolean>

  /**
   * Calls a listener for what this node does from now on. If it throws or rejects, that is logged once, and it stays.
   *
   * @param event Its name, or `'*'` for all. @returns a function that stops it
   * @throws {TypeError} the event is unknown, or the listener is not a function
   */
  on<E extends keyof ApplicationNodeEvents | '*'>(
    event: E,
    listener: (event: EventOf<ApplicationNodeEvents, E>) => void,
  ): () => void

  /** Figures of this process since it started. */
  stats(): ApplicationNodeStats
}

/** Name under which the registry knows this SPI. */
export const applicationNodeSpi = defineSpi<ApplicationNodeProvider>('application-node')
