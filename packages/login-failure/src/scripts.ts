import { defineScript } from '@authstate/redis'
import type { LockReason } from './contract.js'
import clearLua from './lua/clear.lua'
import lockedLua from './lua/lib/locked.lua'
import longestLua from './lua/lib/longest.lua'
import recordLua from './lua/lib/record.lua'
import storedLua from './lua/lib/stored.lua'
import lockedPageLua from './lua/locked.lua'
import recomputeLua from './lua/recompute.lua'
import recordFailureLua from './lua/record-failure.lua'
import recordSuccessLua from './lua/record-success.lua'
import releaseLua from './lua/release.lua'
import removeRealmLua from './lua/remove-realm.lua'
import reserveLua from './lua/reserve.lua'
import { applySuccess, type FailureState, type FailureStep, NEVER, type SuccessOutcome } from './rules.js'
import type { ReservationOutcome } from './store.js'

const record = 'login-failure'

const include = {
  never: `local NEVER = ${NEVER}`,
  longest: longestLua,
  locked: lockedLua,
  record: recordLua,
  stored: storedLua,
}

export const recordFailure = defineScript({
  name: 'login-failure.record-failure',
  lua: recordFailureLua,
  include,
  record,
  change: 'full',
  changes: { 'login-failure': ['full', 'removal'] },
  keys: ['record'],
  args: ['now', 'ip', 'attempt', 'policy', 'layout', 'seldom'],
  lastIsOptional: true,
  decode: (reply) => (typeof reply === 'number' ? reply : stepOf(reply as RawStep)),
})

type RawStep = [counted: number, newLock: FailureStep['newLock'], ...fields: string[]]

const stepOf = ([counted, newLock, ...fields]: RawStep): FailureStep => ({
  counted: counted === 1,
  newLock,
  state: decodeState(fields),
})

export const recordSuccess = defineScript({
  name: 'login-failure.record-success',
  lua: recordSuccessLua,
  include,
  record,
  change: 'full',
  changes: { 'login-failure': ['full', 'removal'] },
  keys: ['record', 'realm', 'attempts', 'locked'],
  args: ['now', 'attempt', 'secondary', 'tail', 'permanentLockout', 'maxTemporaryLockouts'],
  decode: (reply): SuccessOutcome => {
    if (reply === null) return { outcome: 'cleared', before: undefined, after: undefined }
    const [result, ...fields] = reply as [number, ...string[]]
    const before = decodeState(fields)
    if (result === 1) return { outcome: 'locked', state: before }
    return { outcome: 'cleared', before, after: result === 2 ? applySuccess(before, false) : undefined }
  },
})

export const reserve = defineScript({
  name: 'login-failure.reserve',
  lua: reserveLua,
  include,
  record: 'login-failure-attempt',
  change: 'full',
  changes: 'an attempt under way is no record: it lasts for seconds, on the site that verifies it',
  keys: ['record', 'attempts'],
  args: [
    'now',
    'lapsedAt',
    'attempt',
    'leaseMs',
    'secondary',
    'permanentLockout',
    'maxTemporaryLockouts',
    'failureFactor',
    'waitIncrementMs',
    'quickLoginCheckMs',
    'minimumQuickLoginWaitMs',
    'maxFailureWaitMs',
    'maxDeltaTimeMs',
    'maxSecondaryAuthFailures',
  ],
  decode: (reply): ReservationOutcome => {
    if (Array.isArray(reply)) return { outcome: 'locked', state: decodeState(reply as string[]) }
    return { outcome: reply === 1 ? 'reserved' : 'busy' }
  },
})

export const release = defineScript({
  name: 'login-failure.release',
  lua: releaseLua,
  record: 'login-failure-attempt',
  change: 'removal',
  changes: 'an attempt under way is no record',
  keys: ['attempts'],
  args: ['attempt'],
  decode: (reply): boolean => reply === 1,
})

export const lockedPage = defineScript({
  name: 'login-failure.locked',
  lua: lockedPageLua,
  record,
  change: 'none',
  keys: ['locked'],
  args: ['now', 'afterScore', 'afterPlace', 'limit'],
  decode: (reply) => {
    const flat = reply as string[]
    const entries: { readonly member: string; readonly score: number }[] = []
    for (let index = 0; index < flat.length; index += 2) {
      entries.push({ member: flat[index] ?? '', score: Number(flat[index + 1]) })
    }
    return entries
  },
})

export const clear = defineScript({
  name: 'login-failure.clear',
  lua: clearLua,
  include,
  record,
  change: 'removal',
  changes: { 'login-failure': ['removal'] },
  keys: ['record', 'realm', 'locked'],
  args: ['now', 'tail'],
  decode: (reply): FailureState | undefined => (reply === null ? undefined : decodeState(reply as string[])),
})

export const removeRealm = defineScript({
  name: 'login-failure.remove-realm',
  lua: removeRealmLua,
  record,
  change: 'removal',
  changes: { 'login-failure': ['removal'] },
  keys: ['realm', 'head', 'locked'],
  args: ['now'],
  decode: (reply) => {
    const [removed, more] = reply as [number, number]
    return { removed, more: more === 1 }
  },
})

export const recompute = defineScript({
  name: 'login-failure.recompute',
  lua: recomputeLua,
  include,
  record,
  change: 'touch',
  changes: { 'login-failure': ['touch', 'removal'] },
  keys: ['realm', 'head', 'locked'],
  args: [
    'now',
    'cursor',
    'users',
    'permanentLockout',
    'maxTemporaryLockouts',
    'maxDeltaTimeMs',
    'addresses',
    'addressMaxDeltaTimeMs',
    'addressKind',
  ],
  decode: (reply) => {
    const [cursor, updated, removed] = reply as [string, number, number]
    return { cursor, updated, removed }
  },
})

/** Fields of a record in the order in which scripts answer them and reads ask for them. */
export const STATE_FIELDS = ['n', 't', 'o', 'l', 'u', 'p', 'x', 'w', 'i'] as const

/** Reads {@link STATE_FIELDS}; an absent field is none of its kind, and one that no version wrote is `foreign`. */
export function decodeState(fields: readonly (string | null | undefined)[], foreign = 0): FailureState {
  const [n, t, o, l, u, p, x, reason, lastIp] = fields
  return {
    numFailures: numberOf(n, foreign),
    numTemporaryLockouts: numberOf(t, foreign),
    numSecondaryAuthFailures: numberOf(o, foreign),
    lastFailureAt: numberOf(l, foreign),
    lockedUntil: numberOf(u, foreign),
    permanentlyLockedAt: numberOf(p, foreign),
    expiresAt: numberOf(x, foreign),
    reason: (reason ?? '') as LockReason | '',
    lastIp: lastIp ?? '',
  }
}

function numberOf(text: string | null | undefined, foreign: number): number {
  const value = Number(text ?? 0)
  return value >= 0 && value <= NEVER ? value : foreign
}

export { join, names, share, sums } from './redis/site-scripts.js'
