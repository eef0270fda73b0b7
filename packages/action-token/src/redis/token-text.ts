import { escapePart, unescapePart } from '@authstate/redis'
import { RecordVersions } from '@authstate/spi'
import type { StoredToken, TokenDraft } from '../rules.js'

/** Of the text of a token, which begins with its version. */
export const tokenVersions = new RecordVersions<string>({
  current: '1',
  versionOf: (text) => text.slice(0, Math.max(0, text.indexOf(':'))),
})

const HEAD = /^1:(\d+):([^:]*):([^:]*):(?:(\d+):(\d*):([^:]*):([^:]*):)?(?=\{)/

/** A token as it lies in Redis: docs/storage/action-token.md describes the text. */
export function readToken(text: string | null): StoredToken | 'unreadable' | undefined {
  if (text === null) return undefined
  const current = tokenVersions.upcast(text)
  const match = current === undefined ? null : HEAD.exec(current)
  if (match === null) return 'unreadable'
  const [head, expiresAt, family = '', subject = '', at, graceUntil, attempt = '', successor = ''] = match
  const token = {
    data: match.input.slice(head.length),
    expiresAt: Number(expiresAt),
    family: unescapePart(family),
    subject: unescapePart(subject),
  }
  if (at === undefined) return token
  return {
    ...token,
    consumption: {
      at: Number(at),
      attempt: unescapePart(attempt),
      graceUntil: graceUntil ? Number(graceUntil) : undefined,
      successor: unescapePart(successor),
    },
  }
}

/** The text of a token that was not consumed. */
export function writeToken({ expiresAt, family, subject, data }: TokenDraft): string {
  return `${tokenVersions.current}:${expiresAt}:${escapeName(family)}:${escapeName(subject)}:${data}`
}

/** A part of the text, `''` for none. */
export function escapeName(name: string): string {
  return name === '' ? '' : escapePart(name)
}
