import type { Redis } from 'ioredis'
import { forEach } from '../for-each.js'

export interface Footprint {
  /** Bytes that the server uses more than before, by what was stored. */
  readonly perItem: number
  /** Bytes of the keys of each kind, by what was stored; a kind is what follows the partition in a key. */
  readonly byKind: Readonly<Record<string, number>>
}

/**
 * What `store` makes Redis keep, for each of `count` items. The server is emptied first, and has seen enough of them
 * before for the buffers of its connections to have grown.
 */
export async function footprint(
  redis: Redis,
  count: number,
  store: (n: number) => Promise<unknown>,
): Promise<Footprint> {
  await forEach(count / 10, store)
  await redis.flushall('SYNC')
  const before = await usedMemory(redis)
  await forEach(count, store)
  const perItem = ((await usedMemory(redis)) - before) / count
  const byKind: Record<string, number> = {}
  for await (const keys of redis.scanStream({ count: 1_000 }) as AsyncIterable<string[]>) {
    const sizes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)))
    for (const [i, key] of keys.entries()) {
      const kind = /\}:([^:]*)/.exec(key)?.[1] ?? 'other'
      byKind[kind] = (byKind[kind] ?? 0) + (sizes[i] ?? 0) / count
    }
  }
  return { perItem, byKind }
}

async function usedMemory(redis: Redis): Promise<number> {
  const info = await redis.info('memory')
  return Number(/used_memory:(\d+)/.exec(info)?.[1])
}
