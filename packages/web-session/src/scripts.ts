import { defineScript, unescapePart } from '@authstate/redis'
import type { PagePosition } from '@authstate/spi'
import candidatesLua from './lua/candidates.lua'
import endAllLua from './lua/end-all.lua'
import pageLua from './lua/page.lua'
import pointLua from './lua/point.lua'
import removeLua from './lua/remove.lua'
import saveLua from './lua/save.lua'
import unpointLua from './lua/unpoint.lua'
import updateLua from './lua/update.lua'
import { digestIn, idIn } from './redis/session-keys.js'
import { snippets } from './redis/snippets.js'
import type { EndedSession, SaveReply, UpdateReply } from './rules.js'

const record = 'web-session'

/** What a pointer has to follow: the alias of a session, and its end. */
export interface AliasEnd {
  readonly alias: string
  readonly expiresAt: string
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

const aliasEnd = (alias: string, expiresAt: string): AliasEnd | undefined =>
  alias === '' ? undefined : { alias: unescapePart(alias), expiresAt }

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
    'set',
  ],
  lastIsOptional: true,
  decode: (reply): { readonly reply: UpdateReply; readonly moved?: AliasEnd; readonly ended?: AliasEnd } => {
    if (typeof reply === 'number') return { reply: { outcome: 'changed', version: reply } }
    if (typeof reply === 'string') return { reply: refusal(reply) }
    const [outcome, ...rest] = reply as [string, ...unknown[]]
    if (outcome === 'too-large') return { reply: { outcome, bytes: Number(rest[0]) } }
    if (outcome === 'passed') {
      const [user, alias, expiresAt] = rest as [string, string, string]
      const ended = aliasEnd(alias, expiresAt)
      return { reply: { outcome, userId: unescapePart(user) }, ...(ended && { ended }) }
    }
    const [version, expiresAt, alias] = rest as [number, string, string]
    const moved = aliasEnd(alias, expiresAt)
    return { reply: { outcome: 'changed', version }, ...(moved && { moved }) }
  },
})

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
    const [user, alias, expiresAt] = reply as [string, string, string]
    return { userId: unescapePart(user), ended: aliasEnd(alias, expiresAt) }
  },
})

export const endAll = defineScript({
  name: 'web-session.end-all',
  lua: endAllLua,
  include: snippets,
  record,
  change: 'removal',
  changes: { 'web-session': ['removal'], 'web-session-fence': ['full'] },
  keys: ['index', 'realm', 'fence'],
  args: ['now', 'tombstoneMs', 'graceMs', 'mark', 'except', 'limit', 'afterScore', 'afterDigest'],
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
}

export const page = defineScript({
  name: 'web-session.page',
  lua: pageLua,
  include: snippets,
  record,
  change: 'none',
  keys: ['index'],
  args: ['now', 'afterScore', 'afterDigest', 'limit'],
  decode: (reply) => {
    const flat = reply as string[]
    const entries: MemberEntry[] = []
    for (let index = 0; index < flat.length; index += 2) {
      const member = flat[index] ?? ''
      const id = digestIn(member)
      entries.push({ score: Number(flat[index + 1]), id, sessionId: idIn(member) })
    }
    return entries
  },
})

export const point = defineScript({
  name: 'web-session.point',
  lua: pointLua,
  record,
  change: 'touch',
  changes: 'a pointer from an alias follows from its record',
  keys: ['pointer'],
  args: ['now', 'expiresAt', 'keepMs', 'id'],
  decode: (): void => undefined,
})

export const unpoint = defineScript({
  name: 'web-session.unpoint',
  lua: unpointLua,
  record,
  change: 'touch',
  changes: 'a pointer from an alias follows from its record',
  keys: ['pointer'],
  args: ['expiresAt', 'id'],
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
