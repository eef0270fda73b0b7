import { Redis } from 'ioredis'
import { Mailbox } from '../mailbox.js'
import type { Place, Subject } from '../subject.js'

type Streams = [stream: string, entries: [id: string, fields: string[]][]][] | null

/** Messages over XADD and XREAD BLOCK: the least that tells another process, and tells it again after a lost connection. */
export async function open({ url, prefix, variant }: Place): Promise<Subject> {
  const [sender, receiver] = [new Redis(url), new Redis(url)]
  const [mine, theirs] = variant === 'partner' ? ['pong', 'ping'] : ['ping', 'pong']
  const mailbox = new Mailbox()
  const send = (key: string) => sender.xadd(`${prefix}:${mine}`, 'MAXLEN', '~', 10_000, '*', 'e', key)
  const hear = (key: string) => (variant === 'partner' ? void send(key) : mailbox.arrived(key))
  const follow = async () => {
    for (let lastId = '0-0'; ; ) {
      const streams = (await receiver.xread(
        'COUNT',
        500,
        'BLOCK',
        5_000,
        'STREAMS',
        `${prefix}:${theirs}`,
        lastId,
      )) as Streams
      for (const [id, [, key = '']] of streams?.[0]?.[1] ?? []) {
        lastId = id
        hear(key)
      }
    }
  }
  const following = follow().catch(() => {})
  return {
    operations: { 'there and back': (turn) => mailbox.exchange(`${turn}`, send) },
    close: async () => {
      sender.disconnect()
      receiver.disconnect()
      await following
    },
  }
}
