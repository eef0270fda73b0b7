import { assertText } from './assert.js'
import { isPlainObject } from './plain.js'

/** What JSON can hold. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue }

/** Deepest nesting of a value where nothing else is said. */
const MAX_DEPTH = 16

/**
 * Throws unless `value` is a JSON value: nothing that `JSON.stringify` would drop, change or call.
 *
 * @param name What it is called in a message.
 * @param maxDepth Most levels of objects and lists below it.
 * @throws {TypeError} it is none, is nested deeper, or has a property named `__proto__`
 */
export function assertJson(
  value: unknown,
  name: string,
  maxDepth: number = MAX_DEPTH,
): asserts value is JsonValue {
  check(value, name, maxDepth, maxDepth)
}

function check(value: unknown, name: string, levels: number, maxDepth: number): void {
  if (levels < 0) throw new TypeError(`"${name}" must not be nested deeper than ${maxDepth} levels`)
  if (value === null || typeof value === 'boolean') return
  if (typeof value === 'string') {
    assertText(value, `${name}: a value`)
    return
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`"${name}" must hold finite numbers only`)
    return
  }
  if (Array.isArray(value)) {
    for (const item of value) check(item, name, levels - 1, maxDepth)
    return
  }
  if (!isPlainObject(value)) {
    throw new TypeError(
      `"${name}" must hold JSON values only: objects, lists, strings, numbers, booleans and null`,
    )
  }
  for (const [property, item] of Object.entries(value)) {
    if (property === '__proto__') throw new TypeError(`"${name}" must not have a property named "__proto__"`)
    assertText(property, `${name}: a name`)
    check(item, name, levels - 1, maxDepth)
  }
}
