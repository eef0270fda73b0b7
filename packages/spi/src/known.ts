import { assertObject } from './assert.js'
import { knownNames, listNames, nearest, quote } from './suggest.js'

/**
 * The names of the properties of `T`. Write one down next to a check, as `const NAMES: Known<Options> = { limit: true }`:
 * a property that is added to the type and not listed does not compile, and neither does a name that is none.
 */
export type Known<T> = { readonly [Name in keyof T]-?: true }

/** What a caller gave as a `T`: of its values nothing is known yet. */
export type Given<T> = { readonly [Name in keyof T]?: unknown }

/**
 * Throws unless `value` is an object with known properties only, so that a misspelt property is an
 * error and is not ignored.
 *
 * Call it first in every check of a record or of options of a verb. A property that is there counts, also when its value is
 * `undefined`, and so does one that is inherited from an object of the caller's.
 *
 * @param name What the object is called in the message: `'session'`, `'options'`.
 * @throws {TypeError} it is no object, or has another property. The message says what is known. It tells the other name
 *   where that is near a known one; any other name may be data, such as that of a note, and no message holds data
 */
export function assertKnown<T>(value: unknown, name: string, known: Known<T>): asserts value is Given<T> {
  const other = otherThan(value, name, known)
  if (other === undefined) return
  const names = Object.keys(known)
  throw nearest(other, names) === undefined
    ? new TypeError(`"${name}" has a property that is unknown. ${listNames(names)}`)
    : misspelt(other, name, names)
}

/**
 * {@link assertKnown} for options that an application is built with, such as those of a helper: the code says them, so the
 * message tells every name.
 */
export function assertOptions<T>(value: unknown, name: string, known: Known<T>): asserts value is Given<T> {
  const other = otherThan(value, name, known)
  if (other !== undefined) throw misspelt(other, name, Object.keys(known))
}

/**
 * {@link assertOptions} for an object that may be more than what is asked for, such as a whole record of the caller's: only a name
 * is refused that is near a known one which the object lacks.
 */
export function assertSpelt<T>(value: unknown, name: string, known: Known<T>): asserts value is Given<T> {
  assertObject(value, name)
  const names = Object.keys(known)
  const wrong = Object.keys(value).find((given) => {
    const meant = names.includes(given) ? undefined : nearest(given, names)
    return meant !== undefined && !(meant in value)
  })
  if (wrong !== undefined) throw misspelt(wrong, name, names)
}

function misspelt(other: string, name: string, names: readonly string[]): TypeError {
  return new TypeError(`"${name}" has no property ${quote(other)}. ${knownNames(other, names)}`)
}

/** The first property that is not known. */
function otherThan(value: unknown, name: string, known: object): string | undefined {
  assertObject(value, name)
  for (const property in value) {
    // `=== true`: a name that every object has, such as `constructor`, must not find what that object has.
    if ((known as Readonly<Record<string, unknown>>)[property] !== true && isGiven(value, property)) {
      return property
    }
  }
  return undefined
}

/** Code that adds something to every object of the process does not make every object wrong. */
function isGiven(value: object, property: string): boolean {
  return Object.hasOwn(value, property) || !Object.hasOwn(Object.prototype, property)
}
