import { type Clock, uncertaintyOf } from './clock.js'

/** Longest name (realm, user, client, key, note name) in bytes of UTF-8. */
export const MAX_NAME_BYTES = 512

/** Notes of one record may take this many bytes of UTF-8 when nothing else is configured. */
export const DEFAULT_MAX_NOTES_BYTES = 65_536

/** Throws unless `value` is a well-formed Unicode string; empty is allowed. */
export function assertText(
  value: unknown,
  name: string,
  maxBytes = Number.POSITIVE_INFINITY,
): asserts value is string {
  if (typeof value !== 'string') throw new TypeError(`"${name}" must be a string, got ${kindOf(value)}`)
  if (!isText(value)) throw new TypeError(`"${name}" must be well-formed Unicode: it has a lone surrogate`)
  if (value.length * 3 > maxBytes && Buffer.byteLength(value) > maxBytes) {
    throw new TypeError(`"${name}" must have at most ${maxBytes} bytes of UTF-8`)
  }
}

/** Throws unless `value` can name something: 1 to 512 bytes of well-formed Unicode. */
export function assertName(value: unknown, name: string): asserts value is string {
  assertText(value, name, MAX_NAME_BYTES)
  if (value.length === 0) throw new TypeError(`"${name}" must not be empty`)
}

/** {@link assertName} for a value that may be left out. */
export function assertOptionalName(value: unknown, name: string): asserts value is string | undefined {
  if (value !== undefined) assertName(value, name)
}

/** Throws unless `value` is a span above zero in whole milliseconds. */
export function assertSpanMs(value: unknown, name: string): asserts value is number {
  assertNumber(value, name)
  if (!Number.isSafeInteger(value) || value <= 0) {
    throw new RangeError(`"${name}" must be a whole number of milliseconds above 0, got ${value}`)
  }
}

/** Throws unless `value` is an instant: whole milliseconds since the epoch. */
export function assertInstant(value: unknown, name: string): asserts value is number {
  assertNumber(value, name)
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`"${name}" must be whole milliseconds since the epoch, got ${value}`)
  }
}

/**
 * Throws unless `value` is an instant that has passed by a clock. Another node may have read it from a clock that is as
 * uncertain as this one.
 */
export function assertPastInstant(value: unknown, name: string, clock: Clock): asserts value is number {
  assertInstant(value, name)
  const uncertainty = uncertaintyOf(clock)
  const ahead = value - clock.now()
  if (ahead > 0 && ahead > Math.ceil(2 * uncertainty)) {
    throw new RangeError(
      `"${name}" must not lie in the future, got ${ahead} ms ahead of the clock of the state`,
    )
  }
}

/** Throws unless `value` is a whole number from `min` to `max`. */
export function assertInteger(
  value: unknown,
  name: string,
  min: number,
  max: number,
): asserts value is number {
  assertNumber(value, name)
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new RangeError(`"${name}" must be a whole number from ${min} to ${max}, got ${value}`)
  }
}

/** @throws {TypeError} it is neither `true` nor `false` */
export function assertBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw new TypeError(`"${name}" must be true or false, got ${kindOf(value)}`)
}

/** @throws {TypeError} it is no function */
export function assertFunction(value: unknown, name: string): asserts value is (...args: never[]) => unknown {
  if (typeof value !== 'function') throw new TypeError(`"${name}" must be a function, got ${kindOf(value)}`)
}

/** Throws unless `value` is an object with named properties, such as an options argument. */
export function assertObject(value: unknown, name: string): asserts value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`"${name}" must be an object, got ${kindOf(value)}`)
  }
}

/** Throws unless `value` is one of `allowed`, and lists them. */
export function assertOneOf<const T extends string>(
  value: unknown,
  name: string,
  allowed: readonly T[],
): asserts value is T {
  if (!allowed.includes(value as T)) {
    throw new TypeError(`"${name}" must be one of ${allowed.map((a) => `'${a}'`).join(', ')}`)
  }
}

/** Throws unless `value` is a list of names without repetition being checked. */
export function assertNames(value: unknown, name: string): asserts value is readonly string[] {
  if (!Array.isArray(value)) throw new TypeError(`"${name}" must be a list of strings, got ${kindOf(value)}`)
  value.forEach((item, index) => {
    assertName(item, `${name}[${index}]`)
  })
}

/**
 * Throws unless `value` is a plain object of string notes within the ceiling.
 *
 * `__proto__` is refused as a name: an object copied by hand elsewhere would lose it or change its prototype.
 */
export function assertNotes(
  value: unknown,
  name: string,
  maxBytes = DEFAULT_MAX_NOTES_BYTES,
): asserts value is Readonly<Record<string, string>> {
  checkNotes(value, name, maxBytes, false)
}

/** {@link assertNotes} for a merge patch, where `null` removes the note. @see RFC 7396 */
export function assertNotesPatch(
  value: unknown,
  name: string,
  maxBytes = DEFAULT_MAX_NOTES_BYTES,
): asserts value is Readonly<Record<string, string | null>> {
  checkNotes(value, name, maxBytes, true)
}

function checkNotes(value: unknown, name: string, maxBytes: number, nullRemoves: boolean): void {
  assertObject(value, name)
  const keys = Object.keys(value)
  let characters = 0
  for (const key of keys) {
    if (key === '__proto__') throw new TypeError(`"${name}" must not have a note named "__proto__"`)
    if (!isText(key) || key.length === 0 || key.length * 3 > MAX_NAME_BYTES) {
      assertName(key, `${name}: name of a note`)
    }
    characters += key.length
    const note = value[key]
    if (nullRemoves && note === null) continue
    if (!isText(note)) assertText(note, `${name}: a note`)
    characters += note.length
  }
  // A UTF-16 code unit takes three bytes of UTF-8 at most.
  if (characters * 3 <= maxBytes) return
  let bytes = 0
  for (const key of keys)
    bytes += Buffer.byteLength(key) + Buffer.byteLength((value[key] as string | null) ?? '')
  if (bytes > maxBytes)
    throw new RangeError(`"${name}" must have at most ${maxBytes} bytes of UTF-8 in all, got ${bytes}`)
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.isWellFormed()

function assertNumber(value: unknown, name: string): asserts value is number {
  if (typeof value !== 'number' || Number.isNaN(value)) {
    throw new TypeError(`"${name}" must be a number, got ${Number.isNaN(value) ? 'NaN' : kindOf(value)}`)
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return value === undefined ? 'nothing' : `a value of type ${typeof value}`
}
