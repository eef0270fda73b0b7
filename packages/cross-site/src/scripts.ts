import { defineScript } from '@authstate/redis'
import behindLua from './lua/behind.lua'
import introduceLua from './lua/introduce.lua'
import progressLua from './lua/progress.lua'

export const introduce = defineScript({
  name: 'cross-site.introduce',
  lua: introduceLua,
  record: 'site',
  change: 'touch',
  changes: 'what a site says of itself is no record',
  keys: ['site'],
  args: ['site', 'epoch', 'set'],
  decode: (reply) => {
    const fields = reply as string[]
    const recorded = new Map<string, string>()
    for (let index = 0; index + 1 < fields.length; index += 2) {
      recorded.set(fields[index] as string, fields[index + 1] as string)
    }
    return recorded as ReadonlyMap<string, string>
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

export { pushBegin, pushControl, pushesOf, pushStep } from './push/scripts.js'
