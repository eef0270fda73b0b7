import type { RedisClient } from '@authstate/redis'
import { channel } from '../scripts.js'
import type { ChannelKeys } from './publisher.js'

/** Most entries of one answer. */
export const READ_COUNT = 500

/** An entry of a stream: id, then names and values in turn. */
export type Entry = readonly [string, readonly string[]]

export interface StreamClient extends RedisClient {
  xread(...args: (string | number)[]): Promise<readonly [string, readonly Entry[]][] | null>
}

/**
 * Both ends of the channel, and how far each sender has come: on the reading connection, because another one may speak to another
 * server while a failover is going on.
 */
export async function lookAtEnds(client: StreamClient, { events, senders }: ChannelKeys) {
  const keys = [events, senders]
  const reply = client.evalsha(channel.sha1, keys.length, ...keys).catch((error: Error) => {
    if (!error.message.startsWith('NOSCRIPT')) throw error
    return client.eval(channel.lua, keys.length, ...keys)
  })
  return channel.decode(await reply)
}

/** What came after an entry; waits for it in Redis for so long, 0: not at all. */
export async function readAfter(
  client: StreamClient,
  events: string,
  lastId: string,
  waitMs: number,
): Promise<readonly Entry[]> {
  const block = waitMs > 0 ? ['BLOCK', waitMs] : []
  const reply = await client.xread('COUNT', READ_COUNT, ...block, 'STREAMS', events, lastId)
  return reply?.[0]?.[1] ?? []
}
