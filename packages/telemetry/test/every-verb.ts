import type { AuthState } from 'authstate'

/** Stands in every id, name, note, token and mail: wherever it shows up, one of them has leaked. */
export const CANARY = 'c4nary-5ecret'

const MAIL = `${CANARY}@mail.example`
export const ADDRESS = '203.0.113.77'
const REALM = `${CANARY}-realm`
const id = (what: string): string => `${CANARY}-${what}`
const notes = { [id('note')]: id('value'), mail: MAIL }
const ends = { lifespanMs: 60_000 }

/** What verbs answered, and what they threw. */
export interface Answers {
  readonly replies: unknown[]
  readonly errors: unknown[]
}

/** Settings of every realm, so that a lock-out comes with the first failure. */
export const realms = () => ({ bruteForce: { enabled: true, failureFactor: 1, permanentLockout: false } })
export const keyring = { current: 'a', keys: { a: 'x'.repeat(32) } }

type Call = () => unknown

/** Calls every verb of every service with canaries in whatever it takes. */
export async function everyVerb(state: AuthState): Promise<Answers> {
  const replies: unknown[] = []
  const errors: unknown[] = []
  /** What a verb answers; `undefined` where it fails. */
  const call = async (verb: Call): Promise<unknown> => {
    try {
      const reply = await verb()
      replies.push(reply)
      return reply
    } catch (error) {
      errors.push(error)
      return undefined
    }
  }
  for (const verbs of [userSessions, authSessions, actionTokens, webSessions, loginFailures, others])
    await verbs(state, call)
  return { replies, errors }
}

type Caller = (verb: Call) => Promise<unknown>

async function userSessions({ userSessions: sessions }: AuthState, call: Caller): Promise<void> {
  const login = {
    userId: MAIL,
    loginUsername: MAIL,
    ipAddress: ADDRESS,
    brokerSessionId: id('broker'),
    brokerUserId: id('broker-user'),
    notes,
    client: { clientId: id('client'), redirectUri: `https://app.example/?code=${id('code')}`, notes },
  }
  const made = (await call(() => sessions.create(REALM, login))) as { session?: { id: string } } | undefined
  const session = made?.session?.id ?? id('session')
  const rotation = {
    clientId: id('client'),
    family: id('family'),
    presented: id('one'),
    next: id('two'),
    issuedAt: Number.MAX_SAFE_INTEGER - 1,
    maxReuse: 0,
  }
  const calls: Call[] = [
    () => sessions.get(REALM, session),
    () => sessions.refresh(REALM, session),
    () => sessions.touch(REALM, session),
    () => sessions.update(REALM, session, { notes }),
    () => sessions.putClientSession(REALM, session, { clientId: id('other'), notes }),
    () => sessions.updateClientSession(REALM, session, { clientId: id('client'), notes }),
    () => sessions.createOffline(REALM, session),
    () => sessions.rotateRefreshToken(REALM, session, { ...rotation, issuedAt: state_now() }),
    () => sessions.rotateRefreshToken(REALM, session, { ...rotation, issuedAt: state_now() }),
    () => sessions.rotateTransientToken(REALM, { ...rotation, clientId: undefined, ...ends } as never),
    () => sessions.listByUser(REALM, MAIL),
    () => sessions.listByClient(REALM, id('client')),
    () => sessions.listByBrokerUser(REALM, id('broker-user')),
    () => sessions.listByBrokerSession(REALM, id('broker')),
    () => sessions.findByBrokerSession(REALM, id('broker')),
    () => sessions.list(REALM),
    () => sessions.count(REALM),
    () => sessions.countByClient(REALM, id('client')),
    () => sessions.clientStats(REALM),
    () => sessions.recompute(REALM),
    () => sessions.sweep(),
    () => sessions.stats(),
    () => sessions.on('removed', () => {}, { notes: true }),
    () => sessions.removeClientSession(REALM, session, id('other')),
    () => sessions.restart(REALM, session, login),
    () => sessions.removeByClient(REALM, id('client')),
    () => sessions.removeByBrokerSession(REALM, id('broker')),
    () => sessions.create(REALM, login),
    () => sessions.remove(REALM, session),
    () => sessions.removeByUser(REALM, MAIL),
    () => sessions.removeByRealm(REALM),
    // Misuse: what the caller gave is in no message.
    () => sessions.get(REALM, { session } as never),
    () => sessions.create(REALM, { ...login, userName: MAIL } as never),
    () => sessions.update(REALM, session, { state: id('state') } as never),
    () => sessions.list(REALM, { cursor: id('cursor') }),
  ]
  for (const verb of calls) await call(verb)
}

const state_now = (): number => performance.timeOrigin + performance.now()

async function authSessions({ authSessions: logins }: AuthState, call: Caller): Promise<void> {
  const root = ((await call(() => logins.createRoot(REALM))) as { id: string } | undefined)?.id ?? id('root')
  const tab = { clientId: id('client'), userId: MAIL, authNotes: notes, clientNotes: notes }
  const added = (await call(() => logins.addTab(REALM, root, tab))) as { tab?: { tabId: string } } | undefined
  const tabId = added?.tab?.tabId ?? id('tab')
  const calls: Call[] = [
    () => logins.getRoot(REALM, root),
    () => logins.getOrCreateRoot(REALM, root),
    () => logins.touchRoot(REALM, root),
    () => logins.getTab(REALM, root, id('client'), tabId),
    () => logins.updateTab(REALM, root, tabId, { authNotes: notes }),
    () => logins.promote(REALM, root, tabId),
    () => logins.restartTab(REALM, root, tabId),
    () => logins.count(REALM),
    () => logins.on('removed', () => {}),
    () => (logins as unknown as { stats(): unknown }).stats(),
    () => logins.finishTab(REALM, root, tabId),
    () => logins.removeTab(REALM, root, tabId),
    () => logins.restartRoot(REALM, root),
    () => logins.removeRoot(REALM, root),
    () => logins.removeByRealm(REALM),
    () => logins.addTab(REALM, root, { ...tab, mail: MAIL } as never),
  ]
  for (const verb of calls) await call(verb)
}

async function actionTokens({ actionTokens: tokens }: AuthState, call: Caller): Promise<void> {
  const token = { ...ends, data: { mail: MAIL }, family: id('family'), subject: MAIL }
  const jws = (await call(() =>
    tokens.issueActionToken(REALM, { ...ends, userId: MAIL, actionId: id('action'), data: { mail: MAIL } }),
  )) as string | undefined
  const calls: Call[] = [
    () => tokens.verifyActionToken(REALM, jws ?? id('jws'), id('action')),
    () => tokens.consumeActionToken(REALM, jws ?? id('jws'), id('action')),
    () => tokens.consumeActionToken(REALM, `${jws}x`, id('action')),
    async () => tokens.mintKey(),
    () => tokens.put(REALM, id('kind'), id('key'), token),
    () => tokens.putIfAbsent(REALM, id('kind'), id('key'), token),
    () => tokens.get(REALM, id('kind'), id('key')),
    () => tokens.has(REALM, id('kind'), id('key')),
    () => tokens.replace(REALM, id('kind'), id('key'), { mail: MAIL }),
    () => tokens.listBySubject(REALM, MAIL),
    () => tokens.consume(REALM, id('kind'), id('key')),
    () => tokens.consume(REALM, id('kind'), id('key')),
    () => tokens.countUse(REALM, id('kind'), id('key'), { windowMs: 1_000 }),
    () => tokens.take(REALM, id('kind'), id('key')),
    () => tokens.remove(REALM, id('kind'), id('key')),
    () => tokens.revokeFamily(REALM, id('family')),
    () => tokens.put(REALM, id('kind'), id('key'), token),
    () => tokens.revoke(REALM, id('jti'), ends),
    () => tokens.isRevoked(REALM, id('jti')),
    () => tokens.on('consumed', () => {}),
    () => (tokens as unknown as { stats(): unknown }).stats(),
    () => tokens.removeBySubject(REALM, MAIL),
    () => tokens.removeByRealm(REALM),
    () => tokens.put(REALM, id('kind'), id('key'), { ...token, mail: MAIL } as never),
  ]
  for (const verb of calls) await call(verb)
}

async function webSessions({ webSessions: web }: AuthState, call: Caller): Promise<void> {
  const session = {
    ...ends,
    data: { mail: MAIL },
    userId: MAIL,
    labels: { [id('label')]: id('value') },
    alias: id('alias'),
  }
  const calls: Call[] = [
    () => web.save(REALM, id('web'), session),
    () => web.get(REALM, id('web')),
    () => web.find(REALM, id('alias')),
    () => web.update(REALM, id('web'), { set: { mail: MAIL } }),
    () => web.list(REALM),
    () => web.listByUser(REALM, MAIL),
    () => web.listByLabel(REALM, id('label'), id('value')),
    () => web.count(REALM),
    () => web.on('removed', () => {}),
    () => (web as unknown as { stats(): unknown }).stats(),
    () => web.remove(REALM, id('web')),
    () => web.save(REALM, id('web'), session),
    () => web.removeByLabel(REALM, id('label'), id('value')),
    () => web.removeByUser(REALM, MAIL),
    () => web.removeByRealm(REALM),
    () => web.save(REALM, id('web'), { ...session, mail: MAIL } as never),
  ]
  for (const verb of calls) await call(verb)
}

async function loginFailures({ loginFailures: failures }: AuthState, call: Caller): Promise<void> {
  const from = { ip: ADDRESS }
  const thrown = async (): Promise<never> => {
    throw new Error(`the directory refused ${MAIL}`)
  }
  const calls: Call[] = [
    () => failures.guard(REALM, id('another'), from, async () => true),
    () => failures.guard(REALM, id('another'), from, thrown),
    () => failures.recordFailure(REALM, MAIL, from),
    () => failures.recordFailure(REALM, MAIL, from),
    () => failures.recordUnknownUser(REALM, from),
    () => failures.guard(REALM, MAIL, from, async () => false),
    () => failures.guardUnknownUser(REALM, { ...from, username: MAIL }, async () => false),
    () => failures.get(REALM, MAIL),
    () => failures.getAddress(REALM, ADDRESS),
    () => failures.check(REALM, MAIL, from),
    () => failures.explain(REALM, MAIL, from),
    () => failures.listLocked(REALM),
    () => failures.status(REALM, MAIL),
    () => failures.recordSuccess(REALM, MAIL),
    () => failures.on('unlock', () => {}),
    () => (failures as unknown as { stats(): unknown }).stats(),
    () => failures.clear(REALM, MAIL),
    () => failures.clearAddress(REALM, ADDRESS),
    () => failures.recompute(REALM),
    () => failures.removeByRealm(REALM),
    () => failures.getAddress(REALM, MAIL),
  ]
  for (const verb of calls) await call(verb)
}

async function others(
  { realmCache: cache, stickySessions, cluster }: AuthState,
  call: Caller,
): Promise<void> {
  const region = cache.region<string>('users')
  const cookie = stickySessions.cookie(id('session'), { realmId: REALM })
  const calls: Call[] = [
    () => cache.on(() => {}),
    () => cache.regions(),
    () => region.get(MAIL, () => id('value'), { tags: [id('tag')] }),
    () => region.get(MAIL, () => id('value')),
    () => region.get(id('gone'), () => Promise.reject(new Error(`no row for ${MAIL}`))),
    () => region.invalidate({ tag: id('tag') }),
    () => cache.begin().end(),
    () => cache.inUnitOfWork((unit) => unit.region('users').get(MAIL, () => id('value'))),
    () => cache.clearAll(),
    () => stickySessions.encode(id('session')),
    () => stickySessions.decode(`${id('session')}.n1`),
    () => stickySessions.route(id('session')),
    () => stickySessions.sign(id('session'), { realmId: REALM }),
    () => stickySessions.verify(id('signed'), { realmId: REALM }),
    () => stickySessions.readCookie(cookie, { realmId: REALM }),
    () => stickySessions.clearCookie(),
    () => cluster.subscribe(id('topic'), () => {}),
    () => cluster.publish(id('topic'), { mail: MAIL }),
    () => cluster.onViewChange(() => {}),
    () => cluster.onChannelChange(() => {}),
    () => cluster.view(),
    () => cluster.channel(),
    () => cluster.refresh(),
    () => cluster.startedAt(),
    () => (cluster as unknown as { stats(): unknown }).stats(),
    () => cluster.runOnce(id('task'), {}, () => MAIL),
    () => cluster.runOnceOrWait(id('task-2'), { waitMs: 1 }, () => Promise.reject(new Error(MAIL))),
    () => cluster.withLock(id('lock'), { waitMs: 1 }, () => MAIL),
    () => cluster.lockSession().withLock(id('lock'), { waitMs: 1 }, () => MAIL),
  ]
  for (const verb of calls) await call(verb)
}
