import { defineScript } from '@authstate/redis'
import behindLua from './lua/behind.lua'
import introduceLua from './lua/introduce.lua'
import laterNoteLua from './lua/lib/later-note.lua'
import linkLua from './lua/link.lua'
import markLua from './lua/mark.lua'
import membershipLua from './lua/membership.lua'
import progressLua from './lua/progress.lua'
import reachedLua from './lua/reached.lua'
import rewindLua from './lua/rewind.lua'
import unreadLua from './lua/unread.lua'

const snippets = { 'later-note': laterNoteLua }

export const introduce = defineScript({
  name: 'cross-site.introduce',
  lua: introduceLua,
  record: 'site',
  change: 'touch',
  changes: 'what a site says of itself is no record',
  keys: ['site'],
  args: ['site', 'epoch', 'set'],
  decode: (reply) => fieldsOf(reply as string[]),
})

function fieldsOf(flat: readonly string[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (let index = 0; index + 1 < flat.length; index += 2)
    fields.set(flat[index] as string, flat[index + 1] as string)
  return fields
}

export const noteLink = defineScript({
  name: 'cross-site.link',
  lua: linkLua,
  record: 'site',
  change: 'touch',
  changes: 'how a link stands is no record',
  keys: ['link'],
  args: ['version', 'set'],
  decode: (reply) => {
    const [noted, ...flat] = reply as [number, ...string[]]
    return { isNoted: noted === 1, fields: fieldsOf(flat) }
  },
})

export const setMembership = defineScript({
  name: 'cross-site.membership',
  lua: membershipLua,
  record: 'site',
  change: 'touch',
  changes: 'which sites there are is no record',
  keys: ['membership'],
  args: ['membership'],
  decode: (reply) => reply as string,
})

export const unread = defineScript({
  name: 'cross-site.unread',
  lua: unreadLua,
  include: snippets,
  record: 'note',
  change: 'none',
  keys: ['notes', 'had'],
  args: ['consumer', 'after', 'limit'],
  decode: (reply) => {
    const [last, notes, lost] = reply as [
      string,
      (readonly [id: string, fields: readonly string[]])[],
      number,
    ]
    return { last, notes, isLost: lost === 1 }
  },
})

export const behind = defineScript({
  name: 'cross-site.behind',
  lua: behindLua,
  record: 'site',
  change: 'touch',
  changes: 'what another site has heard of is no record',
  keys: ['behind'],
  args: ['add', 'done', 'limit'],
  decode: (reply) => {
    const [count, ...flat] = reply as [number, ...string[]]
    const entries: (readonly [name: string, place: string])[] = []
    for (let index = 0; index + 1 < flat.length; index += 2)
      entries.push([flat[index] as string, flat[index + 1] as string])
    return { count, entries }
  },
})

export const progress = defineScript({
  name: 'cross-site.progress',
  lua: progressLua,
  record: 'note',
  change: 'none',
  keys: ['notes', 'had'],
  args: ['consumer'],
  decode: (reply) => {
    const [last, had] = reply as [string, string]
    return { last, had }
  },
})

export const reached = defineScript({
  name: 'cross-site.reached',
  lua: reachedLua,
  record: 'site',
  change: 'touch',
  changes: 'how far a site was told is no record',
  keys: ['reached'],
  args: ['site', 'id'],
  decode: (reply) => reply === 1,
})

export const mark = defineScript({
  name: 'cross-site.mark',
  lua: markLua,
  include: snippets,
  record: 'site',
  change: 'touch',
  changes: 'how far another site has told this one is no record',
  keys: ['marks'],
  args: ['field', 'id', 'before'],
  decode: (reply) => [...fieldsOf(reply as string[]).values()],
})

export const rewind = defineScript({
  name: 'cross-site.rewind',
  lua: rewindLua,
  include: snippets,
  record: 'site',
  change: 'touch',
  changes: 'what another site has to tell again is no record',
  keys: ['notes', 'had', 'marks'],
  args: ['consumer', 'sites', 'step', 'site', 'ids'],
  decode: (reply) => {
    const [lost, owed] = reply as [number, string]
    return { isLost: lost === 1, owed }
  },
})

export { pushBegin, pushControl, pushesOf, pushStep } from './push/scripts.js'
