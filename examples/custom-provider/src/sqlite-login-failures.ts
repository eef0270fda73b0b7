import { type LoginFailureProvider, loginFailureSpi } from '@authstate/login-failure'
import {
  applyFailure,
  attemptsLeft,
  decideSuccess,
  endOfLock,
  expiryOf,
  type FailureState,
  type FailureStore,
  isLocked,
  LoginFailures,
  lockPosition,
  loginFailureConfig,
  MOST_DECOYS,
  mortalExpiryOf,
  NO_FAILURES,
  type Policies,
  type Policy,
  type Reservation,
  type ReservationOutcome,
  type StoredFailure,
  type StoredLock,
  type StoredSuccess,
  type Subject,
} from '@authstate/login-failure/store'
import {
  type CheckedPage,
  comparePositions,
  FirstPositions,
  type PagePosition,
  type ProviderFactory,
} from '@authstate/spi'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import {
  nameIn,
  SqliteFile,
  type SqliteOptions,
  type SqliteSection,
  sqliteProperties,
  textOf,
} from './sqlite.js'

const config = v.strictObject({ ...loginFailureConfig.entries, ...sqliteProperties })

declare module 'authstate' {
  /** So that `createAuthState` knows the properties. */
  interface PluginProviders {
    'login-failure/sqlite': SqliteSection
  }
}

/** Counts failures in a SQLite file: locks survive a restart, and the processes of one machine count together. */
export function sqliteLoginFailures(): ProviderFactory<LoginFailureProvider, v.InferOutput<typeof config>> {
  return {
    spi: loginFailureSpi,
    id: 'sqlite',
    config: toStandardJsonSchema(config),
    create: (context, properties) => new LoginFailures(context, properties, new SqliteFailures(properties)),
  }
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS failures (
  name TEXT PRIMARY KEY, realm TEXT NOT NULL, rule TEXT NOT NULL, state TEXT NOT NULL, expiresAt INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS failuresByRealm ON failures (realm);
CREATE INDEX IF NOT EXISTS failuresByEnd ON failures (expiresAt);
CREATE INDEX IF NOT EXISTS failuresByRule ON failures (rule, expiresAt);
CREATE TABLE IF NOT EXISTS attempts (
  subject TEXT NOT NULL, attempt TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (subject, attempt)
) STRICT;
CREATE INDEX IF NOT EXISTS attemptsByEnd ON attempts (until);
`

const LOAD = 'SELECT state FROM failures WHERE name = @name AND expiresAt > @now'

const STORE = `
INSERT OR REPLACE INTO failures (name, realm, rule, state, expiresAt)
VALUES (@name, @realm, @rule, @state, @expiresAt)`

/** By the settings of now one of them may be locked. */
const EVER_LOCKED = `
SELECT * FROM failures WHERE realm = @realm AND expiresAt > @now AND rule <> 'decoy' AND (
  state ->> 'lockedUntil' > @now OR state ->> 'permanentlyLockedAt' > 0 OR state ->> 'numTemporaryLockouts' > 0)`

const FORGET_DECOYS = `
DELETE FROM failures WHERE name IN (
  SELECT name FROM failures WHERE rule = 'decoy' ORDER BY expiresAt DESC LIMIT -1 OFFSET ${MOST_DECOYS})`

interface Row {
  readonly name: string
  readonly rule: Rule
  /** A {@link FailureState} as JSON. */
  readonly state: string
  readonly expiresAt: number
}

type Rule = Subject['rule'] | 'decoy'

class SqliteFailures implements FailureStore {
  readonly #file: SqliteFile

  constructor(options: SqliteOptions) {
    this.#file = new SqliteFile(loginFailureSpi.name, options, SCHEMA)
  }

  async load(subject: Subject, now: number) {
    return this.#load(subject, now)
  }

  async fail(subject: Subject, policy: Policy, failure: StoredFailure) {
    const { now, attempt } = failure
    return this.#file.step(() => {
      this.#release(subject, attempt)
      const step = applyFailure(this.#load(subject, now) ?? NO_FAILURES, policy, failure)
      if (!step.counted) return step
      const state = subject.decoy
        ? { ...step.state, expiresAt: mortalExpiryOf(step.state, policy) }
        : step.state
      this.#store(subject, state, now)
      return { ...step, state }
    })
  }

  async succeed(subject: Subject, policy: Policy, success: StoredSuccess) {
    const { now, attempt } = success
    return this.#file.step(() => {
      this.#release(subject, attempt)
      const result = decideSuccess(this.#load(subject, now), policy, success)
      if (result.outcome === 'locked' || result.before === undefined) return result
      if (result.after === undefined) this.#remove(keyOf(subject))
      else this.#store(subject, result.after, now)
      return result
    })
  }

  async reserve(
    subject: Subject,
    policy: Policy,
    { now, lapsedAt, attempt, leaseMs, secondary }: Reservation,
  ): Promise<ReservationOutcome> {
    const key = keyOf(subject)
    return this.#file.step(() => {
      const state = this.#load(subject, now) ?? NO_FAILURES
      const left = attemptsLeft(state, policy, now, secondary)
      if (left === 0) return { outcome: 'locked', state }
      const sql = 'SELECT count(*) AS count FROM attempts WHERE subject = @key AND until > @lapsedAt'
      const [reserved] = this.#file.rows<{ count: number }>(sql, { key, lapsedAt })
      if (reserved !== undefined && reserved.count >= left) return { outcome: 'busy' }
      this.#file.prune('attempts', 'until', lapsedAt)
      const values = { key, attempt, until: now + leaseMs }
      this.#file.change('INSERT OR REPLACE INTO attempts VALUES (@key, @attempt, @until)', values)
      return { outcome: 'reserved' }
    })
  }

  async release(subject: Subject, attempt: string) {
    this.#release(subject, attempt)
  }

  async listLocked(realmId: string, policies: Policies, { limit, after }: CheckedPage, now: number) {
    const rows = this.#file.rows<Row>(EVER_LOCKED, { realm: textOf(realmId), now })
    const first = new FirstPositions<PagePosition & StoredLock>(limit + 1)
    for (const { name, rule, state: text } of rows) {
      const policy = rule === 'decoy' ? undefined : policies[rule]
      const state: FailureState = JSON.parse(text)
      if (rule === 'decoy' || policy === undefined || !isLocked(state, policy, now)) continue
      const subject = { realmId, rule, id: nameIn(name) }
      const position = lockPosition(rule, subject.id, endOfLock(state, policy))
      if (comparePositions(position, after) > 0) first.add({ ...position, subject, state })
    }
    const found = first.inOrder()
    const items = found.slice(0, limit)
    return { items, end: found.length > limit ? items.at(-1) : undefined }
  }

  async remove(subject: Subject, now: number) {
    return this.#file.step(() => {
      const state = this.#load(subject, now)
      this.#remove(keyOf(subject))
      return state
    })
  }

  async removeRealm(realmId: string, now: number) {
    const sql = 'DELETE FROM failures WHERE realm = @realm RETURNING rule, expiresAt'
    const removed = this.#file.rows<Row>(sql, { realm: textOf(realmId) })
    return removed.filter(({ rule, expiresAt }) => rule !== 'decoy' && expiresAt > now).length
  }

  async applyPolicies(realmId: string, policies: Policies, now: number) {
    const realm = textOf(realmId)
    return this.#file.step(() => {
      this.#file.change("DELETE FROM failures WHERE realm = @realm AND rule = 'decoy'", { realm })
      const sql = 'SELECT * FROM failures WHERE realm = @realm AND expiresAt > @now'
      let [updated, removed] = [0, 0]
      for (const { name, rule, state: text, expiresAt: before } of this.#file.rows<Row>(sql, {
        realm,
        now,
      })) {
        const policy = rule === 'decoy' ? undefined : policies[rule]
        const state: FailureState = JSON.parse(text)
        const expiresAt = policy === undefined ? 0 : expiryOf(state, policy)
        if (expiresAt <= now) {
          this.#remove(name)
          removed += 1
        } else if (expiresAt !== before) {
          this.#write(name, realm, rule, { ...state, expiresAt })
          updated += 1
        }
      }
      return { updated, removed }
    })
  }

  async checkHealth() {
    this.#file.rows('SELECT 1')
  }

  async close() {
    this.#file.close()
  }

  #load(subject: Subject, now: number): FailureState | undefined {
    const [row] = this.#file.rows<Row>(LOAD, { name: keyOf(subject), now })
    return row && JSON.parse(row.state)
  }

  #store(subject: Subject, state: FailureState, now: number): void {
    this.#file.prune('failures', 'expiresAt', now)
    if (state.expiresAt <= now) this.#remove(keyOf(subject))
    else this.#write(keyOf(subject), textOf(subject.realmId), ruleOf(subject), state)
    if (subject.decoy) this.#file.change(FORGET_DECOYS, {})
  }

  #write(name: string, realm: string, rule: Rule, state: FailureState): void {
    this.#file.change(STORE, { name, realm, rule, state: JSON.stringify(state), expiresAt: state.expiresAt })
  }

  #remove(name: string): void {
    this.#file.change('DELETE FROM failures WHERE name = @name', { name })
  }

  #release(subject: Subject, attempt: string): void {
    if (attempt === '') return
    const values = { key: keyOf(subject), attempt }
    this.#file.change('DELETE FROM attempts WHERE subject = @key AND attempt = @attempt', values)
  }
}

const ruleOf = ({ rule, decoy }: Subject): Rule => (decoy ? 'decoy' : rule)

const keyOf = (subject: Subject): string => textOf(subject.realmId, ruleOf(subject), subject.id)
