import { assertName, assertOptions, type Known, type Page, type PageOptions } from '@authstate/spi'
import { type AuthState, loginFailureSpi } from 'authstate'
import type { Explanation, LockedOut, LoginFailure } from 'authstate/login-failure'
import type { Recorder } from './audit.js'
import { DEFAULT_LIMIT } from './paging.js'

/** Whose failures: those of a user, or those of the network that an address belongs to. */
export type FailureSubject = { readonly userId: string } | { readonly ip: string }

/** What is known of the failures of somebody. */
export interface FailureView {
  /** Absent when there is no record. */
  readonly record?: LoginFailure
  /** Why an attempt would be refused or allowed now, of a user. */
  readonly explanation?: Explanation
}

/** Login failures and lock-outs. */
export interface FailureOperations {
  /**
   * Users and networks that are locked out now, in the order in which their locks end: a page of 50
   * or `limit` (1 to 100) at a time.
   *
   * @throws {TypeError | RangeError} an argument cannot be; names it
   */
  locked(realmId: string, page?: PageOptions): Promise<Page<LockedOut>>

  /**
   * What is known, and for a user why an attempt would be refused or allowed now, in sentences. Changes nothing.
   *
   * @throws {TypeError} an argument cannot be; names it
   */
  show(realmId: string, subject: FailureSubject): Promise<FailureView>

  /**
   * Forgets failures and ends any lock, permanent ones too. Safe to repeat.
   *
   * @returns whether there was a record
   */
  clear(realmId: string, subject: FailureSubject): Promise<boolean>

  /** {@link clear} for every user and address of a realm. @returns how many records there were */
  clearAll(realmId: string): Promise<number>
}

const SUBJECT: Known<{ userId?: string; ip?: string }> = { userId: true, ip: true }

/** Login failures of a state. */
export function failureOperations(state: AuthState, recorder: Recorder): FailureOperations {
  const failures = () => state.get(loginFailureSpi)
  return {
    async locked(realmId, page = {}) {
      assertName(realmId, 'realmId')
      return failures().listLocked(realmId, { limit: DEFAULT_LIMIT, ...page })
    },
    async show(realmId, subject) {
      assertName(realmId, 'realmId')
      assertSubject(subject)
      if ('ip' in subject) {
        const record = await failures().getAddress(realmId, subject.ip)
        return record === undefined ? {} : { record }
      }
      const [record, explanation] = await Promise.all([
        failures().get(realmId, subject.userId),
        failures().explain(realmId, subject.userId),
      ])
      return { ...(record !== undefined && { record }), explanation }
    },
    async clear(realmId, subject) {
      assertName(realmId, 'realmId')
      assertSubject(subject)
      const isNetwork = 'ip' in subject
      const record = isNetwork
        ? { kind: 'network' as const, id: subject.ip }
        : { kind: 'user' as const, id: subject.userId }
      return recorder.act(
        { event: 'failures.clear', realm: realmId, records: [record] },
        () =>
          isNetwork
            ? failures().clearAddress(realmId, subject.ip)
            : failures().clear(realmId, subject.userId),
        (wasThere) => ({ count: Number(wasThere) }),
      )
    },
    async clearAll(realmId) {
      assertName(realmId, 'realmId')
      const action = { event: 'failures.clear', realm: realmId, details: { all: true } }
      return recorder.counted(action, () => failures().removeByRealm(realmId))
    },
  }
}

function assertSubject(subject: unknown): asserts subject is FailureSubject {
  assertOptions(subject, 'subject', SUBJECT)
  const given = Object.entries(subject).filter(([, value]) => value !== undefined)
  const [[name, value] = []] = given
  if (given.length !== 1) throw new TypeError('"subject" must have "userId" or "ip", one of them')
  assertName(value, `subject.${name}`)
}
