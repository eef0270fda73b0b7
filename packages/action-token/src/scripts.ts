import { defineScript, unescapePart } from '@authstate/redis'
import consumeLua from './lua/consume.lua'
import putLua from './lua/put.lua'
import removeLua from './lua/remove.lua'
import replaceLua from './lua/replace.lua'
import revokeLua from './lua/revoke.lua'
import withdrawLua from './lua/withdraw.lua'
import type { AttemptReply } from './rules.js'

const record = 'action-token'
const done = (reply: unknown): boolean => reply === 1

export const put = defineScript({
  name: 'action-token.put',
  lua: putLua,
  record,
  change: 'full',
  changes: { 'action-token': ['full'] },
  repeatable: true,
  keys: ['token', 'realm'],
  args: ['now', 'expiresAt', 'keepMs', 'onlyAbsent', 'text'],
  decode: done,
})

export const replace = defineScript({
  name: 'action-token.replace',
  lua: replaceLua,
  record,
  change: 'full',
  changes: { 'action-token': ['full'] },
  repeatable: true,
  keys: ['token'],
  args: ['now', 'data'],
  decode: done,
})

export const consume = defineScript({
  name: 'action-token.consume',
  lua: consumeLua,
  record,
  change: 'full',
  changes: { 'action-token': ['full'] },
  repeatable: true,
  keys: ['token'],
  args: ['now', 'readGraceMs', 'attempt', 'graceUntil', 'successor'],
  decode: (reply): AttemptReply => {
    if (typeof reply === 'string') return { outcome: 'consumed', data: reply }
    const [outcome, data = '', more = ''] = reply as [AttemptReply['outcome'], string?, string?]
    if (outcome === 'consumed') return { outcome, data, successor: unescapePart(more) }
    if (outcome === 'used') return { outcome, data, consumedAt: Number(more) }
    return { outcome }
  },
})

export const remove = defineScript({
  name: 'action-token.remove',
  lua: removeLua,
  record,
  change: 'removal',
  changes: { 'action-token': ['removal'] },
  repeatable: true,
  keys: ['token', 'realm', 'families', 'subjects'],
  args: ['now', 'tail'],
  decode: done,
})

export const withdraw = defineScript({
  name: 'action-token.withdraw',
  lua: withdrawLua,
  record,
  change: 'removal',
  changes: { 'action-token': ['removal'], 'action-token-revocation': ['full', 'removal'] },
  repeatable: true,
  keys: ['index', 'refused', 'realm', 'families', 'subjects', 'head'],
  args: ['now', 'until', 'keepMs', 'all', 'after', 'family'],
  decode: (reply) => {
    const [withdrawn, last, longest] = reply as [number, string, string]
    return { withdrawn, last, longest: Number(longest) }
  },
})

export const revoke = defineScript({
  name: 'action-token.revoke',
  lua: revokeLua,
  record,
  change: 'full',
  changes: { 'action-token-revocation': ['full'] },
  repeatable: true,
  keys: ['revoked', 'realm'],
  args: ['now', 'expiresAt', 'keepMs', 'tail'],
  decode: (): void => undefined,
})
