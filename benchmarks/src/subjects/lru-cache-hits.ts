import { LRUCache } from 'lru-cache'
import { hotKey, hotKeys } from '../hot-keys.js'
import type { Subject } from '../subject.js'

/** Values in an lru-cache, and nothing around it. */
export async function open(): Promise<Subject> {
  const cache = new LRUCache<string, object>({ max: 10_000 })
  for (const key of hotKeys) cache.set(key, { name: 'demo' })
  return {
    operations: {
      hit: (turn) => cache.get(hotKey(turn)),
      'awaited hit': (turn) => cache.get(hotKey(turn)),
    },
    close: async () => cache.clear(),
  }
}
