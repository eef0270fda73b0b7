import { defineScript } from '@authstate/redis'
import beginLua from '../lua/push-begin.lua'
import controlLua from '../lua/push-control.lua'
import stepLua from '../lua/push-step.lua'
import pushesLua from '../lua/pushes.lua'

export type Fields = ReadonlyMap<string, string>

function fieldsOf(reply: unknown): Fields {
  const flat = reply as string[]
  const fields = new Map<string, string>()
  for (let index = 0; index + 1 < flat.length; index += 2)
    fields.set(flat[index] as string, flat[index + 1] as string)
  return fields
}

const record = 'site'
const changes = 'what an operator asks of sites is no record'

export const pushBegin = defineScript({
  name: 'cross-site.push-begin',
  lua: beginLua,
  record,
  change: 'full',
  changes,
  keys: ['pushes'],
  args: ['id', 'now', 'asked'],
  decode: fieldsOf,
})

export const pushStep = defineScript({
  name: 'cross-site.push-step',
  lua: stepLua,
  record,
  change: 'touch',
  changes,
  keys: ['push'],
  args: ['partition', 'before', 'after', 'now', 'figures', 'found', 'keepMs'],
  decode: (reply) => reply as string,
})

export const pushControl = defineScript({
  name: 'cross-site.push-control',
  lua: controlLua,
  record,
  change: 'full',
  changes,
  keys: ['push'],
  args: ['action', 'now', 'error', 'keepMs'],
  decode: fieldsOf,
})

export const pushesOf = defineScript({
  name: 'cross-site.pushes',
  lua: pushesLua,
  record,
  change: 'none',
  keys: ['pushes'],
  args: ['active'],
  decode: (reply) => (reply as unknown[]).map(fieldsOf),
})
