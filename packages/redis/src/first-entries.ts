import { comparePositions, type PagePosition } from '@authstate/spi'

/** What a partition is asked for: so many entries of its index behind a place. */
export interface EntriesStep {
  readonly partition: number
  readonly after: PagePosition
  readonly limit: number
}

/** What a partition answers: entries in their order, and the place of the last one looked at if there are more. */
export interface EntriesReply<E extends PagePosition> {
  readonly entries: readonly E[]
  readonly next: PagePosition | undefined
}

/**
 * The first entries, in their order, of an index that lies in several partitions. Most of what a partition has is not among them, so
 * each is asked for about as many as it may well have, and for more only where the order needs it.
 *
 * @param wanted How many: one more than a page shows says whether there is another.
 * @param ask Asks partitions, all in one round trip, and answers in their order.
 */
export async function firstEntries<E extends PagePosition>(
  partitions: readonly number[],
  after: PagePosition,
  wanted: number,
  ask: (steps: readonly EntriesStep[]) => Promise<readonly EntriesReply<E>[]>,
): Promise<readonly E[]> {
  let found: readonly E[] = []
  let limit = likelyShare(wanted, partitions.length)
  let steps: readonly EntriesStep[] = partitions.map((partition) => ({ partition, after, limit }))
  while (steps.length > 0) {
    const replies = await ask(steps)
    const all = [...found, ...replies.flatMap(({ entries }) => entries)].sort(comparePositions)
    found = all.slice(0, wanted)
    const last = found[wanted - 1]
    limit = Math.min(wanted, 2 * limit)
    steps = steps.flatMap(({ partition }, index) => {
      const next = replies[index]?.next
      const hasMore = next !== undefined && (last === undefined || comparePositions(next, last) < 0)
      return hasMore ? [{ partition, after: next, limit }] : []
    })
  }
  return found
}

/** Of entries that are spread by chance, a partition seldom has more than this: its mean and 2.6 deviations, and one to see further. */
function likelyShare(wanted: number, partitions: number): number {
  if (partitions === 1) return wanted
  const mean = wanted / partitions
  return Math.min(wanted, Math.ceil(mean + 2.6 * Math.sqrt(mean) + 1))
}
