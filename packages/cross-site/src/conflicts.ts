import type { SitesParts } from './sites-parts.js'

/**
 * Sees to what sites found when they met, in partitions that this node reads. A partition that fails is tried again with the next heartbeat,
 * and keeps no other one waiting.
 */
export async function settleConflicts(
  { connection, joiners, events }: Pick<SitesParts, 'connection' | 'joiners' | 'events'>,
  partitions: readonly number[],
): Promise<void> {
  await Promise.all(
    joiners.flatMap((joiner) =>
      partitions.map(async (partition) => {
        const found = await joiner.settle?.(connection, partition).catch(() => [])
        for (const conflict of found ?? [])
          events.emit('single-use-conflict', { spi: joiner.spi, ...conflict })
      }),
    ),
  )
}
