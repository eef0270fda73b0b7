import type { Clock } from 'authstate'

/** As long as a login under way is kept. */
const WINDOW_MS = 1_800_000
/** Addresses that are remembered. One more makes the one that came first begin anew. */
const MOST_ADDRESSES = 50_000

/**
 * Counts the logins that each address begins, on this node, and refuses what is too many.
 *
 * A login is remembered before anybody has shown a password, so this is the only bound to what a stranger can leave in the
 * store: addresses times logins times 6 KB. An office behind one address shares its count.
 */
export class Beginnings {
  readonly #clock: Clock
  readonly #most: number
  readonly #windows = new Map<string, { readonly endsAt: number; count: number }>()

  constructor(clock: Clock, most: number) {
    this.#clock = clock
    this.#most = most
  }

  /** Counts one more. @returns ms to wait when it is one too many, which is not counted; 0 when it may begin */
  add(address: string | undefined): number {
    const now = this.#clock.now()
    const name = networkOf(address)
    const known = this.#windows.get(name)
    if (known !== undefined && known.endsAt > now) {
      if (known.count >= this.#most) return known.endsAt - now
      known.count += 1
      return 0
    }
    this.#windows.delete(name)
    this.#windows.set(name, { endsAt: now + WINDOW_MS, count: 1 })
    // In the order in which they end.
    for (const [oldest, { endsAt }] of this.#windows) {
      if (endsAt > now && this.#windows.size <= MOST_ADDRESSES) break
      this.#windows.delete(oldest)
    }
    return 0
  }
}

/** Whoever has one address of IPv6 has all of its /64. */
function networkOf(address = ''): string {
  if (!address.includes(':') || address.includes('.')) return address
  const [head = [], tail] = address.split('::').map((part) => part.split(':').filter((group) => group !== ''))
  const left = tail === undefined ? 0 : Math.max(0, 8 - head.length - tail.length)
  return [...head, ...Array<string>(left).fill('0'), ...(tail ?? [])]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}
