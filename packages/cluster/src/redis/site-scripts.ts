import { defineScript } from '@authstate/redis'
import hearLua from '../lua/hear.lua'
import announceLua from '../lua/lib/announce.lua'
import saidLua from '../lua/said.lua'

export const said = defineScript({
  name: 'cluster.said',
  lua: saidLua,
  record: 'cluster-event',
  change: 'touch',
  changes: 'how far another site was told is no record',
  keys: ['events', 'told'],
  args: ['had', 'heard', 'owed', 'limit'],
  decode: (reply) => {
    const [had, heard, owed, ...flat] = reply as [string, string, string, ...string[]]
    const entries: { readonly id: string; readonly sender: string; readonly text: string }[] = []
    for (let index = 0; index + 2 < flat.length; index += 3) {
      const [id, sender, text] = flat.slice(index, index + 3) as [string, string, string]
      entries.push({ id, sender, text })
    }
    return { had, heard, owed, entries }
  },
})

export const hear = defineScript({
  name: 'cluster.hear',
  lua: hearLua,
  include: { announce: announceLua },
  record: 'cluster-event',
  change: 'full',
  changes: 'an event is no record: the work channel is an outbox itself',
  keys: ['events', 'cluster', 'told'],
  args: ['site', 'after', 'batch', 'gap', 'keepMs', 'maxLength', 'channel', 'sharded'],
  decode: (reply) => reply as number,
})
