import { defineSpi, type Page, type PageOptions, type Provider } from '@authstate/spi'

/** By whom or what an action came: a program of yours, the command `authstate`, the console. */
export type AuditVia = 'api' | 'command' | 'console'

/** Who acts. */
export interface AuditActor {
  /** What your people are called in an audit. It is written as it is, so that it can be read: give no more than you want to keep. */
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

/** A record by the id that it has in the deployment. It is given to be named, and is in no line. */
export interface AuditRecord {
  readonly kind: AuditKind
  /** Its id; of a token its kind and its key. */
  readonly id: string | readonly string[]
}

/** A record as lines name it. */
export interface NamedRecord {
  readonly kind: AuditKind
  /**
   * Id of a key of the keyring, a dot, and 22 characters: a keyed hash of realm, kind and id. The same on every node and for ever,
   * so that lines can be joined; nobody without the key finds out whose it is.
   */
  readonly name: string
}

/**
 * What became of an action. `begun` is written before anything is done: where nothing follows it, nobody knows what was done.
 * `nothing`: it was done and there was nothing to do.
 */
export type AuditOutcome = 'begun' | 'done' | 'nothing' | 'refused' | 'failed'

/** More about a line: names of your configuration, numbers, times in ms since the epoch. */
export type AuditDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>

/** One line of the audit. */
export interface AuditLine {
  /** Version of this form. */
  readonly v: 1
  /** The same where the same is written twice. Both lines of an action have it. */
  readonly id: string
  /** When it happened, ms since the epoch, by the clock of the deployment. */
  readonly at: number
  /** A verb of operators, such as `sessions.end`; what became of a record, such as `session.ended`; `trail.gap`. docs/audit.md lists them. */
  readonly event: string
  readonly realm?: string
  /** What it is about. Empty for what is about a whole realm, or about all. */
  readonly records: readonly NamedRecord[]
  /** Of an action: who acted. */
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
  /** Whether this node tells the trail where it holds a lease. */
  readonly hasTrail: boolean
}

/**
 * Who did what to which record, and what became of records. Lines hold no id, token, note or mail address of a record: records are
 * named by a keyed hash.
 */
export interface AuditProvider extends Provider {
  /** Whether lines can be read here: a function takes lines and gives none back. */
  readonly canRead: boolean

  /**
   * What lines call a record from now on: to show it beside the record, so that an operator finds its lines.
   *
   * @throws {TypeError} an argument cannot be; names it
   */
  nameOf(realmId: string, record: AuditRecord): string

  /** Every name that lines may have for a record: one for each key of the keyring, the current one first. */
  namesOf(realmId: string, record: AuditRecord): readonly string[]

  /**
   * Does something and writes who did it: a line `begun` before, and one with the outcome after. Where `work` throws, that line says
   * `failed` and the error goes on.
   *
   * Where a line cannot be written the action goes on, and the line waits for a sink that works; with `required` it does not begin.
   *
   * @param resultOf Says of what `work` answered how it went.
   * @throws {StoreUnavailableError} with `required`: the first line could not be written, and nothing was done
   * @throws {TypeError} the action cannot be; names what is wrong
   */
  act<T>(action: AuditAction, work: () => Promise<T>, resultOf?: (answer: T) => ActionResult): Promise<T>

  /**
   * Writes that somebody was refused: for a right that is missing, a forged request, a realm that is not theirs. Never rejects for a
   * sink that fails.
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
