import { hash } from 'node:crypto'
import { beganBefore, comparePositions, isExpired, type LoginMoment, type PagePosition } from '@authstate/spi'
import type { Labels, RefusalReason, SessionData } from './contract.js'

/** The data of a session: each name with the JSON of its value, in the order in which they came. */
export type Fields = ReadonlyMap<string, string>

/** What a session is, except its data. `''` stands for none. */
export interface SessionHead {
  readonly userId: string
  /** When the sign-in of the user began, ms since the epoch; 0 where there is no user. */
  readonly authenticatedAt: number
  readonly labels: Labels
  readonly alias: string
  readonly generation: string
  readonly createdAt: number
  readonly savedAt: number
  readonly expiresAt: number
  readonly version: number
}

/** A session as a store answers it. */
export interface StoredSession extends SessionHead {
  readonly id: string
  /** An object as JSON. */
  readonly data: string
}

/** A session with its data name by name. */
export interface SessionRecord extends SessionHead {
  readonly fields: Fields
}

/** The user who signed in, and when that began. */
export interface SignIn {
  readonly userId: string
  readonly moment: LoginMoment
}

/** A session that shall be stored. It was checked; its end may have passed. */
export interface SessionDraft {
  readonly expiresAt: number
  readonly fields: Fields
  readonly signIn: SignIn | undefined
  readonly labels: Labels
  /** `''` for none. */
  readonly alias: string
  readonly generation: string
}

/** When a save takes place. */
export interface SaveConditions {
  /** Where there is no living session of this generation, nothing is stored. */
  readonly mustExist: boolean
  /** Nor over another version than this. Implies `mustExist`, but for 0: only where there is none of this generation. */
  readonly ifVersion: number | undefined
}

/** A change of a session. It was checked; its end may have passed. */
export interface SessionChange {
  /** Ms since the epoch; `undefined`: as it is. */
  readonly expiresAt: number | undefined
  readonly set: Fields
  readonly unset: readonly string[]
  /** `null`: without a user from now on; `undefined`: the user stays. */
  readonly signIn: SignIn | null | undefined
  /** Change this one and no other; `undefined`: the one that is there. */
  readonly generation: string | undefined
  readonly ifVersion: number | undefined
  /** Most bytes of {@link bytesOf} that the session may have then. */
  readonly maxDataBytes: number
}

/** A generation of an id that was ended, and until when it stays refused. */
export interface EndedGeneration {
  readonly generation: string
  /** Ms since the epoch. */
  readonly until: number
}

/** All that a store keeps under one id. */
export interface Slot {
  /** Living or expired. */
  readonly session: SessionRecord | undefined
  /** Oldest first. Those whose time has passed count for nothing. */
  readonly ended: readonly EndedGeneration[]
}

/** A step of a store: the time, and how long at least what ends is refused. */
export interface StepTime {
  /** Ms since the epoch, by the clock of the deployment. */
  readonly now: number
  readonly tombstoneMs: number
}

/** A session that a step ended. */
export interface EndedSession {
  readonly id: string
  /** `''` for a session without a user. */
  readonly userId: string
}

/** What a store answers to a save. `passed`: the end had passed, and `ended` is what that ended. */
export type SaveReply =
  | {
      readonly outcome: 'stored'
      readonly version: number
      readonly created: boolean
      /** The user of the session of another generation that was there. `''` if it had none. */
      readonly replaced: string | undefined
    }
  | { readonly outcome: 'refused'; readonly reason: RefusalReason }
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'conflict' }
  | { readonly outcome: 'passed'; readonly userId: string | undefined }

/** What a store answers to a change. */
export type UpdateReply =
  | { readonly outcome: 'changed'; readonly version: number }
  | { readonly outcome: 'refused'; readonly reason: RefusalReason }
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'conflict' }
  /** Nothing was changed. `bytes`: how many it would have been. */
  | { readonly outcome: 'too-large'; readonly bytes: number }
  | { readonly outcome: 'passed'; readonly userId: string }

/** What a step makes of a slot. */
export interface SlotStep<R> {
  readonly reply: R
  /** Absent where nothing changes. */
  readonly slot?: Slot
}

/** Most ended generations that are kept of an id: of more the oldest goes. */
export const MAX_ENDED = 8

/** How long a session is kept after its end, ms, so that a removal then knows its generation. */
export const EXPIRED_MS = 60_000

/** What a store holds of an id that was never used. */
export const NO_SLOT: Slot = Object.freeze({ session: undefined, ended: Object.freeze([]) })

/** The session of a slot, if it is alive. */
export function livingIn({ session }: Slot, now: number): SessionRecord | undefined {
  return session === undefined || isExpired(session.expiresAt, now) ? undefined : session
}

/** Whether a slot says nothing any more. */
export function isOver({ session, ended }: Slot, now: number): boolean {
  return (
    (session === undefined || isExpired(session.expiresAt + EXPIRED_MS, now)) &&
    ended.every(({ until }) => isExpired(until, now))
  )
}

/**
 * What a save comes to.
 *
 * @param fence The mark of the last removal of the user's sessions that still stands.
 */
export function applySave(
  slot: Slot,
  draft: SessionDraft,
  { mustExist, ifVersion }: SaveConditions,
  fence: string | undefined,
  time: StepTime,
): SlotStep<SaveReply> {
  const { now } = time
  const { generation, signIn, expiresAt } = draft
  if (isEnded(slot, generation, now)) return { reply: { outcome: 'refused', reason: 'ended' } }
  const living = livingIn(slot, now)
  const same = living?.generation === generation ? living : undefined
  if (same === undefined && (mustExist || (ifVersion ?? 0) > 0)) return { reply: { outcome: 'absent' } }
  if (ifVersion !== undefined && (same?.version ?? 0) !== ifVersion) return { reply: { outcome: 'conflict' } }
  const isHis = signIn !== undefined && same?.userId === signIn.userId
  if (signIn !== undefined && !isHis && isFenced(signIn, fence))
    return { reply: { outcome: 'refused', reason: 'user' } }
  if (isExpired(expiresAt, now)) {
    const reply = { outcome: 'passed', userId: same?.userId } as const
    return { reply, slot: afterRemoval(slot, generation, time) }
  }
  const others = living !== undefined && same === undefined ? ended(slot, living, time) : standing(slot, now)
  const version = (same?.version ?? 0) + 1
  return {
    reply: {
      outcome: 'stored',
      version,
      created: same === undefined,
      replaced: same === undefined ? living?.userId : undefined,
    },
    slot: {
      ended: others,
      session: {
        fields: draft.fields,
        userId: signIn?.userId ?? '',
        authenticatedAt: isHis ? (same?.authenticatedAt ?? 0) : (signIn?.moment.at ?? 0),
        labels: draft.labels,
        alias: draft.alias,
        generation,
        createdAt: same?.createdAt ?? now,
        savedAt: now,
        expiresAt,
        version,
      },
    },
  }
}

/** What a change comes to. @param fence See {@link applySave}. */
export function applyUpdate(
  slot: Slot,
  change: SessionChange,
  fence: string | undefined,
  time: StepTime,
): SlotStep<UpdateReply> {
  const { now } = time
  const { generation } = change
  const session = livingIn(slot, now)
  if (session === undefined || (generation ?? session.generation) !== session.generation) {
    const isRefused =
      generation === undefined ? standing(slot, now).length > 0 : isEnded(slot, generation, now)
    return { reply: isRefused ? { outcome: 'refused', reason: 'ended' } : { outcome: 'absent' } }
  }
  if (change.ifVersion !== undefined && change.ifVersion !== session.version)
    return { reply: { outcome: 'conflict' } }
  const signIn = change.signIn && change.signIn.userId !== session.userId ? change.signIn : undefined
  if (signIn !== undefined && isFenced(signIn, fence))
    return { reply: { outcome: 'refused', reason: 'user' } }
  const expiresAt = change.expiresAt ?? session.expiresAt
  if (isExpired(expiresAt, now)) {
    return {
      reply: { outcome: 'passed', userId: session.userId },
      slot: afterRemoval(slot, undefined, time),
    }
  }
  const fields = mergeFields(session.fields, change)
  const bytes = bytesOf(fields)
  if (fields !== session.fields && bytes > change.maxDataBytes)
    return { reply: { outcome: 'too-large', bytes } }
  const version = session.version + 1
  return {
    reply: { outcome: 'changed', version },
    slot: {
      ended: standing(slot, now),
      session: {
        ...session,
        ...(change.signIn === null && { userId: '', authenticatedAt: 0 }),
        ...(signIn && { userId: signIn.userId, authenticatedAt: signIn.moment.at }),
        fields,
        expiresAt,
        savedAt: now,
        version,
      },
    },
  }
}

/**
 * What is left of a slot when somebody ends its session.
 *
 * @param generation End this one and no other. Left out: the one that is there; where none ever was, `''`.
 */
export function afterRemoval(slot: Slot, generation: string | undefined, time: StepTime): Slot {
  const { session } = slot
  const living = livingIn(slot, time.now)
  if (living !== undefined && (generation === undefined || generation === living.generation))
    return { session: undefined, ended: ended(slot, living, time) }
  const which = generation ?? session?.generation ?? (standing(slot, time.now).length > 0 ? undefined : '')
  if (which === undefined) return slot
  return { session, ended: ended(slot, { generation: which, expiresAt: 0 }, time) }
}

/** The marks of a slot with that of one more generation. */
function ended(
  slot: Slot,
  { generation, expiresAt }: Pick<SessionHead, 'generation' | 'expiresAt'>,
  { now, tombstoneMs }: StepTime,
): EndedGeneration[] {
  const marks = standing(slot, now)
  const before = marks.find((mark) => mark.generation === generation)?.until ?? 0
  const until = Math.max(before, expiresAt, now + tombstoneMs)
  const others = marks.filter((mark) => mark.generation !== generation)
  return [...others, { generation, until }].slice(-MAX_ENDED)
}

const standing = (slot: Slot, now: number): EndedGeneration[] =>
  slot.ended.filter(({ until }) => !isExpired(until, now))

const isEnded = (slot: Slot, generation: string, now: number): boolean =>
  slot.ended.some((mark) => mark.generation === generation && !isExpired(mark.until, now))

const isFenced = ({ moment }: SignIn, fence: string | undefined): boolean =>
  fence !== undefined && beganBefore(moment.beginning, fence)

/** Fields with those of a change over them; the same object where it changes none. */
export function mergeFields(fields: Fields, { set, unset }: Pick<SessionChange, 'set' | 'unset'>): Fields {
  if (set.size === 0 && unset.length === 0) return fields
  const merged = new Map(fields)
  for (const name of unset) merged.delete(name)
  for (const [name, json] of set) merged.set(name, json)
  return merged
}

/** Data name by name. */
export function fieldsOf(data: SessionData): Fields {
  const fields = new Map<string, string>()
  for (const name of Object.keys(data)) fields.set(name, JSON.stringify(data[name]))
  return fields
}

/** The JSON of the data. */
export function jsonOf(fields: Fields): string {
  let json = ''
  for (const [name, value] of fields) json += `${json === '' ? '' : ','}${JSON.stringify(name)}:${value}`
  return `{${json}}`
}

/** Bytes of {@link jsonOf}. */
export const bytesOf = (fields: Fields): number => Buffer.byteLength(jsonOf(fields))

/** Data that a store answered; `undefined` for what this version cannot read. */
export function decodeData(json: string): SessionData | undefined {
  try {
    const data: unknown = JSON.parse(json)
    return typeof data === 'object' && data !== null && !Array.isArray(data)
      ? (data as SessionData)
      : undefined
  } catch {
    return undefined
  }
}

/** Length of a {@link digestOf}. */
export const DIGEST_CHARACTERS = 8

/**
 * What tells sessions apart in listings that end at the same instant, and what a cursor holds: it says nothing of the id, which
 * may be a bearer's.
 */
export const digestOf = (id: string): string => hash('sha256', id, 'base64url').slice(0, DIGEST_CHARACTERS)

/** Whether an entry of a listing comes behind a place. @param position Its id is a {@link digestOf}. */
export function isBehind(position: PagePosition, { score, id }: PagePosition): boolean {
  return comparePositions(position, { score, id: id.slice(0, DIGEST_CHARACTERS) }) > 0
}
