import { escapePart, unescapePart } from '@authstate/redis'
import { RecordVersions } from '@authstate/spi'
import type { Labels } from '../contract.js'
import { type Fields, jsonOf, type SessionDraft, type StoredSession } from '../rules.js'

const FIRST = /^1:(\d+):(\d+):(\d+):(\d+):([^:]*):(\d+):/

/** Data of so many bytes of JSON are short: scripts find their names without a list of their places. */
const SHORT_BYTES = 1_024

/** By how much indexes score a session later than it ends when it is put there, ms: scripts say the same. */
export const LAG_MS = 60_000

/** Of the text of a session, which begins with its version. */
export const sessionVersions = new RecordVersions<string>({
  current: '2',
  versionOf: (text) => text.slice(0, Math.max(0, text.indexOf(':'))),
  upcasters: {
    '1': (text) =>
      text.replace(FIRST, (_, ends, version, created, since, ended, saved) => {
        const [end, begun, at, changed] = [ends, created, since, saved].map((time) => timeText(Number(time)))
        return `2:${end}:00000:${changed}:${version}:${begun}:${since === created || since === '0' ? '' : at}:${ended}:`
      }),
  },
})

const SESSION = /^2:(\w+):\d+:(\w+):(\d+):(\w+):(\w*):[^:]*:([^:]*):([^:]*):([^:]*):([^:]*):[\d,]*:(?=\{)/
const ENDED = /^0:[^:]*:$/
const LABEL = /([^{]+)\{([^}]+)\}/g

/** A session as it lies in Redis: docs/storage/web-session.md describes the text. `undefined` where none is left. */
export function readSession(id: string, text: string | null): StoredSession | 'unreadable' | undefined {
  if (text === null) return undefined
  const match = SESSION.exec(text) ?? older(text)
  if (match === null) return ENDED.test(text) ? undefined : 'unreadable'
  const [head, ends, saved, version, created, since, generation, user, alias, labels] = match as string[]
  const createdAt = timeIn(created)
  return {
    id,
    data: match.input.slice(head?.length),
    userId: unescapePart(user ?? ''),
    authenticatedAt: user === '' ? 0 : since === '' ? createdAt : timeIn(since),
    labels: labels === '' ? {} : readLabels(labels ?? ''),
    alias: unescapePart(alias ?? ''),
    generation: unescapePart(generation ?? ''),
    createdAt,
    savedAt: timeIn(saved),
    expiresAt: timeIn(ends),
    version: Number(version),
  }
}

function older(text: string): RegExpExecArray | null {
  const current = sessionVersions.upcast(text)
  return current === undefined ? null : SESSION.exec(current)
}

const HALF = 36 ** 4

/** An instant in base 36. In two halves: a number of 31 bits is written several times as fast. */
export function timeText(at: number): string {
  const high = Math.floor(at / HALF)
  if (high === 0) return at.toString(36)
  return high.toString(36) + (at - high * HALF + HALF).toString(36).slice(1)
}

const timeIn = (text = ''): number => Number.parseInt(text, 36)

/** The text of a session from its generation on. */
export function restOf({ generation, signIn, alias, labels, fields }: SessionDraft, layout: number): string {
  const user = signIn === undefined ? '' : escapePart(signIn.userId)
  return `${escapePart(generation)}:${user}:${escapePart(alias)}:${writeLabels(labels)}:${framesOf(fields, layout < 2)}`
}

/**
 * Data as scripts copy them: lengths, a colon, and an object as JSON. Of each name the bytes of its JSON and those of its value's.
 *
 * @param isFirst The first format has the lengths of short data as well.
 */
export function framesOf(fields: Fields, isFirst = false): string {
  const json = jsonOf(fields)
  // What has fewer characters may have more bytes; the scripts ask for no more than that both fit.
  if (!isFirst && json.length <= SHORT_BYTES) return `:${json}`
  let lengths = ''
  for (const [name, value] of fields) {
    lengths += `${lengths === '' ? '' : ','}${Buffer.byteLength(JSON.stringify(name))},${Buffer.byteLength(value)}`
  }
  return `${lengths}:${json}`
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
