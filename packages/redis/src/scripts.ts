import type { RecordedConsumers } from './changes/consumers.js'
import checkRightsLua from './lua/check-rights.lua'
import checkWriteLua from './lua/check-write.lua'
import claimLayoutLua from './lua/claim-layout.lua'
import forgetConsumersLua from './lua/forget-consumers.lua'
import readClockLua from './lua/read-clock.lua'
import readNotesLua from './lua/read-notes.lua'
import { defineScript } from './script.js'

export const claimLayout = defineScript({
  name: 'redis.claim-layout',
  lua: claimLayoutLua,
  record: 'layout',
  change: 'full',
  changes: 'what a deployment says of itself is no record',
  keys: ['layout'],
  args: ['partitions', 'reads', 'consumers', 'isStart', 'drop', 'version', 'raisedAt'],
  decode: (reply) => {
    const fields = reply as string[]
    const recorded = new Map<string, string>()
    for (let index = 0; index + 1 < fields.length; index += 2) {
      recorded.set(fields[index] as string, fields[index + 1] as string)
    }
    const consumers = [...recorded].flatMap(([name, words]) =>
      name.startsWith('c:') ? [[name.slice(2), words] as const] : [],
    )
    return {
      partitions: Number(recorded.get('partitions') ?? 0),
      version: Number(recorded.get('_v') ?? 0),
      raisedAt: Number(recorded.get('raisedAt') ?? 0),
      consumers: new Map(consumers) as RecordedConsumers,
    }
  },
})

/** A write that changes nothing: refused wherever one that does would be. */
export const checkWrite = defineScript({
  name: 'redis.check-write',
  lua: checkWriteLua,
  record: 'layout',
  change: 'touch',
  changes: 'it writes nothing',
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
  changes: 'the clock is no record',
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
  keys: ['layout'],
  args: ['commands'],
  decode: (reply) => reply as readonly string[],
})

/** The next notes of a partition, for the consumer that holds its lease. */
export const readNotes = defineScript({
  name: 'redis.read-notes',
  lua: readNotesLua,
  record: 'note',
  change: 'touch',
  changes: 'the place of a consumer is no record',
  keys: ['notes', 'had', 'lease'],
  args: ['consumer', 'owner', 'leaseMs', 'had', 'limit', 'consumers'],
  decode: (reply) => {
    const [state, length = 0, last = '', notes = []] = reply as [
      'busy' | 'begun' | 'gap' | 'lost' | 'on',
      number?,
      string?,
      (readonly [id: string, fields: readonly string[]])[]?,
    ]
    // Another one reads: what is answered then is no length.
    const hasBegun = state === 'busy' ? length === 1 : state !== 'begun'
    return { state, hasBegun, length, last, notes }
  },
})

/** Lets go of what was kept for consumers that are no more. */
export const forgetConsumers = defineScript({
  name: 'redis.forget-consumers',
  lua: forgetConsumersLua,
  record: 'note',
  change: 'removal',
  changes: 'the place of a consumer is no record',
  keys: ['notes', 'had', 'leases'],
  args: ['dropped', 'isLast'],
  decode: () => undefined,
})
