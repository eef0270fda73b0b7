import { assertObject } from './assert.js'
import { knownNames, quote } from './suggest.js'

/**
 * The names of the properties of `T`. Write one down next to a check, as `const NAMES: Known<Options> = { limit: true }`:
 * a property that is added to the type and not listed does not compile, and neither does a name that is none.
 */
export type Known<T> = { readonly [Name in keyof T]-?: true }

/**
 * Throws unless `value` is an object all of whose properties are known, so that a misspelt one is told and not passed over.
 *
 * Call it first in every check of a record or of options. A property that is there counts, also when its value is
 * `undefined`, and so does one that is inherited from an object of the caller's.
 *
 * @param name What the object is called in the message: `'session'`, `'options'`.
 * @throws {TypeError} it is no object, or has another property; the message says what is known and what was probably meant
 */
export function assertKnown<T>(
  value: unknown,
  name: string,
  known: Known<T>,
): asserts value is { readonly [Name in keyof T]?: unknown } {
  assertObject(value, name)
  for (const property in value) {
    // `=== true`: a name that every object has, such as `constructor`, must not find what that object has.
    if ((known as Readonly<Record<string, unknown>>)[property] !== true && isGiven(value, property)) {
      throw new TypeError(
        `"${name}" has no property ${quote(property)}. ${knownNames(property, Object.keys(known))}`,
      )
    }
  }
}

/** Code that adds something to every object of the process does not make every object wrong. */
function isGiven(value: object, property: string): boolean {
  return Object.hasOwn(value, property) || !Object.hasOwn(Object.prototype, property)
}
