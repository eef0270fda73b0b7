import { channel, tracingChannel } from 'node:diagnostics_channel'
import {
  isProviderError,
  type Logger,
  type NodeIdentity,
  type Provider,
  type ProviderAnswer,
  type ProviderErrorCode,
} from '@authstate/spi'
import { type Around, answerOf, isError, isPromiseLike, runAround, timers } from '@authstate/spi/internal'

/**
 * Name of the `node:diagnostics_channel` channel on which every finished call of a provider is published.
 *
 * If you also need the start of a call, use the tracing channel of the same name:
 * `tracingChannel('authstate:call')`. Its messages are {@link StartedCall}.
 */
export const CALL_CHANNEL = 'authstate:call'

/** How a call ended: well, with a failure of this library, with the caller's misuse, or with anything else. */
export type ProviderCallOutcome = 'ok' | ProviderErrorCode | 'TypeError' | 'RangeError' | 'error'

/** One finished call of a provider's public method. Never holds arguments, results, ids or errors. */
export interface ProviderCall {
  /** Name of the SPI: `'user-session'`. */
  readonly spi: string
  /** Id of the provider: `'redis'`. */
  readonly provider: string
  /** Name of the method. */
  readonly verb: string
  /** The node that was called, the very object of `describe().node`: a process may have several. */
  readonly node: NodeIdentity
  /** From the call to its return, or to the settling of its promise. */
  readonly durationMs: number
  readonly outcome: ProviderCallOutcome
  /** The word that the verb answered, where it answered one. Never any other text. */
  readonly answer?: ProviderAnswer
  /** `true`: a method that answers at once, out of this process's memory. */
  readonly sync?: true
}

/**
 * A call on the tracing channel: one object from its start to its end. What tells how it ended is there once it has: at `end` of a
 * method that answers at once, at `asyncEnd` of any other.
 */
export type StartedCall = Pick<ProviderCall, 'spi' | 'provider' | 'verb' | 'node'> &
  Partial<Omit<ProviderCall, 'spi' | 'provider' | 'verb' | 'node'>> & {
    /**
     * A subscriber of `start` sets it to run the call in a context, such as that of a span. It
     * calls `run` at once and returns its result. If another subscriber has set it already, call
     * that one inside of yours.
     */
    around?: Around
  }

/** Receives every {@link ProviderCall}. What it throws is logged once and reaches no caller. */
export type InstrumentHook = (call: ProviderCall) => void

type Method = (...args: unknown[]) => unknown
type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

const calls = channel(CALL_CHANNEL)
const tracing = tracingChannel<unknown, StartedCall>(CALL_CHANNEL)
const NOT_COUNTED: ReadonlySet<PropertyKey> = new Set(['close', 'checkHealth'])

/** Says who listens, and tells them. */
export interface Observer {
  readonly node: NodeIdentity
  active(): boolean
  tell(call: ProviderCall): void
}

export function createObserver(
  hook: InstrumentHook | undefined,
  logger: Logger,
  node: NodeIdentity,
): Observer {
  let reported = false
  const report = (): void => {
    if (reported) return
    reported = true
    logger.error({}, 'the instrument hook failed; later failures of it are not logged')
  }
  return {
    node,
    active: hook === undefined ? () => calls.hasSubscribers || tracing.hasSubscribers : () => true,
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
    return follow({ spi, provider, verb, node: observer.node }, observer, () =>
      (target[verb] as Method)(...args),
    )
  }
}

/** Makes a call, and tells of it in the order that `tracingChannel` prescribes. */
function follow(call: Writable<StartedCall>, observer: Observer, run: () => unknown): unknown {
  const startedAt = timers.monotonicMs()
  const ended = (outcome: ProviderCallOutcome): ProviderCall => {
    call.durationMs = timers.monotonicMs() - startedAt
    call.outcome = outcome
    return call as ProviderCall
  }
  let result: unknown
  try {
    result = tracing.start.runStores(call, () => runAround(call.around, run))
  } catch (error) {
    const failed = ended(outcomeOf(error))
    tracing.error.publish(call)
    tracing.end.publish(call)
    observer.tell(failed)
    throw error
  }
  if (!isPromiseLike(result)) {
    answered(call, result)
    call.sync = true
    const done = ended('ok')
    tracing.end.publish(call)
    observer.tell(done)
    return result
  }
  tracing.end.publish(call)
  // The caller gets the promise that follows, so that a rejection nobody handles is still seen as one.
  return result.then(
    (value) => {
      answered(call, value)
      settled(ended('ok'), observer)
      return value
    },
    (error) => {
      const failed = ended(outcomeOf(error))
      tracing.error.publish(call)
      settled(failed, observer)
      throw error
    },
  )
}

function settled(call: ProviderCall, observer: Observer): void {
  tracing.asyncStart.publish(call)
  tracing.asyncEnd.publish(call)
  observer.tell(call)
}

function answered(call: Writable<StartedCall>, value: unknown): void {
  const answer = answerOf(value)
  if (answer !== undefined) call.answer = answer
}

function outcomeOf(error: unknown): ProviderCallOutcome {
  if (isProviderError(error)) return error.code
  if (!isError(error)) return 'error'
  if (error instanceof TypeError || error.name === 'TypeError') return 'TypeError'
  return error instanceof RangeError || error.name === 'RangeError' ? 'RangeError' : 'error'
}
