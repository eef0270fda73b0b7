import { memoryRealmCache, realmCacheSpi } from '@authstate/realm-cache'
import { createProviderRegistry } from '@authstate/registry'
import { hotKey, hotKeys } from '../hot-keys.js'
import type { Subject } from '../subject.js'

/** Values that the realm cache of this library holds. */
export async function open(): Promise<Subject> {
  const registry = createProviderRegistry({ factories: [memoryRealmCache()] })
  await registry.start()
  const region = registry.get(realmCacheSpi).region<object>('realms')
  const load = () => ({ name: 'demo' })
  for (const key of hotKeys) await region.get(key, load)
  return {
    operations: {
      hit: (turn) => region.peek(hotKey(turn)),
      'awaited hit': (turn) => region.get(hotKey(turn), load),
    },
    close: () => registry.close(),
  }
}
