import { defineScript, type JoinAnswer, sumsPageOf } from '@authstate/redis'
import joinLua from '../lua/join.lua'
import lockedLua from '../lua/lib/locked.lua'
import longestLua from '../lua/lib/longest.lua'
import recordLua from '../lua/lib/record.lua'
import sharedLua from '../lua/lib/shared.lua'
import sharingLua from '../lua/lib/sharing.lua'
import storedLua from '../lua/lib/stored.lua'
import namesLua from '../lua/names.lua'
import shareLua from '../lua/share.lua'
import sumsLua from '../lua/sums.lua'
import { NEVER } from '../rules.js'

const record = 'login-failure'

/** Lua that scripts for sites include by name. */
export const siteSnippets = {
  never: `local NEVER = ${NEVER}`,
  longest: longestLua,
  locked: lockedLua,
  record: recordLua,
  shared: sharedLua,
  sharing: sharingLua,
  stored: storedLua,
}

/** What one site says to others is no change of its own: what a join writes is noted nowhere, so it never comes back. */
const ofSites = 'what sites know of each other is noted where it began'

export const share = defineScript({
  name: 'login-failure.share',
  lua: shareLua,
  include: siteSnippets,
  record,
  change: 'touch',
  changes: ofSites,
  keys: ['record'],
  args: ['now', 'site', 'at', 'removed', 'endsMs', 'policy'],
  decode: (reply) => (reply as string | null) ?? undefined,
})

export const join = defineScript({
  name: 'login-failure.join',
  lua: joinLua,
  include: siteSnippets,
  record,
  change: 'full',
  changes: ofSites,
  keys: ['record', 'realm', 'locked'],
  args: ['now', 'site', 'state', 'endsMs', 'aheadMs', 'tail', 'layout'],
  decode: (reply): JoinAnswer => {
    if (typeof reply === 'string') return { outcome: reply as JoinAnswer['outcome'] }
    const [outcome, known] = reply as [JoinAnswer['outcome'], string]
    return { outcome, known }
  },
})

export const names = defineScript({
  name: 'login-failure.names',
  lua: namesLua,
  include: siteSnippets,
  record,
  change: 'none',
  keys: ['known'],
  args: ['afterScore', 'afterName', 'limit'],
  decode: (reply) => {
    const flat = reply as string[]
    const found: { readonly name: string; readonly score: string }[] = []
    for (let index = 0; index + 1 < flat.length; index += 2)
      found.push({ name: flat[index] as string, score: flat[index + 1] as string })
    return found
  },
})

export const sums = defineScript({
  name: 'login-failure.sums',
  lua: sumsLua,
  include: siteSnippets,
  record,
  change: 'none',
  keys: ['known'],
  args: ['now', 'site', 'afterScore', 'afterName', 'limit'],
  decode: sumsPageOf,
})
