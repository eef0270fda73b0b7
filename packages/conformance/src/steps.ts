import { types } from 'node:util'
import { FakeClock } from './fake-clock.js'
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
  const call = `${node}${what}(${args.map((one) => show(one)).join(', ')})`
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

/**
 * A stand-in for a provider whose calls are steps. What its methods return is passed on as it is, except objects with
 * methods of their own, such as a region of a cache: calls of those are steps, too.
 *
 * @param label Told before each call: which node it was.
 */
export function stepped<T extends object>(target: T, label: string, steps: Steps): T {
  return new StandIns(steps).of(target, label)
}

class StandIns {
  readonly #steps: Steps
  readonly #made = new WeakMap<object, object>()

  constructor(steps: Steps) {
    this.#steps = steps
  }

  of<T extends object>(target: T, label: string): T {
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
          method = (...args: unknown[]) => this.#call(target, label, name, value, args)
          methods.set(name, method)
        }
        return method
      },
    })
    this.#made.set(target, standIn)
    this.#made.set(standIn, standIn)
    return standIn
  }

  #call(target: object, label: string, name: string, method: Function, args: unknown[]): unknown {
    const returned = this.#steps.call(label, name, args, () => Reflect.apply(method, target, args))
    return isLive(returned) ? this.of(returned, `${label}${name}(${show(args[0])}).`) : returned
  }
}

/** An object with behaviour: an instance of a class that is none of the language's own. */
function isLive(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (types.isPromise(value) || types.isMap(value) || types.isSet(value) || types.isDate(value)) return false
  if (Array.isArray(value) || ArrayBuffer.isView(value) || types.isNativeError(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype !== null && prototype !== Object.prototype && Symbol.iterator in value === false
}
