import { defineSpi, type Page, type PageOptions, type Provider } from '@authstate/spi'

/** The way in which an action came: a program of yours, the command `authstate`, the console. */
export type AuditVia = 'api' | 'command' | 'console'

/** The actor of an action. */
export interface AuditActor {
  /**
   * The name of the person or program in the audit. It is written as plain text: give no more than you want
   * to keep.
   */
  readonly name: string
  readonly via: AuditVia
}

/** What a line can be about. */
export type AuditKind =
  | 'user'
  | 'network'
  | 'unknown-name'
  | 'user-session'
  | 'web-session'
  | 'token'
  | 'token-id'
  | 'token-family'

/** A record with its id in the deployment. The id is used to compute a name and is written to no line. */
export interface AuditRecord {
  readonly kind: AuditKind
  /** Its id; of a token its kind and its key. */
  readonly id: string | readonly string[]
}

/** A record as lines name it. */
export interface NamedRecord {
  readonly kind: AuditKind
  /**
   * Id of a key of the keyring, a dot, and 22 characters: a keyed hash of realm, kind and id. It is
   * the same on every node and for ever, so that lines can be joined. Without the key it reveals
   * nothing.
   */
  readonly name: string
}

/**
 * The result of an action. `begun` is written before the work begins; if no line follows it, it is
 * unknown what was done. `nothing`: there was nothing to do.
 */
export type AuditOutcome = 'begun' | 'done' | 'nothing' | 'refused' | 'failed'

/** More about a line: names of your configuration, numbers, times in ms since the epoch. */
export type AuditDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>

/** One line of the audit. */
export interface AuditLine {
  /** Version of this form. */
  readonly v: 1
  /** If a line is written twice, both have the same id. Both lines of an action share one id. */
  readonly id: string
  /** When it happened, ms since the epoch, by the clock of the deployment. */
  readonly at: number
  /**
   * A verb of operators, such as `sessions.end`; a change of a record, such as `session.ended`; `trail.gap`.
   * docs/audit.md lists them.
   */
  readonly event: string
  readonly realm?: string
  /** The records that it is about. Empty if it is about a whole realm, or about all. */
  readonly records: readonly NamedRecord[]
  /** Of an action: its actor. */
  readonly actor?: AuditActor
  /** Of an action. */
  readonly outcome?: AuditOutcome
  /** Of an action: how many records it ended, withdrew or cleared. */
  readonly count?: number
  /** Why it ended, or what it failed with: a word of a closed list. */
  readonly reason?: string
  readonly details?: AuditDetails
  /** Name of the node that wrote it. */
  readonly node: string
}

/** A line as it is read. */
export interface AuditEntry extends AuditLine {
  /** When it was written, ms since the epoch. Later than `at` where the trail was behind. */
  readonly writtenAt: number
}

/** What somebody is about to do. */
export interface AuditAction {
  readonly actor: AuditActor
  /** The verb: `sessions.end`. */
  readonly event: string
  readonly realm?: string | undefined
  /** At most 100. */
  readonly records?: readonly AuditRecord[] | undefined
  readonly details?: AuditDetails | undefined
}

/** How an action went. */
export interface ActionResult {
  readonly count?: number | undefined
  /** `refused`: it was not allowed. @default `nothing` where `count` is 0, else `done` */
  readonly outcome?: 'done' | 'nothing' | 'refused' | undefined
  readonly reason?: string | undefined
}

/** Which lines are read. */
export interface AuditFilter {
  /** Written at this instant or later, ms since the epoch. */
  readonly since?: number | undefined
  readonly realm?: string | undefined
  /** Events by name, or by what stands before their dot: `session` for all of sessions. */
  readonly events?: readonly string[] | undefined
  /** `actions`: what people did. `trail`: what became of records. @default both */
  readonly only?: 'actions' | 'trail' | undefined
  /** Those about this record of `realm`, whichever key of the keyring named it. */
  readonly record?: AuditRecord | undefined
}

/** Which page of lines is read. */
export interface AuditQuery extends AuditFilter, PageOptions {
  /** @default 'newest' */
  readonly first?: 'newest' | 'oldest' | undefined
}

/** What was written by this node since it started. */
export interface AuditStats {
  readonly written: number
  /** Lines of actions that wait for a sink that failed. */
  readonly waiting: number
  /** Lines of actions that were given up. */
  readonly lost: number
  /** Times that the sink failed. */
  readonly failures: number
  /** Changes that the trail tells nothing of, by partition and time: each is a line as well. */
  readonly gaps: number
  /** Whether this node writes the trail of partitions whose lease it holds. */
  readonly hasTrail: boolean
}

/**
 * Records which actor did what to which record, and how records changed. Lines hold no id, token,
 * note or mail address of a record: records are named by a keyed hash.
 */
export interface AuditProvider extends Provider {
  /** Whether lines can be read here. They cannot if the sink is a function. */
  readonly canRead: boolean

  /**
   * The name of a record in new lines. Show it beside the record, so that an operator can find its lines.
   *
   * @throws {TypeError} an argument cannot be; names it
   */
  nameOf(realmId: string, record: AuditRecord): string

  /** Every name that lines may have for a record: one for each key of the keyring, the current one first. */
  namesOf(realmId: string, record: AuditRecord): readonly string[]

  /**
   * Wrap an action in it to record the actor: it writes a line `begun`, runs `work`, and writes a
   * line with the outcome. If `work` throws, that line says `failed` and the error is passed on.
   *
   * If a line cannot be written, the action is done all the same, and the line waits until the sink
   * works. With `required` the action does not begin.
   *
   * @param resultOf Turns the answer of `work` into the outcome.
   * @throws {StoreUnavailableError} with `required`: the first line could not be written, and nothing was done
   * @throws {TypeError} the action cannot be; names what is wrong
   */
  act<T>(action: AuditAction, work: () => Promise<T>, resultOf?: (answer: T) => ActionResult): Promise<T>

  /**
   * Call it when you refuse an action: for a missing right, a forged request, a realm that the
   * actor may not see. A failing sink does not make it reject.
   *
   * @param reason A word of yours: `forbidden`, `csrf`.
   */
  refuse(action: AuditAction, reason: string): Promise<void>

  /**
   * Lines, a page of 50 or `limit` (1 to 1000) at a time. A page may have fewer while its `cursor` says that there are more: one call
   * looks at ten thousand lines at most.
   *
   * @throws {ConfigurationError} lines cannot be read here
   * @throws {TypeError | RangeError} an argument cannot be; names it
   */
  read(query?: AuditQuery): Promise<Page<AuditEntry>>

  /**
   * Lines as they come, from now on, until `signal` is aborted. Looks for new ones twice a second.
   *
   * @throws {ConfigurationError} lines cannot be read here
   */
  follow(filter?: AuditFilter, signal?: AbortSignal): AsyncIterable<AuditEntry>

  stats(): AuditStats
}

/** The audit, as an SPI that an application adds. */
export const auditSpi = defineSpi<AuditProvider>('audit')
