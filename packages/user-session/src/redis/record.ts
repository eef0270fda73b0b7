import { escapePart, unescapePart } from '@authstate/redis'
import type { CheckedClient, CheckedClientPatch, CheckedSession, NotesPatch } from '../checks.js'
import { STATES } from '../checks.js'
import type { ClientSession, UserSession, UserSessionState } from '../contract.js'
import { isOver } from '../expiry.js'
import type { NotePlace, NotesCipher, StoredNote } from './cipher.js'
import { decodeTimes } from './texts.js'
import { type Fields, upcast, VERSION } from './versions.js'
import type { Writable } from './writable.js'

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
    return `${escapePart(userId)}:${escapePart(brokerSessionId ?? '')}:${escapePart(brokerUserId ?? '')}`
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

  /** JSON of what a client session holds besides its times, or of changes to it. */
  client(patch: CheckedClient | CheckedClientPatch, { realmId, id }: RecordPlace): string {
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
    const version = stored['_v']
    if (version === undefined) return undefined
    const fields = version === VERSION ? stored : upcast(stored)
    if (fields === undefined) throw new Error('a record of an unknown version')
    const { startedAt, lastRefreshAt, expiresAt, rememberMe } = decodeTimes(fields['t'])
    if (isOver(expiresAt, now)) return undefined
    const { realmId, id, offline } = place
    const { k: links = '', d: data = '', n: notes, s: state } = fields
    const [userId = '', brokerSessionId = '', brokerUserId = ''] = links.split(':')
    const { n: loginUsername, i: ipAddress, m: authMethod } = JSON.parse(data) as Core
    let clients: ReadonlyMap<string, ClientSession> | undefined
    const readClients = () => {
      clients ??= this.#clients(fields, place, now)
      return clients
    }
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
      notes: notes === undefined ? {} : this.#open(JSON.parse(notes), place),
      // Most callers look at one of them, or at none.
      get clients() {
        return readClients()
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
    for (const field in fields) {
      if (!field.startsWith('c:')) continue
      try {
        const client = this.#client(unescapePart(field.slice(2)), fields[field] as string, place)
        if (!isOver(client.expiresAt, now)) clients.set(client.clientId, client)
      } catch {
        this.#onUnreadable()
      }
    }
    return clients
  }

  /** @param text Times, and the data as JSON behind them. */
  #client(clientId: string, text: string, place: RecordPlace): ClientSession {
    const json = text.indexOf('{')
    const { startedAt, lastRefreshAt, expiresAt } = decodeTimes(text.slice(0, Math.max(json - 1, 0)))
    const { p: protocol, u: redirectUri, a: action, n: notes } = JSON.parse(text.slice(json)) as ClientData
    const client: Writable<ClientSession> = {
      clientId,
      startedAt,
      lastRefreshAt,
      expiresAt,
      notes: notes === undefined ? {} : this.#open(notes, place, clientId),
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
  #open(
    notes: Record<string, StoredNote>,
    { realmId, id }: RecordPlace,
    clientId?: string,
  ): Record<string, string> {
    for (const name of Object.keys(notes)) {
      const note = notes[name] as StoredNote
      if (typeof note !== 'string')
        notes[name] = this.#cipher.open(note, name, { realmId, sessionId: id, clientId })
    }
    return notes as Record<string, string>
  }
}

const isEmpty = (notes: object): boolean => {
  for (const _ in notes) return false
  return true
}

function stateOf(number: string): UserSessionState {
  const state = STATES[Number(number)]
  if (state === undefined) throw new Error('a state that nobody knows')
  return state
}
