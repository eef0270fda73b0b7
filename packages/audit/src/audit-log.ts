import {
  assertName,
  type Clock,
  ConfigurationError,
  isProviderError,
  Lifecycle,
  type Logger,
  type Page,
  type ProviderContext,
  randomId,
  StoreUnavailableError,
} from '@authstate/spi'
import { assertAction, assertFilter, assertQuery, assertRecord } from './checks.js'
import type { AuditConfig } from './config.js'
import type {
  ActionResult,
  AuditAction,
  AuditEntry,
  AuditFilter,
  AuditLine,
  AuditOutcome,
  AuditProvider,
  AuditQuery,
  AuditRecord,
  AuditStats,
} from './contract.js'
import { filterOf, type Matches } from './filter.js'
import { Names } from './names.js'
import { pause } from './pause.js'
import type { AuditStore, StoredLine } from './store.js'
import { openTrail, type Trail } from './trail.js'
import { Writer } from './writer.js'

const DEFAULT_LIMIT = 50
/** Lines that one page looks at. */
const MOST_LOOKED_AT = 10_000
/** Between two looks for new lines. */
const FOLLOW_MS = 500

/** The contract, over whatever keeps the lines. */
export class AuditLog implements AuditProvider {
  readonly #lifecycle = new Lifecycle('audit')
  readonly #names: Names
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #node: string
  readonly #store: AuditStore
  readonly #writer: Writer
  readonly #required: boolean
  readonly #trail: Trail | undefined

  /** @throws {ConfigurationError} there is no keyring to name records with, or no consumer of changes for the trail */
  constructor(context: ProviderContext, config: AuditConfig, store: AuditStore) {
    const keyring = config.keyring ?? context.keyring
    if (keyring === undefined) {
      throw new ConfigurationError(
        'audit: records are named by a hash whose key all nodes share: give a keyring to the state, or to the section of the audit',
      )
    }
    this.#names = new Names(keyring)
    this.#clock = context.clock
    this.#logger = context.logger
    this.#node = context.node.name
    this.#store = store
    this.#required = config.required
    this.#writer = new Writer(store, context.logger, config.timeoutMs)
    const { consumer, touches } = config
    if (consumer !== undefined)
      this.#trail = openTrail(context, {
        consumer,
        touches,
        names: this.#names,
        write: (lines, signal) => this.#writer.write(lines, signal),
      })
  }

  get canRead(): boolean {
    return this.#store.scan !== undefined
  }

  nameOf(realmId: string, record: AuditRecord): string {
    assertName(realmId, 'realmId')
    assertRecord(record)
    return this.#names.of(realmId, record)
  }

  namesOf(realmId: string, record: AuditRecord): readonly string[] {
    assertName(realmId, 'realmId')
    assertRecord(record)
    return this.#names.allOf(realmId, record)
  }

  async act<T>(
    action: AuditAction,
    work: () => Promise<T>,
    resultOf: (answer: T) => ActionResult = () => ({}),
  ): Promise<T> {
    this.#lifecycle.assertOpen()
    assertAction(action)
    if (typeof work !== 'function') throw new TypeError('"work" must be a function')
    const begun = this.#lineOf(action, 'begun')
    if (this.#required) await this.#writeFirst(begun)
    else await this.#writer.note(begun)
    let answer: T
    try {
      answer = await work()
    } catch (error) {
      await this.#writer.note(this.#end(begun, { outcome: 'failed', reason: reasonOf(error) }))
      throw error
    }
    const { count, reason, outcome = count === 0 ? 'nothing' : 'done' } = resultOf(answer)
    await this.#writer.note(this.#end(begun, { outcome, count, reason }))
    return answer
  }

  async refuse(action: AuditAction, reason: string): Promise<void> {
    this.#lifecycle.assertOpen()
    assertAction(action)
    assertName(reason, 'reason')
    await this.#writer.note({ ...this.#lineOf(action, 'refused'), reason })
  }

  async read(query: AuditQuery = {}): Promise<Page<AuditEntry>> {
    this.#lifecycle.assertOpen()
    assertQuery(query)
    const { first = 'newest', limit = DEFAULT_LIMIT, cursor, since = 0 } = query
    const matches = this.#matches(query)
    const { scan } = this.#readable()
    const items: AuditEntry[] = []
    let looked = 0
    let last: string | undefined
    for await (const { entry, place } of scan({ first, since, place: cursor })) {
      if (last !== undefined && (items.length === limit || looked === MOST_LOOKED_AT))
        return { items, cursor: last }
      looked += 1
      last = place
      if (matches(entry)) items.push(entry)
    }
    return { items }
  }

  follow(filter: AuditFilter = {}, signal?: AbortSignal): AsyncIterable<AuditEntry> {
    this.#lifecycle.assertOpen()
    assertFilter(filter)
    return this.#follow(this.#matches(filter), this.#readable().follow, signal)
  }

  stats(): AuditStats {
    return {
      ...this.#writer.stats(),
      gaps: this.#trail?.gaps ?? 0,
      hasTrail: this.#trail !== undefined,
    }
  }

  async checkHealth(): Promise<void> {
    this.#lifecycle.assertOpen()
    await this.#store.checkHealth?.()
  }

  warnings(): readonly string[] {
    const { waiting, lost } = this.#writer.stats()
    return [
      ...(waiting > 0 ? [`audit: ${waiting} lines of actions wait for a sink that failed`] : []),
      ...(lost > 0 ? [`audit: ${lost} lines of actions were lost, as its sink failed for too long`] : []),
    ]
  }

  async close(): Promise<void> {
    if (this.#lifecycle.isClosed) return
    this.#lifecycle.close()
    await this.#trail?.close()
    await this.#writer.close()
    await this.#store.close?.()
  }

  async *#follow(
    matches: Matches,
    open: NonNullable<AuditStore['follow']>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<AuditEntry> {
    const following = await open()
    try {
      while (signal?.aborted !== true && !this.#lifecycle.isClosed) {
        for (const { entry } of await this.#next(() => following.next())) {
          if (signal?.aborted) return
          if (matches(entry)) yield entry
        }
        await pause(FOLLOW_MS, signal)
      }
    } finally {
      await following.close()
    }
  }

  /** A store that is away for a moment ends no following: what was written comes when it is back. */
  async #next(ask: () => Promise<readonly StoredLine[]>): Promise<readonly StoredLine[]> {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
      this.#logger.warn({}, 'audit: lines cannot be read; trying again')
      return []
    }
  }

  #readable(): Required<Pick<AuditStore, 'scan' | 'follow'>> {
    const { scan, follow } = this.#store
    if (scan === undefined || follow === undefined) {
      throw new ConfigurationError(
        "audit: lines cannot be read from this sink. Select 'redis' or 'file' to read them here",
      )
    }
    return { scan: scan.bind(this.#store), follow: follow.bind(this.#store) }
  }

  #matches(filter: AuditFilter): Matches {
    const { realm = '', record } = filter
    return filterOf(filter, record === undefined ? undefined : this.#names.allOf(realm, record))
  }

  async #writeFirst(line: AuditLine): Promise<void> {
    try {
      await this.#writer.write([line])
    } catch {
      throw new StoreUnavailableError(
        'audit: the line before the action could not be written, so the action was not done',
        { applied: 'no' },
      )
    }
  }

  #lineOf({ actor, event, realm, records = [], details }: AuditAction, outcome: AuditOutcome): AuditLine {
    return {
      v: 1,
      id: randomId(),
      at: this.#clock.now(),
      event,
      ...(realm !== undefined && { realm }),
      records: records.map((record) => this.#names.named(realm ?? '', record)),
      actor: { name: actor.name, via: actor.via },
      outcome,
      ...(details !== undefined && { details }),
      node: this.#node,
    }
  }

  #end(
    begun: AuditLine,
    {
      outcome,
      count,
      reason,
    }: (ActionResult & { outcome: AuditOutcome }) | { outcome: 'failed'; reason: string; count?: undefined },
  ): AuditLine {
    return {
      ...begun,
      at: this.#clock.now(),
      outcome,
      ...(count !== undefined && { count }),
      ...(reason !== undefined && { reason }),
    }
  }
}

/** What an action failed with: a word, never a message. */
function reasonOf(error: unknown): string {
  if (isProviderError(error)) return error.code
  return error instanceof TypeError || error instanceof RangeError ? 'misuse' : 'error'
}
