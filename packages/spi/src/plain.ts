import { types } from 'node:util'

/** Names that lead to an object's prototype. Nobody's setting is called that. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** Whether `value` is an object of data: from a literal or JSON, not an instance of a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || isForeignObjectPrototype(prototype)
}

// An object from another realm (vm, jsdom) has another Object.prototype, which is the end of its chain all the same.
function isForeignObjectPrototype(prototype: unknown): boolean {
  return (
    typeof prototype === 'object' &&
    prototype !== null &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, 'hasOwnProperty')
  )
}

/** Whether `value` is an error, of whatever JavaScript realm: under a test runner those of Node itself are of another one. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value)
}
