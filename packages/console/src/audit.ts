import type { Page, PageOptions } from '@authstate/spi'

/** Name of an action of the console. */
export type ActionName = 'sessions.end' | 'user.end' | 'client.end' | 'failures.clear' | 'cache.clear'

/** What an action is about, by name. */
export type ActionSubject = Readonly<Partial<Record<'userId' | 'clientId' | 'network' | 'region', string>>>

/** Something that an operator does in the console. */
export interface ConsoleAction {
  /** Ms since the epoch. */
  readonly at: number
  /** Id of the operator, as `authorize` said it. */
  readonly operatorId: string
  readonly action: ActionName
  /** Absent when it is about the whole deployment. */
  readonly realmId?: string
  /** What it is about; never a session. */
  readonly subject: ActionSubject
  /** It is about to be done, it was done, it was not allowed, or it failed. */
  readonly outcome: 'begun' | 'done' | 'refused' | 'failed'
  /** How many sessions, records or regions went; of what was done. */
  readonly count?: number
  /** Why it was refused or failed, as a sentence without an id. */
  readonly reason?: string
}

/** A record that an action is about, given to an audit to be named. */
export interface AuditedRecord {
  readonly kind: 'user' | 'network'
  readonly id: string
}

/** An action, as an audit takes it. */
export interface AuditedAction {
  readonly actor: { readonly name: string; readonly via: 'console' }
  readonly event: string
  readonly realm?: string | undefined
  readonly records?: readonly AuditedRecord[] | undefined
  readonly details?: Readonly<Record<string, string | number | boolean>> | undefined
}

/** What an audit is told of an action that was done. */
export interface AuditedResult {
  readonly count?: number | undefined
}

/** A line of an audit. */
export interface AuditLine {
  /** Ms since the epoch. */
  readonly at: number
  /** What was done, such as `'sessions.end'`, or what became of a record. */
  readonly event: string
  readonly realm?: string
  /** What it is about, under the names that the audit gives. */
  readonly records: readonly { readonly kind: string; readonly name: string }[]
  readonly actor?: { readonly name: string; readonly via: string }
  readonly outcome?: string
  readonly count?: number
  readonly reason?: string
}

/** Which lines of an audit are read. */
export interface AuditQuestion extends PageOptions {
  readonly first?: 'newest' | undefined
  readonly realm?: string | undefined
}

/** Where actions are written before they are done, and read again. The provider of an audit has this form. */
export interface AuditTrail {
  /** Whether lines can be read here. */
  readonly canRead: boolean
  /** Writes that something begins, does it, and writes how it went. */
  act<T>(action: AuditedAction, work: () => Promise<T>, resultOf?: (answer: T) => AuditedResult): Promise<T>
  /** Writes that something was not allowed. */
  refuse(action: AuditedAction, reason: string): Promise<void>
  /** Lines, a page at a time. */
  read(question?: AuditQuestion): Promise<Page<AuditLine>>
}
