import type { Clock, Keyring, Logger, Provider, RealmSettingsSource } from '@authstate/spi'
import type { OtherNode } from './suite.js'

/** What a target builds its providers with. */
export interface TargetSetup {
  readonly clock: Clock
  readonly logger: Logger
  readonly realms: RealmSettingsSource
  readonly keyring: Keyring
  readonly properties: Readonly<Record<string, unknown>>
}

/** An empty store, opened for one case. */
export interface OpenTarget<P extends Provider> {
  /** A provider as one node would have it. Called again for each further node, perhaps with other properties. */
  provider(properties: Readonly<Record<string, unknown>>, node?: OtherNode): Promise<P>
  /** Commands sent so far. */
  commands?(): number
  /**
   * How many entries the store holds now, expired ones included. Where it is there, each case is played again after
   * everything has expired: a store that holds more each time grows without bound.
   */
  size?(): number | Promise<number>
  /** Throws when the store was left in a state that no sequence of verbs may leave it in. */
  verify?(): Promise<void>
  /** Ends everything and removes what the case left. */
  close(): Promise<void>
}

/**
 * What an implementation does not claim: a level or the name of a case, each with the reason. Left-out cases are
 * listed, not run.
 */
export type LeftOut = Readonly<Record<string, string>>

/** One implementation, as a suite meets it. */
export interface Target<P extends Provider> {
  /** Shown in the report: `'memory'`, `'redis'`. */
  readonly name: string
  readonly leaveOut?: LeftOut
  /** Opens an empty store for one case. */
  open(setup: TargetSetup): Promise<OpenTarget<P>>
}
