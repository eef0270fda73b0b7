import { defineScript } from '@authstate/redis'
import countLua from './lua/count.lua'
import createLua from './lua/create.lua'
import createOfflineLua from './lua/create-offline.lua'
import detachAllLua from './lua/detach-all.lua'
import endAllLua from './lua/end-all.lua'
import pageLua from './lua/page.lua'
import putClientLua from './lua/put-client.lua'
import recomputeLua from './lua/recompute.lua'
import refreshLua from './lua/refresh.lua'
import removeLua from './lua/remove.lua'
import removeClientLua from './lua/remove-client.lua'
import restartLua from './lua/restart.lua'
import rotateLua from './lua/rotate.lua'
import rotateTransientLua from './lua/rotate-transient.lua'
import statsLua from './lua/stats.lua'
import sweepLua from './lua/sweep.lua'
import touchLua from './lua/touch.lua'
import updateLua from './lua/update.lua'
import updateClientLua from './lua/update-client.lua'
import {
  cursorOf,
  detachedIn,
  detachedOf,
  endedIn,
  endedOf,
  type Flat,
  flatOrRefusal,
  limitedOf,
  limitedRecord,
  offlineOf,
  type RawEnded,
  type RawLimited,
  restartedOf,
  rotationOf,
} from './redis/replies.js'
import { snippets as include } from './redis/snippets.js'

const record = 'user-session'

export const create = defineScript({
  name: 'user-session.create',
  lua: createLua,
  include,
  record,
  change: 'full',
  changes: { 'user-session': ['full', 'removal'] },
  keys: ['session'],
  args: [
    'now',
    'beginning',
    'times',
    'score',
    'data',
    'client',
    'clientText',
    'clientScore',
    'limits',
    'clientData',
    'tell',
  ],
  lastIsOptional: true,
  decode: (reply) => {
    const [outcome, ...ended] = reply as [string, ...RawLimited[]]
    return { outcome, ended: ended.map(limitedOf) }
  },
})

export const touch = defineScript({
  name: 'user-session.touch',
  lua: touchLua,
  include,
  record,
  change: 'touch',
  changes: { 'user-session': ['touch'] },
  keys: ['session'],
  args: ['now', 'life', 'layout', 'evicted'],
  lastIsOptional: true,
  decode: (reply) => (reply as string | null) ?? undefined,
})

export const refresh = defineScript({
  name: 'user-session.refresh',
  lua: refreshLua,
  include,
  record,
  change: 'touch',
  changes: { 'user-session': ['touch'] },
  keys: ['session'],
  args: ['now', 'life', 'client', 'clientLife', 'answer', 'layout', 'evicted'],
  lastIsOptional: true,
  decode: (reply) => (reply as (string | null)[] | null) ?? undefined,
})

export const update = defineScript({
  name: 'user-session.update',
  lua: updateLua,
  include,
  record,
  change: 'full',
  changes: { 'user-session': ['touch', 'full'] },
  keys: ['session'],
  args: ['now', 'life', 'state', 'notes', 'maxBytes', 'layout'],
  decode: flatOrRefusal,
})

export const restart = defineScript({
  name: 'user-session.restart',
  lua: restartLua,
  include,
  record,
  change: 'full',
  changes: { 'user-session': ['touch', 'full', 'removal'] },
  keys: ['session'],
  args: [
    'now',
    'life',
    'times',
    'score',
    'data',
    'client',
    'clientText',
    'clientScore',
    'beginning',
    'limits',
    'clientData',
    'tell',
  ],
  lastIsOptional: true,
  decode: restartedOf,
})

export const remove = defineScript({
  name: 'user-session.remove',
  lua: removeLua,
  include,
  record,
  change: 'removal',
  changes: { 'user-session': ['removal'] },
  keys: ['session'],
  args: ['now', 'tell'],
  lastIsOptional: true,
  decode: (reply) => (reply === null ? undefined : endedOf(reply as RawEnded)),
})

export const putClient = defineScript({
  name: 'user-session.put-client',
  lua: putClientLua,
  include,
  record,
  change: 'full',
  changes: { 'user-session': ['touch', 'full', 'removal'] },
  keys: ['session'],
  args: ['now', 'life', 'client', 'clientLife', 'clientData', 'limits', 'layout', 'tell'],
  lastIsOptional: true,
  decode: limitedRecord,
})

export const updateClient = defineScript({
  name: 'user-session.update-client',
  lua: updateClientLua,
  include,
  record,
  change: 'full',
  changes: { 'user-session': ['touch', 'full'] },
  keys: ['session'],
  args: ['now', 'life', 'client', 'clientLife', 'patch', 'maxBytes', 'layout'],
  decode: flatOrRefusal,
})

export const removeClient = defineScript({
  name: 'user-session.remove-client',
  lua: removeClientLua,
  include,
  record,
  change: 'removal',
  changes: { 'user-session': ['full', 'removal'] },
  keys: ['session'],
  args: ['now', 'client', 'endWhenLast', 'tell'],
  lastIsOptional: true,
  decode: detachedOf,
})

export const createOffline = defineScript({
  name: 'user-session.create-offline',
  lua: createOfflineLua,
  include,
  record,
  change: 'full',
  changes: { 'user-session': ['touch', 'full', 'removal'] },
  keys: ['online', 'offline'],
  args: ['now', 'beginning', 'life', 'offlineLife', 'clientLives', 'all', 'limits', 'layout', 'tell'],
  lastIsOptional: true,
  decode: offlineOf,
})

export const rotate = defineScript({
  name: 'user-session.rotate',
  lua: rotateLua,
  include,
  record,
  change: 'full',
  changes: { 'user-session': ['touch', 'full', 'removal'] },
  keys: ['session'],
  args: [
    'now',
    'client',
    'family',
    'presented',
    'successor',
    'issuedAt',
    'maxReuse',
    'attempt',
    'graceMs',
    'life',
    'clientLife',
    'layout',
    'tell',
  ],
  lastIsOptional: true,
  decode: rotationOf,
})

export const rotateTransient = defineScript({
  name: 'user-session.rotate-transient',
  lua: rotateTransientLua,
  include,
  record: 'user-session-tokens',
  change: 'full',
  changes: { 'user-session-tokens': ['full'] },
  keys: ['family', 'ended'],
  args: ['now', 'presented', 'successor', 'issuedAt', 'maxReuse', 'attempt', 'graceMs', 'expiresAt'],
  decode: rotationOf,
})

export const page = defineScript({
  name: 'user-session.page',
  lua: pageLua,
  include,
  record,
  change: 'touch',
  changes: 'it removes ended entries from an index',
  keys: ['index'],
  args: ['now', 'afterScore', 'afterId', 'limit', 'client'],
  decode: (reply) => {
    const [score, id, ...entries] = reply as [string, string, ...[string, string, Flat][]]
    return {
      next: id === '' ? undefined : { score: Number(score), id },
      entries: entries.map(([entryId, entryScore, values]) => ({
        id: entryId,
        score: Number(entryScore),
        values,
      })),
    }
  },
})

export const count = defineScript({
  name: 'user-session.count',
  lua: countLua,
  include,
  record,
  change: 'touch',
  changes: 'it removes ended entries from an index',
  keys: ['index'],
  args: ['now', 'client', 'afterScore', 'afterId', 'evicted'],
  decode: (reply) => {
    if (typeof reply === 'number') return { living: reply, next: undefined }
    const [living, score, id] = reply as [number, string, string]
    return { living, next: cursorOf(score, id) }
  },
})

export const stats = defineScript({
  name: 'user-session.stats',
  lua: statsLua,
  include,
  record,
  change: 'none',
  keys: ['clients'],
  args: ['now', 'afterScore', 'afterId'],
  decode: (reply) => {
    const [score, id, ...flat] = reply as [string, string, ...(string | number)[]]
    const counts = new Map<string, number>()
    for (let index = 0; index < flat.length; index += 2)
      counts.set(String(flat[index]), Number(flat[index + 1]))
    return { next: cursorOf(score, id), counts }
  },
})

export const endAll = defineScript({
  name: 'user-session.end-all',
  lua: endAllLua,
  include,
  record,
  change: 'removal',
  changes: { 'user-session': ['removal'], 'user-session-fence': ['full'] },
  keys: ['index', 'fence'],
  args: ['now', 'mark', 'fenceMs', 'tokensMs', 'except', 'afterScore', 'afterId', 'limit', 'tell'],
  decode: (reply) => {
    const [score, id, count, ended, ...data] = reply as [string, string, number, string, ...string[]]
    return { next: cursorOf(score, id), count, ended: endedIn(ended, data) }
  },
})

export const detachAll = defineScript({
  name: 'user-session.detach-all',
  lua: detachAllLua,
  include,
  record,
  change: 'full',
  changes: { 'user-session': ['full', 'removal'] },
  keys: ['index'],
  args: ['now', 'client', 'afterScore', 'afterId', 'tell'],
  lastIsOptional: true,
  decode: (reply) => {
    const [score, id, ended, ...detached] = reply as [string, string, number, ...string[]]
    return { next: cursorOf(score, id), ended, told: detachedIn(detached) }
  },
})

export const recompute = defineScript({
  name: 'user-session.recompute',
  lua: recomputeLua,
  include,
  record,
  change: 'touch',
  changes: { 'user-session': ['touch'] },
  keys: ['realm'],
  args: ['now', 'life', 'clientLives', 'afterScore', 'afterId'],
  decode: (reply) => {
    const [score, id, changed, ...unknown] = reply as [string, string, number, ...string[]]
    return { next: unknown.length > 0 ? { score, id } : cursorOf(score, id), changed, unknown }
  },
})

export const sweep = defineScript({
  name: 'user-session.sweep',
  lua: sweepLua,
  include,
  record,
  change: 'removal',
  changes: { 'user-session': ['removal'] },
  keys: ['due', 'lease'],
  args: ['now', 'owner', 'leaseMs', 'told', 'limit', 'many', 'tell'],
  decode: (reply) => {
    const [outcome, dropped = 0, more = 0, found, ...data] = reply as [
      string,
      number?,
      number?,
      string?,
      ...string[],
    ]
    return { busy: outcome === 'busy', dropped, more: more === 1, found, data }
  },
})

export { join, joinFence, joinTimes, names, share, shareFence, sums } from './redis/site-scripts.js'
