import { types } from 'node:util'
import { FakeClock } from './fake-clock.js'
import type { Loans } from './loans.js'
import type { Secrets } from './secrets.js'
import { show } from './show.js'

/** Steps that are kept; a race has thousands, and what led to a failure is near its end. */
const KEPT = 24

interface Step {
  readonly number: number
  readonly node: string
  readonly what: string
  readonly args: readonly unknown[] | undefined
  result?: { readonly value: unknown } | { readonly error: unknown }
}

/** Notes what a case does, for the report of its failure. */
export class Steps {
  readonly #kept: Step[] = []
  #count = 0

  note(what: string): void {
    this.#add({ number: ++this.#count, node: '', what, args: undefined })
  }

  call(node: string, verb: string, args: readonly unknown[], run: () => unknown): unknown {
    const step: Step = { number: ++this.#count, node, what: verb, args }
    this.#add(step)
    try {
      const returned = run()
      if (types.isPromise(returned)) {
        returned.then(
          (value) => (step.result = { value }),
          (error) => (step.result = { error }),
        )
      } else step.result = { value: returned }
      return returned
    } catch (error) {
      step.result = { error }
      throw error
    }
  }

  /** One line each, the last ones if there were many. */
  lines(): string[] {
    const omitted = this.#count - this.#kept.length
    const width = String(this.#count).length
    return [
      ...(omitted > 0 ? [`${' '.repeat(width)}  … ${omitted} before`] : []),
      ...this.#kept.map((step) => `${String(step.number).padStart(width)}  ${lineOf(step)}`),
    ]
  }

  #add(step: Step): void {
    this.#kept.push(step)
    if (this.#kept.length > KEPT) this.#kept.shift()
  }
}

function lineOf({ node, what, args, result }: Step): string {
  if (args === undefined) return what
  const call = `${node}${what}(${args.map((item) => show(item)).join(', ')})`
  if (result === undefined) return `${call}  … no answer`
  if ('value' in result) return result.value === undefined ? call : `${call}  → ${show(result.value)}`
  return `${call}  throws ${show(result.error)}`
}

/** A clock whose moves are steps. */
export class SteppedClock extends FakeClock {
  readonly #steps: Steps

  constructor(steps: Steps) {
    super()
    this.#steps = steps
  }

  override advance(ms: number): void {
    this.#steps.note(`the clock goes ${ms < 0 ? 'back' : 'on'} by ${Math.abs(ms)} ms`)
    super.advance(ms)
  }

  override set(now: number): void {
    this.#steps.note(`the clock is set ${now - this.now()} ms on`)
    super.set(now)
  }
}

/** Who listens to the calls of a case. */
export interface Listeners {
  readonly steps: Steps
  readonly loans: Loans
  readonly secrets: Secrets
  /** Verbs whose answers are shared with other callers, by contract. */
  readonly shared: ReadonlySet<string>
  /** What a realm of the case is called: another name each time a case is played again. */
  readonly realmOf: (realmId: string) => string
}

/**
 * A stand-in for a provider whose calls are steps. Data goes in and out as copies. Objects with methods of their own
 * are passed on as they are, such as a region of a cache: where a verb returns one, its calls are steps, too.
 *
 * @param label Told before each call: which node it was.
 */
export function stepped<T extends object>(target: T, label: string, listeners: Listeners): T {
  return new StandIns(listeners).of(target, label, false)
}

class StandIns {
  readonly #listeners: Listeners
  readonly #made = new WeakMap<object, object>()

  constructor(listeners: Listeners) {
    this.#listeners = listeners
  }

  of<T extends object>(target: T, label: string, isShared: boolean): T {
    const known = this.#made.get(target)
    if (known !== undefined) return known as T
    const methods = new Map<PropertyKey, unknown>()
    // Not over the target itself: a proxy must give out read-only properties of its target unchanged.
    const standIn = new Proxy(Object.create(target) as T, {
      get: (_, name) => {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function' || typeof name === 'symbol' || name === 'constructor') return value
        let method = methods.get(name)
        if (method === undefined) {
          method = (...args: unknown[]) => this.#call({ target, label, name, method: value, isShared }, args)
          methods.set(name, method)
        }
        return method
      },
    })
    this.#made.set(target, standIn)
    this.#made.set(standIn, standIn)
    return standIn
  }

  #call({ target, label, name, method, isShared }: Called, args: unknown[]): unknown {
    const { steps, loans, secrets, shared, realmOf } = this.#listeners
    const [first] = args
    if (typeof first === 'string') args[0] = realmOf(first)
    const sharesAnswer = isShared || shared.has(name)
    // What such a verb is given names a part of the provider, such as a region: a log may say which.
    if (!shared.has(name)) secrets.gave(args)
    const loan = loans.begin(name, args, sharesAnswer)
    const failed = (error: unknown): never => {
      loan.ended()
      secrets.threw(name, error)
      throw error
    }
    const answered = (value: unknown): unknown => {
      secrets.got(value)
      return loan.answered(value)
    }
    const returned = steps.call(label, name, args, () => {
      try {
        const value: unknown = Reflect.apply(method, target, loan.given)
        return types.isPromise(value) ? value.then(answered, failed) : answered(value)
      } catch (error) {
        return failed(error)
      }
    })
    return isLive(returned) ? this.of(returned, `${label}${name}(${show(args[0])}).`, sharesAnswer) : returned
  }
}

interface Called {
  readonly target: object
  readonly label: string
  readonly name: string
  readonly method: Function
  readonly isShared: boolean
}

/** An object with behaviour: an instance of a class that is none of the language's own. */
function isLive(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (types.isPromise(value) || types.isMap(value) || types.isSet(value) || types.isDate(value)) return false
  if (Array.isArray(value) || ArrayBuffer.isView(value) || types.isNativeError(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype !== null && prototype !== Object.prototype && Symbol.iterator in value === false
}
