import { types } from 'node:util'

/** Names that lead to an object's prototype. No setting has one of them. */
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

/**
 * Where data has a property whose name every object has, such as `constructor`, at whatever depth of its plain objects and
 * lists. A schema that asks `name in known` takes such a name for a known one and passes over its value: look before it is
 * asked.
 *
 * @returns paths whose last step is the name
 */
export function inheritedNames(value: unknown): readonly (readonly string[])[] {
  const found: string[][] = []
  const seen = new Set<unknown>()
  const look = (item: unknown, path: readonly string[]): void => {
    if (seen.has(item) || !(Array.isArray(item) || isPlainObject(item))) return
    seen.add(item)
    for (const name of Object.keys(item)) {
      if (name in Object.prototype) found.push([...path, name])
      else look((item as Readonly<Record<string, unknown>>)[name], [...path, name])
    }
  }
  look(value, [])
  return found
}

/**
 * Whether an object has the values that it had when `given` was copied from it. Own properties only: one whose prototype has others counts
 * as changed, so that it is read again each time.
 */
export function isUnchanged(object: object, given: Readonly<Record<string, unknown>>): boolean {
  if (!isPlainObject(object)) return false
  let left = 0
  for (const name in object) {
    if (object[name] !== given[name]) return false
    left += 1
  }
  for (const _ in given) left -= 1
  return left === 0
}
