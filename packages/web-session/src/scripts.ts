import { defineScript, type EntriesReply, unescapePart } from '@authstate/redis'
import type { PagePosition } from '@authstate/spi'
import candidatesLua from './lua/candidates.lua'
import countLua from './lua/count.lua'
import endAllLua from './lua/end-all.lua'
import pageLua from './lua/page.lua'
import pageOfUserLua from './lua/page-of-user.lua'
import pointLua from './lua/point.lua'
import removeLua from './lua/remove.lua'
import saveLua from './lua/save.lua'
import touchLua from './lua/touch.lua'
import unpointLua from './lua/unpoint.lua'
import updateLua from './lua/update.lua'
import { digestIn, idIn, tagIn } from './redis/session-keys.js'
import { snippets } from './redis/snippets.js'
import type { EndedSession, SaveReply, UpdateReply } from './rules.js'

const record = 'web-session'

/** What a pointer has to follow: the alias of a session, and its score in indexes. */
export interface AliasScore {
  readonly alias: string
  readonly score: string
}

function refusal(reply: unknown) {
  switch (reply) {
    case 'ended':
    case 'user':
      return { outcome: 'refused', reason: reply } as const
    case 'conflict':
      return { outcome: 'conflict' } as const
    default:
      return { outcome: 'absent' } as const
  }
}

const aliasScore = (alias: string, score: string): AliasScore | undefined =>
  alias === '' ? undefined : { alias: unescapePart(alias), score }

export const save = defineScript({
  name: 'web-session.save',
  lua: saveLua,
  include: snippets,
  record,
  change: 'full',
  changes: { 'web-session': ['full', 'removal'] },
  keys: ['record', 'realm'],
  args: [
    'now',
    'expiresAt',
    'tombstoneMs',
    'graceMs',
    'member',
    'mustExist',
    'ifVersion',
    'since',
    'beginning',
    'rest',
    'layout',
  ],
  decode: (reply): SaveReply => {
    if (typeof reply === 'number')
      return { outcome: 'stored', version: reply, created: reply === 1, replaced: undefined }
    if (typeof reply === 'string') return refusal(reply)
    const [outcome, user] = reply as ['passed' | 'replaced', string?]
    const userId = user === undefined ? undefined : unescapePart(user)
    return outcome === 'passed'
      ? { outcome, userId }
      : { outcome: 'stored', version: 1, created: true, replaced: userId }
  },
})

export const update = defineScript({
  name: 'web-session.update',
  lua: updateLua,
  include: snippets,
  record,
  change: 'full',
  changes: { 'web-session': ['touch', 'full', 'removal'] },
  keys: ['record', 'realm'],
  args: [
    'now',
    'expiresAt',
    'tombstoneMs',
    'graceMs',
    'member',
    'ifVersion',
    'generation',
    'owner',
    'since',
    'beginning',
    'maxBytes',
    'unset',
    'layout',
    'set',
  ],
  lastIsOptional: true,
  decode: updated,
})

export const touch = defineScript({
  name: 'web-session.touch',
  lua: touchLua,
  include: snippets,
  record,
  change: 'full',
  changes: { 'web-session': ['touch', 'full', 'removal'] },
  keys: ['record', 'realm'],
  args: ['now', 'expiresAt', 'tombstoneMs', 'graceMs', 'member', 'layout'],
  decode: updated,
})

/** What a change comes to, and the alias whose pointer follows. */
export interface Updated {
  readonly reply: UpdateReply
  readonly moved?: AliasScore
  readonly ended?: AliasScore
}

function updated(reply: unknown): Updated {
  if (typeof reply === 'number') return { reply: { outcome: 'changed', version: reply } }
  if (typeof reply === 'string') return { reply: refusal(reply) }
  const [outcome, ...rest] = reply as [string, ...unknown[]]
  if (outcome === 'too-large') return { reply: { outcome, bytes: Number(rest[0]) } }
  if (outcome === 'passed') {
    const [user, alias, score] = rest as [string, string, string]
    const ended = aliasScore(alias, score)
    return { reply: { outcome, userId: unescapePart(user) }, ...(ended && { ended }) }
  }
  const [version, score, alias] = rest as [number, string, string]
  const moved = aliasScore(alias, score)
  return { reply: { outcome: 'changed', version }, ...(moved && { moved }) }
}

export const remove = defineScript({
  name: 'web-session.remove',
  lua: removeLua,
  include: snippets,
  record,
  change: 'removal',
  changes: { 'web-session': ['removal'] },
  keys: ['record', 'realm'],
  args: ['now', 'tombstoneMs', 'graceMs', 'member', 'generation'],
  decode: (reply) => {
    if (reply === null) return undefined
    const [user, alias, score] = reply as [string, string, string]
    return { userId: unescapePart(user), ended: aliasScore(alias, score) }
  },
})

export const endAll = defineScript({
  name: 'web-session.end-all',
  lua: endAllLua,
  include: snippets,
  record,
  change: 'removal',
  changes: { 'web-session': ['removal'], 'web-session-fence': ['full'] },
  keys: ['index', 'realm', 'fence', 'former'],
  args: ['now', 'tombstoneMs', 'graceMs', 'mark', 'except', 'limit', 'afterScore', 'afterDigest', 'user'],
  decode: (reply) => {
    const [score = '', digest = '', ...flat] = reply as string[]
    const ended: EndedSession[] = []
    for (let index = 0; index < flat.length; index += 2) {
      ended.push({ id: idIn(flat[index] ?? ''), userId: unescapePart(flat[index + 1] ?? '') })
    }
    return { ended, next: digest === '' ? undefined : { score, digest } }
  },
})

/** A member of an index: its place, and the session that it names. */
export interface MemberEntry extends PagePosition {
  readonly sessionId: string
  /** `tagOf` its user by the index of its realm; `''` elsewhere. */
  readonly tag: string
}

function membersOf(reply: unknown): EntriesReply<MemberEntry> {
  const [score, place = '', ...flat] = reply as string[]
  const entries: MemberEntry[] = []
  for (let index = 0; index < flat.length; index += 2) {
    const member = flat[index] ?? ''
    const [id, sessionId, tag] = [digestIn(member), idIn(member), tagIn(member)]
    entries.push({ score: Number(flat[index + 1]), id, sessionId, tag })
  }
  return { entries, next: place === '' ? undefined : { score: Number(score), id: place } }
}

export const page = defineScript({
  name: 'web-session.page',
  lua: pageLua,
  include: snippets,
  record,
  change: 'none',
  keys: ['index', 'realm'],
  args: ['now', 'afterScore', 'afterDigest', 'limit'],
  decode: membersOf,
})

export const pageOfUser = defineScript({
  name: 'web-session.page-of-user',
  lua: pageOfUserLua,
  include: snippets,
  record,
  change: 'none',
  keys: ['index', 'former', 'realm'],
  args: ['now', 'afterScore', 'afterDigest', 'limit', 'tag'],
  decode: membersOf,
})

export const count = defineScript({
  name: 'web-session.count',
  lua: countLua,
  include: snippets,
  record,
  change: 'none',
  keys: ['realm'],
  args: ['now', 'afterScore', 'afterDigest'],
  decode: (
    reply,
  ): { readonly count: number; readonly next?: { readonly score: string; readonly digest: string } } => {
    if (typeof reply === 'number') return { count: reply }
    const [counted, score, digest] = reply as [number, string, string]
    return { count: counted, next: { score, digest } }
  },
})

export const point = defineScript({
  name: 'web-session.point',
  lua: pointLua,
  record,
  change: 'touch',
  changes: 'a pointer from an alias follows from its record',
  keys: ['pointer'],
  args: ['now', 'score', 'keepMs', 'id'],
  decode: (): void => undefined,
})

export const unpoint = defineScript({
  name: 'web-session.unpoint',
  lua: unpointLua,
  record,
  change: 'touch',
  changes: 'a pointer from an alias follows from its record',
  keys: ['pointer'],
  args: ['score', 'id'],
  decode: (): void => undefined,
})

export const candidates = defineScript({
  name: 'web-session.candidates',
  lua: candidatesLua,
  record,
  change: 'none',
  keys: ['pointer'],
  args: ['now', 'afterScore', 'afterId', 'limit'],
  decode: (reply) => {
    const flat = reply as string[]
    const entries: PagePosition[] = []
    for (let index = 0; index < flat.length; index += 2)
      entries.push({ id: flat[index] ?? '', score: Number(flat[index + 1]) })
    return entries
  },
})

export { join, joinFence, names, share, shareFence } from './redis/site-scripts.js'
