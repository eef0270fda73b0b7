import { defineScript } from 'authstate/redis'
import appendLua from './lua/append.lua'
import readLua from './lua/read.lua'

export const append = defineScript({
  name: 'audit.append',
  lua: appendLua,
  record: 'audit',
  change: 'full',
  changes: 'a line of the audit is no record',
  keys: ['audit'],
  args: ['lines', 'oldest', 'maxLines', 'keepMs'],
  decode: () => undefined,
})

export const read = defineScript({
  name: 'audit.read',
  lua: readLua,
  record: 'audit',
  change: 'none',
  keys: ['audit'],
  args: ['first', 'from', 'to', 'limit'],
  decode: (reply) => (reply as [id: string, fields: string[]][]).map(([id, [, text = '']]) => ({ id, text })),
})
