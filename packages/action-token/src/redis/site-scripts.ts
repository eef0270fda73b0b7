import { defineScript, type JoinAnswer } from '@authstate/redis'
import joinLua from '../lua/join.lua'
import joinRevocationLua from '../lua/join-revocation.lua'
import namesLua from '../lua/names.lua'
import shareLua from '../lua/share.lua'
import shareRevocationLua from '../lua/share-revocation.lua'
import { snippets as include } from './snippets.js'

const record = 'action-token'

/** What one site says to others is no change of its own: what a join writes is noted nowhere, so it never comes back. */
const ofSites = 'what sites know of each other is noted where it began'

export const share = defineScript({
  name: 'action-token.share',
  lua: shareLua,
  include,
  record,
  change: 'touch',
  changes: ofSites,
  keys: ['token'],
  args: ['now', 'site', 'at', 'removed', 'endsMs'],
  decode: (reply) => (reply as string | null) ?? undefined,
})

export const join = defineScript({
  name: 'action-token.join',
  lua: joinLua,
  include,
  record,
  change: 'full',
  changes: ofSites,
  keys: ['token'],
  args: ['now', 'site', 'state', 'endsMs', 'aheadMs'],
  decode: (reply): JoinAnswer => {
    if (typeof reply === 'string') return { outcome: reply as JoinAnswer['outcome'] }
    const [outcome, known] = reply as [JoinAnswer['outcome'], string]
    return { outcome, known }
  },
})

export const shareRevocation = defineScript({
  name: 'action-token.share-revocation',
  lua: shareRevocationLua,
  include,
  record: 'action-token-revocation',
  change: 'touch',
  changes: ofSites,
  keys: ['mark', 'realms'],
  args: ['now', 'family'],
  decode: (reply) => (reply as string | null) ?? undefined,
})

export const joinRevocation = defineScript({
  name: 'action-token.join-revocation',
  lua: joinRevocationLua,
  include,
  record: 'action-token-revocation',
  change: 'full',
  changes: ofSites,
  keys: ['mark', 'index'],
  args: ['now', 'until', 'family', 'after', 'site', 'endsMs'],
  decode: (reply) => {
    const [outcome, last] = reply as ['changed' | 'same', string]
    return { outcome, last }
  },
})

export const names = defineScript({
  name: 'action-token.names',
  lua: namesLua,
  include,
  record,
  change: 'none',
  keys: ['realms'],
  args: ['place', 'afterScore', 'afterId', 'limit'],
  decode: (reply) => {
    const [place, score, id, ...found] = reply as [string, string, string, ...string[]]
    return { next: place === '' ? undefined : { place, score, id }, names: found }
  },
})
