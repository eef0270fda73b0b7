import type { Answer } from '@authstate/spi'
import type { AuthSessionTab, RootAuthSession, RootSummary } from './contract.js'
import type { TabData, TabDataPatch } from './rules.js'

/** Which root. The id names a partition that the store has; both may hold any character. */
export interface RootName {
  readonly realmId: string
  readonly id: string
}

/** How a life is counted that begins or goes on now. */
export interface RootLife {
  /** Ms since the epoch, by the clock of the deployment. */
  readonly now: number
  /** From `updatedAt` to `expiresAt`. Above 0. */
  readonly lifespanMs: number
}

/** A tab that shall be added. */
export interface TabDraft {
  readonly tabId: string
  readonly clientId: string
  readonly data: TabData
}

/** How a tab is patched. */
export interface PatchOptions {
  /** The root's life begins again. */
  readonly renews: boolean
  /** Most bytes of {@link notesBytesOf} that the patched tab may have. */
  readonly maxNotesBytes: number
}

/** What becomes of a root that has tabs left when one of them went. */
export interface TabRest {
  /** Its life is counted from here. */
  readonly updatedAt: number
  /** It goes all the same. */
  readonly ends: boolean
}

/** `undefined` if the root or the tab has ended. */
export type PatchOutcome =
  | { readonly outcome: 'patched'; readonly tab: AuthSessionTab }
  /** Nothing was changed. `bytes`: how many it would have been. */
  | { readonly outcome: 'too-large'; readonly bytes: number }
  /** The root had no life left and was removed. */
  | { readonly outcome: 'root-removed' }
  | undefined

/**
 * The state of a root after a tab was removed: it stays, its last tab was removed, or it ended although tabs
 * were left.
 */
export type RemovalOutcome = 'kept' | 'last-tab' | 'ended' | undefined

/**
 * What a store of roots can do, one atomic step each: of concurrent calls, on any nodes, each sees
 * all of another or none of it. `AuthSessions` is the contract over it, written once. All arguments
 * of a store were checked. Instants are ms since the epoch, and a store uses no clock of its own: a
 * record that ends at `now` or before counts as removed, and is never brought back.
 *
 * Records that are answered are the caller's: to change one changes nothing in the store. A step that fails throws a
 * `StoreUnavailableError`, whose `applied` says whether it may have been done.
 */
export interface AuthSessionStore {
  /** Records that could not be read so far. @default 0 */
  readonly unreadable?: number
  /** How many partitions ids are minted for: 1 for a store that spreads over nothing, 256 at most. */
  readonly partitions: number
  /** The root with all its tabs, oldest first. */
  load(root: RootName, now: number): Answer<RootAuthSession | undefined>
  /** One tab of a living root. */
  loadTab(root: RootName, tabId: string, now: number): Answer<AuthSessionTab | undefined>
  /**
   * The living root as it is, else a new one without tabs.
   *
   * @returns `undefined` when what is stored under that id can only be read by another version: it is left to it
   */
  getOrCreate(
    root: RootName,
    life: RootLife,
  ): Answer<{ readonly created: boolean; readonly root: RootSummary } | undefined>
  /** Drops every tab and counts the life from now. */
  restart(root: RootName, life: RootLife): Answer<RootSummary | undefined>
  /** Counts the life from `at`; removes the root where that leaves it none. */
  touch(root: RootName, at: number, life: RootLife): Answer<RootSummary | 'removed' | undefined>
  /** @returns whether it was alive */
  remove(root: RootName, now: number): Answer<boolean>
  /** Adds a tab and counts the life from now. Where there are `maxTabs` already, the oldest makes room. */
  addTab(
    root: RootName,
    tab: TabDraft,
    maxTabs: number,
    life: RootLife,
  ): Answer<{ readonly root: RootSummary; readonly evicted?: string } | undefined>
  /** Does what {@link mergeTabData} says. The root ends by the lifespan of now, whether its life begins again or not. */
  patchTab(
    root: RootName,
    tabId: string,
    patch: TabDataPatch,
    options: PatchOptions,
    life: RootLife,
  ): Answer<PatchOutcome>
  /** Removes a tab, and the root with its last one. */
  removeTab(root: RootName, tabId: string, rest: TabRest, life: RootLife): Answer<RemovalOutcome>
  /** Marks a tab as handed over now. @returns `undefined` also when it was before */
  promote(root: RootName, tabId: string, now: number): Answer<AuthSessionTab | undefined>
  /** How many roots of a realm live. Need not be one step. */
  count(realmId: string, now: number): Answer<number>
  /** Removes the roots of a realm, and reports each living one as soon as it is removed. Need not be one step. */
  removeByRealm(realmId: string, now: number, onRemoved: (rootId: string) => void): Answer<void>
  /** Resolves when the store can serve. */
  checkHealth?(): Promise<void>
  /** Ends what the store opened itself. Called once. */
  close?(): Promise<void>
}
