import type { AuditRecord } from '@authstate/audit'
import {
  assertInteger,
  assertName,
  assertNames,
  assertOptionalName,
  assertOptions,
  type Known,
  type PageOptions,
} from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import {
  type AuthState,
  authSessionSpi,
  ConfigurationError,
  type UserSession,
  type UserSessionProvider,
  userSessionSpi,
  type WebSession,
  type WebSessionProvider,
  webSessionSpi,
} from 'authstate'
import type { Action, Recorder } from './audit.js'
import { pageOver } from './paging.js'
import { KINDS, type References, type Referred, type SessionKind } from './references.js'
import type {
  Ended,
  EndOptions,
  SessionCounts,
  SessionDetails,
  SessionFilter,
  SessionOperations,
  SessionRow,
  SessionTarget,
} from './session-verbs.js'

const FILTER: Known<SessionFilter> = {
  limit: true,
  cursor: true,
  userId: true,
  clientId: true,
  kinds: true,
}
const END: Known<EndOptions> = { onProgress: true }
const TARGETS = ['references', 'userId', 'clientId', 'all'] as const
const MOST_REFERENCES = 100
const PROGRESS_MS = 1_000

/** Sessions of a state. */
export function sessionOperations(
  state: AuthState,
  references: References,
  recorder: Recorder,
): SessionOperations {
  const users = state.find(userSessionSpi)
  const web = state.find(webSessionSpi)
  const found = { online: users, offline: users, web }
  const served = KINDS.filter((kind) => found[kind] !== undefined)

  const rowOf = (realmId: string, kind: SessionKind, session: UserSession | WebSession): SessionRow => {
    const reference = references.make(realmId, { kind, id: session.id })
    const row = 'clients' in session ? rowOfUser(session) : rowOfWeb(session)
    return { ...(reference !== undefined && { reference }), kind, ...row }
  }

  const read = (realmId: string, reference: string): SessionReferred | undefined => {
    assertName(reference, 'reference')
    if (!references.areMade) {
      throw new ConfigurationError('keyring: sessions have no references without one, so none can be named')
    }
    const named = references.read(realmId, reference)
    return named && isSession(named) ? named : undefined
  }

  const remove = async (realmId: string, { kind, id }: SessionReferred): Promise<boolean> =>
    kind === 'web'
      ? ((await web?.remove(realmId, id)) ?? false)
      : ((await users?.remove(realmId, id, { offline: kind === 'offline' })) ?? false)

  const counts = async (realmId: string): Promise<SessionCounts> => {
    const [online = 0, offline = 0, ofWeb = 0] = await Promise.all([
      users?.count(realmId),
      users?.count(realmId, { offline: true }),
      web?.count(realmId),
    ])
    return { online, offline, web: ofWeb }
  }

  /** The session that stays when those of its user end. */
  const keptOf = (realmId: string, except: string | undefined): SessionReferred | undefined => {
    const kept = except === undefined ? undefined : read(realmId, except)
    if (except !== undefined && kept === undefined) {
      throw new TypeError('"target.except" must be a reference to a session of this realm')
    }
    return kept
  }

  const endUser = async (
    realmId: string,
    userId: string,
    kept: SessionReferred | undefined,
  ): Promise<Ended> => {
    const stays = (isWeb: boolean) => ((kept?.kind === 'web') === isWeb ? kept?.id : undefined)
    const [ofUser = 0, ofWeb = 0] = await Promise.all([
      users?.removeByUser(realmId, userId, { offline: 'both', except: stays(false) }),
      web?.removeByUser(realmId, userId, { except: stays(true) }),
    ])
    return { ended: ofUser + ofWeb, unknown: 0 }
  }

  return {
    async list(realmId, filter = {}) {
      assertName(realmId, 'realmId')
      assertOptions(filter, 'filter', FILTER)
      const { userId, clientId, kinds = KINDS, ...page } = filter
      assertOptionalName(userId, 'filter.userId')
      assertOptionalName(clientId, 'filter.clientId')
      if (userId !== undefined && clientId !== undefined) {
        throw new TypeError('"filter" must have "userId" or "clientId", not both')
      }
      assertKinds(kinds)
      const asked = served.filter(
        (kind) => kinds.includes(kind) && !(kind === 'web' && clientId !== undefined),
      )
      return pageOver(asked, page, async (kind, part) => {
        const { items, cursor } = await (kind === 'web'
          ? listWeb(web as WebSessionProvider, realmId, userId, part)
          : listUsers(users as UserSessionProvider, realmId, filter, {
              ...part,
              offline: kind === 'offline',
            }))
        const rows = items.map((session) => rowOf(realmId, kind, session))
        return { items: rows, ...(cursor !== undefined && { cursor }) }
      })
    },

    async show(realmId, reference) {
      assertName(realmId, 'realmId')
      const named = read(realmId, reference)
      if (named === undefined) return undefined
      const { kind, id } = named
      const session =
        kind === 'web'
          ? await web?.get(realmId, id)
          : await users?.get(realmId, id, { offline: kind === 'offline' })
      const auditName = session && recorder.nameOf(realmId, recordOf(named))
      return (
        session && {
          ...rowOf(realmId, kind, session),
          ...detailsOf(session),
          ...(auditName !== undefined && { auditName }),
        }
      )
    },

    async end(realmId, target, options = {}) {
      assertName(realmId, 'realmId')
      assertTarget(target)
      assertOptions(options, 'options', END)
      const end = (action: Omit<Action, 'event' | 'realm'>, work: () => Promise<Ended>) =>
        recorder.act({ event: 'sessions.end', realm: realmId, ...action }, work, ({ ended }) => ({
          count: ended,
        }))
      if ('references' in target) {
        assertNames(target.references, 'target.references')
        assertInteger(target.references.length, 'target.references.length', 1, MOST_REFERENCES)
        const named = [...new Set(target.references)].map((reference) => read(realmId, reference))
        const records = named.filter((referred) => referred !== undefined).map(recordOf)
        return end({ records }, async () => {
          const removed = await Promise.all(
            named.map(async (referred) => referred !== undefined && remove(realmId, referred)),
          )
          const ended = removed.filter(Boolean).length
          return { ended, unknown: removed.length - ended }
        })
      }
      if ('userId' in target) {
        const { userId, except } = target
        assertName(userId, 'target.userId')
        const kept = keptOf(realmId, except)
        const details = kept && { details: { except: recorder.nameOf(realmId, recordOf(kept)) ?? true } }
        return end({ records: [{ kind: 'user', id: userId }], ...details }, () =>
          endUser(realmId, userId, kept),
        )
      }
      if ('clientId' in target) {
        const { clientId } = target
        assertName(clientId, 'target.clientId')
        return end({ details: { client: clientId } }, async () => {
          const [online = 0, offline = 0] = await Promise.all([
            users?.removeByClient(realmId, clientId),
            users?.removeByClient(realmId, clientId, { offline: true }),
          ])
          return { ended: online + offline, unknown: 0 }
        })
      }
      return end({ details: { all: true } }, async () => {
        const stop = await follow(options.onProgress, async () => sum(await counts(realmId)))
        try {
          const ended = await Promise.all([users?.removeByRealm(realmId), web?.removeByRealm(realmId)])
          return { ended: ended.reduce<number>((all, part = 0) => all + part, 0), unknown: 0 }
        } finally {
          stop()
        }
      })
    },

    async count(realmId) {
      assertName(realmId, 'realmId')
      return counts(realmId)
    },

    async countLogins(realmId) {
      assertName(realmId, 'realmId')
      return (await state.find(authSessionSpi)?.count(realmId)) ?? 0
    },

    async countByClient(realmId) {
      assertName(realmId, 'realmId')
      const [online = new Map(), offline = new Map()] = await Promise.all([
        users?.clientStats(realmId),
        users?.clientStats(realmId, { offline: true }),
      ])
      return [...new Set([...online.keys(), ...offline.keys()])]
        .map((clientId) => ({
          clientId,
          online: online.get(clientId) ?? 0,
          offline: offline.get(clientId) ?? 0,
        }))
        .sort((a, b) => b.online + b.offline - a.online - a.offline || (a.clientId < b.clientId ? -1 : 1))
    },
  }
}

type SessionReferred = Referred & { readonly kind: SessionKind }

/** A session and its offline copy have one id, and one name. */
const recordOf = ({ kind, id }: SessionReferred): AuditRecord => ({
  kind: kind === 'web' ? 'web-session' : 'user-session',
  id,
})

const isSession = (named: Referred): named is SessionReferred => named.kind !== 'token'

const sum = ({ online, offline, web }: SessionCounts): number => online + offline + web

/** Reports from time to time how much is left. An error of the count is thrown by the verb itself. */
async function follow(tell: EndOptions['onProgress'], count: () => Promise<number>): Promise<() => void> {
  if (tell === undefined) return () => {}
  const before = await count()
  const timer = timers.setInterval(() => {
    void count().then(
      (left) => tell(left, before),
      () => {},
    )
  }, PROGRESS_MS)
  return () => timers.clearInterval(timer)
}

function listUsers(
  users: UserSessionProvider,
  realmId: string,
  { userId, clientId }: SessionFilter,
  page: PageOptions & { readonly offline: boolean },
) {
  if (userId !== undefined) return users.listByUser(realmId, userId, page)
  return clientId === undefined ? users.list(realmId, page) : users.listByClient(realmId, clientId, page)
}

function listWeb(web: WebSessionProvider, realmId: string, userId: string | undefined, page: PageOptions) {
  return userId === undefined ? web.list(realmId, page) : web.listByUser(realmId, userId, page)
}

function rowOfUser(session: UserSession): Omit<SessionRow, 'reference' | 'kind'> {
  const { userId, loginUsername, ipAddress, startedAt, lastRefreshAt, expiresAt, clients } = session
  return {
    userId,
    username: loginUsername,
    ...(ipAddress !== undefined && { ipAddress }),
    startedAt,
    lastSeenAt: lastRefreshAt,
    expiresAt,
    clientIds: [...clients.keys()].sort(),
  }
}

function rowOfWeb({
  userId,
  createdAt,
  savedAt,
  expiresAt,
}: WebSession): Omit<SessionRow, 'reference' | 'kind'> {
  return {
    ...(userId !== undefined && { userId }),
    startedAt: createdAt,
    lastSeenAt: savedAt,
    expiresAt,
    clientIds: [],
  }
}

function detailsOf(session: UserSession | WebSession): Omit<SessionDetails, keyof SessionRow> {
  if (!('clients' in session)) return { clients: [], noteNames: Object.keys(session.data).sort() }
  const { clients, notes, authMethod, rememberMe, state } = session
  return {
    clients: [...clients.values()]
      .map(({ clientId, startedAt, lastRefreshAt, expiresAt, protocol, nodeHost }) => ({
        clientId,
        startedAt,
        lastSeenAt: lastRefreshAt,
        expiresAt,
        ...(protocol !== undefined && { protocol }),
        ...(nodeHost !== undefined && { nodeHost }),
      }))
      .sort((a, b) => (a.clientId < b.clientId ? -1 : 1)),
    noteNames: Object.keys(notes).sort(),
    ...(authMethod !== undefined && { authMethod }),
    rememberMe,
    ...(state !== undefined && { state }),
  }
}

function assertKinds(kinds: unknown): asserts kinds is readonly SessionKind[] {
  if (Array.isArray(kinds) && kinds.length > 0 && kinds.every((kind) => KINDS.includes(kind))) return
  throw new TypeError(`"filter.kinds" must be a list of ${KINDS.map((kind) => `'${kind}'`).join(', ')}`)
}

function assertTarget(target: unknown): asserts target is SessionTarget {
  const given = typeof target === 'object' && target !== null ? Object.keys(target) : []
  const isOne = TARGETS.filter((name) => given.includes(name)).length === 1
  const known = ['except', ...TARGETS] as readonly string[]
  const isAll = !given.includes('all') || (target as { all: unknown }).all === true
  const mayKeep = !given.includes('except') || given.includes('userId')
  if (isOne && isAll && mayKeep && given.every((name) => known.includes(name))) return
  throw new TypeError(
    '"target" must be one of { references }, { userId, except? }, { clientId } and { all: true }',
  )
}
