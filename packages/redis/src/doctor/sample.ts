import { internals } from '../client.js'
import type { Sample } from './facts.js'
import type { Asked } from './servers.js'

/** What a deployment keeps for ever, and failures of users who are locked for good. */
const ENDLESS = /^(?:\{..\}:)?(?:layout|clock|c[lf]|l[flr]|x[nh])(?::|$)/
/** How many keys Redis is asked for at once. */
const PAGE = 500

type Within = <T>(answer: Promise<T>) => Promise<T>

/** Looks at some keys of each server, a page at a time, so that other clients do not have to wait. */
export async function lookAtKeys(
  nodes: readonly Asked[],
  prefix: string,
  most: number,
  within: Within,
): Promise<Sample | 'refused'> {
  const sample = { looked: 0, foreign: 0, endless: 0 }
  try {
    for (const node of nodes) {
      // The client puts it before each key that it is asked for, and not before those that a pattern finds.
      const before = internals(node).options?.keyPrefix ?? ''
      const head = `${before}${prefix}:`
      const end = sample.looked + Math.ceil(most / nodes.length)
      let cursor = '0'
      do {
        const [next, names] = (await within(node.call('SCAN', cursor, 'COUNT', PAGE))) as [string, string[]]
        const some = names.slice(0, Math.max(0, end - sample.looked))
        sample.looked += some.length
        const ours = some.filter((name) => name.startsWith(head))
        sample.foreign += some.length - ours.length
        const mortal = ours.filter((name) => !ENDLESS.test(name.slice(head.length)))
        const lives = await Promise.all(
          mortal.map((name) => within(node.call('PTTL', name.slice(before.length)))),
        )
        sample.endless += lives.filter((ttlMs) => Number(ttlMs) === -1).length
        cursor = next
      } while (cursor !== '0' && sample.looked < end)
    }
    return sample
  } catch {
    return 'refused'
  }
}
