import { defineScript, type JoinAnswer, type JoinOutcome } from '@authstate/redis'
import joinLua from '../lua/join.lua'
import sharedLua from '../lua/lib/shared.lua'
import sharingLua from '../lua/lib/sharing.lua'
import namesLua from '../lua/names.lua'
import shareLua from '../lua/share.lua'

const record = 'auth-session'
const include = { shared: sharedLua, sharing: sharingLua }

/** What one site says to others is no change of its own: what a join writes is noted nowhere, so it never comes back. */
const ofSites = 'what sites know of each other is noted where it began'

export const share = defineScript({
  name: 'auth-session.share',
  lua: shareLua,
  include,
  record,
  change: 'touch',
  changes: ofSites,
  keys: ['root'],
  args: ['now', 'site', 'at', 'removed', 'endsMs'],
  decode: (reply) => (reply as string | null) ?? undefined,
})

export const join = defineScript({
  name: 'auth-session.join',
  lua: joinLua,
  include,
  record,
  change: 'full',
  changes: ofSites,
  keys: ['root'],
  args: ['now', 'site', 'state', 'endsMs', 'aheadMs'],
  decode: (reply): JoinAnswer => {
    const [outcome, known] = reply as [JoinOutcome, string]
    return { outcome, ...(known !== '' && { known }) }
  },
})

export const names = defineScript({
  name: 'auth-session.names',
  lua: namesLua,
  record,
  change: 'none',
  keys: ['known'],
  args: ['afterScore', 'afterName', 'limit'],
  decode: (reply) => {
    const [score = '', id = '', ...found] = reply as string[]
    return { names: found, next: score === '' ? undefined : { place: '', score, id } }
  },
})
