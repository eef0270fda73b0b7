import { Redis } from 'ioredis'
import { Mailbox } from '../mailbox.js'
import type { Place, Subject } from '../subject.js'

/** Messages over PUBLISH and SUBSCRIBE: the least that could tell another process anything. */
export async function open({ url, prefix, variant }: Place): Promise<Subject> {
  const [sender, receiver] = [new Redis(url), new Redis(url)]
  const [mine, theirs] = variant === 'partner' ? ['pong', 'ping'] : ['ping', 'pong']
  const mailbox = new Mailbox()
  const send = (key: string) => sender.publish(`${prefix}:${mine}`, key)
  receiver.on('message', (_, key: string) => (variant === 'partner' ? void send(key) : mailbox.arrived(key)))
  await receiver.subscribe(`${prefix}:${theirs}`)
  return {
    operations: { 'there and back': (turn) => mailbox.exchange(`${turn}`, send) },
    close: async () => {
      sender.disconnect()
      receiver.disconnect()
    },
  }
}
