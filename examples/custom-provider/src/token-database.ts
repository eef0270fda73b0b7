import type { CheckedConsume, CheckedToken } from '@authstate/action-token/provider'
import { StoreUnavailableError } from '@authstate/spi'
import Database from 'libsql'

const SCHEMA = `
CREATE TABLE IF NOT EXISTS tokens (
  name TEXT PRIMARY KEY, realm TEXT NOT NULL, family TEXT NOT NULL, subject TEXT NOT NULL, data TEXT NOT NULL,
  expiresAt INTEGER NOT NULL, consumedAt INTEGER, attempt TEXT, graceUntil INTEGER, successor TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tokensByFamily ON tokens (family);
CREATE INDEX IF NOT EXISTS tokensBySubject ON tokens (subject);
CREATE INDEX IF NOT EXISTS tokensByEnd ON tokens (expiresAt);
CREATE TABLE IF NOT EXISTS marks (
  name TEXT PRIMARY KEY, realm TEXT NOT NULL, expiresAt INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS marksByEnd ON marks (expiresAt);
`

const PUT = `
INSERT INTO tokens (name, realm, family, subject, data, expiresAt)
SELECT @name, @realm, @family, @subject, @data, @expiresAt
WHERE NOT EXISTS (SELECT 1 FROM marks WHERE name = @refused AND expiresAt > @now)
ON CONFLICT (name) DO UPDATE SET
  family = excluded.family, subject = excluded.subject, data = excluded.data, expiresAt = excluded.expiresAt,
  consumedAt = NULL, attempt = NULL, graceUntil = NULL, successor = NULL
WHERE tokens.expiresAt <= @now OR (tokens.consumedAt IS NULL AND @onlyAbsent = 0)`

const REPLACE = `
UPDATE tokens SET data = @data WHERE name = @name AND expiresAt > @now AND consumedAt IS NULL`

const CONSUME = `
UPDATE tokens SET
  consumedAt = coalesce(consumedAt, @now),
  attempt = CASE WHEN consumedAt IS NULL THEN @attempt ELSE attempt END,
  graceUntil = CASE WHEN consumedAt IS NULL THEN @graceUntil ELSE graceUntil END,
  successor = CASE WHEN consumedAt IS NULL THEN @successor ELSE successor END
WHERE name = @name AND expiresAt > @now AND (
  consumedAt IS NULL OR (@attempt <> '' AND attempt = @attempt AND (graceUntil IS NULL OR graceUntil > @now)))`

const FIND = 'SELECT family, subject, data, expiresAt, consumedAt, successor FROM tokens WHERE name = @name'

const REMOVE = 'DELETE FROM tokens WHERE name = @name RETURNING expiresAt'

const LONGEST = 'SELECT max(expiresAt) AS expiresAt FROM tokens WHERE family = @family'

const MARK = `
INSERT INTO marks (name, realm, expiresAt) VALUES (@name, @realm, @expiresAt)
ON CONFLICT (name) DO UPDATE SET expiresAt = max(expiresAt, excluded.expiresAt)`

const IS_MARKED = 'SELECT 1 AS found FROM marks WHERE name = @name AND expiresAt > @now'

const PRUNE = `
DELETE FROM tokens WHERE name IN (SELECT name FROM tokens WHERE expiresAt <= @now LIMIT @limit)`

const PRUNE_MARKS = `
DELETE FROM marks WHERE name IN (SELECT name FROM marks WHERE expiresAt <= @now LIMIT @limit)`

/** A token as it is stored. */
export interface TokenRow {
  readonly family: string
  readonly subject: string
  readonly data: string
  readonly expiresAt: number
  readonly consumedAt: number | null
  readonly successor: string | null
}

type Values = Readonly<Record<string, string | number | null>>

/** Dead rows that each write takes away. */
const PRUNED_PER_WRITE = 4

/** Tokens and marks (refused families, revoked ids) in a SQLite file. Each method is one transaction. */
export class TokenDatabase {
  readonly #database: Database.Database
  readonly #statements = new Map<string, Database.Statement>()

  constructor(file: string, busyTimeoutMs: number) {
    this.#database = new Database(file, { timeout: busyTimeoutMs })
    this.#database.pragma('journal_mode = WAL')
    this.#database.pragma('synchronous = NORMAL')
    this.#database.exec(SCHEMA)
  }

  /** @param graceMs How long an expired row is still of use, ms. */
  put(name: TokenName, token: CheckedToken, now: number, graceMs: number, onlyAbsent: boolean): boolean {
    const [realmId] = name
    const { family, subject, data, expiresAt } = token
    return this.#atomically(() => {
      this.#change(PRUNE, { now: now - graceMs, limit: PRUNED_PER_WRITE })
      const stored = this.#change(PUT, {
        name: textOf(...name),
        realm: textOf(realmId),
        family: family === '' ? '' : textOf(realmId, family),
        subject: subject === '' ? '' : textOf(realmId, subject),
        refused: textOf(realmId, 'family', family),
        data,
        expiresAt,
        now,
        onlyAbsent: onlyAbsent ? 1 : 0,
      })
      return stored === 1
    })
  }

  find(name: TokenName): TokenRow | undefined {
    const [row] = this.#rows(FIND, { name: textOf(...name) }) as TokenRow[]
    return (
      row && {
        ...row,
        family: partOf(row.family),
        subject: partOf(row.subject),
        successor: partOf(row.successor ?? ''),
      }
    )
  }

  replace(name: TokenName, data: string, now: number): boolean {
    return this.#change(REPLACE, { name: textOf(...name), data, now }) === 1
  }

  /** Whether this attempt consumed the token, and the token after it. */
  consume(
    name: TokenName,
    { attempt, graceUntil, successor }: CheckedConsume,
    now: number,
  ): { readonly consumed: boolean; readonly row: TokenRow | undefined } {
    const values = {
      name: textOf(...name),
      attempt: attempt === '' ? '' : textOf(attempt),
      graceUntil: graceUntil || null,
      successor: successor === '' ? '' : textOf(successor),
      now,
    }
    return this.#atomically(() => ({
      consumed: this.#change(CONSUME, values) === 1,
      row: this.find(name),
    }))
  }

  /** Whether there was one that had not expired. */
  remove(name: TokenName, now: number): boolean {
    const [removed] = this.#rows(REMOVE, { name: textOf(...name) }) as { expiresAt: number }[]
    return removed !== undefined && removed.expiresAt > now
  }

  /**
   * Withdraws what was not consumed, and refuses what comes until then and while what was consumed lives.
   *
   * @returns how many could be consumed
   */
  revokeFamily(realmId: string, family: string, now: number, until: number): number {
    return this.#atomically(() => {
      this.#change(PRUNE_MARKS, { now, limit: PRUNED_PER_WRITE })
      const withdrawn = this.#withdraw('family', textOf(realmId, family), now)
      const [left] = this.#rows(LONGEST, { family: textOf(realmId, family) }) as {
        expiresAt: number | null
      }[]
      const expiresAt = Math.max(until, left?.expiresAt ?? 0)
      this.#change(MARK, { name: textOf(realmId, 'family', family), realm: textOf(realmId), expiresAt })
      return withdrawn
    })
  }

  removeBySubject(realmId: string, subject: string, now: number): number {
    return this.#atomically(() => this.#withdraw('subject', textOf(realmId, subject), now))
  }

  removeByRealm(realmId: string, now: number): number {
    const realm = textOf(realmId)
    return this.#atomically(() => {
      const withdrawn = this.#withdraw('realm', realm, now)
      this.#change('DELETE FROM tokens WHERE realm = @realm', { realm })
      this.#change('DELETE FROM marks WHERE realm = @realm', { realm })
      return withdrawn
    })
  }

  revoke(realmId: string, tokenId: string, expiresAt: number, now: number): void {
    this.#atomically(() => {
      this.#change(PRUNE_MARKS, { now, limit: PRUNED_PER_WRITE })
      this.#change(MARK, { name: textOf(realmId, 'token', tokenId), realm: textOf(realmId), expiresAt })
    })
  }

  isRevoked(realmId: string, tokenId: string, now: number): boolean {
    return this.#rows(IS_MARKED, { name: textOf(realmId, 'token', tokenId), now }).length === 1
  }

  ping(): void {
    this.#rows('SELECT 1', {})
  }

  close(): void {
    this.#database.close()
  }

  #withdraw(column: 'realm' | 'family' | 'subject', value: string, now: number): number {
    const which = `${column} = @value AND consumedAt IS NULL`
    const [row] = this.#rows(`SELECT count(*) AS count FROM tokens WHERE ${which} AND expiresAt > @now`, {
      value,
      now,
    }) as { count: number }[]
    this.#change(`DELETE FROM tokens WHERE ${which}`, { value })
    return row?.count ?? 0
  }

  // Never get(): after all() of the same statement, libsql 0.5 answers it with the row before.
  #rows(sql: string, values: Values): unknown[] {
    return this.#guarded(() => this.#statement(sql).all(values))
  }

  #change(sql: string, values: Values): number {
    return this.#guarded(() => this.#statement(sql).run(values).changes)
  }

  /** Runs in one transaction that nobody else's write comes between. */
  #atomically<T>(work: () => T): T {
    return this.#guarded(() => this.#database.transaction(work).immediate() as T)
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
      if (error instanceof StoreUnavailableError) throw error
      const { code = '' } = error as { code?: string }
      // A transaction that fails is rolled back; only a disk that fails while it commits leaves a doubt.
      const applied = code.startsWith('SQLITE_IOERR') ? 'unknown' : 'no'
      throw new StoreUnavailableError(`action-token: SQLite failed (${code})`, { cause: error, applied })
    }
  }
}

/** Realm, kind and key of a token. */
export type TokenName = readonly [realmId: string, kind: string, key: string]

/** Names as one text: no separator makes two of them one, and none holds the NUL at which SQLite would cut it. */
const textOf = (...parts: string[]): string => JSON.stringify(parts)

/** The name within a realm that {@link textOf} made a text of; `''` for none. */
const partOf = (text: string): string => (text === '' ? '' : ((JSON.parse(text) as string[]).at(-1) ?? ''))
