/** Spells every key of the library; no other place does. */
export interface KeySpace {
  readonly prefix: string
  readonly partitions: number
  /** All partition numbers, for work that asks each of them. */
  readonly all: readonly number[]
  /** The partition in which everything about `subject` (a user id, a token key) lives. */
  partitionFor(subject: string): number
  /**
   * `prefix:{0a}:kind:part:part`: foreign parts are escaped, all keys of one partition share a hash slot.
   *
   * A last part of `''` gives a base to which a script appends an escaped id.
   *
   * @throws {RangeError} the partition does not exist: an id from outside can name any
   */
  key(partition: number, kind: string, ...parts: string[]): string
  /** A key that belongs to the deployment and to no partition. */
  shared(...parts: string[]): string
}

/** How much longer than what it holds a key lives, so that a clock that is a little off loses nothing. */
export const KEY_GRACE_MS = 60_000

/** Most partitions a deployment can have: the id of a session has two hex digits for them. */
export const MAX_PARTITIONS = 256

/** The keys under a prefix, in `partitions` parts. */
export function createKeySpace(prefix: string, partitions: number): KeySpace {
  const heads = Array.from(
    { length: partitions },
    (_, n) => `${prefix}:{${n.toString(16).padStart(2, '0')}}:`,
  )
  return {
    prefix,
    partitions,
    all: Object.freeze(heads.map((_, n) => n)),
    partitionFor: (subject) => fnv1a(subject) % partitions,
    key: (partition, kind, ...parts) => {
      const head = heads[partition]
      if (head === undefined) throw new RangeError(`"partition" must be from 0 to ${partitions - 1}`)
      let key = head + kind
      for (const part of parts) key += `:${escapePart(part)}`
      return key
    },
    shared: (...parts) => [prefix, ...parts].join(':'),
  }
}

/** A key in the hash slot of `key` that never exists; `undefined` for a key of no partition. */
export function absentBeside(key: string): string | undefined {
  const end = key.indexOf('}:')
  return end === -1 ? undefined : key.slice(0, end + 1)
}

const FORGEABLE = /[%:{}]/
const EACH_FORGEABLE = /[%:{}]/g
const ESCAPED = /%(25|3a|7b|7d)/g

/** Keeps a foreign id from forging a separator or a hash tag. */
export function escapePart(part: string): string {
  // To look costs a third of replacing nothing, and hardly a part has one.
  if (!FORGEABLE.test(part)) return part
  return part.replace(EACH_FORGEABLE, (character) => `%${character.charCodeAt(0).toString(16)}`)
}

/** Undoes {@link escapePart}. */
export function unescapePart(part: string): string {
  if (!part.includes('%')) return part
  return part.replace(ESCAPED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}

/** FNV-1a, 32 bits, over UTF-16 code units: spreads ids over partitions; it hides nothing. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return (hash ^ (hash >>> 15)) >>> 0
}
