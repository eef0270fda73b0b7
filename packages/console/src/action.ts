import type { Fields } from './body.js'
import type { ActionName, ActionSubject } from './console-action.js'
import type { RightName } from './operator.js'
import { BadRequest, type Sources } from './screen.js'

/** What was sent for an action. */
export interface Sent {
  readonly realmId: string
  /** Parts of the path behind the realm. */
  readonly rest: readonly string[]
  readonly fields: Fields
}

/** What an action is about to do. */
export interface Plan {
  readonly subject: ActionSubject
  /** Does it. */
  run(): Promise<{ readonly count: number; readonly text: string; readonly data: unknown }>
}

/** Something that can be done. */
export interface Action {
  /** Below `api/v1`: `'sessions/end'`, `'users/:realm/:reference/end'`. */
  readonly path: string
  readonly name: ActionName
  readonly right: RightName
  /** Whether it is of one realm, and not of the deployment. */
  readonly isOfRealm: boolean
  /**
   * What is to be done; nothing is done yet.
   *
   * @throws {BadRequest} what was sent cannot be
   */
  plan(sent: Sent, sources: Sources): Promise<Plan>
}

/** A field that may be given once. */
export const one = (fields: Fields, name: string): string | undefined => fields.get(name)?.[0]

/** @throws {BadRequest} what was typed is not what is to be confirmed */
export function assertTyped(fields: Fields, wanted: string, what: string): void {
  if (one(fields, 'typed')?.trim() !== wanted.trim()) {
    throw new BadRequest(`Nothing was done: type ${what} to confirm.`)
  }
}
