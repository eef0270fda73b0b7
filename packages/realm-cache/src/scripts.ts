import { defineScript } from '@authstate/redis'
import invalidateLua from './lua/invalidate.lua'
import lookLua from './lua/look.lua'
import offerLua from './lua/offer.lua'

const record = 'realm-cache'
const done = (reply: unknown): boolean => reply === 1

export const look = defineScript({
  name: 'realm-cache.look',
  lua: lookLua,
  record,
  change: 'touch',
  changes: 'a value of a cache is no record: it is a copy of what its source holds',
  keys: ['value', 'generation', 'tags'],
  args: ['now', 'ticket', 'fresh', 'ticketMs', 'keepMs', 'anew'],
  decode: (reply) => {
    const [ticket, kind, valueEnds, tags, data] = reply as [string, string?, string?, string?, string?]
    return { ticket, kind, valueEnds: Number(valueEnds), tags: tags ?? '[]', data: data ?? '' }
  },
})

export const offer = defineScript({
  name: 'realm-cache.offer',
  lua: offerLua,
  record,
  change: 'full',
  changes: 'a value of a cache is no record: it is a copy of what its source holds',
  keys: ['value', 'generation', 'tags'],
  args: ['ticket', 'next', 'kind', 'ends', 'valueEnds', 'keepMs', 'tags', 'data', 'tagMs'],
  decode: done,
})

export const invalidate = defineScript({
  name: 'realm-cache.invalidate',
  lua: invalidateLua,
  record,
  change: 'removal',
  changes: 'a value of a cache is no record; what it tells others goes over the work channel',
  keys: ['generation', 'values', 'tags'],
  args: ['keys', 'names', 'fresh', 'keepMs'],
  decode: done,
})
