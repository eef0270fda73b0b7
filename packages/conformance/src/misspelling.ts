import assert from 'node:assert/strict'
import type { Method, OwnOf } from './suite.js'

/** An object that a verb takes, whole, and the call it goes into. Made by {@link taker}. */
export interface Taker {
  readonly given: Readonly<Record<string, unknown>>
  readonly call: (given: never) => unknown
}

/** Without a property that can only be absent, such as one of two that exclude each other. */
export type Whole<T> = {
  readonly [Name in keyof T as Exclude<T[Name], undefined> extends never ? never : Name]-?: Exclude<
    T[Name],
    undefined
  >
}

/** The verbs of a provider, each with the objects it takes; none for a verb that takes no object. */
export type Takers<P> = {
  readonly [Verb in OwnOf<P> as NonNullable<P[Verb]> extends Method ? Verb : never]-?: readonly Taker[]
}

/**
 * An object that a verb takes.
 *
 * @param given Every property of it, with values that are right: one that is not listed does not compile.
 */
export function taker<T extends object>(given: Whole<T>, call: (given: T) => unknown): Taker {
  return { given: given as Readonly<Record<string, unknown>>, call }
}

/** Names that every object has: a check by `name in known` takes them for known ones. */
const INHERITED = ['constructor', 'toString', '__proto__']
const VALUE = { value: 1, enumerable: true, configurable: true, writable: true }

/**
 * Gives each verb each of its objects once per property, with that property written once more in a wrong way, and throws
 * unless the verb refuses it by a `TypeError` that names the wrong and the right word. A property whose name every object has,
 * such as `constructor`, must be refused as well.
 *
 * Nothing is written by a call that is refused; the case that calls this looks for itself that it is so.
 */
export async function refusesMisspelling<P>(takers: Takers<P>): Promise<void> {
  for (const [verb, objects] of Object.entries<readonly Taker[]>(takers)) {
    for (const { given, call } of objects) {
      for (const right of Object.keys(given)) {
        const wrong = misspelt(right, given)
        const object = { ...given, [wrong]: given[right] }
        await assert.rejects(
          async () => call(object as never),
          (error: Error) => {
            assert.ok(error instanceof TypeError, `${verb}: ${error.name} for ${wrong}: ${error.message}`)
            assert.ok(
              error.message.includes(`'${wrong}'`),
              `${verb} does not name ${wrong}: ${error.message}`,
            )
            assert.ok(
              error.message.includes(`'${right}'`),
              `${verb} does not offer ${right}: ${error.message}`,
            )
            return true
          },
          `${verb} takes an object in which ${right} is spelt ${wrong}`,
        )
      }
      for (const name of INHERITED) {
        await assert.rejects(
          async () => call(Object.defineProperty({ ...given }, name, VALUE) as never),
          (error: Error) => {
            assert.ok(error instanceof TypeError, `${verb}: ${error.name} for ${name}: ${error.message}`)
            return true
          },
          `${verb} takes an object with a property ${name}`,
        )
      }
    }
  }
}

/** As a hand in haste writes it: without the last letter, a short one in another case. */
function misspelt(name: string, given: object): string {
  const shorter = name.length < 3 ? name.toUpperCase() : name.slice(0, -1)
  return Object.hasOwn(given, shorter) ? `${name}${name.at(-1)}` : shorter
}
