import { escapePart, unescapePart } from '@authstate/redis'
import { RecordVersions } from '@authstate/spi'
import type { Labels } from '../contract.js'
import { type Fields, jsonOf, type SessionDraft, type StoredSession } from '../rules.js'

/** Of the text of a session, which begins with its version. */
export const sessionVersions = new RecordVersions<string>({
  current: '1',
  versionOf: (text) => text.slice(0, Math.max(0, text.indexOf(':'))),
})

const SESSION = /^1:(\d+):(\d+):(\d+):(\d+):[^:]*:(\d+):([^:]*):([^:]*):([^:]*):([^:]*):[\d,]*:(?=\{)/
const ENDED = /^0:[^:]*:$/
const LABEL = /([^{]+)\{([^}]+)\}/g

/** A session as it lies in Redis: docs/storage/web-session.md describes the text. `undefined` where none is left. */
export function readSession(id: string, text: string | null): StoredSession | 'unreadable' | undefined {
  if (text === null) return undefined
  if (ENDED.test(text)) return undefined
  const current = sessionVersions.upcast(text)
  const match = current === undefined ? null : SESSION.exec(current)
  if (match === null) return 'unreadable'
  const [
    head,
    expiresAt,
    version,
    createdAt,
    since,
    savedAt,
    generation = '',
    user = '',
    alias = '',
    labels = '',
  ] = match
  return {
    id,
    data: match.input.slice(head.length),
    userId: unescapePart(user),
    authenticatedAt: Number(since),
    labels: labels === '' ? {} : readLabels(labels),
    alias: unescapePart(alias),
    generation: unescapePart(generation),
    createdAt: Number(createdAt),
    savedAt: Number(savedAt),
    expiresAt: Number(expiresAt),
    version: Number(version),
  }
}

/** The text of a session from its generation on. */
export function restOf({ generation, signIn, alias, labels, fields }: SessionDraft): string {
  const user = signIn === undefined ? '' : escapePart(signIn.userId)
  return `${escapePart(generation)}:${user}:${escapePart(alias)}:${writeLabels(labels)}:${framesOf(fields)}`
}

/** Data as scripts copy them: of each name the bytes of its JSON and those of its value's, a colon, and an object as JSON. */
export function framesOf(fields: Fields): string {
  let lengths = ''
  for (const [name, value] of fields) {
    lengths += `${lengths === '' ? '' : ','}${Buffer.byteLength(JSON.stringify(name))},${Buffer.byteLength(value)}`
  }
  return `${lengths}:${jsonOf(fields)}`
}

/** Names as scripts compare them. JSON holds no line feed. */
export function namesOf(names: readonly string[]): string {
  let text = ''
  for (const name of names) text += `${JSON.stringify(name)}\n`
  return text
}

function writeLabels(labels: Labels): string {
  let text = ''
  for (const name in labels) text += `${escapePart(name)}{${escapePart(labels[name] ?? '')}}`
  return text
}

function readLabels(text: string): Labels {
  return Object.fromEntries(
    [...text.matchAll(LABEL)].map(([, name = '', value = '']) => [unescapePart(name), unescapePart(value)]),
  )
}
