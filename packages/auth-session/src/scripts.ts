import { defineScript } from '@authstate/redis'
import addTabLua from './lua/add-tab.lua'
import getOrCreateRootLua from './lua/get-or-create-root.lua'
import promoteTabLua from './lua/promote-tab.lua'
import removeRootLua from './lua/remove-root.lua'
import removeRootsLua from './lua/remove-roots.lua'
import removeTabLua from './lua/remove-tab.lua'
import restartRootLua from './lua/restart-root.lua'
import touchRootLua from './lua/touch-root.lua'
import updateTabLua from './lua/update-tab.lua'
import type { StoredTimes } from './redis/stored-roots.js'

/** A tab as it is stored: what never changes, and the JSON of what can. */
export type StoredTab = readonly [head: string, data: string]

const record = 'auth-session'

export const getOrCreateRoot = defineScript({
  name: 'auth-session.get-or-create-root',
  lua: getOrCreateRootLua,
  record,
  change: 'full',
  changes: { 'auth-session': ['full'] },
  keys: ['root', 'realm'],
  args: ['now', 'lifespanMs', 'graceMs', 'id'],
  decode: (reply) => {
    if (reply === null) return undefined
    const [created, ...times] = reply as [number, ...StoredTimes]
    return { created: created === 1, times }
  },
})

export const touchRoot = defineScript({
  name: 'auth-session.touch-root',
  lua: touchRootLua,
  record,
  change: 'touch',
  changes: { 'auth-session': ['touch', 'removal'] },
  keys: ['root', 'realm'],
  args: ['now', 'lifespanMs', 'graceMs', 'id', 'at'],
  decode: (reply) => (reply as StoredTimes | 'removed' | null) ?? undefined,
})

export const restartRoot = defineScript({
  name: 'auth-session.restart-root',
  lua: restartRootLua,
  record,
  change: 'full',
  changes: { 'auth-session': ['full'] },
  keys: ['root', 'realm'],
  args: ['now', 'lifespanMs', 'graceMs', 'id'],
  decode: (reply) => (reply as StoredTimes | null) ?? undefined,
})

export const removeRoot = defineScript({
  name: 'auth-session.remove-root',
  lua: removeRootLua,
  record,
  change: 'removal',
  changes: { 'auth-session': ['removal'] },
  keys: ['root', 'realm'],
  args: ['now', 'id'],
  decode: (reply) => reply === 1,
})

export const addTab = defineScript({
  name: 'auth-session.add-tab',
  lua: addTabLua,
  record,
  change: 'full',
  changes: { 'auth-session': ['full'] },
  keys: ['root', 'realm'],
  args: ['now', 'lifespanMs', 'graceMs', 'id', 'maxTabs', 'tab', 'client', 'data'],
  decode: (reply) => {
    if (reply === null) return undefined
    const [evicted, ...times] = reply as [string, ...StoredTimes]
    return { evicted, times }
  },
})

export const updateTab = defineScript({
  name: 'auth-session.update-tab',
  lua: updateTabLua,
  record,
  change: 'full',
  changes: { 'auth-session': ['full', 'removal'] },
  keys: ['root', 'realm'],
  args: ['now', 'lifespanMs', 'graceMs', 'id', 'tab', 'patch', 'renew', 'maxBytes'],
  decode: (reply) => (reply as StoredTab | number | 'removed' | null) ?? undefined,
})

export const removeTab = defineScript({
  name: 'auth-session.remove-tab',
  lua: removeTabLua,
  record,
  change: 'full',
  changes: { 'auth-session': ['full', 'removal'] },
  keys: ['root', 'realm'],
  args: ['now', 'lifespanMs', 'graceMs', 'id', 'tab', 'at', 'end'],
  decode: (reply): 'kept' | 'last-tab' | 'ended' | undefined =>
    reply === 'last' ? 'last-tab' : ((reply as 'kept' | 'ended' | null) ?? undefined),
})

export const promoteTab = defineScript({
  name: 'auth-session.promote-tab',
  lua: promoteTabLua,
  record,
  change: 'full',
  changes: { 'auth-session': ['full'] },
  keys: ['root'],
  args: ['now', 'tab'],
  decode: (reply) => (reply as StoredTab | null) ?? undefined,
})

export const removeRoots = defineScript({
  name: 'auth-session.remove-roots',
  lua: removeRootsLua,
  record,
  change: 'removal',
  changes: { 'auth-session': ['removal'] },
  keys: ['realm', 'roots'],
  args: ['now'],
  decode: (reply) => {
    const [more, removed] = reply as [number, (string | number)[]]
    const roots: { id: string; living: boolean }[] = []
    for (let index = 0; index < removed.length; index += 2) {
      roots.push({ id: removed[index] as string, living: removed[index + 1] === 1 })
    }
    return { more: more === 1, roots }
  },
})

export { join, names, share } from './redis/site-scripts.js'
