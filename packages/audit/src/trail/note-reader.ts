import type { ProviderContext } from '@authstate/spi'
import { actionTokenSpi, loginFailureSpi, userSessionSpi, webSessionSpi } from 'authstate'
import type { ChangeNote } from 'authstate/redis'
import type { AuditDetails, AuditLine, AuditRecord } from '../contract.js'
import type { Names } from '../names.js'

/** What a note says, before its records are named. */
interface Told {
  readonly event: string
  readonly records: readonly AuditRecord[]
  readonly reason?: string
  readonly details?: AuditDetails
  /** What makes a line of this one the same as another, where that is not its note. */
  readonly once?: string
}

/** A session began by this note where both are no further apart: the note is of the clock of Redis, and a little later. */
const BEGINNING_MS = 5_000
/** Beginnings that are remembered, so that the next change within that time is none. */
const MOST_BEGINNINGS = 10_000

/**
 * Makes lines of notes. A note names a record and says how it changed. The present state of the
 * record is read if it says more: the user of a session, whether a token is used, whether a user is
 * locked out. The record may have changed again by then, or be removed.
 */
export class NoteReader {
  readonly #context: ProviderContext
  readonly #names: Names
  readonly #touches: boolean
  readonly #begun = new Set<string>()

  constructor(context: ProviderContext, names: Names, touches: boolean) {
    this.#context = context
    this.#names = names
    this.#touches = touches
  }

  /** In the order of the notes. @throws {StoreUnavailableError} a record cannot be read: the notes come again */
  async linesOf(notes: readonly ChangeNote[]): Promise<readonly AuditLine[]> {
    const lines = await Promise.all(
      notes.map(async (note) => {
        const { key } = note
        const [, realm = ''] = key
        const told = await this.#read(note, realm)
        return told && this.#lineOf(note, realm, told)
      }),
    )
    return lines.filter((line) => line !== undefined)
  }

  #lineOf(note: ChangeNote, realm: string, { event, records, reason, details, once }: Told): AuditLine {
    const named = records.map((record) => this.#names.named(realm, record))
    const place = `${note.partition.toString(16).padStart(2, '0')}-${note.id}`
    return {
      v: 1,
      id: once === undefined ? place : `${named[0]?.name}-${once}`,
      at: note.ended?.at ?? note.at,
      event,
      realm,
      records: named,
      ...(reason !== undefined && { reason }),
      ...(details !== undefined && { details }),
      node: this.#context.node.name,
    }
  }

  #read(note: ChangeNote, realm: string): Promise<Told | undefined> | Told | undefined {
    if (note.how === 'touch' && !this.#touches) return undefined
    switch (note.key[0]) {
      case 'us':
      case 'os':
        return this.#ofUserSession(note, realm)
      case 'uf':
      case 'of':
        return ofFence(note)
      case 'wo':
        return this.#ofWebSession(note, realm)
      case 'wf':
        return { event: 'user.signed-out', records: userOf(note.key[2]), details: { web: true } }
      case 'ao':
        return this.#ofToken(note, realm)
      case 'av':
      case 'ax':
        return ofRevocation(note)
      case 'lf':
      case 'la':
      case 'ld':
        return this.#ofFailures(note, realm)
      // Refresh tokens without a session, logins under way, and what later versions note: no part of the trail.
      default:
        return undefined
    }
  }

  async #ofUserSession({ key, how, ended, at }: ChangeNote, realm: string): Promise<Told> {
    const [kind, , id = ''] = key
    const offline = kind === 'os'
    const record: AuditRecord = { kind: 'user-session', id }
    const ofKind = offline ? { offline } : {}
    if (ended !== undefined || how === 'removal') {
      const clients = [...new Set(ended?.clients.map(({ clientId }) => clientId))]
      return {
        event: how === 'removal' ? 'session.ended' : 'session.clients-ended',
        records: [record, ...userOf(ended?.userId)],
        ...(ended !== undefined && { reason: ended.reason }),
        ...detailsOf({ ...ofKind, ...(clients.length > 0 && { clients }) }),
      }
    }
    const session = await this.#context.find(userSessionSpi)?.get(realm, id, { offline })
    const records = [record, ...userOf(session?.userId)]
    if (how === 'touch') return { event: 'session.refreshed', records, ...detailsOf(ofKind) }
    const clients = [...(session?.clients.keys() ?? [])].sort()
    const details = detailsOf({ ...ofKind, ...(clients.length > 0 && { clients }) })
    const isNew = session !== undefined && this.#begins(`${kind}:${realm}:${id}`, session.startedAt, at)
    return isNew
      ? {
          event: 'session.started',
          records,
          ...details,
          once: `${session.startedAt}${offline ? '-offline' : ''}`,
        }
      : { event: 'session.changed', records, ...details }
  }

  async #ofWebSession({ key, how, ended, at }: ChangeNote, realm: string): Promise<Told> {
    const [, , id = ''] = key
    const record: AuditRecord = { kind: 'web-session', id }
    if (how === 'removal')
      return {
        event: 'web-session.ended',
        records: [record, ...userOf(ended?.userId)],
        ...(ended !== undefined && { reason: ended.reason }),
      }
    const session = await this.#context.find(webSessionSpi)?.get(realm, id)
    const records = [record, ...userOf(session?.userId)]
    if (how === 'touch') return { event: 'web-session.refreshed', records }
    const isNew = session !== undefined && this.#begins(`wo:${realm}:${id}`, session.createdAt, at)
    return isNew
      ? { event: 'web-session.started', records, once: `${session.createdAt}` }
      : { event: 'web-session.changed', records }
  }

  async #ofToken({ key, how }: ChangeNote, realm: string): Promise<Told> {
    const [, , kind = '', id = ''] = key
    const record: AuditRecord = { kind: 'token', id: [kind, id] }
    const details = { kind }
    if (how === 'removal') return { event: 'token.removed', records: [record], details }
    const token = await this.#context.find(actionTokenSpi)?.get(realm, kind, id, { includeExpired: true })
    const records = [record, ...userOf(token?.subject)]
    return { event: token?.consumedAt === undefined ? 'token.stored' : 'token.consumed', records, details }
  }

  async #ofFailures({ key, how }: ChangeNote, realm: string): Promise<Told> {
    const [kind, , id = ''] = key
    const record: AuditRecord =
      kind === 'lf' ? { kind: 'user', id } : { kind: kind === 'la' ? 'network' : 'unknown-name', id }
    if (how === 'removal') return { event: 'login-failures.cleared', records: [record] }
    const failures = kind === 'ld' ? undefined : this.#context.find(loginFailureSpi)
    const found =
      kind === 'lf'
        ? await failures?.get(realm, id)
        : await failures?.getAddress(realm, id.replace(/\/\d+$/, ''))
    if (found === undefined) return { event: 'login-failures.changed', records: [record] }
    const { numFailures, lockedUntil = 0, permanentlyLockedAt } = found
    const isLocked = permanentlyLockedAt !== undefined || lockedUntil > this.#context.clock.now()
    return {
      event: isLocked ? 'login-failures.locked' : 'login-failures.changed',
      records: [record],
      details: {
        failures: numFailures,
        ...(isLocked && (permanentlyLockedAt === undefined ? { until: lockedUntil } : { permanent: true })),
      },
    }
  }

  /** Whether a note is that of the beginning of a session. */
  #begins(name: string, startedAt: number, at: number): boolean {
    const beginning = `${name} ${startedAt}`
    if (Math.abs(at - startedAt) > BEGINNING_MS || this.#begun.has(beginning)) return false
    this.#begun.add(beginning)
    if (this.#begun.size > MOST_BEGINNINGS) {
      const [oldest] = this.#begun
      if (oldest !== undefined) this.#begun.delete(oldest)
    }
    return true
  }
}

const userOf = (id: string | undefined): readonly AuditRecord[] =>
  id === undefined || id === '' ? [] : [{ kind: 'user', id }]

const detailsOf = (details: AuditDetails): { readonly details?: AuditDetails } =>
  Object.keys(details).length === 0 ? {} : { details }

/** All sessions of a user end, or all of a realm. */
function ofFence({ key }: ChangeNote): Told {
  const [kind, , userId] = key
  const records = userOf(userId)
  return {
    event: records.length === 0 ? 'realm.signed-out' : 'user.signed-out',
    records,
    ...detailsOf(kind === 'of' ? { offline: true } : {}),
  }
}

function ofRevocation({ key, how }: ChangeNote): Told {
  const [kind, , id = ''] = key
  const of = kind === 'av' ? 'token-id' : 'token-family'
  return { event: `${of}.${how === 'removal' ? 'forgotten' : 'revoked'}`, records: [{ kind: of, id }] }
}
