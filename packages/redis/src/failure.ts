import { ProviderClosedError, StoreCorruptError, StoreUnavailableError } from '@authstate/spi'
import { isError } from '@authstate/spi/internal'
import { concealError } from './conceal.js'
import { DeadlineExceeded } from './deadline.js'
import { wasNeverSent } from './outgoing.js'
import { missingRight } from './rights.js'

// Codes stand at the start of a message, or behind what Redis 6 or a Cluster client put before them.
const coded = (codes: string) => new RegExp(`(?:^-?|: -?)(${codes})\\b`)

/** What Redis answers when it refuses a command before anything of it is executed. */
const REFUSAL = coded(
  'READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|CROSSSLOT|OOM|NOREPLICAS|MISCONF|BUSY|' +
    'NOAUTH|NOPERM|WRONGPASS|DENIED|NOSCRIPT|NOPROTO',
)
const FOREIGN_TYPE = coded('WRONGTYPE')
const NO_CONNECTION = /enableOfflineQueue|^None of startup nodes|^Failed to refresh slots/

/** Raised when a write was made, and it is not certain that enough replicas have it. */
export class Unconfirmed extends Error {
  constructor(problem: string, options?: ErrorOptions) {
    super(problem, options)
    this.name = 'Unconfirmed'
  }
}

/**
 * Turns what a Redis client threw into an error of this library.
 *
 * @param operation SPI and verb, for the message: `'action-token.consume'`.
 * @param mayRepeat The client sends a command again when its connection breaks: a refusal says nothing of the first try.
 * @returns {StoreUnavailableError} with `applied: 'no'` when Redis did nothing for certain, else `'unknown'`;
 *   {StoreCorruptError} when a key holds a foreign type.
 */
export function storeFailure(operation: string, error: unknown, mayRepeat = false): Error {
  const cause = concealError(error)
  const message = isError(cause) ? cause.message : ''
  if (FOREIGN_TYPE.test(message)) {
    return new StoreCorruptError(`${operation}: a key of this library holds another type of value`, { cause })
  }
  if (wasNeverSent(error) || NO_CONNECTION.test(message)) return notConnected(operation, cause)
  if (cause instanceof DeadlineExceeded) {
    return new StoreUnavailableError(`${operation}: Redis gave ${message}`, { cause, applied: 'unknown' })
  }
  if (cause instanceof Unconfirmed) {
    return new StoreUnavailableError(`${operation}: Redis did it, but ${message}`, {
      cause,
      applied: 'unknown',
    })
  }
  const right = missingRight(cause)
  if (right !== undefined) {
    // A script has done what stands before the command that was refused.
    const applied = mayRepeat || !message.startsWith('NOPERM') ? 'unknown' : 'no'
    return new StoreUnavailableError(`${operation}: Redis refused the command (NOPERM): ${right}`, {
      cause,
      applied,
    })
  }
  const refusal = refusalOf(message)
  return refusal === undefined
    ? new StoreUnavailableError(`${operation}: Redis did not complete the command`, {
        cause,
        applied: 'unknown',
      })
    : new StoreUnavailableError(`${operation}: Redis refused the command (${refusal})`, {
        cause,
        applied: mayRepeat ? 'unknown' : 'no',
      })
}

/** The command was not sent: there was no server to send it to. */
export function notConnected(operation: string, cause?: unknown): StoreUnavailableError {
  return new StoreUnavailableError(`${operation}: there is no connection to Redis`, {
    ...(cause !== undefined && { cause }),
    applied: 'no',
  })
}

/** The code with which Redis refused to execute something, from a message of whatever version. */
export function refusalOf(message: string): string | undefined {
  return REFUSAL.exec(message)?.[1]
}

/** The code of what Redis answered instead of a reply, one of a closed list; `undefined`: it answered none of them. */
export function replyCodeOf(error: unknown): string | undefined {
  if (!isError(error)) return undefined
  if (missingRight(error) !== undefined) return 'NOPERM'
  return refusalOf(error.message) ?? FOREIGN_TYPE.exec(error.message)?.[1]
}

/** Why Redis refused something, for code that reads on a connection of its own; `undefined`: it did not refuse. */
export function refusalText(error: unknown): string | undefined {
  const right = missingRight(error)
  if (right !== undefined) return right
  const refusal = error instanceof Error ? refusalOf(error.message) : undefined
  return refusal && `Redis refuses it (${refusal})`
}

/** Whether Redis does not have the source of a script: after a restart, a failover or SCRIPT FLUSH. */
export function isScriptMissing(error: unknown): boolean {
  return isError(error) && error.message.startsWith('NOSCRIPT')
}

/** Why a connection failed, in a word: a code of the system or of Redis, else what its client says. */
export function reasonOf(error: unknown): string {
  const { lastNodeError } = error as { lastNodeError?: unknown }
  if (isError(lastNodeError)) return reasonOf(lastNodeError)
  const { code, message } = error as Error & { code?: unknown }
  if (typeof code === 'string') return code
  return /^[A-Z]{4,}\b/.exec(message)?.[0] ?? message
}

/** Of a verb that comes after the end. */
export const closedFor = (operation: string): ProviderClosedError =>
  new ProviderClosedError(`${operation}: the connection to Redis is closed`)
