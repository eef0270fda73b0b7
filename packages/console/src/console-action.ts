/** Name of an action of the console: the event of the audit that it is written as. */
export type ActionName =
  | 'sessions.end'
  | 'user.end'
  | 'failures.clear'
  | 'caches.clear'
  | 'sites.offline'
  | 'sites.online'
  | 'sites.push'
  | 'sites.push-control'

/** What an action is about, by name. */
export type ActionSubject = Readonly<
  Partial<Record<'userId' | 'clientId' | 'network' | 'region' | 'site', string>>
>

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
  /** How many sessions, records or regions went, or links or pushes changed; of what was done. */
  readonly count?: number
  /** Why it was refused or failed, as a sentence without an id. */
  readonly reason?: string
}
