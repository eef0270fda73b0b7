/** Chooses an owner for a key. */
export type Rendezvous = (key: string) => string | undefined

/**
 * Rendezvous hashing: every key belongs to the name that scores highest for it.
 *
 * Shares are even; a name that leaves moves its own keys and no others, spread evenly over the rest, and a name that
 * joins takes its share from all. The order of the names does not matter. One pass over the names per key.
 *
 * @returns a function that answers `undefined` when there are no names
 * @see Thaler, Ravishankar: Using name-based mappings to increase hit rates (1998)
 */
export function createRendezvous(names: Iterable<string>): Rendezvous {
  const candidates = [...new Set(names)].sort().map((name) => ({ name, seed: hash(name) }))
  return (key) => {
    const keyHash = hash(key)
    let owner: string | undefined
    let highest = -1
    for (const { name, seed } of candidates) {
      const score = mix(keyHash ^ seed)
      // Of equal scores the first in order stays: every node decides alike.
      if (score > highest) {
        highest = score
        owner = name
      }
    }
    return owner
  }
}

/** FNV-1a over UTF-16 code units, mixed: 32 bits. It spreads, it hides nothing. */
function hash(text: string): number {
  let sum = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    sum = Math.imul(sum ^ text.charCodeAt(index), 0x01000193)
  }
  return mix(sum)
}

/** Every bit of the result depends on every bit of the input. @see MurmurHash3, its 32-bit finalizer */
function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
