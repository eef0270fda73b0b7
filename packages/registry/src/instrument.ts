import { channel } from 'node:diagnostics_channel'
import { isProviderError, type Logger, type Provider, type ProviderErrorCode } from '@authstate/spi'
import { isError, isPromiseLike, timers } from '@authstate/spi/internal'

/** Name of the `node:diagnostics_channel` channel on which every call of a provider is published. */
export const CALL_CHANNEL = 'authstate:call'

/** How a call ended: well, with a failure of this library, with the caller's misuse, or with anything else. */
export type ProviderCallOutcome = 'ok' | ProviderErrorCode | 'TypeError' | 'RangeError' | 'error'

/** One finished call of a provider's public method. Never holds arguments, results or ids. */
export interface ProviderCall {
  /** Name of the SPI: `'user-session'`. */
  readonly spi: string
  /** Id of the provider: `'redis'`. */
  readonly provider: string
  /** Name of the method. */
  readonly verb: string
  /** From the call to its return, or to the settling of its promise. */
  readonly durationMs: number
  readonly outcome: ProviderCallOutcome
}

/** Receives every {@link ProviderCall}. What it throws is logged once and reaches no caller. */
export type InstrumentHook = (call: ProviderCall) => void

type Method = (...args: unknown[]) => unknown

const calls = channel(CALL_CHANNEL)
const NOT_COUNTED: ReadonlySet<PropertyKey> = new Set(['close', 'checkHealth'])

/** Says who listens, and tells them. */
export interface Observer {
  active(): boolean
  tell(call: ProviderCall): void
}

export function createObserver(hook: InstrumentHook | undefined, logger: Logger): Observer {
  let reported = false
  const report = (): void => {
    if (reported) return
    reported = true
    logger.error({}, 'the instrument hook failed; later failures of it are not logged')
  }
  return {
    active: hook === undefined ? () => calls.hasSubscribers : () => true,
    tell(call) {
      if (calls.hasSubscribers) calls.publish(call)
      try {
        // A hook written as an async function fails through its promise.
        const returned: unknown = hook?.(call)
        if (isPromiseLike(returned)) returned.then(undefined, report)
      } catch {
        report()
      }
    },
  }
}

/**
 * A stand-in that forwards everything to `provider` and tells the observer of its method calls.
 *
 * The methods run on the provider itself, because `#private` fields know nothing of stand-ins.
 */
export function observe<P extends Provider>(provider: P, spi: string, id: string, observer: Observer): P {
  const standIn = {}
  const target = provider as unknown as Record<PropertyKey, unknown>
  for (const [key, isMethod] of members(provider)) {
    const counted = typeof key === 'string' && !NOT_COUNTED.has(key)
    Object.defineProperty(standIn, key, {
      enumerable: typeof key === 'string',
      ...(isMethod
        ? { value: counted ? observed(target, key, spi, id, observer) : forwarded(target, key) }
        : { get: () => target[key] }),
    })
  }
  return standIn as P
}

/** Own and inherited members, nearest first, with whether each is a method. */
function members(provider: object): Map<PropertyKey, boolean> {
  const found = new Map<PropertyKey, boolean>()
  for (let level = provider; level && level !== Object.prototype; level = Object.getPrototypeOf(level)) {
    for (const key of Reflect.ownKeys(level)) {
      if (key === 'constructor' || found.has(key)) continue
      found.set(key, typeof Object.getOwnPropertyDescriptor(level, key)?.value === 'function')
    }
  }
  return found
}

function forwarded(target: Record<PropertyKey, unknown>, key: PropertyKey): Method {
  return (...args) => (target[key] as Method)(...args)
}

function observed(
  target: Record<PropertyKey, unknown>,
  verb: string,
  spi: string,
  provider: string,
  observer: Observer,
): Method {
  return (...args) => {
    if (!observer.active()) return (target[verb] as Method)(...args)
    const startedAt = timers.monotonicMs()
    const tell = (outcome: ProviderCallOutcome): void => {
      observer.tell({ spi, provider, verb, durationMs: timers.monotonicMs() - startedAt, outcome })
    }
    let result: unknown
    try {
      result = (target[verb] as Method)(...args)
    } catch (error) {
      tell(outcomeOf(error))
      throw error
    }
    if (!isPromiseLike(result)) {
      tell('ok')
      return result
    }
    // The caller gets the promise that follows, so that a rejection nobody handles is still seen as one.
    return result.then(
      (value) => {
        tell('ok')
        return value
      },
      (error) => {
        tell(outcomeOf(error))
        throw error
      },
    )
  }
}

function outcomeOf(error: unknown): ProviderCallOutcome {
  if (isProviderError(error)) return error.code
  if (!isError(error)) return 'error'
  if (error instanceof TypeError || error.name === 'TypeError') return 'TypeError'
  return error instanceof RangeError || error.name === 'RangeError' ? 'RangeError' : 'error'
}
