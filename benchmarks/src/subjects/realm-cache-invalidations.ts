import { redisCluster } from '@authstate/cluster/redis'
import { realmCacheSpi } from '@authstate/realm-cache'
import { redisRealmCache } from '@authstate/realm-cache/redis'
import { Mailbox } from '../mailbox.js'
import { openStore } from '../open-store.js'
import type { Place, Subject } from '../subject.js'

/** Invalidations of this library's realm cache: one region asks, another answers. */
export async function open(place: Place): Promise<Subject> {
  const store = await openStore({ ...place, variant: 'batched' }, [redisCluster(), redisRealmCache()])
  const cache = store.registry.get(realmCacheSpi)
  const [ping, pong] = [cache.region('ping'), cache.region('pong')]
  const mailbox = new Mailbox()
  const isPartner = place.variant === 'partner'
  const [mine, theirs] = isPartner ? [pong, ping] : [ping, pong]
  cache.on((event) => {
    if (event.type !== 'invalidated' || event.by !== 'another-node' || event.region !== theirs.name) return
    if (isPartner) void mine.invalidate('key')
    else mailbox.arrived('key')
  })
  return {
    operations: { 'there and back': () => mailbox.exchange('key', (key) => mine.invalidate(key)) },
    close: store.close,
  }
}
