import { StoreCorruptError, StoreUnavailableError } from '@authstate/spi'
import { concealError } from './conceal.js'
import { DeadlineExceeded } from './deadline.js'

/** What Redis answers, or ioredis says, when it refused a command before anything was executed. */
const NOT_APPLIED =
  /(?:^|[\s:]-)(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|OOM|NOREPLICAS|MISCONF|NOAUTH|NOPERM|WRONGPASS|BUSY|CROSSSLOT|NOSCRIPT|NOPROTO)\b/
const NEVER_SENT = /enableOfflineQueue|None of startup nodes|Failed to refresh slots/
const FOREIGN_TYPE = /(?:^|[\s:]-)WRONGTYPE\b/

/**
 * Turns what a Redis client threw into an error of this library.
 *
 * @param operation Name of the script, for the message: `'action-token.consume'`.
 * @returns {StoreUnavailableError} with `applied: 'no'` when Redis said that it did nothing, else `'unknown'`;
 *   {StoreCorruptError} when a key holds a foreign type.
 */
export function storeFailure(operation: string, error: unknown): Error {
  const cause = concealError(error)
  const message = cause instanceof Error ? cause.message : ''
  if (FOREIGN_TYPE.test(message)) {
    return new StoreCorruptError(`${operation}: a key of this library holds another type of value`, { cause })
  }
  if (cause instanceof DeadlineExceeded) {
    return new StoreUnavailableError(`${operation}: Redis gave ${cause.message}`, {
      cause,
      applied: 'unknown',
    })
  }
  const refusal = NOT_APPLIED.exec(message)?.[1]
  if (refusal !== undefined) {
    return new StoreUnavailableError(`${operation}: Redis refused the command (${refusal})`, {
      cause,
      applied: 'no',
    })
  }
  if (NEVER_SENT.test(message)) {
    return new StoreUnavailableError(`${operation}: there is no connection to Redis`, {
      cause,
      applied: 'no',
    })
  }
  return new StoreUnavailableError(`${operation}: Redis did not complete the command`, {
    cause,
    applied: 'unknown',
  })
}

/** Whether Redis does not have the source of a script: after a restart, a failover or SCRIPT FLUSH. */
export function isScriptMissing(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}
