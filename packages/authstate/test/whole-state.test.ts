import { randomUUID } from 'node:crypto'
import { FakeClock, openInspector, RecordingLogger } from '@authstate/conformance'
import { type AnyProviderFactory, defineService, defineSpi, type Provider } from '@authstate/spi'
import { afterAll, describe, expect, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { cacheKeys } from '../../realm-cache/src/index.js'
import { createdSession, sessionOf } from '../../user-session/src/conformance/fixture.js'
import { memoryUserSessions } from '../../user-session/src/memory.js'
import { redisUserSessions } from '../../user-session/src/redis.js'
import {
  type AuthStateConfig,
  createAuthState,
  IncompleteError,
  ProviderClosedError,
  StoreUnavailableError,
  type UserSessionProvider,
} from '../src/index.js'

/** How long a login may take, where the realm does not say. */
const LOGIN_MS = 30 * 60_000

const realms = () => ({ bruteForce: { enabled: true } })

/** One realm in which ada and bob have one of everything. */
async function lived(config: AuthStateConfig) {
  const state = await createAuthState({ ...config, realms })
  const acme = state.realm(`acme-${randomUUID()}`)
  const of = async (userId: string) => {
    const session = await acme.userSessions.create({ userId, loginUsername: userId }).then(createdSession)
    await acme.userSessions.createOffline(session.id).then(sessionOf)
    await acme.actionTokens.put('code', userId, { lifespanMs: 60_000, subject: userId })
    await acme.loginFailures.recordFailure(userId)
    await acme.webSessions.save(`web-${userId}`, { data: {}, userId, lifespanMs: 60_000 })
    const root = await acme.authSessions.createRoot()
    const added = await acme.authSessions.addTab(root.id, { clientId: 'shop', userId })
    return { sessionId: session.id, rootId: root.id, tabId: added?.tab.tabId ?? '' }
  }
  const [ada, bob] = [await of('ada'), await of('bob')]
  const left = async (userId: 'ada' | 'bob') => {
    const { sessionId, rootId } = userId === 'ada' ? ada : bob
    return {
      online: (await acme.userSessions.get(sessionId)) !== undefined,
      offline: (await acme.userSessions.get(sessionId, { offline: true })) !== undefined,
      web: (await acme.webSessions.get(`web-${userId}`)) !== undefined,
      token: await acme.actionTokens.has('code', userId),
      failures: (await acme.loginFailures.get(userId))?.numFailures ?? 0,
      login: (await acme.authSessions.getRoot(rootId)) !== undefined,
    }
  }
  return { state, acme, ada, bob, left }
}

const EVERYTHING = { online: true, offline: true, web: true, token: true, failures: 1, login: true }
const NOTHING = { online: false, offline: false, web: false, token: false, failures: 0, login: false }

/** The provider, with a verb that does not reach its store the first time. */
function failingOnce(
  factory: AnyProviderFactory,
  verb: 'removeByRealm' | 'removeByUser' | 'recompute',
  error: Error,
): AnyProviderFactory {
  return {
    ...factory,
    create: async (context, config) => {
      const provider: UserSessionProvider = await factory.create(context, config)
      const right = provider[verb].bind(provider) as (...args: unknown[]) => Promise<never>
      let isFirst = true
      return Object.defineProperty(provider, verb, {
        value: async (...args: unknown[]) => {
          if (!isFirst) return right(...args)
          isFirst = false
          throw error
        },
      })
    },
  }
}

const unavailable = () => new StoreUnavailableError('no answer', { applied: 'unknown' })
const reasonOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'resolved',
    (reason: unknown) => reason,
  )

function verbsOver(config: AuthStateConfig, userSessions: () => AnyProviderFactory): void {
  test('endUser ends sessions, online, offline and of the web, and tokens of that user; login failures stay', async () => {
    const { state, acme, left } = await lived(config)
    await acme.endUser('ada')
    expect(await left('ada')).toEqual({ ...NOTHING, failures: 1, login: true })
    expect(await left('bob')).toEqual(EVERYTHING)
    await acme.endUser('ada')
    await state.endUser(acme.id, 'nobody')
    await state.close()
  })

  test('a login under way gets no session after endUser, one that begins afterwards does', async () => {
    const { state, acme, ada } = await lived(config)
    const under = await acme.authSessions.addTab(ada.rootId, { clientId: 'shop', userId: 'ada' })
    await acme.authSessions.updateTab(ada.rootId, under?.tab.tabId ?? '', {
      authenticatedAt: state.clock.now(),
    })
    await acme.endUser('ada')
    const promoted = await acme.authSessions.promote(ada.rootId, under?.tab.tabId ?? '')
    const authenticatedAt = promoted?.authenticatedAt ?? 0
    const late = { userId: 'ada', loginUsername: 'ada', authenticatedAt }
    const refused = { outcome: 'refused', reason: 'ended' }
    expect(await acme.userSessions.create(late)).toEqual(refused)
    expect(await acme.userSessions.create({ ...late, transient: true })).toEqual(refused)
    const next = await acme.userSessions.create({ userId: 'ada', loginUsername: 'ada' }).then(createdSession)
    expect(await acme.userSessions.restart(next.id, late)).toEqual(refused)
    expect(await acme.userSessions.createOffline(next.id, { authenticatedAt })).toEqual({ outcome: 'gone' })
    await state.close()
  })

  test('what a login under way holds of a user goes when its browser has rested for as long as a login may take', async () => {
    const clock = new FakeClock(1_700_000_000_000)
    const { state, acme, ada } = await lived({ ...config, clock })
    await acme.authSessions.updateTab(ada.rootId, ada.tabId, { authNotes: { attempted: 'ada' } })
    await acme.forgetUser('ada')
    clock.advance(LOGIN_MS - 1)
    const other = await acme.authSessions.addTab(ada.rootId, { clientId: 'shop' })
    expect(other?.tab.userId).toBeUndefined()
    clock.advance(LOGIN_MS - 1)
    expect((await acme.authSessions.getTab(ada.rootId, 'shop', ada.tabId))?.userId).toBe('ada')
    clock.advance(1)
    expect(await acme.authSessions.getTab(ada.rootId, 'shop', ada.tabId)).toBeUndefined()
    expect(await acme.authSessions.getRoot(ada.rootId)).toBeUndefined()
    await state.close()
  })

  test('forgetUser leaves nothing under the id of that user', async () => {
    const { state, acme, left } = await lived(config)
    const region = state.realmCache.region<string>('users')
    const loads: string[] = []
    const load = (userId: string) =>
      region.get(cacheKeys.user(acme.id, userId), () => `${loads.push(userId)}`)
    await load('ada')
    await load('bob')
    await acme.forgetUser('ada')
    expect(await left('ada')).toEqual({ ...NOTHING, login: true })
    expect(await left('bob')).toEqual(EVERYTHING)
    await load('ada')
    await load('bob')
    expect(loads).toEqual(['ada', 'bob', 'ada'])
    await acme.forgetUser('ada')
    await state.close()
  })

  test('removeRealm leaves nothing of that realm', async () => {
    const { state, acme, left } = await lived(config)
    const other = state.realm(`other-${randomUUID()}`)
    const { id } = await other.userSessions
      .create({ userId: 'ada', loginUsername: 'ada' })
      .then(createdSession)
    await acme.remove()
    expect([await left('ada'), await left('bob')]).toEqual([NOTHING, NOTHING])
    expect(await other.userSessions.get(id)).toBeDefined()
    await acme.remove()
    await state.close()
  })

  test('realmChanged gives sessions the ends of the new settings', async () => {
    let ssoSessionIdleTimeoutMs = 1_800_000
    const state = await createAuthState({ ...config, realms: () => ({ ssoSessionIdleTimeoutMs }) })
    const acme = state.realm(`acme-${randomUUID()}`)
    const { id, expiresAt } = await acme.userSessions
      .create({ userId: 'ada', loginUsername: 'ada' })
      .then(createdSession)
    ssoSessionIdleTimeoutMs = 3_600_000
    await acme.changed()
    expect((await acme.userSessions.get(id))?.expiresAt).toBe(expiresAt + 1_800_000)
    await state.close()
  })

  test.each([
    ['removeRealm', 'removeByRealm'],
    ['realmChanged', 'recompute'],
    ['endUser', 'removeByUser'],
    ['forgetUser', 'removeByUser'],
  ] as const)(
    '%s asks every service when one fails, names that one, and can be repeated',
    async (verb, failing) => {
      const error = unavailable()
      const providers = [failingOnce(userSessions(), failing, error)]
      const { state, acme, left } = await lived({ ...config, providers })
      const reason = await reasonOf(state[verb](acme.id, 'ada'))
      expect(reason).toBeInstanceOf(IncompleteError)
      expect(reason).toMatchObject({
        code: 'ERR_INCOMPLETE',
        message: 'not done by user-session; the other services are done, and it is safe to repeat',
        failures: { 'user-session': error },
        cause: error,
      })
      if (verb !== 'realmChanged') expect(await left('ada')).toMatchObject({ online: true, token: false })
      await state[verb](acme.id, 'ada')
      if (verb !== 'realmChanged') expect(await left('ada')).toMatchObject({ online: false, offline: false })
      await state.close()
    },
  )

  test('stats() has the figures of every service that counts something', async () => {
    const { state } = await lived(config)
    const stats = state.stats()
    expect(stats).toMatchObject({
      'user-session': { unreadable: 0, swept: 0 },
      'auth-session': { unreadable: 0 },
      'action-token': { unreadable: 0 },
      'web-session': { unreadable: 0 },
      'login-failure': { unreadable: 0 },
      cluster: { unreadable: 0 },
      'realm-cache': {},
    })
    expect('redis' in stats).toBe(config.provider === 'redis')
    await state.close()
  })
}

describe('in memory', () => {
  verbsOver({}, memoryUserSessions)

  test('misuse is told before any service is asked', async () => {
    const { state, left } = await lived({})
    for (const work of [
      state.endUser('acme', ''),
      state.forgetUser('', 'ada'),
      state.removeRealm(7 as unknown as string),
    ])
      expect(await reasonOf(work)).toBeInstanceOf(TypeError)
    expect(() => state.realm('')).toThrow('"realmId"')
    expect(await left('ada')).toEqual(EVERYTHING)
    await state.close()
  })

  test('after close() every verb throws ProviderClosedError, of a realm that was bound before, too', async () => {
    const { state, acme } = await lived({})
    await state.close()
    for (const work of [state.removeRealm('acme'), acme.endUser('ada'), acme.changed()])
      expect(await reasonOf(work)).toBeInstanceOf(ProviderClosedError)
    expect(() => acme.userSessions.get('x')).toThrow(ProviderClosedError)
    expect(() => state.stats()).toThrow(ProviderClosedError)
  })

  test('a verb that a provider lacks is an error, in a realm that is bound as well', async () => {
    const factory = memoryUserSessions()
    const lacking: AnyProviderFactory = {
      ...factory,
      create: async (context, config) =>
        Object.defineProperty(await factory.create(context, config), 'removeByUser', { value: undefined }),
    }
    const state = await createAuthState({ providers: [lacking] })
    expect(() => state.realm('acme').userSessions.removeByUser('ada')).toThrow(TypeError)
    await state.close()
  })

  test('a state can be spread and printed, whatever is disabled', async () => {
    const state = await createAuthState({ spi: { 'user-session': { enabled: false } } })
    expect(Object.keys({ ...state })).toEqual([])
    expect(JSON.stringify({ state })).toBe('{"state":{}}')
    await state.close()
  })

  test('a service that is disabled is not asked', async () => {
    const state = await createAuthState({ spi: { 'user-session': { enabled: false } } })
    await state.endUser('acme', 'ada')
    expect(state.stats()).not.toHaveProperty('user-session')
    await state.close()
  })
})

describeWith(redis, 'in Redis', () => {
  const prefix = `test-${randomUUID()}`
  const keyring = { current: 'a', keys: { a: 'x'.repeat(32) } }

  afterAll(async () => {
    const client = openRedis()
    const inspector = await openInspector(client)
    await inspector.clear(prefix)
    inspector.close()
    client.disconnect()
  })

  verbsOver(
    { provider: 'redis', redis: { url: redis.available ? redisUrl() : '', prefix }, keyring },
    redisUserSessions,
  )

  test('stats() counts what another version stored, of each service', async () => {
    const config = {
      provider: 'redis',
      redis: { url: redisUrl(), prefix: `${prefix}-unreadable` },
      keyring,
    } as const
    const logger = new RecordingLogger()
    const { state, acme, ada } = await lived({ ...config, logger })
    const client = openRedis()
    const inspector = await openInspector(client)
    for (const key of await inspector.keys(config.redis.prefix)) {
      if (/:(ao|wo):/.test(key)) await client.set(key, '99:of a version to come', 'KEEPTTL')
      if (/:(auth|lf):/.test(key)) await client.hset(key, '_v', '99')
      if (/:us:/.test(key)) await client.hset(key, 't', 'v99')
    }
    expect(await acme.userSessions.get(ada.sessionId)).toBeUndefined()
    expect(await acme.authSessions.getRoot(ada.rootId)).toBeUndefined()
    expect(await acme.actionTokens.get('code', 'ada')).toBeUndefined()
    expect(await acme.webSessions.get('web-ada')).toBeUndefined()
    expect(await acme.loginFailures.get('ada')).toBeUndefined()
    const { redis: _, 'realm-cache': __, ...stats } = state.stats()
    expect(stats).toMatchObject({
      'user-session': { unreadable: 1 },
      'auth-session': { unreadable: 1 },
      'action-token': { unreadable: 1 },
      'web-session': { unreadable: 1 },
      'login-failure': { unreadable: 1 },
      cluster: { unreadable: 0 },
    })
    await state.close()
    await inspector.clear(config.redis.prefix)
    inspector.close()
    client.disconnect()
  })
})

test('wrong ids of providers and wrong ways to Redis do not compile', () => {
  const configs: AuthStateConfig[] = [
    // @ts-expect-error a misspelt provider
    { provider: 'reddis' },
    // @ts-expect-error a misspelt provider of one SPI
    { spi: { cluster: { provider: 'reddis' } } },
    // @ts-expect-error no way to Redis
    { redis: {} },
    // @ts-expect-error two ways to Redis
    { redis: { url: 'redis://a', nodes: ['a:1'] } },
    { redis: { partitions: 16 }, env: { AUTHSTATE_REDIS__URL: 'redis://a' } },
  ]
  expect(configs).toHaveLength(5)
})

test('what an application adds is asked too, where its provider brings a service', async () => {
  interface Notes extends Provider {
    told: string[]
  }
  const spi = defineSpi<Notes>('notes')
  const tell =
    (what: string) =>
    async ({ told }: Notes, ...args: readonly string[]) => {
      told.push([what, ...args].join(' '))
      if (args.includes('broken')) throw new Error('broken')
    }
  const service = defineService({
    name: 'notes',
    spi,
    stores: {},
    realm: { remove: tell('remove'), changed: tell('changed') },
    user: { end: tell('end'), forget: tell('forget') },
  })
  const factory = { spi, id: 'own', service, create: () => ({ told: [] }) }
  const state = await createAuthState({ providers: [factory] })
  await state.realmChanged('acme')
  await state.endUser('acme', 'ada')
  await state.forgetUser('acme', 'ada')
  await state.removeRealm('acme')
  expect(state.get(spi).told).toEqual(['changed acme', 'end acme ada', 'forget acme ada', 'remove acme'])
  await expect(state.removeRealm('broken')).rejects.toMatchObject({ failures: { notes: expect.any(Error) } })
  await state.close()
  // Without one it is nobody's business.
  const { service: _, ...plain } = factory
  const quiet = await createAuthState({ providers: [plain] })
  await quiet.removeRealm('acme')
  await quiet.close()
})
