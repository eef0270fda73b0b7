import type { CheckedSession, CheckedTarget } from './checks.js'
import type { Fence } from './fences.js'
import type { AbsenceReason, SessionPatch, SetCookies, StoredSession } from './interface.js'
import type { Held, RefreshPort } from './refresher.js'

/** What became of a login. */
export type Created = { readonly held: Held } | 'ended' | 'too-large'

/** What a Cookie header names. */
export type Found =
  | { readonly held: Held; readonly absent?: undefined; readonly clear: SetCookies }
  | {
      readonly held?: undefined
      readonly absent: Exclude<AbsenceReason, 'not-before'>
      readonly clear: SetCookies
    }

/** Where sessions are kept: in the state, or in cookies. All that it is given was checked. */
export interface Vault extends RefreshPort {
  readonly kind: 'session' | 'cookie'
  /** Whether nodes refresh together. */
  readonly isShared: boolean
  /** Whether sessions can be ended without their cookie. */
  readonly isRevocable: boolean
  readonly limits: readonly string[]
  create(session: CheckedSession): Promise<Created>
  /** @param all The fence of everybody, which is being read. */
  read(header: string | null | undefined, all: Promise<Fence>): Promise<Found>
  update(session: StoredSession, patch: SessionPatch, round: number): Promise<Held | undefined>
  /** Ends one session. @returns whether it was alive */
  remove(session: { readonly id: string }): Promise<boolean | 'unknown'>
  /** Ends what a mark or a fence, which stands already, is about. */
  end(target: Exclude<CheckedTarget, { by: 'session' }>): Promise<number | 'unknown'>
  sessionsOf(of: { readonly subject?: string; readonly sid?: string }): Promise<readonly StoredSession[]>
  /** Takes the cookies of a session away. */
  clear(): SetCookies
}
