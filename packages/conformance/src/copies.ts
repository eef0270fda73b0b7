import { types } from 'node:util'

/** Deeper than any record: what nests more is passed on as it is. */
const DEEPEST = 64

/** A number that no case and no provider would come to by itself. */
const SPOILT_NUMBER = 7_070_707_070_707
const SPOILT_TEXT = '(changed by the caller)'

/**
 * Copies data: plain objects, arrays, maps, sets, dates and bytes. Anything else keeps its identity, such as functions,
 * instances of classes, proxies, and objects with methods or accessors.
 */
export function copied<T>(value: T): T {
  return copyOf(value, new Map(), 0) as T
}

function copyOf(value: unknown, made: Map<object, object>, depth: number): unknown {
  if (!isData(value) || depth > DEEPEST) return value
  const known = made.get(value)
  if (known !== undefined) return known
  const copy = shellOf(value)
  made.set(value, copy)
  const next = (entry: unknown) => copyOf(entry, made, depth + 1)
  if (value instanceof Map && copy instanceof Map)
    for (const [key, entry] of value) copy.set(key, next(entry))
  if (value instanceof Set && copy instanceof Set) for (const entry of value) copy.add(next(entry))
  // Bytes have an own property for each, and are copied already. A map may have a toJSON of its own.
  if (value instanceof Uint8Array) return copy
  for (const name of Reflect.ownKeys(value)) {
    const { value: entry, ...rest } = Reflect.getOwnPropertyDescriptor(value, name) as PropertyDescriptor
    Object.defineProperty(copy, name, { ...rest, value: next(entry) })
  }
  if (Object.isFrozen(value)) Object.freeze(copy)
  return copy
}

function shellOf(value: object): object {
  if (value instanceof Map) return Object.setPrototypeOf(new Map(), Object.getPrototypeOf(value))
  if (value instanceof Set) return Object.setPrototypeOf(new Set(), Object.getPrototypeOf(value))
  if (value instanceof Date) return new Date(value)
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  return Array.isArray(value) ? [] : Object.create(Object.getPrototypeOf(value))
}

/** The objects in a value that a caller could change. */
export function changeable(value: unknown): object[] {
  const found = new Set<object>()
  walk(value, (entry) => {
    if (typeof entry === 'object' && entry !== null && !Object.isFrozen(entry)) found.add(entry)
  })
  return [...found]
}

/** Visits a value and what it is made of, keys of maps included; each object once. */
export function walk(value: unknown, visit: (entry: unknown) => void): void {
  const seen = new Set<unknown>()
  const go = (entry: unknown, depth: number): void => {
    if (!isData(entry)) {
      if (typeof entry !== 'object' || entry === null) visit(entry)
      return
    }
    if (depth > DEEPEST || seen.has(entry)) return
    seen.add(entry)
    visit(entry)
    if (entry instanceof Map)
      for (const [key, item] of entry) [key, item].forEach((part) => void go(part, depth + 1))
    else if (entry instanceof Set) for (const item of entry) go(item, depth + 1)
    else if (isRecord(entry))
      for (const name of Reflect.ownKeys(entry))
        go(Reflect.getOwnPropertyDescriptor(entry, name)?.value, depth + 1)
  }
  go(value, 0)
}

/** Changes everything in a value that can be changed, as a careless caller would. */
export function spoil(value: unknown): void {
  for (const entry of changeable(value)) {
    if (entry instanceof Map) {
      for (const [key, item] of entry) entry.set(key, spoilt(item))
      entry.set(SPOILT_TEXT, SPOILT_TEXT)
    } else if (entry instanceof Set) entry.add(SPOILT_TEXT)
    else if (entry instanceof Date) entry.setTime(SPOILT_NUMBER)
    else if (entry instanceof Uint8Array) entry.fill(0xa5)
    else {
      for (const name of Object.keys(entry)) Reflect.set(entry, name, spoilt(Reflect.get(entry, name)))
      if (Array.isArray(entry)) Reflect.set(entry, entry.length, SPOILT_TEXT)
      else Reflect.set(entry, SPOILT_TEXT, SPOILT_TEXT)
    }
  }
}

/** Whether a value shows what {@link spoil} left. */
export function isSpoilt(value: unknown): boolean {
  let found = false
  walk(value, (entry) => {
    if (entry === SPOILT_NUMBER || entry === SPOILT_TEXT) found = true
    if (entry instanceof Date && entry.getTime() === SPOILT_NUMBER) found = true
    if (isRecord(entry) && Object.hasOwn(entry, SPOILT_TEXT)) found = true
  })
  return found
}

function spoilt(value: unknown): unknown {
  if (typeof value === 'string') return SPOILT_TEXT
  if (typeof value === 'number') return SPOILT_NUMBER
  return typeof value === 'boolean' ? !value : value
}

/** An object that is nothing but what stands in it. */
function isData(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return false
  if (value instanceof Map || value instanceof Set || value instanceof Date || value instanceof Uint8Array)
    return true
  return isRecord(value) && Reflect.ownKeys(value).every((name) => isPlainProperty(value, name))
}

function isRecord(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || prototype === Array.prototype
}

function isPlainProperty(value: object, name: PropertyKey): boolean {
  const { enumerable, get, set, value: entry } = Reflect.getOwnPropertyDescriptor(value, name) ?? {}
  if (get !== undefined || set !== undefined) return false
  // What only helps to print an object stands beside its data.
  return typeof entry !== 'function' || enumerable === false
}
