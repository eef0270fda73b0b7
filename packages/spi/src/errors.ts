import { assertOneOf } from './assert.js'
import { ERRORS_ADDRESS } from './docs-address.js'
import { assertOptions, type Known } from './known.js'

/** Every code a {@link ProviderError} can carry. Codes are stable; messages are not. */
export type ProviderErrorCode =
  | 'ERR_PROVIDER_CONFIGURATION'
  | 'ERR_PROVIDER_CLOSED'
  | 'ERR_STORE_UNAVAILABLE'
  | 'ERR_STORE_CORRUPT'
  | 'ERR_CONFLICT'
  | 'ERR_LOADER_TIMEOUT'
  | 'ERR_INCOMPLETE'
  | 'ERR_CROSS_SITE'
  | 'ERR_SITE_UNAVAILABLE'

// An application may load this module twice (ESM and CJS): the brand is what both copies agree on.
const brand = Symbol.for('authstate.error')

/**
 * Base of every run-time failure of this library.
 *
 * Misuse by the caller (a wrong argument) is a plain `TypeError` or `RangeError` instead: a bug to mend, not a
 * condition to handle. Messages never contain ids, keys, tokens or stored values. `instanceof` holds across
 * copies of this package, so ESM and CJS can be mixed.
 */
export abstract class ProviderError extends Error {
  abstract readonly code: ProviderErrorCode
  /** Address of the page about this code: the cause, whether the call may be repeated, and what to do. */
  readonly docs: string
  readonly [brand] = true

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.docs = ERRORS_ADDRESS + (new.target.code ?? '')
  }

  static code?: ProviderErrorCode

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isProviderError(value) && (this.code === undefined || value.code === this.code)
  }
}

/** Whether a caught value is one of ours, from whichever copy of this package. */
export function isProviderError(value: unknown): value is ProviderError {
  return typeof value === 'object' && value !== null && brand in value
}

// Codes are spelled twice: a class that names itself is renamed by the bundler, and `name` with it.

/** The configuration cannot work. Raised at start-up; says where, what is known and what was probably meant. */
export class ConfigurationError extends ProviderError {
  static override readonly code = 'ERR_PROVIDER_CONFIGURATION'
  readonly code = 'ERR_PROVIDER_CONFIGURATION'
}

/** The provider, the connection or the registry was used after `close()`. */
export class ProviderClosedError extends ProviderError {
  static override readonly code = 'ERR_PROVIDER_CLOSED'
  readonly code = 'ERR_PROVIDER_CLOSED'
}

/** What a {@link StoreUnavailableError} is made with. */
export interface StoreUnavailableOptions extends ErrorOptions {
  readonly applied: 'no' | 'unknown'
}

const STORE_UNAVAILABLE: Known<StoreUnavailableOptions> = { cause: true, applied: true }

/** The store did not answer, or refused. */
export class StoreUnavailableError extends ProviderError {
  static override readonly code = 'ERR_STORE_UNAVAILABLE'
  readonly code = 'ERR_STORE_UNAVAILABLE'

  /** Whether a write may have been applied: `'no'` is safe to retry, `'unknown'` only where the verb says so. */
  readonly applied: 'no' | 'unknown'

  constructor(message: string, options: StoreUnavailableOptions) {
    super(message, options)
    assertOptions<StoreUnavailableOptions>(options, 'options', STORE_UNAVAILABLE)
    assertOneOf(options.applied, 'applied', ['no', 'unknown'])
    this.applied = options.applied
  }
}

/** The store holds something of a foreign type under one of our keys. Unreadable records are absent instead. */
export class StoreCorruptError extends ProviderError {
  static override readonly code = 'ERR_STORE_CORRUPT'
  readonly code = 'ERR_STORE_CORRUPT'
}

/**
 * Somebody else has what the call asked for, and the caller did not say what to do then: a lock that was not free in time, a
 * lock that the same session may not hold as well, a session beyond a limit.
 */
export class ConflictError extends ProviderError {
  static override readonly code = 'ERR_CONFLICT'
  readonly code = 'ERR_CONFLICT'
}

/**
 * A function of the application that loads values was too slow. The store is not to blame and was not asked; look at what the
 * loader reads from.
 */
export class LoaderTimeoutError extends ProviderError {
  static override readonly code = 'ERR_LOADER_TIMEOUT'
  readonly code = 'ERR_LOADER_TIMEOUT'
}

/**
 * A verb that asks several services was not done by all of them. Those that are not named in `failures` are done. The verb is
 * safe to repeat: repeat it until it resolves.
 */
export class IncompleteError extends ProviderError {
  static override readonly code = 'ERR_INCOMPLETE'
  readonly code = 'ERR_INCOMPLETE'

  /** The error of each service that failed, by its name, such as `'user-session'`. */
  readonly failures: Readonly<Record<string, unknown>>

  /** @param failures by name of the service; at least one. A single one is the `cause`, of several an `AggregateError` is. */
  constructor(failures: Readonly<Record<string, unknown>>) {
    const errors = Object.values(failures)
    const message = `not done by ${Object.keys(failures).join(', ')}; the other services are done, and it is safe to repeat`
    super(message, { cause: errors.length === 1 ? errors[0] : new AggregateError(errors, message) })
    this.failures = failures
  }
}
