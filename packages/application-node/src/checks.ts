import {
  assertInstant,
  assertInteger,
  assertKnown,
  assertName,
  assertOneOf,
  assertOptionalName,
  type CheckedPage,
  checkPage,
  type Known,
  type PageOptions,
} from '@authstate/spi'
import type {
  AllSessionsEnded,
  Announcement,
  AnnounceOptions,
  NewNode,
  NotBeforeRaised,
  Probe,
  SessionEnded,
} from './contract.js'
import type { Recipient } from './rules.js'
import type { StoredAnnouncement } from './store.js'

/** Clients that one announcement can name. */
export const MOST_CLIENTS = 100_000

/** Longest wait of `settled`. */
const LONGEST_WAIT_MS = 60_000

type Fields<T extends Announcement['type']> = Known<Extract<Announcement, { type: T }>>

const ANNOUNCEMENTS: { readonly [T in Announcement['type']]: Fields<T> } = {
  'session-ended': {
    type: true,
    userId: true,
    sessionId: true,
    at: true,
    clients: true,
  } satisfies Known<SessionEnded>,
  'all-sessions-ended': { type: true, userId: true, at: true } satisfies Known<AllSessionsEnded>,
  'not-before-raised': { type: true, notBefore: true } satisfies Known<NotBeforeRaised>,
  probe: { type: true } satisfies Known<Probe>,
}
const CLIENT: Known<SessionEnded['clients'][number]> = {
  clientId: true,
  nodeHost: true,
  applicationSessionId: true,
}
const OPTIONS: Known<AnnounceOptions> = { clientIds: true, dedupeKey: true }
const NODE: Known<NewNode> = { host: true, version: true }
const PAGE: Known<PageOptions> = { limit: true, cursor: true }
const WAIT: Known<{ readonly waitMs: number }> = { waitMs: true }

/** An announcement that was checked: what is stored of it, and the clients of a session that ended. */
export interface CheckedAnnouncement {
  readonly announcement: StoredAnnouncement
  readonly recipients: readonly Recipient[] | undefined
}

/** @throws {TypeError | RangeError} naming the part that is wrong */
export function checkAnnouncement(given: unknown): CheckedAnnouncement {
  assertKnown(given, 'announcement', ANY)
  const { type } = given
  assertOneOf(type, 'announcement.type', TYPES)
  assertKnown(given, 'announcement', ANNOUNCEMENTS[type] as Known<SessionEnded>)
  const { userId, sessionId, at, notBefore, clients } = given as Readonly<Record<string, unknown>>
  switch (type) {
    case 'session-ended': {
      assertName(userId, 'announcement.userId')
      assertName(sessionId, 'announcement.sessionId')
      assertInstant(at, 'announcement.at')
      const recipients = checkClients(clients)
      return { announcement: { type, userId, sessionId, at }, recipients }
    }
    case 'all-sessions-ended': {
      assertOptionalName(userId, 'announcement.userId')
      assertInstant(at, 'announcement.at')
      const announcement = { type, at, ...(userId !== undefined && { userId }) }
      return { announcement, recipients: undefined }
    }
    case 'not-before-raised': {
      assertInstant(notBefore, 'announcement.notBefore')
      return { announcement: { type, notBefore }, recipients: undefined }
    }
    case 'probe':
      return { announcement: { type }, recipients: undefined }
  }
}

const TYPES = Object.keys(ANNOUNCEMENTS) as Announcement['type'][]
const ANY = Object.assign({}, ...Object.values(ANNOUNCEMENTS)) as Known<SessionEnded>

function checkClients(clients: unknown): readonly Recipient[] {
  if (!Array.isArray(clients)) throw new TypeError('"announcement.clients" must be a list of clients')
  if (clients.length > MOST_CLIENTS)
    throw new RangeError(`"announcement.clients" must have at most ${MOST_CLIENTS} clients`)
  return clients.map((client: unknown, index) => {
    const name = `announcement.clients[${index}]`
    assertKnown(client, name, CLIENT)
    const { clientId, nodeHost, applicationSessionId } = client
    assertName(clientId, `${name}.clientId`)
    assertOptionalName(nodeHost, `${name}.nodeHost`)
    assertOptionalName(applicationSessionId, `${name}.applicationSessionId`)
    return {
      clientId,
      ...(nodeHost !== undefined && { nodeHost }),
      ...(applicationSessionId !== undefined && { applicationSessionId }),
    }
  })
}

/** @throws {TypeError | RangeError} naming the option that is wrong */
export function checkAnnounceOptions(options: AnnounceOptions = {}): AnnounceOptions {
  assertKnown(options, 'options', OPTIONS)
  const { clientIds, dedupeKey } = options
  assertOptionalName(dedupeKey, 'options.dedupeKey')
  if (clientIds !== undefined) {
    if (!Array.isArray(clientIds)) throw new TypeError('"options.clientIds" must be a list of client ids')
    if (clientIds.length > MOST_CLIENTS)
      throw new RangeError(`"options.clientIds" must have at most ${MOST_CLIENTS} ids`)
    clientIds.forEach((id: unknown, index) => {
      assertName(id, `options.clientIds[${index}]`)
    })
  }
  return options as AnnounceOptions
}

/** A host may be anything: what is none is a result. @throws {TypeError} naming what is wrong */
export function checkNode(node: unknown): NewNode {
  assertKnown(node, 'node', NODE)
  const { host, version } = node
  if (typeof host !== 'string') throw new TypeError('"node.host" must be a string')
  assertOptionalName(version, 'node.version')
  return { host, ...(version !== undefined && { version }) }
}

/** @throws {TypeError} the host is no text */
export function checkHost(host: unknown): asserts host is string {
  if (typeof host !== 'string') throw new TypeError('"host" must be a string')
}

/** @throws {TypeError | RangeError} naming what is wrong */
export function checkPageOptions(page: PageOptions = {}): CheckedPage {
  assertKnown(page, 'page', PAGE)
  return checkPage(page as PageOptions)
}

/** @throws {TypeError | RangeError} naming what is wrong */
export function checkWait(options: unknown): number {
  assertKnown(options, 'options', WAIT)
  assertInteger(options.waitMs, 'options.waitMs', 0, LONGEST_WAIT_MS)
  return options.waitMs
}
