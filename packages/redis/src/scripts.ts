import claimLayoutLua from './lua/claim-layout.lua'
import { defineScript } from './script.js'

export const claimLayout = defineScript({
  name: 'redis.claim-layout',
  lua: claimLayoutLua,
  record: 'layout',
  change: 'full',
  repeatable: true,
  keys: ['layout'],
  args: ['partitions', 'version'],
  decode: (reply) => {
    const [partitions, version] = reply as [string | null, string | null]
    return { partitions: Number(partitions), version: Number(version) }
  },
})
