import { escapePart, unescapePart } from '@authstate/redis'
import type { CheckedClient, CheckedClientPatch, CheckedSession, NotesPatch } from '../checks.js'
import { STATES } from '../checks.js'
import type { ClientSession, UserSession } from '../contract.js'
import { isOver, type Lives, type Uses } from '../expiry.js'
import type { NotePlace, NotesCipher, StoredNote } from './cipher.js'
import { lazily } from './lazily.js'
import { type Fields, upcast } from './versions.js'

/** Fields that a session has besides those of its client sessions. */
export const CORE_FIELDS = ['_v', 'k', 't', 'd', 'n', 's'] as const

/** Where a record lives. */
export interface RecordPlace {
  readonly realmId: string
  readonly id: string
  readonly offline: boolean
}

interface Core {
  /** loginUsername */
  readonly n: string
  /** ipAddress */
  readonly i?: string
  /** authMethod */
  readonly m?: string
}

interface ClientData {
  /** protocol */
  readonly p?: string
  /** redirectUri */
  readonly u?: string
  /** action */
  readonly a?: string
  /** notes */
  readonly n?: Readonly<Record<string, StoredNote>>
}

const TIMES = /^(\d+) (\d+) (\d+) \d+(r?)$/

/** Turns sessions into fields and back. */
export class RecordCodec {
  readonly #cipher: NotesCipher
  readonly #onUnreadable: () => void

  constructor(cipher: NotesCipher, onUnreadable: () => void) {
    this.#cipher = cipher
    this.#onUnreadable = onUnreadable
  }

  core({ loginUsername, ipAddress, authMethod }: CheckedSession): string {
    const core: Core = {
      n: loginUsername,
      ...(ipAddress !== undefined && { i: ipAddress }),
      ...(authMethod !== undefined && { m: authMethod }),
    }
    return JSON.stringify(core)
  }

  /** What the scripts need to find the indexes of a session. */
  links({ userId, brokerSessionId, brokerUserId }: CheckedSession): string {
    return [userId, brokerSessionId ?? '', brokerUserId ?? ''].map(escapePart).join(':')
  }

  /** JSON, or the empty string for none. */
  notes(notes: NotesPatch, { realmId, id }: RecordPlace): string {
    if (Object.keys(notes).length === 0) return ''
    return JSON.stringify(this.#seal(notes, { realmId, sessionId: id }))
  }

  /** JSON of a merge patch; `{}` for none. */
  notesPatch(notes: NotesPatch, place: RecordPlace): string {
    return this.notes(notes, place) || '{}'
  }

  client({ clientId, protocol, redirectUri, action, notes }: CheckedClient, place: RecordPlace): string {
    return this.clientPatch({ clientId, protocol, redirectUri, action, notes }, place)
  }

  clientPatch(patch: CheckedClientPatch, { realmId, id }: RecordPlace): string {
    const { clientId, protocol, redirectUri, action, notes } = patch
    return JSON.stringify({
      ...(protocol !== undefined && { p: protocol }),
      ...(redirectUri !== undefined && { u: redirectUri }),
      ...(action !== undefined && { a: action }),
      ...(Object.keys(notes).length > 0 && { n: this.#seal(notes, { realmId, sessionId: id, clientId }) }),
    })
  }

  /** The living session that some fields hold; `undefined` when it is over, or can not be read. */
  decode(fields: Fields, place: RecordPlace, now: number): UserSession | undefined {
    try {
      return this.#decode(fields, place, now)
    } catch {
      this.#onUnreadable()
      return undefined
    }
  }

  #decode(stored: Fields, place: RecordPlace, now: number): UserSession | undefined {
    if (stored['_v'] === undefined) return undefined
    const fields = upcast(stored)
    if (fields === undefined) throw new Error('a record of an unknown version')
    const { k: links = '', d: data = '', n: notes, s: state } = fields
    const times = decodeTimes(fields['t'])
    if (isOver(times.expiresAt, now)) return undefined
    const [userId = '', brokerSessionId, brokerUserId] = links.split(':').map(unescapePart)
    const { n: loginUsername, i: ipAddress, m: authMethod } = JSON.parse(data) as Core
    const clients = lazily(() => this.#clients(fields, place, now))
    return {
      id: place.id,
      realmId: place.realmId,
      userId,
      offline: place.offline,
      loginUsername,
      ...(ipAddress !== undefined && { ipAddress }),
      ...(authMethod !== undefined && { authMethod }),
      rememberMe: times.rememberMe,
      ...(brokerSessionId && { brokerSessionId }),
      ...(brokerUserId && { brokerUserId }),
      startedAt: times.startedAt,
      lastRefreshAt: times.lastRefreshAt,
      expiresAt: times.expiresAt,
      ...(state !== undefined && { state: STATES[Number(state)] ?? 'LOGGED_OUT' }),
      notes:
        notes === undefined
          ? {}
          : this.#open(JSON.parse(notes) as Record<string, StoredNote>, {
              realmId: place.realmId,
              sessionId: place.id,
            }),
      get clients() {
        return clients()
      },
    }
  }

  #clients(fields: Fields, place: RecordPlace, now: number): Map<string, ClientSession> {
    const clients = new Map<string, ClientSession>()
    for (const [field, value] of Object.entries(fields)) {
      if (!field.startsWith('t:')) continue
      try {
        const { rememberMe: _, ...times } = decodeTimes(value)
        if (isOver(times.expiresAt, now)) continue
        const clientId = unescapePart(field.slice(2))
        clients.set(clientId, this.#client(clientId, times, fields[`c:${field.slice(2)}`] ?? '', place))
      } catch {
        this.#onUnreadable()
      }
    }
    return clients
  }

  #client(
    clientId: string,
    times: Uses & { readonly expiresAt: number },
    json: string,
    { realmId, id }: RecordPlace,
  ): ClientSession {
    const { p: protocol, u: redirectUri, a: action, n: notes } = JSON.parse(json) as ClientData
    return {
      clientId,
      ...times,
      ...(protocol !== undefined && { protocol }),
      ...(redirectUri !== undefined && { redirectUri }),
      ...(action !== undefined && { action }),
      notes: notes === undefined ? {} : this.#open(notes, { realmId, sessionId: id, clientId }),
    }
  }

  #seal(notes: NotesPatch, place: NotePlace): Record<string, StoredNote | null> {
    return Object.fromEntries(
      Object.entries(notes).map(([name, note]) => [
        name,
        note === null ? null : this.#cipher.seal(note, name, place),
      ]),
    )
  }

  #open(notes: Readonly<Record<string, StoredNote>>, place: NotePlace): Record<string, string> {
    const opened: Record<string, string> = {}
    for (const name of Object.keys(notes)) {
      opened[name] = this.#cipher.open(notes[name] as StoredNote, name, place)
    }
    return opened
  }
}

export function decodeTimes(text: string | undefined): Uses & { expiresAt: number; rememberMe: boolean } {
  const [, startedAt, lastRefreshAt, expiresAt, flag] = TIMES.exec(text ?? '') ?? []
  if (startedAt === undefined) throw new Error('times that can not be read')
  return {
    startedAt: Number(startedAt),
    lastRefreshAt: Number(lastRefreshAt),
    expiresAt: Number(expiresAt),
    rememberMe: flag === 'r',
  }
}

/** Times as the scripts write them. @param score In the indexes. */
export function encodeTimes(
  { startedAt, lastRefreshAt, expiresAt }: Uses & { readonly expiresAt: number },
  score: number,
  rememberMe: boolean,
): string {
  return `${startedAt} ${lastRefreshAt} ${expiresAt} ${score}${rememberMe ? 'r' : ''}`
}

/** Spans as the scripts take them: idle and max, of remember-me if they differ, and not-before if there is one. */
export function encodeLives({ plain, rememberMe, notBefore }: Lives): string {
  const spans = [plain.idleMs, plain.maxMs]
  const differ = rememberMe.idleMs !== plain.idleMs || rememberMe.maxMs !== plain.maxMs
  if (differ || notBefore > 0) spans.push(rememberMe.idleMs, rememberMe.maxMs)
  if (notBefore > 0) spans.push(notBefore)
  return spans.join(' ')
}

/** Fields from the flat list that a script answers. */
export function fieldsOf(flat: readonly string[]): Fields {
  const fields: Record<string, string> = {}
  for (let index = 0; index + 1 < flat.length; index += 2)
    fields[flat[index] as string] = flat[index + 1] as string
  return fields
}

/** Fields from values in the order of their names. */
export function zipFields(names: readonly string[], values: readonly (string | null)[]): Fields {
  const fields: Record<string, string> = {}
  for (const [index, name] of names.entries()) {
    const value = values[index]
    if (value !== null && value !== undefined) fields[name] = value
  }
  return fields
}
