/**
 * What better-auth stores of a session is two things in one value: the session, and a copy of its user. A request that prolongs
 * a session writes the user as it has read him a while ago; one that changes the user writes the session so.
 */
import { hash } from 'node:crypto'
import { parsed } from './shapes.js'

const PARTS = ['session', 'user'] as const

/** How many earlier forms of the parts are known by their digests. */
const KNOWN = 16
const DIGEST_CHARACTERS = 12

/** A stored value, and digests of earlier forms of its parts, the oldest first. */
export interface Stored {
  readonly value: string
  readonly earlier: readonly string[]
}

/** What is to be stored. */
export interface Merged extends Stored {
  /** The session that was there is the later one. */
  readonly keepsSession: boolean
}

/** Puts a value over another. A part of it that is an earlier form of what is there was read before that was changed: it stays. */
export function mergeParts(stored: Stored, value: string): Merged {
  const before = partsOf(stored.value)
  const next = partsOf(value)
  const earlier = [...stored.earlier]
  const kept: Record<string, unknown> = {}
  for (const part of PARTS) {
    const [was, is] = [digestOf(part, before[part]), digestOf(part, next[part])]
    if (was === is) continue
    if (stored.earlier.includes(is)) kept[part] = before[part]
    else earlier.push(was)
  }
  return {
    value: Object.keys(kept).length === 0 ? value : JSON.stringify({ ...next, ...kept }),
    earlier: earlier.slice(-KNOWN),
    keepsSession: 'session' in kept,
  }
}

const partsOf = (value: string): Record<string, unknown> => (parsed(value) ?? {}) as Record<string, unknown>

const digestOf = (part: string, form: unknown): string =>
  hash('sha256', `${part} ${JSON.stringify(form)}`, 'base64url').slice(0, DIGEST_CHARACTERS)
