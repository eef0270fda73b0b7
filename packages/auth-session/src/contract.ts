/**
 * What a login needs before there is a user: one root per browser, one tab per login under way in it.
 *
 * The id of a root goes into a cookie. It never becomes the id of a user session: `promote` hands over what a tab
 * gathered, and the user session gets an id of its own.
 *
 * @module
 */
import { defineSpi, type EventOf, type Provider } from '@authstate/spi'

/** How one step of a login flow ended, in the order in which Keycloak numbers them. */
export type ExecutionStatus =
  | 'FAILED'
  | 'SUCCESS'
  | 'SETUP_REQUIRED'
  | 'ATTEMPTED'
  | 'SKIPPED'
  | 'CHALLENGED'
  | 'EVALUATED_TRUE'
  | 'EVALUATED_FALSE'

/** A root without its tabs: what a verb that writes answers, so that it costs the same with three hundred tabs as with one. */
export interface RootSummary {
  /** 24 characters. Signed, it is the value of the cookie AUTH_SESSION_ID. */
  readonly id: string
  readonly realmId: string
  readonly createdAt: number
  /** Life is counted from here. Finishing a tab among several sets it back, even before `createdAt`. */
  readonly updatedAt: number
  /** `updatedAt` and the longest of the realm's three login lifespans. */
  readonly expiresAt: number
}

/** Everything that logs in through one browser. */
export interface RootAuthSession extends RootSummary {
  /** By tab id, oldest first. */
  readonly tabs: ReadonlyMap<string, AuthSessionTab>
}

/** One login under way, for one client. Lives as long as its root. */
export interface AuthSessionTab {
  /** 11 characters: 64 random bits. */
  readonly tabId: string
  readonly clientId: string
  readonly createdAt: number
  /** The user that is logging in, once that is known. */
  readonly userId?: string
  readonly redirectUri?: string
  readonly action?: string
  readonly protocol?: string
  readonly clientScopes: readonly string[]
  readonly requiredActions: readonly string[]
  /** By the id of a flow's execution. */
  readonly executionStatus: Readonly<Record<string, ExecutionStatus>>
  /** What the client asked for. Survives {@link AuthSessionProvider.restartTab}. */
  readonly clientNotes: Readonly<Record<string, string>>
  /** What the flow remembers between its steps. */
  readonly authNotes: Readonly<Record<string, string>>
  /** What goes into the user session when the login is done. */
  readonly userSessionNotes: Readonly<Record<string, string>>
  /** When the credentials of that user were checked, in ms since the epoch: of several, the first. */
  readonly authenticatedAt?: number
  /** When `promote` handed this tab over. */
  readonly promotedAt?: number
}

/** A login that is over, for the making of a user session. */
export interface PromotedTab {
  readonly tab: AuthSessionTab
  /**
   * What `create` of a user session takes as its `authenticatedAt`, so that a login under way is refused when the user was
   * signed out everywhere meanwhile. Of a tab without `authenticatedAt` it is when the tab was made: nothing was checked
   * before.
   */
  readonly authenticatedAt: number
}

/** A tab to begin with. What is left out is empty. */
export interface NewAuthSessionTab {
  readonly clientId: string
  readonly userId?: string | undefined
  /** Ms since the epoch by the clock of the state, not in the future. */
  readonly authenticatedAt?: number | undefined
  /** At most 8 KiB of UTF-8. */
  readonly redirectUri?: string | undefined
  readonly action?: string | undefined
  readonly protocol?: string | undefined
  /** At most 200 names. */
  readonly clientScopes?: readonly string[] | undefined
  /** At most 200 names. */
  readonly requiredActions?: readonly string[] | undefined
  readonly executionStatus?: Readonly<Record<string, ExecutionStatus>> | undefined
  readonly clientNotes?: Readonly<Record<string, string>> | undefined
  readonly authNotes?: Readonly<Record<string, string>> | undefined
  readonly userSessionNotes?: Readonly<Record<string, string>> | undefined
}

/**
 * What to change in a tab. A field left out stays, `null` removes it, and so does `null` for a name within a map.
 *
 * Maps merge name by name, lists are replaced. @see RFC 7396
 */
export interface AuthSessionTabPatch {
  readonly userId?: string | null | undefined
  /**
   * Ms since the epoch by the clock of the state, not in the future. Say it in the patch that follows a successful check of
   * credentials; a second factor does not change it.
   */
  readonly authenticatedAt?: number | null | undefined
  readonly redirectUri?: string | null | undefined
  readonly action?: string | null | undefined
  readonly protocol?: string | null | undefined
  readonly clientScopes?: readonly string[] | null | undefined
  readonly requiredActions?: readonly string[] | null | undefined
  readonly executionStatus?: Readonly<Record<string, ExecutionStatus | null>> | null | undefined
  readonly clientNotes?: Readonly<Record<string, string | null>> | null | undefined
  readonly authNotes?: Readonly<Record<string, string | null>> | null | undefined
  readonly userSessionNotes?: Readonly<Record<string, string | null>> | null | undefined
}

/** A tab that was added, and what it did to its root. */
export interface AddedTab {
  /** Its times with the new tab in it. The other tabs are read by `getRoot`. */
  readonly root: RootSummary
  readonly tab: AuthSessionTab
  /** Id of the tab that had to go because the root was full. */
  readonly evicted?: string
}

/** What a removal has ended. */
export interface RemovedTab {
  /** Whether the tab was there. */
  readonly removed: boolean
  /** Whether the root went with it: there is no login left in this browser. */
  readonly rootRemoved: boolean
}

/** Why a root ended. */
export type RootRemovalReason =
  /** `removeRoot`, or a time that left it no life. */
  | 'removed'
  /** Its last tab was removed or finished. */
  | 'last-tab'
  /** A tab was finished in a realm whose user sessions end before an unfinished login would. */
  | 'finished'
  /** `removeByRealm`. */
  | 'realm'

/** What this node did, emitted after it is done. What other nodes do, and what only expires, is not emitted. */
export interface AuthSessionEvents {
  /** A root was started. */
  readonly created: { readonly type: 'created'; readonly realmId: string; readonly rootId: string }
  /** A root ended, for a `reason`. */
  readonly removed: {
    readonly type: 'removed'
    readonly realmId: string
    readonly rootId: string
    readonly reason: RootRemovalReason
  }
  /** A login began in a tab. */
  readonly 'tab-added': {
    readonly type: 'tab-added'
    readonly realmId: string
    readonly rootId: string
    readonly tabId: string
  }
  /** A tab was removed or finished, or made room. */
  readonly 'tab-removed': {
    readonly type: 'tab-removed'
    readonly realmId: string
    readonly rootId: string
    readonly tabId: string
    readonly reason: 'removed' | 'finished' | 'evicted'
  }
  /** A tab was handed over for the making of a user session. */
  readonly promoted: {
    readonly type: 'promoted'
    readonly realmId: string
    readonly rootId: string
    readonly tabId: string
  }
}

/**
 * Authentication sessions. Every verb is one atomic step; reading never extends a life; what has ended stays ended.
 *
 * An id of another realm, an expired one and one that was never minted are the same: `undefined`, `false`, nothing.
 *
 * A life is `updatedAt` and the longest of the realm's login, user-action and code lifespans, computed again with the
 * realm's settings at each write. At `expiresAt` the root has expired, to the millisecond.
 *
 * Every verb throws `TypeError` or `RangeError` for a bad argument, which it names, and then nothing was written;
 * `StoreUnavailableError` when the store did not answer; `ProviderClosedError` after `close()`. After a lost reply every
 * verb but `createRoot`, `addTab` and `promote` may be repeated: it leaves what running it once leaves.
 */
export interface AuthSessionProvider extends Provider {
  /** Starts a root without tabs, under an id of its own. */
  createRoot(realmId: string): Promise<RootSummary>

  /**
   * The root of that id with all its tabs, if it lives. Reading does not extend its life.
   *
   * The only verb that carries every tab, up to `maxTabs` times `maxNotesBytes`: for one of them ask {@link getTab}.
   */
  getRoot(realmId: string, rootId: string): Promise<RootAuthSession | undefined>

  /**
   * The living root of that id, as it is, or a new one. Its tabs are not in the answer: `getRoot` and `getTab` read them.
   *
   * Of n simultaneous calls with one id all get the same root. An id that this deployment cannot have minted, or
   * none at all, gets a root under a fresh id: compare `root.id` with what the browser sent. Check the cookie's
   * signature first.
   *
   * @example
   * ```ts
   * const cookie = state.stickySessions.verify('value of the cookie', { realmId: 'acme' })
   * const root = await state.authSessions.getOrCreateRoot('acme', cookie?.id)
   * console.log(root.id)
   * ```
   */
  getOrCreateRoot(realmId: string, rootId: string | undefined): Promise<RootSummary>

  /** Drops every tab and starts the root's life again under the same id. */
  restartRoot(realmId: string, rootId: string): Promise<RootSummary | undefined>

  /**
   * Sets the instant from which the root's life is counted. One that leaves it no life removes it.
   *
   * @param at Milliseconds since the epoch. @default now
   */
  touchRoot(realmId: string, rootId: string, at?: number): Promise<RootSummary | undefined>

  /** @returns `false` when there is none. */
  removeRoot(realmId: string, rootId: string): Promise<boolean>

  /**
   * Adds a tab and starts the root's life again.
   *
   * A root has `maxTabs` tabs at most (300 unless configured): the oldest makes room, in the same step.
   *
   * @example
   * ```ts
   * const added = await state.authSessions.addTab('acme', 'id of a root', {
   *   clientId: 'shop',
   *   redirectUri: 'https://shop.example.com/',
   * })
   * console.log(added?.tab.tabId)
   * ```
   */
  addTab(realmId: string, rootId: string, tab: NewAuthSessionTab): Promise<AddedTab | undefined>

  /** The tab, if it belongs to that client. */
  getTab(
    realmId: string,
    rootId: string,
    clientId: string,
    tabId: string,
  ): Promise<AuthSessionTab | undefined>

  /**
   * Merges a patch into a tab. Simultaneous patches never lose each other's fields or notes.
   *
   * @throws {RangeError} the notes of the tab would have more than `maxNotesBytes` bytes; nothing is changed
   *
   * @example
   * ```ts
   * await state.authSessions.updateTab('acme', 'id of a root', 'id of a tab', { authNotes: { step: 'otp' } })
   * ```
   */
  updateTab(
    realmId: string,
    rootId: string,
    tabId: string,
    patch: AuthSessionTabPatch,
  ): Promise<AuthSessionTab | undefined>

  /**
   * Puts a tab back to the start of its flow: user, `authenticatedAt`, action, required actions, execution status, notes of the flow
   * and of the user session go; what the client asked for stays. Starts the root's life again.
   */
  restartTab(realmId: string, rootId: string, tabId: string): Promise<AuthSessionTab | undefined>

  /**
   * Removes a tab, and the root with its last one; otherwise starts the root's life again.
   *
   * Of simultaneous calls that remove the last tabs one removes the root.
   */
  removeTab(realmId: string, rootId: string, tabId: string): Promise<RemovedTab>

  /**
   * Ends a tab whose login succeeded, and looks after the others.
   *
   * The root goes with its last tab, or when the realm's user sessions (idle and max) are both shorter than a
   * login may take. Otherwise what is left has the realm's code lifespan to finish. Nothing changes when the tab
   * has ended already.
   */
  finishTab(realmId: string, rootId: string, tabId: string): Promise<RemovedTab>

  /**
   * Hands a tab over for the making of a user session, exactly once: of n calls one gets it, the others `undefined`.
   *
   * The tab stays, marked with `promotedAt`, until `finishTab`. A caller that fails after this has to let the user
   * log in again.
   *
   * @example
   * ```ts
   * const promoted = await state.authSessions.promote('acme', 'id of a root', 'id of a tab')
   * if (promoted === undefined) console.log('another request was first')
   * else
   *   await state.userSessions.create('acme', {
   *     userId: 'u-1',
   *     loginUsername: 'ada',
   *     authenticatedAt: promoted.authenticatedAt,
   *   })
   * ```
   */
  promote(realmId: string, rootId: string, tabId: string): Promise<PromotedTab | undefined>

  /**
   * How many roots of a realm live: browsers in which a login is under way, or was begun and given up within its lifespan.
   * Exact for each partition; what begins or ends during the call may be in it or not. Looking changes nothing.
   */
  count(realmId: string): Promise<number>

  /**
   * Removes the roots of a realm, a hundred at a time. Not one step: a root made meanwhile may stay.
   *
   * @returns How many were removed.
   */
  removeByRealm(realmId: string): Promise<number>

  /**
   * Tells a listener what this node does from now on. A listener that throws, or rejects when it is an async function, is
   * logged once and harms neither the verb nor the others.
   *
   * @param event `'*'`: all of them.
   * @returns Call it to stop.
   */
  on<E extends keyof AuthSessionEvents | '*'>(
    event: E,
    listener: (event: EventOf<AuthSessionEvents, E>) => void,
  ): () => void
}

/** Names the SPI in the registry and in configurations. */
export const authSessionSpi = defineSpi<AuthSessionProvider>('auth-session')
