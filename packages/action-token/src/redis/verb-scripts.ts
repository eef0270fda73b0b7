import { defineScript } from '@authstate/redis'
import type { UseCount } from '../contract.js'
import consumeLua from '../lua/consume.lua'
import countUseLua from '../lua/count-use.lua'
import pageLua from '../lua/page.lua'
import putLua from '../lua/put.lua'
import removeLua from '../lua/remove.lua'
import replaceLua from '../lua/replace.lua'
import revokeLua from '../lua/revoke.lua'
import takeLua from '../lua/take.lua'
import withdrawLua from '../lua/withdraw.lua'
import type { AttemptReply, StoredToken } from '../rules.js'
import { readToken } from './token-text.js'

const record = 'action-token'
const done = (reply: unknown): boolean => reply === 1

export const put = defineScript({
  name: 'action-token.put',
  lua: putLua,
  record,
  change: 'full',
  changes: { 'action-token': ['full'] },
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
  keys: ['token'],
  args: ['now', 'readGraceMs', 'attempt', 'graceUntil', 'successor'],
  decode: (reply): AttemptReply => {
    const [outcome, text] =
      typeof reply === 'string'
        ? (['consumed', reply] as const)
        : (reply as [outcome: AttemptReply['outcome'], text?: string])
    if (outcome !== 'consumed' && outcome !== 'used') return { outcome }
    const token = readToken(text ?? '')
    if (token === undefined || token === 'unreadable') return { outcome: 'unreadable' }
    const { consumption } = token
    if (outcome === 'used') return { outcome, token, consumedAt: consumption?.at ?? 0 }
    return { outcome, token, ...(consumption && { successor: consumption.successor }) }
  },
})

export const remove = defineScript({
  name: 'action-token.remove',
  lua: removeLua,
  record,
  change: 'removal',
  changes: { 'action-token': ['removal'] },
  keys: ['token', 'realm', 'families', 'subjects'],
  args: ['now', 'tail'],
  decode: done,
})

export const take = defineScript({
  name: 'action-token.take',
  lua: takeLua,
  record,
  change: 'removal',
  changes: { 'action-token': ['removal'] },
  keys: ['token', 'realm', 'families', 'subjects'],
  args: ['now', 'tail'],
  decode: (reply): StoredToken | 'unreadable' | undefined => readToken(reply as string | null),
})

export const countUse = defineScript({
  name: 'action-token.count-use',
  lua: countUseLua,
  record: 'use-count',
  change: 'full',
  changes: 'a count of tries ends by itself, with its window',
  keys: ['count', 'realm'],
  args: ['now', 'windowMs', 'graceMs', 'tail'],
  decode: (reply): UseCount => {
    const [count, resetsAt] = reply as [string, string]
    return { count: Number(count), resetsAt: Number(resetsAt) }
  },
})

/** The tail of a key that an index names, and its score. */
export interface ListedTail {
  readonly tail: string
  readonly score: number
}

export const page = defineScript({
  name: 'action-token.page',
  lua: pageLua,
  record,
  change: 'none',
  keys: ['index'],
  args: ['now', 'afterScore', 'limit'],
  decode: (reply) => {
    const flat = reply as string[]
    const entries: ListedTail[] = []
    for (let index = 0; index < flat.length; index += 2)
      entries.push({ tail: flat[index] ?? '', score: Number(flat[index + 1]) })
    return entries
  },
})

export const withdraw = defineScript({
  name: 'action-token.withdraw',
  lua: withdrawLua,
  record,
  change: 'removal',
  changes: { 'action-token': ['removal'], 'action-token-revocation': ['full', 'removal'] },
  keys: ['index', 'refused', 'realm', 'families', 'subjects', 'head'],
  args: ['now', 'until', 'keepMs', 'also', 'after', 'family'],
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
  keys: ['revoked', 'realm'],
  args: ['now', 'expiresAt', 'keepMs', 'tail'],
  decode: (): void => undefined,
})
