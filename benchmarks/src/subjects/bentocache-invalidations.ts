import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver } from 'bentocache/drivers/redis'
import { Mailbox } from '../mailbox.js'
import type { Place, Subject } from '../subject.js'

/** bentocache's bus. It asks for ioredis 5 and gets 6, on which it works. */
export async function open({ url, prefix, variant }: Place): Promise<Subject> {
  const { hostname: host, port } = new URL(url)
  const bus = redisBusDriver({ connection: { host, port: Number(port) } })
  const store = bentostore({ prefix })
    .useL1Layer(memoryDriver({ maxItems: 10_000 }))
    .useBus(bus)
  const cache = new BentoCache({ default: 'realms', stores: { realms: store } })
  const [mine, theirs] = variant === 'partner' ? ['pong', 'ping'] : ['ping', 'pong']
  const mailbox = new Mailbox()
  const send = (key: string) => cache.delete({ key: `${mine}-${key}` })
  cache.on('bus:message:received', ({ message }: { message: { keys: string[] } }) => {
    for (const key of message.keys) {
      const [from, name = ''] = key.split(/[-:]/).slice(-2)
      if (from !== theirs) continue
      if (variant === 'partner') void send(name)
      else mailbox.arrived(name)
    }
  })
  await cache.get({ key: 'warm' }) // subscribes
  return {
    operations: { 'there and back': (turn) => mailbox.exchange(`${turn}`, send) },
    close: () => cache.disconnectAll(),
  }
}
