import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { hotKey, hotKeys } from '../hot-keys.js'
import type { Subject } from '../subject.js'

/** Values that bentocache holds in memory. */
export async function open(): Promise<Subject> {
  const memory = memoryDriver({ maxItems: 10_000 })
  const cache = new BentoCache({ default: 'realms', stores: { realms: bentostore().useL1Layer(memory) } })
  const read = (key: string) => cache.getOrSet({ key, ttl: '1h', factory: () => ({ name: 'demo' }) })
  for (const key of hotKeys) await read(key)
  return {
    operations: { 'awaited hit': (turn) => read(hotKey(turn)) },
    close: () => cache.disconnectAll(),
  }
}
