import { defineScript, type JoinAnswer, sumsPageOf } from '@authstate/redis'
import joinLua from '../lua/join.lua'
import joinFenceLua from '../lua/join-fence.lua'
import joinTimesLua from '../lua/join-times.lua'
import namesLua from '../lua/names.lua'
import shareLua from '../lua/share.lua'
import shareFenceLua from '../lua/share-fence.lua'
import sumsLua from '../lua/sums.lua'
import { cursorOf } from './replies.js'
import { snippets as include } from './snippets.js'

const record = 'user-session'

/** What one site says to others is no change of its own: what a join writes is noted nowhere, so it never comes back. */
const ofSites = 'what sites know of each other is noted where it began'

export const share = defineScript({
  name: 'user-session.share',
  lua: shareLua,
  include,
  record,
  change: 'touch',
  changes: ofSites,
  keys: ['session'],
  args: ['now', 'site', 'at', 'removed', 'endsMs', 'touch'],
  lastIsOptional: true,
  decode: (reply) => (reply as string | null) ?? undefined,
})

export const join = defineScript({
  name: 'user-session.join',
  lua: joinLua,
  include,
  record,
  change: 'full',
  changes: ofSites,
  keys: ['session'],
  args: ['now', 'site', 'state', 'endsMs', 'aheadMs', 'layout'],
  decode: (reply): JoinAnswer & { readonly forked?: readonly string[] } => {
    if (typeof reply === 'string') return { outcome: reply as JoinAnswer['outcome'] }
    const [outcome, known, ...forked] = reply as [JoinAnswer['outcome'], string, ...string[]]
    return { outcome, known, forked }
  },
})

export const joinTimes = defineScript({
  name: 'user-session.join-times',
  lua: joinTimesLua,
  include,
  record,
  change: 'touch',
  changes: ofSites,
  keys: ['session'],
  args: ['now', 'state'],
  decode: (reply): JoinAnswer => ({ outcome: reply as JoinAnswer['outcome'] }),
})

export const shareFence = defineScript({
  name: 'user-session.share-fence',
  lua: shareFenceLua,
  include,
  record: 'user-session-fence',
  change: 'touch',
  changes: ofSites,
  keys: ['fence', 'index'],
  args: ['now', 'endsMs'],
  decode: (reply) => {
    if (reply === null) return undefined
    const [mark, ms, ...spared] = reply as [string, number, ...string[]]
    return { mark, ms, spared }
  },
})

export const joinFence = defineScript({
  name: 'user-session.join-fence',
  lua: joinFenceLua,
  include,
  record: 'user-session-fence',
  change: 'full',
  changes: ofSites,
  keys: ['fence', 'index'],
  args: ['now', 'site', 'mark', 'fenceMs', 'endsMs', 'spared', 'afterScore', 'afterId'],
  decode: (reply) => {
    const [score, id] = reply as [string, string]
    return cursorOf(score, id)
  },
})

export const names = defineScript({
  name: 'user-session.names',
  lua: namesLua,
  include,
  record,
  change: 'none',
  keys: ['due'],
  args: ['now', 'place', 'afterScore', 'afterId', 'limit', 'since'],
  decode: (reply) => {
    const [place, score, id, looked, ...found] = reply as [string, string, string, number, ...string[]]
    return { next: place === '' ? undefined : { place, score, id }, looked, names: found }
  },
})

export const sums = defineScript({
  name: 'user-session.sums',
  lua: sumsLua,
  include,
  record,
  change: 'none',
  keys: ['due'],
  args: ['now', 'site', 'place', 'afterScore', 'afterId', 'limit'],
  decode: sumsPageOf,
})
