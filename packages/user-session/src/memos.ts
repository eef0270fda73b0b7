import { beganBefore, isExpired, laterMark, latestOf } from '@authstate/spi'
import type { RotationOutcome, TransientTokenRotation } from './contract.js'
import { FENCE_MS, TOKENS_FENCE_MS } from './moments.js'
import { decideRotation, type Family } from './rotation.js'
import type { Memo, MemoResult } from './session-records.js'

type Memos = readonly (Memo | undefined)[]

/** Under what the mark of a removal is remembered. @param userId Left out: a removal of the whole realm. */
export const markName = (realmId: string, offline: boolean, userId?: string): string =>
  JSON.stringify(['mark', realmId, offline, userId])

/** Whether something began before one of the removals that are remembered. */
export function isRefused(marks: Memos, beginning: string): boolean {
  return marks.some((memo) => memo !== undefined && beganBefore(beginning, memo.value as string))
}

/** Refuses from now on what began before a removal. */
export function raiseMark([held]: Memos, mark: string, now: number): MemoResult<void> {
  const value = laterMark(held?.value as string | undefined, mark)
  return { answer: undefined, memo: { value, expiresAt: now + FENCE_MS } }
}

/** Which families of a realm were ended. */
interface EndedTokens {
  /**
   * A token of an unknown family has ended if it was issued in its millisecond or before; in millionths of a
   * second.
   */
  readonly latest: number
  /** How many removals there were. */
  readonly count: number
  readonly mark: string
}

/** A family of refresh tokens that belongs to no stored session. */
interface TransientFamily {
  readonly family: Family
  /** The last removal that it came after. */
  readonly after: string
}

const NEVER_ENDED: EndedTokens = { latest: 0, count: 0, mark: '' }

/** Under what a family is remembered, and what the removals of its realm are. */
export const familyNames = (realmId: string, family: string): readonly [string, string] => [
  JSON.stringify(['family', realmId, family]),
  endedName(realmId),
]

export const endedName = (realmId: string): string => JSON.stringify(['ended', realmId])

/** Ends every family of a realm. Safe to repeat. */
export function endFamilies([held]: Memos, mark: string, now: number): MemoResult<void> {
  const before = (held?.value as EndedTokens | undefined) ?? NEVER_ENDED
  if (before.mark === mark) return { answer: undefined }
  const value = { latest: Math.max(latestOf(mark), before.latest), count: before.count + 1, mark }
  return { answer: undefined, memo: { value, expiresAt: now + TOKENS_FENCE_MS } }
}

/** Decides on a refresh token that belongs to no stored session. */
export function rotateTransient(
  [held, removals]: Memos,
  rotation: TransientTokenRotation,
  now: number,
): MemoResult<RotationOutcome> {
  const kept = alive<TransientFamily>(held, now)
  const ended = alive<EndedTokens>(removals, now)
  const after = ended ? `${ended.count} ${ended.mark}` : ''
  if (ended !== undefined) {
    const isGone = kept ? kept.after !== after : rotation.issuedAt <= Math.floor(ended.latest / 1000)
    if (isGone) return { answer: { outcome: 'gone' } }
  }
  const { outcome, ends, ...decision } = decideRotation(kept?.family, rotation, 0, now)
  const family = ends && kept ? { ...kept.family, ended: true } : (decision.family ?? kept?.family)
  if (family === undefined) return { answer: outcome }
  const expiresAt = Math.max(held?.expiresAt ?? 0, now + rotation.lifespanMs)
  return { answer: outcome, memo: { value: { family, after } satisfies TransientFamily, expiresAt } }
}

function alive<T>(memo: Memo | undefined, now: number): T | undefined {
  return memo === undefined || isExpired(memo.expiresAt, now) ? undefined : (memo.value as T)
}

/** Names of the marks that refuse sessions of a user. */
export const marksOf = (realmId: string, offline: boolean) => (userId: string) => [
  markName(realmId, offline),
  markName(realmId, offline, userId),
]
