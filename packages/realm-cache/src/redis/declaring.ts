import type { RedisConnection } from '@authstate/redis'
import { randomId } from '@authstate/spi'
import { MAX_SECOND_LEVEL_MS } from '../config.js'
import type { Invalidated } from '../rules.js'
import { invalidate } from '../scripts.js'
import type { SharedKeys } from './shared-keys.js'

/** How long a caller that asks the source may take, if the answer is to be stored in the second level. */
export const TICKET_MS = 600_000
/** What is behind a ticket may live for a day, and so may what takes its place: what is untrue is known for longer. */
export const KEEP_MS = 2 * MAX_SECOND_LEVEL_MS + 2 * TICKET_MS

/** Declares something untrue in the second level of a region. */
export async function declareShared(
  redis: RedisConnection,
  keysOfRegion: SharedKeys,
  invalidated: Invalidated | 'all',
): Promise<void> {
  await redis.runEach(
    invalidate,
    keysOfRegion.inPartitions(invalidated).map(({ keys, escaped }) => ({
      keys,
      args: {
        keys: JSON.stringify(escaped.keys),
        names: JSON.stringify(escaped.tags),
        fresh: invalidated === 'all' ? randomId() : '',
        keepMs: KEEP_MS,
      },
    })),
  )
}
