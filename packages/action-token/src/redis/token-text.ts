import { escapePart, unescapePart } from '@authstate/redis'
import type { TokenData } from '../contract.js'
import { type CheckedToken, decodeData } from '../rules.js'

/** A token as it lies in Redis: docs/storage/action-token.md describes the text. */
export interface StoredToken {
  readonly data: TokenData
  /** Ms since the epoch. */
  readonly expiresAt: number
  /** Ms since the epoch; `undefined` while it can still be consumed. */
  readonly consumedAt: number | undefined
  /** `''` for none. */
  readonly family: string
  readonly subject: string
}

const HEAD = /^1:(\d+):([^:]*):([^:]*):(?:(\d+):\d*:[^:]*:[^:]*:)?(?=\{)/

/** `undefined` for what this version cannot read. */
export function readToken(text: string): StoredToken | undefined {
  const match = HEAD.exec(text)
  if (match === null) return undefined
  const [head, expiresAt, family = '', subject = '', consumedAt] = match
  const data = decodeData(text.slice(head.length))
  if (data === undefined) return undefined
  return {
    data,
    expiresAt: Number(expiresAt),
    consumedAt: consumedAt === undefined ? undefined : Number(consumedAt),
    family: unescapePart(family),
    subject: unescapePart(subject),
  }
}

/** The text of a token that was not consumed. */
export function writeToken({ expiresAt, family, subject, data }: CheckedToken): string {
  return `1:${expiresAt}:${escapeName(family)}:${escapeName(subject)}:${data}`
}

/** A part of the text, `''` for none. */
export function escapeName(name: string): string {
  return name === '' ? '' : escapePart(name)
}
