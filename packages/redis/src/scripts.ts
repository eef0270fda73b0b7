import checkRightsLua from './lua/check-rights.lua'
import checkWriteLua from './lua/check-write.lua'
import claimLayoutLua from './lua/claim-layout.lua'
import readClockLua from './lua/read-clock.lua'
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

/** A write that changes nothing: refused wherever one that does would be. */
export const checkWrite = defineScript({
  name: 'redis.check-write',
  lua: checkWriteLua,
  record: 'layout',
  change: 'touch',
  repeatable: true,
  keys: ['absent'],
  args: [],
  decode: () => undefined,
})

/** It writes only when time would go back otherwise. */
export const readClock = defineScript({
  name: 'redis.read-clock',
  lua: readClockLua,
  record: 'clock',
  change: 'touch',
  repeatable: true,
  keys: ['clock'],
  args: ['floor', 'most', 'seen', 'lower'],
  decode: (reply) => {
    const [nowUs, behindUs, isTooFarBehind, kept] = reply as [string, string, number, string]
    return { nowUs: Number(nowUs), behindUs: Number(behindUs), isTooFarBehind: isTooFarBehind === 1, kept }
  },
})

/** Names of commands that the user may not run. */
export const checkRights = defineScript({
  name: 'redis.check-rights',
  lua: checkRightsLua,
  record: 'layout',
  change: 'none',
  repeatable: true,
  keys: ['layout'],
  args: ['commands'],
  decode: (reply) => reply as readonly string[],
})
