import { defineScript } from '@authstate/redis'
import claimLua from './lua/claim.lua'
import discardDeadLua from './lua/discard-dead.lua'
import dueLua from './lua/due.lua'
import enqueueLua from './lua/enqueue.lua'
import listDeadLua from './lua/list-dead.lua'
import putNodeLua from './lua/put-node.lua'
import removeNodeLua from './lua/remove-node.lua'
import removeNodesLua from './lua/remove-nodes.lua'
import removeRealmLua from './lua/remove-realm.lua'
import reviveDeadLua from './lua/revive-dead.lua'
import settleLua from './lua/settle.lua'
import { snippets } from './redis/snippets.js'

const record = 'application-node'

/** Why these scripts note nothing. */
const NO_RECORD = 'nodes register again by themselves, and messages are an outbox themselves'

export const enqueue = defineScript({
  name: 'application-node.enqueue',
  lua: enqueueLua,
  include: snippets,
  record,
  change: 'full',
  changes: NO_RECORD,
  keys: ['delivery', 'due', 'open', 'notBefore'],
  args: ['now', 'maxLifeMs', 'keepMs', 'maxQueued', 'announcement', 'value', 'messages'],
  decode: (reply) => reply as number,
})

export const due = defineScript({
  name: 'application-node.due',
  lua: dueLua,
  record,
  change: 'none',
  keys: ['due'],
  args: ['now'],
  decode: (reply) => reply as number,
})

/** A message as a script answers it: texts as they are stored. */
export interface MessageText {
  readonly lane: string
  readonly deliveryId: string
  readonly id: string
  readonly announcement: string
  readonly createdAt: string
  readonly target: string
  readonly state: string
}

export const claim = defineScript({
  name: 'application-node.claim',
  lua: claimLua,
  include: snippets,
  record,
  change: 'touch',
  changes: NO_RECORD,
  keys: ['due'],
  args: [
    'now',
    'leaseUntil',
    'owner',
    'limit',
    'maxPerClient',
    'sending',
    'mostLanes',
    'maxLifeMs',
    'keepMs',
    'deadKeepMs',
    'maxDead',
  ],
  decode: (reply) =>
    inGroups(reply as string[], 7).map(
      ([
        lane = '',
        deliveryId = '',
        id = '',
        announcement = '',
        createdAt = '',
        target = '',
        state = '',
      ]) => ({
        lane,
        deliveryId,
        id,
        announcement,
        createdAt,
        target,
        state,
      }),
    ),
})

export const settle = defineScript({
  name: 'application-node.settle',
  lua: settleLua,
  include: snippets,
  record,
  change: 'full',
  changes: NO_RECORD,
  keys: ['delivery', 'lane', 'due'],
  args: ['now', 'message', 'owner', 'state', 'laneFreeAt', 'maxLifeMs', 'keepMs', 'deadKeepMs', 'maxDead'],
  decode: (reply) => (reply === null ? undefined : (reply as string)),
})

export const reviveDead = defineScript({
  name: 'application-node.revive-dead',
  lua: reviveDeadLua,
  include: snippets,
  record,
  change: 'full',
  changes: NO_RECORD,
  keys: ['delivery', 'due', 'open', 'dead'],
  args: ['now', 'letter', 'maxLifeMs', 'keepMs'],
  decode: (reply) => reply === 1,
})

export const discardDead = defineScript({
  name: 'application-node.discard-dead',
  lua: discardDeadLua,
  record,
  change: 'removal',
  changes: NO_RECORD,
  keys: ['dead'],
  args: ['now', 'letter'],
  decode: (reply) => reply === 1,
})

/** A dead letter as a script answers it. */
export interface LetterText extends Omit<MessageText, 'lane'> {
  readonly expiresAt: string
}

export const listDead = defineScript({
  name: 'application-node.list-dead',
  lua: listDeadLua,
  record,
  change: 'none',
  keys: ['dead'],
  args: ['now', 'afterScore', 'afterId', 'limit'],
  decode: (reply) =>
    inGroups(reply as string[], 6).map(
      ([letter = '', expiresAt = '', announcement = '', createdAt = '', target = '', state = '']) => ({
        letter,
        expiresAt,
        announcement,
        createdAt,
        target,
        state,
      }),
    ),
})

export const putNode = defineScript({
  name: 'application-node.put-node',
  lua: putNodeLua,
  record,
  change: 'full',
  changes: NO_RECORD,
  keys: ['nodes', 'clients'],
  args: ['now', 'host', 'source', 'expiresAt', 'version', 'maxNodes', 'client'],
  decode: (reply) => {
    if (reply === null) return undefined
    const [wasThere, node] = reply as [number, string]
    return { wasThere: wasThere === 1, node }
  },
})

export const removeNode = defineScript({
  name: 'application-node.remove-node',
  lua: removeNodeLua,
  record,
  change: 'removal',
  changes: NO_RECORD,
  keys: ['nodes', 'clients'],
  args: ['now', 'host', 'source', 'client'],
  decode: (reply) => reply === 1,
})

export const removeNodes = defineScript({
  name: 'application-node.remove-nodes',
  lua: removeNodesLua,
  record,
  change: 'removal',
  changes: NO_RECORD,
  keys: ['nodes', 'clients'],
  args: ['now', 'client'],
  decode: (reply) => reply as number,
})

export const removeRealm = defineScript({
  name: 'application-node.remove-realm',
  lua: removeRealmLua,
  include: snippets,
  record,
  change: 'removal',
  changes: NO_RECORD,
  keys: ['clients', 'deliveries', 'open', 'dead', 'notBefore', 'due'],
  args: ['now', 'keepMs'],
  decode: (reply) => {
    const [removed, more] = reply as [number, number]
    return { removed, more: more === 1 }
  },
})

function inGroups(flat: readonly string[], size: number): string[][] {
  const groups: string[][] = []
  for (let index = 0; index < flat.length; index += size) groups.push(flat.slice(index, index + size))
  return groups
}
