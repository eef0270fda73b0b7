import { escapePart, unescapePart } from '@authstate/redis'
import { isExpired, jsonMap } from '@authstate/spi'
import type { CheckedClient, CheckedClientPatch, CheckedSession, NotesPatch } from '../checks.js'
import { STATES } from '../checks.js'
import type { ClientSession, UserSession, UserSessionState } from '../contract.js'
import type { SessionName } from '../store.js'
import type { Writable } from '../writable.js'
import type { NoteOwner, NotesCipher, StoredNote } from './cipher.js'
import { decodeTimes } from './texts.js'
import { type Values, versions } from './versions.js'

/** What a session is, except its times, links and client sessions. */
interface SessionData {
  /** loginUsername */
  readonly l: string
  /** ipAddress */
  readonly i?: string | undefined
  /** authMethod */
  readonly m?: string | undefined
  /** state, by its number */
  readonly s?: string
  /** notes */
  readonly n?: Record<string, StoredNote> | undefined
}

interface ClientData {
  /** protocol */
  readonly p?: string
  /** redirectUri */
  readonly u?: string
  /** action */
  readonly a?: string
  /** nodeHost; scripts read it */
  readonly h?: string
  /** applicationSessionId; scripts read it */
  readonly y?: string
  /** notes */
  readonly n?: Record<string, StoredNote>
}

/**
 * Turns sessions into values of a hash and back. A value says by its first character what it is, so that reading needs
 * no names: `v` times, `{` data, `c` times of a client session, `a` what that holds.
 */
export class RecordCodec {
  readonly #cipher: NotesCipher
  readonly #onUnreadable: () => void

  constructor(cipher: NotesCipher, onUnreadable: () => void) {
    this.#cipher = cipher
    this.#onUnreadable = onUnreadable
  }

  /** JSON of what a session is, without its times and links. */
  data(session: CheckedSession, { realmId, id }: SessionName): string {
    const { notes } = session
    const data: SessionData = {
      l: session.loginUsername,
      i: session.ipAddress,
      m: session.authMethod,
      n: isEmpty(notes) ? undefined : (this.#seal(notes, { realmId, sessionId: id }) as SessionData['n']),
    }
    return JSON.stringify(data)
  }

  /** JSON of a merge patch of notes; `{}` for none. */
  notesPatch(notes: NotesPatch, { realmId, id }: SessionName): string {
    return isEmpty(notes) ? '{}' : JSON.stringify(this.#seal(notes, { realmId, sessionId: id }))
  }

  /** JSON of what a client session holds except its times, or of changes to it. */
  client(patch: CheckedClient | CheckedClientPatch, { realmId, id }: SessionName): string {
    const { clientId, protocol, redirectUri, action, nodeHost, applicationSessionId, notes } = patch
    const data: Record<keyof ClientData, unknown> = {
      p: protocol,
      u: redirectUri,
      a: action,
      h: nodeHost,
      y: applicationSessionId,
      n: isEmpty(notes) ? undefined : this.#seal(notes, { realmId, sessionId: id, clientId }),
    }
    return JSON.stringify(data)
  }

  /**
   * The living session that some values hold, in whatever order; `undefined` when it is over, or cannot be read.
   *
   * @param only Unless this client session is among them and lives, there is no session.
   */
  decode(values: Values, sessionName: SessionName, now: number, only?: string): UserSession | undefined {
    try {
      const session = this.#decode(values, sessionName, now)
      return only === undefined || session?.clients.has(only) ? session : undefined
    } catch {
      this.#onUnreadable()
      return undefined
    }
  }

  /** Notes of a session by its data; `undefined` when they cannot be read. */
  notesOf(data: string, sessionName: SessionName): Readonly<Record<string, string>> | undefined {
    try {
      return this.#open(parseData(data.slice(0, data.lastIndexOf('}') + 1)).n ?? {}, sessionName)
    } catch {
      this.#onUnreadable()
      return undefined
    }
  }

  #decode(values: Values, sessionName: SessionName, now: number): UserSession | undefined {
    let times: string | undefined
    let data: string | undefined
    const clientTexts: string[] = []
    const heldTexts: string[] = []
    for (const value of values) {
      if (value === null) continue
      const kind = value.charAt(0)
      if (kind === 'c') clientTexts.push(value)
      else if (kind === 'a') heldTexts.push(value)
      else if (kind === 'v') times = value
      else if (kind === '{') data = value
    }
    if (times === undefined && values.every((value) => value === null)) return undefined
    if (times === undefined || data === undefined) throw new Error('a record of an unknown form')
    if (!times.startsWith(CURRENT)) {
      const known = versions.upcast(values)
      if (known === undefined) throw new Error('a record of an unknown version')
      return this.#decode(known, sessionName, now)
    }
    const { startedAt, lastRefreshAt, expiresAt, rememberMe, end } = decodeTimes(times)
    if (isExpired(expiresAt, now)) return undefined
    const afterUser = times.indexOf(':', end)
    const afterBrokerSession = times.indexOf(':', afterUser + 1)
    if (afterBrokerSession < 0) throw new Error('a record without links')
    const userId = times.slice(end + 1, afterUser)
    const brokerSessionId = times.slice(afterUser + 1, afterBrokerSession)
    const brokerUserId = times.slice(afterBrokerSession + 1)
    const { l: loginUsername, i: ipAddress, m: authMethod, s: state, n: notes } = parseData(data)
    let clients: ReadonlyMap<string, ClientSession> | undefined
    const readClients = () => {
      clients ??= this.#clients(clientTexts, heldTexts, sessionName, now)
      return clients
    }
    const session: Writable<UserSession> = {
      id: sessionName.id,
      realmId: sessionName.realmId,
      userId: unescapePart(userId),
      offline: sessionName.offline,
      loginUsername,
      rememberMe,
      startedAt,
      lastRefreshAt,
      expiresAt,
      notes: notes === undefined ? {} : this.#open(notes, sessionName),
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

  #clients(
    texts: readonly string[],
    heldTexts: readonly string[],
    sessionName: SessionName,
    now: number,
  ): Map<string, ClientSession> {
    const clients = jsonMap<ClientSession>()
    const held = new Map(
      heldTexts.map((text) => {
        const json = text.indexOf('{')
        return [text.slice(2, json - 1), text.slice(json)]
      }),
    )
    for (const text of texts) {
      try {
        const client = this.#client(text, held, sessionName)
        if (!isExpired(client.expiresAt, now)) clients.set(client.clientId, client)
      } catch {
        this.#onUnreadable()
      }
    }
    return clients
  }

  /**
   * @param text Times, and the client's id behind them.
   * @param held JSON by client.
   */
  #client(text: string, held: ReadonlyMap<string, string>, sessionName: SessionName): ClientSession {
    const { startedAt, lastRefreshAt, expiresAt, end } = decodeTimes(text)
    const escaped = text.slice(end + 1)
    const clientId = unescapePart(escaped)
    const data = JSON.parse(held.get(escaped) ?? '') as ClientData
    const { p: protocol, u: redirectUri, a: action, h: nodeHost, y: applicationSessionId, n: notes } = data
    const client: Writable<ClientSession> = {
      clientId,
      startedAt,
      lastRefreshAt,
      expiresAt,
      notes: notes === undefined ? {} : this.#open(notes, sessionName, clientId),
    }
    if (protocol !== undefined) client.protocol = protocol
    if (redirectUri !== undefined) client.redirectUri = redirectUri
    if (action !== undefined) client.action = action
    if (nodeHost !== undefined) client.nodeHost = nodeHost
    if (applicationSessionId !== undefined) client.applicationSessionId = applicationSessionId
    return client
  }

  #seal(notes: NotesPatch, owner: NoteOwner): Readonly<Record<string, StoredNote | null>> {
    if (!this.#cipher.seals) return notes
    return Object.fromEntries(
      Object.entries(notes).map(([name, note]) => [
        name,
        note === null ? null : this.#cipher.seal(note, name, owner),
      ]),
    )
  }

  /** Opens notes in place: they were just decoded and no other code has them. */
  #open(
    notes: Record<string, StoredNote>,
    { realmId, id }: SessionName,
    clientId?: string,
  ): Record<string, string> {
    for (const name in notes) {
      const note = notes[name] as StoredNote
      if (typeof note !== 'string')
        notes[name] = this.#cipher.open(note, name, { realmId, sessionId: id, clientId })
    }
    return notes as Record<string, string>
  }
}

/** Before the times of a record of the version that is written. */
const CURRENT = `v${versions.current} `

/** Links of a session, as they stand behind its times, or its data in version 1: the scripts find its indexes by them. */
export function linksOf({ userId, brokerSessionId = '', brokerUserId = '' }: CheckedSession): string {
  return `${escapePart(userId)}:${escapePart(brokerSessionId)}:${escapePart(brokerUserId)}`
}

const isEmpty = (notes: object): boolean => {
  for (const _ in notes) return false
  return true
}

function parseData(json: string): SessionData {
  const data = JSON.parse(json) as SessionData
  if (typeof data.l !== 'string') throw new Error('a session without a login name')
  return data
}

function stateOf(number: string): UserSessionState {
  const state = STATES[Number(number)]
  if (state === undefined) throw new Error('an unknown state')
  return state
}
