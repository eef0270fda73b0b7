import { defineScript, type JoinOutcome } from '@authstate/redis'
import joinLua from '../lua/join.lua'
import joinFenceLua from '../lua/join-fence.lua'
import puttingLua from '../lua/lib/putting.lua'
import sharedLua from '../lua/lib/shared.lua'
import sharingLua from '../lua/lib/sharing.lua'
import sharingFenceLua from '../lua/lib/sharing-fence.lua'
import namesLua from '../lua/names.lua'
import shareLua from '../lua/share.lua'
import shareFenceLua from '../lua/share-fence.lua'
import { snippets } from './snippets.js'

const record = 'web-session'
const fence = 'web-session-fence'

/** Lua that scripts for sites include by name. */
export const siteSnippets = {
  ...snippets,
  putting: puttingLua,
  shared: sharedLua,
  sharing: sharingLua,
  'sharing-fence': sharingFenceLua,
}
const include = siteSnippets

/** What one site says to others is no change of its own: what a join writes is noted nowhere, so it never comes back. */
const ofSites = 'what sites know of each other is noted where it began'

export const share = defineScript({
  name: 'web-session.share',
  lua: shareLua,
  include,
  record,
  change: 'touch',
  changes: ofSites,
  keys: ['record'],
  args: ['now', 'site', 'at', 'endsMs'],
  decode: (reply) => (reply as string | null) ?? undefined,
})

export const join = defineScript({
  name: 'web-session.join',
  lua: joinLua,
  include,
  record,
  change: 'full',
  changes: ofSites,
  keys: ['record'],
  args: ['now', 'site', 'state', 'endsMs', 'aheadMs', 'member', 'layout'],
  decode: (reply) => {
    const [outcome, known, alias, score] = reply as [JoinOutcome, string, string, string]
    return { answer: { outcome, ...(known !== '' && { known }) }, alias, score }
  },
})

export const shareFence = defineScript({
  name: 'web-session.share-fence',
  lua: shareFenceLua,
  include,
  record: fence,
  change: 'touch',
  changes: ofSites,
  keys: ['fence'],
  args: ['now', 'endsMs'],
  decode: (reply) => {
    if (reply === null) return undefined
    const [mark, ms, ...spared] = reply as [string, number, ...string[]]
    return { mark, ms, spared }
  },
})

export const joinFence = defineScript({
  name: 'web-session.join-fence',
  lua: joinFenceLua,
  include,
  record: fence,
  change: 'full',
  changes: ofSites,
  keys: ['fence'],
  args: ['now', 'site', 'mark', 'fenceMs', 'endsMs', 'spared', 'afterDigest'],
  decode: (reply) => reply as string,
})

export const names = defineScript({
  name: 'web-session.names',
  lua: namesLua,
  include,
  record,
  change: 'none',
  keys: ['known'],
  args: ['afterScore', 'afterName', 'limit'],
  decode: (reply) => {
    const [score = '', id = '', ...found] = reply as string[]
    return { names: found, next: score === '' ? undefined : { place: '', score, id } }
  },
})
