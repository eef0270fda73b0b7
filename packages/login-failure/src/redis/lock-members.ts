import { unescapePart } from '@authstate/redis'
import type { PagePosition } from '@authstate/spi'
import type { LockRule } from '../contract.js'
import type { Subject } from '../store.js'

/** Of the digest that a member begins with, in hexadecimal: the 48 bits that a cursor has room for. */
const DIGEST_CHARACTERS = 12

/** Kinds of records, by what their keys begin with. */
const RULES: Readonly<Record<string, LockRule>> = { lf: 'user', la: 'address' }

/** Whom a member of an index of locks names, and where it stands. `undefined` for what no version wrote. */
export function lockedBy(
  member: string,
  score: number,
): { readonly subject: Subject; readonly position: PagePosition } | undefined {
  const [kind = '', realmId, id] = member.slice(DIGEST_CHARACTERS).split(':')
  const rule = RULES[kind]
  if (rule === undefined || realmId === undefined || id === undefined) return undefined
  return {
    subject: { realmId: unescapePart(realmId), rule, id: unescapePart(id) },
    position: { score, id: member.slice(0, DIGEST_CHARACTERS) },
  }
}

/** A place in the index as a cursor has it, and back. */
export const cursorPlace = ({ score, id }: PagePosition): PagePosition => ({
  score,
  id: Buffer.from(id, 'hex').toString('base64url'),
})
export const indexPlace = ({ score, id }: PagePosition): PagePosition => ({
  score,
  id: id === '' ? '' : `${Buffer.from(id.slice(0, 8), 'base64url').toString('hex')}~`,
})
