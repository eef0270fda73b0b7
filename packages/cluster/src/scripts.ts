import { defineScript } from '@authstate/redis'
import type { Acquired } from './leases.js'
import acquireLua from './lua/acquire.lua'
import beatLua from './lua/beat.lua'
import channelLua from './lua/channel.lua'
import expelLua from './lua/expel.lua'
import leaveLua from './lua/leave.lua'
import announceLua from './lua/lib/announce.lua'
import publishLua from './lua/publish.lua'
import releaseLua from './lua/release.lua'
import renewLua from './lua/renew.lua'

const snippets = { announce: announceLua }

/** Of a script that adds to the work channel: where it is published, in addition to its own arguments. */
const ANNOUNCED = ['channel', 'sharded'] as const

const done = (reply: unknown): boolean => reply === 1

export const beat = defineScript({
  name: 'cluster.beat',
  lua: beatLua,
  include: snippets,
  record: 'cluster-member',
  change: 'full',
  changes: 'a node of a cluster is no record: it belongs to its site, and says that it lives every second',
  keys: ['cluster', 'members', 'senders', 'events'],
  args: ['member', 'record', 'now', 'replaces', 'keepMs', 'maxLength', ...ANNOUNCED],
  decode: (reply) => {
    const [joined, version, startedAt, lastId, gone, told, ...members] = reply as string[]
    return {
      joined: joined === '1',
      version: Number(version),
      startedAt: Number(startedAt),
      lastId: lastId as string,
      departed: new Set(gone?.split(' ')),
      /** Whether it could be published; `undefined`: there was nothing to publish. */
      told: told === '' ? undefined : told === '1',
      members: pairs(members),
    }
  },
})

export const leave = defineScript({
  name: 'cluster.leave',
  lua: leaveLua,
  include: snippets,
  record: 'cluster-member',
  change: 'removal',
  changes: 'a node of a cluster is no record: it belongs to its site, and says that it lives every second',
  keys: ['cluster', 'members', 'senders', 'events'],
  args: ['member', 'incarnation', 'keepMs', 'maxLength', ...ANNOUNCED],
  decode: done,
})

export const expel = defineScript({
  name: 'cluster.expel',
  lua: expelLua,
  include: snippets,
  record: 'cluster-member',
  change: 'removal',
  changes: 'a node of a cluster is no record: it belongs to its site, and says that it lives every second',
  keys: ['cluster', 'members', 'senders', 'events'],
  args: ['member', 'incarnation', 'heard', 'keepMs', 'maxLength', ...ANNOUNCED],
  decode: done,
})

export const publish = defineScript({
  name: 'cluster.publish',
  lua: publishLua,
  include: snippets,
  record: 'cluster-event',
  change: 'full',
  changes: 'an event is no record: the work channel is an outbox itself',
  keys: ['events', 'senders'],
  args: ['incarnation', 'first', 'batch', 'keepMs', 'maxLength', ...ANNOUNCED],
  decode: (reply) => {
    const [added, told] = reply as [number, number]
    return { added, told: added === 0 ? undefined : told === 1 }
  },
})

/** Run on the reading connection, so that what it says is what that connection will see. */
export const channel = defineScript({
  name: 'cluster.channel',
  lua: channelLua,
  record: 'cluster-event',
  change: 'none',
  keys: ['events', 'senders'],
  args: [],
  decode: (reply) => {
    const [firstId, lastId, ...senders] = reply as [string, string, ...string[]]
    return {
      firstId,
      lastId,
      senders: new Map([...pairs(senders)].map(([sender, number]) => [sender, Number(number)])),
    }
  },
})

export const acquire = defineScript({
  name: 'cluster.acquire',
  lua: acquireLua,
  record: 'lease',
  change: 'full',
  changes: 'a lease is no record: it ends by itself',
  keys: ['lease', 'fences'],
  args: ['owner', 'now', 'leaseMs', 'marginMs', 'waits'],
  decode: (reply): Acquired => {
    const [acquired, fence] = reply as [string, string]
    return { acquired: acquired === '1', fence: Number(fence) }
  },
})

export const renew = defineScript({
  name: 'cluster.renew',
  lua: renewLua,
  record: 'lease',
  change: 'touch',
  changes: 'a lease is no record: it ends by itself',
  keys: ['lease'],
  args: ['owner', 'now', 'leaseMs', 'marginMs'],
  decode: done,
})

export const release = defineScript({
  name: 'cluster.release',
  lua: releaseLua,
  record: 'lease',
  change: 'removal',
  changes: 'a lease is no record: it ends by itself',
  keys: ['lease'],
  args: ['owner'],
  decode: (reply) => (['lost', 'free', 'awaited'] as const)[reply as 0 | 1 | 2],
})

function pairs(flat: readonly string[]): ReadonlyMap<string, string> {
  const map = new Map<string, string>()
  for (let index = 0; index + 1 < flat.length; index += 2)
    map.set(flat[index] as string, flat[index + 1] as string)
  return map
}

export { hear, said } from './redis/site-scripts.js'
