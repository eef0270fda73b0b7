import { defineScript } from '@authstate/redis'
import conflictsLua from '../lua/conflicts.lua'
import consumeLua from '../lua/consume.lua'
import countUseLua from '../lua/count-use.lua'
import decideConsumeLua from '../lua/decide-consume.lua'
import decideCountUseLua from '../lua/decide-count-use.lua'
import decidePutLua from '../lua/decide-put.lua'
import decideTakeLua from '../lua/decide-take.lua'
import decidingLua from '../lua/lib/deciding.lua'
import putLua from '../lua/put.lua'
import takeLua from '../lua/take.lua'
import { snippets } from './snippets.js'
import { consume, countUse, put, take } from './verb-scripts.js'

const record = 'action-token'
const include = {
  ...snippets,
  deciding: decidingLua,
  consume: consumeLua,
  'count-use': countUseLua,
  put: putLua,
  take: takeLua,
}

/** What a site decided, and what it knows of the token then. `stale`: it has other sites, or another version of them. */
export type Decided<R> = { readonly reply: R; readonly state: string | undefined } | 'stale'

const decided =
  <R>(decode: (reply: unknown) => R) =>
  (answer: unknown): Decided<R> => {
    if (answer === 'stale') return 'stale'
    const [reply, state] = answer as [unknown, string | null | undefined]
    return { reply: decode(reply), state: state ?? undefined }
  }

const TERMS = ['membership', 'copy', 'site', 'asker', 'others', 'endsMs', 'aheadMs'] as const

export const decideConsume = defineScript({
  ...consume,
  name: 'action-token.decide-consume',
  lua: decideConsumeLua,
  include,
  keys: [...consume.keys, 'membership'],
  args: [...consume.args, ...TERMS],
  decode: decided(consume.decode),
})

export const decideTake = defineScript({
  ...take,
  name: 'action-token.decide-take',
  lua: decideTakeLua,
  include,
  change: 'full',
  keys: [...take.keys, 'membership'],
  args: [...take.args, ...TERMS],
  decode: decided(take.decode),
})

export const decidePut = defineScript({
  ...put,
  name: 'action-token.decide-put',
  lua: decidePutLua,
  include,
  keys: [...put.keys, 'membership'],
  args: [...put.args, ...TERMS],
  decode: decided(put.decode),
})

export const decideCountUse = defineScript({
  ...countUse,
  name: 'action-token.decide-count-use',
  lua: decideCountUseLua,
  include,
  keys: [...countUse.keys, 'membership'],
  args: [...countUse.args, 'membership'],
  decode: (answer) => (answer === 'stale' ? 'stale' : { reply: countUse.decode(answer), state: undefined }),
})

export const conflicts = defineScript({
  name: 'action-token.conflicts',
  lua: conflictsLua,
  record,
  change: 'touch',
  changes: 'what sites disagree on is no record',
  keys: ['conflicts'],
  args: ['done'],
  decode: (reply) => {
    const [forgotten, ...entries] = reply as [number, ...string[]]
    return { forgotten: forgotten === 1, entries }
  },
})
