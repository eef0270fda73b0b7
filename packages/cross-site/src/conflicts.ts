import type { SitesParts } from './sites-parts.js'

/** Sees to what sites found when they met, in partitions that this node reads. A failure is tried again with the next heartbeat. */
export async function settleConflicts(
  { connection, joiners, events }: SitesParts,
  partitions: readonly number[],
): Promise<void> {
  for (const joiner of joiners) {
    if (joiner.settle === undefined) continue
    for (const partition of partitions) {
      for (const conflict of await joiner.settle(connection, partition))
        events.emit('single-use-conflict', { spi: joiner.spi, ...conflict })
    }
  }
}
