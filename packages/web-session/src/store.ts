import type { CheckedPage, PagePosition } from '@authstate/spi'
import type {
  EndedSession,
  SaveConditions,
  SaveReply,
  SessionChange,
  SessionDraft,
  StepTime,
  StoredSession,
  UpdateReply,
} from './rules.js'

/** Which session. Both are checked, and may hold any character: no way to join them may make two of them one. */
export interface SessionName {
  readonly realmId: string
  readonly id: string
}

/** Which sessions: all of a realm, those of a user, those that bear a label. */
export type SessionIndex =
  | { readonly realmId: string; readonly kind: 'realm' }
  | { readonly realmId: string; readonly kind: 'user'; readonly userId: string }
  | { readonly realmId: string; readonly kind: 'label'; readonly name: string; readonly value: string }

/** Entries of an index, by the instant of their end and then by `digestOf` their id. */
export interface SessionPage {
  /** What is alive, `'unreadable'` for what another version wrote. Fewer than were asked for where some went meanwhile. */
  readonly items: readonly (StoredSession | 'unreadable')[]
  /** Where it goes on. Absent at the end. Its id is a `digestOf`. */
  readonly end?: PagePosition | undefined
}

/** What a removal of all sessions of an index keeps, and from whom it keeps them. */
export interface Removal {
  /** Of a user's sessions: what began before it is refused for `tombstoneMs` from now on. Others have none. */
  readonly mark?: string | undefined
  /** Id of the session that stays. */
  readonly except?: string | undefined
}

/**
 * What a store of sessions can do, one atomic step each: of calls at once, on whatever nodes, each sees all of another or none
 * of it. `WebSessions` is the contract over it, written once. All that a store is given was checked; instants are ms since the
 * epoch, by the clock of the deployment, and a store asks no other clock.
 *
 * A step that fails throws a `StoreUnavailableError`, whose `applied` says whether it may have been done.
 */
export interface WebSessionStore {
  /** Does what {@link applySave} says. */
  save(name: SessionName, draft: SessionDraft, conditions: SaveConditions, time: StepTime): Promise<SaveReply>
  /** Does what {@link applyUpdate} says. */
  update(name: SessionName, change: SessionChange, time: StepTime): Promise<UpdateReply>
  /** The session. The caller judges whether it has ended; an ended session may be removed. */
  load(name: SessionName): Promise<StoredSession | 'unreadable' | undefined>
  /** The living session that bears the alias, of several the one created last. */
  find(realmId: string, alias: string, now: number): Promise<StoredSession | 'unreadable' | undefined>
  /** Leaves what {@link afterRemoval} says. @returns what was alive and ended */
  remove(name: SessionName, generation: string | undefined, time: StepTime): Promise<EndedSession | undefined>
  /** What is alive of an index, behind a place. */
  page(index: SessionIndex, page: CheckedPage, now: number): Promise<SessionPage>
  /** How many sessions of a realm are alive. */
  count(realmId: string, now: number): Promise<number>
  /**
   * Ends what an index has, as {@link remove} does, and reports each living session as soon as it
   * is removed. For a user it does so in one step with the mark: a save is either ended by it or
   * meets the mark.
   */
  endAll(
    index: SessionIndex,
    removal: Removal,
    time: StepTime,
    onEnded: (session: EndedSession) => void,
  ): Promise<void>
  /** Resolves when the store can serve. */
  checkHealth?(): Promise<void>
  /** Ends what the store opened itself. Called once. */
  close?(): Promise<void>
}
