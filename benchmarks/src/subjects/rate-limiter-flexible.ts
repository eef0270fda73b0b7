import { batchWrites } from '@authstate/redis'
import { Redis } from 'ioredis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { userOf } from '../login.js'
import type { Place, Subject } from '../subject.js'

/** rate-limiter-flexible on ioredis 6, with a limit that is never reached. */
export async function open({ url, prefix, variant }: Place): Promise<Subject> {
  const storeClient = new Redis(url)
  if (variant === 'batched') batchWrites(storeClient)
  const limiter = new RateLimiterRedis({ storeClient, keyPrefix: prefix, points: 1e12, duration: 43_200 })
  return {
    operations: { failure: (turn) => limiter.consume(userOf(turn % 1_000)) },
    close: async () => storeClient.disconnect(),
  }
}
