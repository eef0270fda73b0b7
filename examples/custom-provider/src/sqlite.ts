// What every store of this example shares: a SQLite file, its transactions and how it fails.
import { type Duration, parseDuration, StoreUnavailableError } from '@authstate/spi'
import Database from 'libsql'
import * as v from 'valibot'

/** Properties that each of the providers takes besides those of its SPI. */
export const sqliteProperties = {
  /** Where the database is; every process on this machine that names it shares what is stored. */
  file: v.pipe(v.string(), v.minLength(1)),
  /** How long a write waits for another process that writes. The process stands still meanwhile. */
  busyTimeoutMs: v.optional(
    v.pipe(
      v.union([v.number(), v.string()]),
      v.transform((given) => parseDuration(given)),
      v.number(),
      v.safeInteger(),
      v.minValue(0),
    ),
    5_000,
  ),
}

/** For the sections of `createAuthState`. */
export interface SqliteSection {
  readonly file?: string | undefined
  readonly busyTimeoutMs?: Duration | number | undefined
}

export interface SqliteOptions {
  readonly file: string
  readonly busyTimeoutMs: number
}

type Values = Readonly<Record<string, string | number | null>>

/** Rows that have ended and that each write takes away: more than it adds. */
const PRUNED_PER_WRITE = 4

/** A SQLite file. Several providers may use the same one. */
export class SqliteFile {
  readonly #owner: string
  readonly #database: Database.Database
  readonly #statements = new Map<string, Database.Statement>()

  /** @param owner Name of the SPI: begins the messages of errors. */
  constructor(owner: string, { file, busyTimeoutMs }: SqliteOptions, schema: string) {
    this.#owner = owner
    this.#database = new Database(file, { timeout: busyTimeoutMs })
    this.#database.pragma('journal_mode = WAL')
    this.#database.pragma('synchronous = NORMAL')
    this.#database.exec(schema)
  }

  // Never get(): after all() of the same statement, libsql 0.5 answers it with the row before.
  rows<Row>(sql: string, values: Values = {}): Row[] {
    return this.#guarded(() => this.#statement(sql).all(values) as Row[])
  }

  /** @returns how many rows it changed */
  change(sql: string, values: Values): number {
    return this.#guarded(() => this.#statement(sql).run(values).changes)
  }

  /**
   * Runs one step of a store in one transaction that nobody else's write comes between: it holds the lock for writes from
   * its start, so what it reads is what it changes.
   */
  step<T>(work: () => T): T {
    return this.#guarded(() => this.#database.transaction(work).immediate() as T)
  }

  /** Takes some rows away that ended then or before. @param end The column that says when a row ends. */
  prune(table: string, end: string, endedAt: number): void {
    const ended = `SELECT rowid FROM ${table} WHERE ${end} <= @endedAt LIMIT ${PRUNED_PER_WRITE}`
    this.change(`DELETE FROM ${table} WHERE rowid IN (${ended})`, { endedAt })
  }

  close(): void {
    this.#database.close()
  }

  #statement(sql: string): Database.Statement {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  #guarded<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      const { code = '' } = error as { code?: string }
      if (!code.startsWith('SQLITE_')) throw error
      // A transaction that fails is rolled back; only a disk that fails while it commits leaves a doubt.
      const applied = code.startsWith('SQLITE_IOERR') ? 'unknown' : 'no'
      throw new StoreUnavailableError(`${this.#owner}: SQLite failed (${code})`, { cause: error, applied })
    }
  }
}

/** Names as one text: no separator makes two of them one, and none holds the NUL at which SQLite would cut it. */
export const textOf = (...names: string[]): string => JSON.stringify(names)

/** The names that {@link textOf} made a text of. */
export const namesIn = (text: string): string[] => JSON.parse(text)

/** The last of them. */
export const nameIn = (text: string): string => namesIn(text).at(-1) ?? ''
