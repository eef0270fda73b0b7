import { randomUUID } from 'node:crypto'
import { createdSession, sessionOf } from '../../../user-session/src/conformance/fixture.js'
import type { AuthState } from '../../src/index.js'

export const REALM = 'r'

/** What is there before the server is full. */
export interface Stored {
  readonly session: string
  readonly root: string
  readonly tab: string
  readonly web: string
  readonly actionToken: string
}

/** Asks one verb about what is stored. */
export type Ask = (state: AuthState, stored: Stored) => unknown

const MINUTE = 60_000
const login = { userId: 'ada', loginUsername: 'ada', brokerUserId: 'b', client: { clientId: 'app' } }
const web = { data: { n: 1 }, lifespanMs: MINUTE, userId: 'ada', labels: { l: 'v' }, alias: 'x' }
const address = { ip: '192.0.2.1' }
const tags = { tags: ['t'] }

const rotation = (presented: string, next: string) => ({
  family: 'f',
  presented,
  next,
  issuedAt: 0,
  maxReuse: 0,
})

/** Fills every SPI, so that each verb has something to do. Removes what was there. */
export async function store(state: AuthState): Promise<Stored> {
  const { userSessions, authSessions, actionTokens, webSessions, loginFailures, realmCache } = state
  await clear(state)
  const session = await userSessions.create(REALM, login).then(createdSession)
  await userSessions.createOffline(REALM, session.id).then(sessionOf)
  const now = session.startedAt
  await userSessions.rotateRefreshToken(REALM, session.id, {
    clientId: 'app',
    ...rotation('t0', 't1'),
    issuedAt: now,
  })
  await userSessions.rotateTransientToken(REALM, { ...rotation('t0', 't1'), lifespanMs: MINUTE })
  const root = await authSessions.createRoot(REALM)
  const added = await authSessions.addTab(REALM, root.id, { clientId: 'app' })
  await authSessions.addTab(REALM, root.id, { clientId: 'other' })
  for (const key of ['k', 'k2']) {
    await actionTokens.put(REALM, 'code', key, { lifespanMs: MINUTE, family: 'f', subject: 'ada' })
  }
  // An id that was ended stays refused.
  const webId = randomUUID()
  await webSessions.save(REALM, webId, web)
  await loginFailures.recordFailure(REALM, 'ada', address)
  await realmCache.region('realms', { secondLevelTtlMs: MINUTE }).get('acme', () => 'old', tags)
  const claims = { userId: 'ada', actionId: 'verify-email', lifespanMs: MINUTE }
  const actionToken = await actionTokens.issueActionToken(REALM, claims)
  return { session: session.id, root: root.id, tab: added?.tab.tabId ?? '', web: webId, actionToken }
}

async function clear({
  userSessions,
  authSessions,
  actionTokens,
  webSessions,
  loginFailures,
}: AuthState): Promise<void> {
  await userSessions.removeByRealm(REALM)
  await authSessions.removeByRealm(REALM)
  await actionTokens.removeByRealm(REALM)
  await webSessions.removeByRealm(REALM)
  await loginFailures.removeByRealm(REALM)
}

/** Every verb of every SPI that asks Redis for something. */
export const VERBS: Readonly<Record<string, Readonly<Record<string, Ask>>>> = {
  'user-session': {
    create: ({ userSessions }) => userSessions.create(REALM, login),
    get: ({ userSessions }, { session }) => userSessions.get(REALM, session),
    refresh: ({ userSessions }, { session }) => userSessions.refresh(REALM, session, { clientId: 'app' }),
    touch: ({ userSessions }, { session }) => userSessions.touch(REALM, session),
    update: ({ userSessions }, { session }) => userSessions.update(REALM, session, { notes: { a: '1' } }),
    restart: ({ userSessions }, { session }) => userSessions.restart(REALM, session, login),
    remove: ({ userSessions }, { session }) => userSessions.remove(REALM, session),
    putClientSession: ({ userSessions }, { session }) =>
      userSessions.putClientSession(REALM, session, { clientId: 'new' }),
    updateClientSession: ({ userSessions }, { session }) =>
      userSessions.updateClientSession(REALM, session, { clientId: 'app', notes: { a: '1' } }),
    removeClientSession: ({ userSessions }, { session }) =>
      userSessions.removeClientSession(REALM, session, 'app'),
    createOffline: ({ userSessions }, { session }) => userSessions.createOffline(REALM, session),
    rotateRefreshToken: ({ userSessions }, { session }) =>
      userSessions.rotateRefreshToken(REALM, session, { clientId: 'app', ...rotation('t1', 't2') }),
    rotateTransientToken: ({ userSessions }) =>
      userSessions.rotateTransientToken(REALM, { ...rotation('t1', 't2'), lifespanMs: MINUTE }),
    listByUser: ({ userSessions }) => userSessions.listByUser(REALM, 'ada'),
    listByClient: ({ userSessions }) => userSessions.listByClient(REALM, 'app'),
    listByBrokerUser: ({ userSessions }) => userSessions.listByBrokerUser(REALM, 'b'),
    listByBrokerSession: ({ userSessions }) => userSessions.listByBrokerSession(REALM, 's'),
    list: ({ userSessions }) => userSessions.list(REALM),
    findByBrokerSession: ({ userSessions }) => userSessions.findByBrokerSession(REALM, 'none'),
    count: ({ userSessions }) => userSessions.count(REALM),
    countByClient: ({ userSessions }) => userSessions.countByClient(REALM, 'app'),
    clientStats: ({ userSessions }) => userSessions.clientStats(REALM),
    removeByUser: ({ userSessions }) => userSessions.removeByUser(REALM, 'ada'),
    removeByBrokerSession: ({ userSessions }) => userSessions.removeByBrokerSession(REALM, 's'),
    removeByClient: ({ userSessions }) => userSessions.removeByClient(REALM, 'app'),
    removeByRealm: ({ userSessions }) => userSessions.removeByRealm(REALM),
    recompute: ({ userSessions }) => userSessions.recompute(REALM),
    sweep: ({ userSessions }) => userSessions.sweep(),
  },
  'auth-session': {
    createRoot: ({ authSessions }) => authSessions.createRoot(REALM),
    getRoot: ({ authSessions }, { root }) => authSessions.getRoot(REALM, root),
    getOrCreateRoot: ({ authSessions }) => authSessions.getOrCreateRoot(REALM, undefined),
    restartRoot: ({ authSessions }, { root }) => authSessions.restartRoot(REALM, root),
    touchRoot: ({ authSessions }, { root }) => authSessions.touchRoot(REALM, root),
    removeRoot: ({ authSessions }, { root }) => authSessions.removeRoot(REALM, root),
    addTab: ({ authSessions }, { root }) => authSessions.addTab(REALM, root, { clientId: 'third' }),
    getTab: ({ authSessions }, { root, tab }) => authSessions.getTab(REALM, root, 'app', tab),
    updateTab: ({ authSessions }, { root, tab }) =>
      authSessions.updateTab(REALM, root, tab, { authNotes: { a: '1' } }),
    restartTab: ({ authSessions }, { root, tab }) => authSessions.restartTab(REALM, root, tab),
    removeTab: ({ authSessions }, { root, tab }) => authSessions.removeTab(REALM, root, tab),
    finishTab: ({ authSessions }, { root, tab }) => authSessions.finishTab(REALM, root, tab),
    promote: ({ authSessions }, { root, tab }) => authSessions.promote(REALM, root, tab),
    count: ({ authSessions }) => authSessions.count(REALM),
    removeByRealm: ({ authSessions }) => authSessions.removeByRealm(REALM),
  },
  'action-token': {
    put: ({ actionTokens }) => actionTokens.put(REALM, 'code', 'new', { lifespanMs: MINUTE }),
    putIfAbsent: ({ actionTokens }) => actionTokens.putIfAbsent(REALM, 'code', 'new', { lifespanMs: MINUTE }),
    get: ({ actionTokens }) => actionTokens.get(REALM, 'code', 'k'),
    has: ({ actionTokens }) => actionTokens.has(REALM, 'code', 'k'),
    replace: ({ actionTokens }) => actionTokens.replace(REALM, 'code', 'k', { to: 'new' }),
    consume: ({ actionTokens }) => actionTokens.consume(REALM, 'code', 'k'),
    take: ({ actionTokens }) => actionTokens.take(REALM, 'code', 'k'),
    countUse: ({ actionTokens }) => actionTokens.countUse(REALM, 'otp', 'k', { windowMs: MINUTE }),
    listBySubject: ({ actionTokens }) => actionTokens.listBySubject(REALM, 'ada'),
    remove: ({ actionTokens }) => actionTokens.remove(REALM, 'code', 'k'),
    revokeFamily: ({ actionTokens }) => actionTokens.revokeFamily(REALM, 'f'),
    removeBySubject: ({ actionTokens }) => actionTokens.removeBySubject(REALM, 'ada'),
    removeByRealm: ({ actionTokens }) => actionTokens.removeByRealm(REALM),
    revoke: ({ actionTokens }) => actionTokens.revoke(REALM, 'jti', MINUTE),
    isRevoked: ({ actionTokens }) => actionTokens.isRevoked(REALM, 'jti'),
    issueActionToken: ({ actionTokens }) =>
      actionTokens.issueActionToken(REALM, { userId: 'a', actionId: 'x', lifespanMs: MINUTE }),
    verifyActionToken: ({ actionTokens }, { actionToken }) =>
      actionTokens.verifyActionToken(REALM, actionToken, 'verify-email'),
    consumeActionToken: ({ actionTokens }, { actionToken }) =>
      actionTokens.consumeActionToken(REALM, actionToken, 'verify-email'),
  },
  'web-session': {
    save: ({ webSessions }) => webSessions.save(REALM, randomUUID(), web),
    update: ({ webSessions }, { web: id }) => webSessions.update(REALM, id, { set: { m: 1 } }),
    get: ({ webSessions }, { web: id }) => webSessions.get(REALM, id),
    find: ({ webSessions }) => webSessions.find(REALM, 'x'),
    remove: ({ webSessions }, { web: id }) => webSessions.remove(REALM, id),
    list: ({ webSessions }) => webSessions.list(REALM),
    listByUser: ({ webSessions }) => webSessions.listByUser(REALM, 'ada'),
    listByLabel: ({ webSessions }) => webSessions.listByLabel(REALM, 'l', 'v'),
    count: ({ webSessions }) => webSessions.count(REALM),
    removeByUser: ({ webSessions }) => webSessions.removeByUser(REALM, 'ada'),
    removeByLabel: ({ webSessions }) => webSessions.removeByLabel(REALM, 'l', 'v'),
    removeByRealm: ({ webSessions }) => webSessions.removeByRealm(REALM),
  },
  'login-failure': {
    recordFailure: ({ loginFailures }) => loginFailures.recordFailure(REALM, 'ada', address),
    recordUnknownUser: ({ loginFailures }) => loginFailures.recordUnknownUser(REALM, address),
    recordSuccess: ({ loginFailures }) => loginFailures.recordSuccess(REALM, 'ada'),
    get: ({ loginFailures }) => loginFailures.get(REALM, 'ada'),
    getAddress: ({ loginFailures }) => loginFailures.getAddress(REALM, address.ip),
    check: ({ loginFailures }) => loginFailures.check(REALM, 'ada', address),
    guard: ({ loginFailures }) => loginFailures.guard(REALM, 'ada', address, async () => false),
    guardUnknownUser: ({ loginFailures }) =>
      loginFailures.guardUnknownUser(REALM, address, async () => false),
    explain: ({ loginFailures }) => loginFailures.explain(REALM, 'ada', address),
    status: ({ loginFailures }) => loginFailures.status(REALM, 'ada'),
    listLocked: ({ loginFailures }) => loginFailures.listLocked(REALM),
    clear: ({ loginFailures }) => loginFailures.clear(REALM, 'ada'),
    clearAddress: ({ loginFailures }) => loginFailures.clearAddress(REALM, address.ip),
    removeByRealm: ({ loginFailures }) => loginFailures.removeByRealm(REALM),
    recompute: ({ loginFailures }) => loginFailures.recompute(REALM),
  },
  'realm-cache': {
    get: ({ realmCache }) => realmCache.region('realms').get('another', () => 'v', tags),
    refresh: ({ realmCache }) => realmCache.region('realms').refresh('acme', () => 'new', tags),
    invalidate: ({ realmCache }) => realmCache.region('realms').invalidate({ tag: 't' }),
    clear: ({ realmCache }) => realmCache.region('realms').clear(),
    clearAll: ({ realmCache }) => realmCache.clearAll(),
    inUnitOfWork: ({ realmCache }) =>
      realmCache.inUnitOfWork((unit) => unit.region('realms').invalidate('acme')),
  },
  cluster: {
    refresh: ({ cluster }) => cluster.refresh(),
    publish: ({ cluster }) => cluster.publish('topic', { a: 1 }),
    runOnce: ({ cluster }) => cluster.runOnce('once', {}, () => 1),
    runOnceOrWait: ({ cluster }) => cluster.runOnceOrWait('or-wait', {}, () => 1),
    withLock: ({ cluster }) => cluster.withLock('lock', {}, () => 1),
    startedAt: ({ cluster }) => cluster.startedAt(),
  },
}

/** Verbs that ask nothing of Redis. */
export const LOCAL: Readonly<Record<string, readonly string[]>> = {
  'user-session': ['on', 'stats'],
  'auth-session': ['on'],
  'action-token': ['on', 'mintKey'],
  'web-session': ['on'],
  'login-failure': ['on'],
  'realm-cache': ['region', 'regions', 'begin', 'on', 'peek', 'stats'],
  cluster: ['view', 'onViewChange', 'subscribe', 'channel', 'onChannelChange', 'lockSession'],
}
