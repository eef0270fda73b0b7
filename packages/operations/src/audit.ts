import type {
  ActionResult,
  AuditActor,
  AuditDetails,
  AuditEntry,
  AuditFilter,
  AuditProvider,
  AuditQuery,
  AuditRecord,
  AuditStats,
} from '@authstate/audit'
import { ConfigurationError, type Page } from '@authstate/spi'

/** What was done, by whom, to what: the lines of the audit that the state has. */
export interface AuditOperations {
  /** Whether the state has an audit: else nothing is written, and nothing can be read. */
  readonly isKept: boolean
  /** Whether lines can be read here: a function takes lines and gives none back. */
  readonly canRead: boolean

  /**
   * Lines, the newest first: a page of 50 or `limit` (1 to 1000) at a time. A page may have fewer while its `cursor` says that there
   * are more.
   *
   * @throws {ConfigurationError} there is no audit, or it cannot be read here
   * @throws {TypeError | RangeError} an argument cannot be; names it
   */
  read(query?: AuditQuery): Promise<Page<AuditEntry>>

  /**
   * Lines as they come, from now on, until `signal` is aborted.
   *
   * @throws {ConfigurationError} there is no audit, or it cannot be read here
   */
  follow(filter?: AuditFilter, signal?: AbortSignal): AsyncIterable<AuditEntry>

  /** What lines call a record: to show it beside the record. `undefined` without an audit. */
  nameOf(realmId: string, record: AuditRecord): string | undefined

  /**
   * Writes that this actor was refused something: for a right that is missing, a forged request, a realm that is not theirs. Nothing
   * without an audit.
   *
   * @param event The verb, such as `sessions.end`.
   * @param reason A word of yours: `forbidden`, `csrf`.
   */
  refuse(event: string, realmId: string | undefined, reason: string): Promise<void>

  /** What this process wrote; `undefined` without an audit. */
  stats(): AuditStats | undefined
}

/** What an action is about. */
export interface Action {
  readonly event: string
  readonly realm?: string
  readonly records?: readonly AuditRecord[]
  readonly details?: AuditDetails
}

/** Records which actor does what, if the state has an audit. */
export class Recorder {
  readonly #audit: AuditProvider | undefined
  readonly #actor: AuditActor

  constructor(audit: AuditProvider | undefined, actor: AuditActor) {
    this.#audit = audit
    this.#actor = actor
  }

  /** Does something, and writes it. */
  act<T>(action: Action, work: () => Promise<T>, resultOf?: (answer: T) => ActionResult): Promise<T> {
    if (this.#audit === undefined) return work()
    return this.#audit.act({ ...action, actor: this.#actor }, work, resultOf)
  }

  /** {@link act} for what answers how many records it was about. */
  counted(action: Action, work: () => Promise<number>): Promise<number> {
    return this.act(action, work, (count) => ({ count }))
  }

  nameOf(realmId: string, record: AuditRecord): string | undefined {
    return this.#audit?.nameOf(realmId, record)
  }

  /** What an operator sees of it. */
  get operations(): AuditOperations {
    const audit = this.#audit
    const actor = this.#actor
    const kept = (): AuditProvider => {
      if (audit !== undefined) return audit
      throw new ConfigurationError('audit: the state has none. Add a provider of @authstate/audit')
    }
    return {
      isKept: audit !== undefined,
      canRead: audit?.canRead ?? false,
      read: async (query) => kept().read(query),
      follow: (filter, signal) => kept().follow(filter, signal),
      nameOf: (realmId, record) => audit?.nameOf(realmId, record),
      refuse: async (event, realm, reason) => audit?.refuse({ actor, event, realm }, reason),
      stats: () => audit?.stats(),
    }
  }
}
