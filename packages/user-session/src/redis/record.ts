import { escapePart, unescapePart } from '@authstate/redis'
import type { CheckedClient, CheckedClientPatch, CheckedSession, NotesPatch } from '../checks.js'
import { STATES } from '../checks.js'
import type { ClientSession, UserSession, UserSessionState } from '../contract.js'
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
  readonly i?: string | undefined
  /** authMethod */
  readonly m?: string | undefined
}

interface ClientData {
  /** protocol */
  readonly p?: string
  /** redirectUri */
  readonly u?: string
  /** action */
  readonly a?: string
  /** notes */
  readonly n?: Record<string, StoredNote>
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
    const core: Core = { n: loginUsername, i: ipAddress, m: authMethod }
    return JSON.stringify(core)
  }

  /** What the scripts need to find the indexes of a session. */
  links({ userId, brokerSessionId, brokerUserId }: CheckedSession): string {
    return [userId, brokerSessionId ?? '', brokerUserId ?? ''].map(escapePart).join(':')
  }

  /** JSON, or the empty string for none. */
  notes(notes: NotesPatch, { realmId, id }: RecordPlace): string {
    if (isEmpty(notes)) return ''
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
    const data: Record<keyof ClientData, unknown> = {
      p: protocol,
      u: redirectUri,
      a: action,
      n: isEmpty(notes) ? undefined : this.#seal(notes, { realmId, sessionId: id, clientId }),
    }
    return JSON.stringify(data)
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
    const { startedAt, lastRefreshAt, expiresAt, rememberMe } = decodeTimes(fields['t'])
    if (isOver(expiresAt, now)) return undefined
    const { realmId, id, offline } = place
    const [userId = '', brokerSessionId = '', brokerUserId = ''] = links.split(':')
    const { n: loginUsername, i: ipAddress, m: authMethod } = JSON.parse(data) as Core
    const clients = lazily(() => this.#clients(fields, place, now))
    const session: Writable<UserSession> = {
      id,
      realmId,
      userId: unescapePart(userId),
      offline,
      loginUsername,
      rememberMe,
      startedAt,
      lastRefreshAt,
      expiresAt,
      notes: notes === undefined ? {} : this.#open(JSON.parse(notes), { realmId, sessionId: id }),
      get clients() {
        return clients()
      },
    }
    if (ipAddress !== undefined) session.ipAddress = ipAddress
    if (authMethod !== undefined) session.authMethod = authMethod
    if (brokerSessionId !== '') session.brokerSessionId = unescapePart(brokerSessionId)
    if (brokerUserId !== '') session.brokerUserId = unescapePart(brokerUserId)
    if (state !== undefined) session.state = stateOf(state)
    return session
  }

  #clients(fields: Fields, place: RecordPlace, now: number): Map<string, ClientSession> {
    const clients = new Map<string, ClientSession>()
    for (const [field, value] of Object.entries(fields)) {
      if (!field.startsWith('t:')) continue
      try {
        const times = decodeTimes(value)
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
    const client: Writable<ClientSession> = {
      clientId,
      startedAt: times.startedAt,
      lastRefreshAt: times.lastRefreshAt,
      expiresAt: times.expiresAt,
      notes: notes === undefined ? {} : this.#open(notes, { realmId, sessionId: id, clientId }),
    }
    if (protocol !== undefined) client.protocol = protocol
    if (redirectUri !== undefined) client.redirectUri = redirectUri
    if (action !== undefined) client.action = action
    return client
  }

  #seal(notes: NotesPatch, place: NotePlace): Readonly<Record<string, StoredNote | null>> {
    if (!this.#cipher.seals) return notes
    return Object.fromEntries(
      Object.entries(notes).map(([name, note]) => [
        name,
        note === null ? null : this.#cipher.seal(note, name, place),
      ]),
    )
  }

  /** Opens notes in place: they were just decoded and belong to nobody else. */
  #open(notes: Record<string, StoredNote>, place: NotePlace): Record<string, string> {
    for (const name of Object.keys(notes)) {
      const note = notes[name] as StoredNote
      if (typeof note !== 'string') notes[name] = this.#cipher.open(note, name, place)
    }
    return notes as Record<string, string>
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

const isEmpty = (notes: object): boolean => {
  for (const _ in notes) return false
  return true
}

function stateOf(number: string): UserSessionState {
  const state = STATES[Number(number)]
  if (state === undefined) throw new Error('a state that nobody knows')
  return state
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
