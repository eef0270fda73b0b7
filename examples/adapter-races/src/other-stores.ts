// Stores of other frameworks: called as those call them, in the order in which two requests at once do.
import { withAuthstate } from '@authstate/authjs'
import { secondaryStorage } from '@authstate/better-auth'
import { createAdapter } from '@authstate/oidc-provider'
import { cacheProvider } from '@authstate/saml-cache'
import type { Redis } from 'ioredis'
import { count, type Outcome, type Race, ROUNDS } from './race.js'

const HOUR_S = 3_600

/** What a session of oidc-provider is kept by. */
interface ModelStore {
  upsert(id: string, payload: object, expiresIn: number): Promise<unknown>
  find(id: string): Promise<unknown>
  destroy(id: string): Promise<unknown>
}

/** A slow request of oidc-provider saves a session that a logout destroyed meanwhile. */
const sessionAliveAgain = (store: ModelStore): Outcome =>
  count(async (n) => {
    const id = `session-${n}`
    const payload = { jti: id, uid: `uid-${n}`, kind: 'Session', accountId: 'ada' }
    await store.upsert(id, payload, HOUR_S)
    await store.destroy(id)
    await store.upsert(id, { ...payload, late: true }, HOUR_S)
    return (await store.find(id)) !== undefined
  })

/** An adapter as the example of oidc-provider writes it. */
const plainModels = (redis: Redis, prefix: string): ModelStore => ({
  upsert: (id, payload, expiresIn) =>
    redis.set(`${prefix}:oidc:${id}`, JSON.stringify(payload), 'EX', expiresIn),
  find: async (id) => JSON.parse((await redis.get(`${prefix}:oidc:${id}`)) ?? 'null') ?? undefined,
  destroy: (id) => redis.del(`${prefix}:oidc:${id}`),
})

interface KeyValues {
  get(key: string): Promise<string | null>
  set(key: string, value: string, ttl: number): Promise<unknown>
  delete(key: string): Promise<unknown>
}

/** Sign-ins of one user at once; then the list of better-auth is read, and all of it is revoked. */
async function surviving(storage: KeyValues): Outcome {
  const list = 'active-sessions-ada'
  const expiresAt = Date.now() + HOUR_S * 1_000
  const tokens = Array.from({ length: ROUNDS }, (_, n) => `token-${n}`)
  const signIn = async (token: string): Promise<void> => {
    const session = { token, userId: 'ada', expiresAt: new Date(expiresAt).toISOString() }
    const before = JSON.parse((await storage.get(list)) ?? '[]') as object[]
    await storage.set(list, JSON.stringify([...before, { token, expiresAt }]), HOUR_S)
    await storage.set(token, JSON.stringify({ session, user: { id: 'ada' } }), HOUR_S)
  }
  await Promise.all(tokens.map(signIn))
  const listed = JSON.parse((await storage.get(list)) ?? '[]') as { token: string }[]
  await Promise.all(listed.map(({ token }) => storage.delete(token)))
  const left = await Promise.all(tokens.map((token) => storage.get(token)))
  return `${left.filter((value) => value !== null).length} of ${ROUNDS}`
}

const plainKeyValues = (redis: Redis, prefix: string): KeyValues => ({
  get: (key) => redis.get(`${prefix}:auth:${key}`),
  set: (key, value, ttl) => redis.set(`${prefix}:auth:${key}`, value, 'EX', ttl),
  delete: (key) => redis.del(`${prefix}:auth:${key}`),
})

/** A session of Auth.js. */
interface KeptSession {
  sessionToken: string
  userId: string
  expires: Date
}

interface MailedToken {
  identifier: string
  token: string
  expires: Date
}

interface SessionsAndTokens {
  createSession(session: KeptSession): Promise<unknown>
  getSessionAndUser(sessionToken: string): Promise<object | null>
  updateSession(session: { sessionToken: string; expires: Date }): Promise<unknown>
  deleteSession(sessionToken: string): Promise<unknown>
  createVerificationToken(token: MailedToken): Promise<unknown>
  useVerificationToken(of: { identifier: string; token: string }): Promise<object | null>
}

const inAnHour = (): Date => new Date(Date.now() + HOUR_S * 1_000)

/** A request prolongs a session while its user signs out. */
const prolongedAfterItsEnd = (adapter: SessionsAndTokens): Outcome =>
  count(async (n) => {
    const sessionToken = `authjs-${n}`
    await adapter.createSession({ sessionToken, userId: 'ada', expires: inAnHour() })
    await Promise.all([
      adapter.updateSession({ sessionToken, expires: inAnHour() }),
      adapter.deleteSession(sessionToken),
    ])
    return (await adapter.getSessionAndUser(sessionToken)) !== null
  })

/** Ten open one link of a mail at once. */
const usedTwice = (adapter: SessionsAndTokens): Outcome =>
  count(async (n) => {
    const of = { identifier: 'ada@example.com', token: `token-${n}` }
    await adapter.createVerificationToken({ ...of, expires: inAnHour() })
    const used = await Promise.all(Array.from({ length: 10 }, () => adapter.useVerificationToken(of)))
    return used.filter((token) => token !== null).length > 1
  })

/** Users of whatever database Auth.js has. */
const users = { getUser: async (id: string) => ({ id }) }

/** An adapter as those of Auth.js over a key-value store are. */
function plainAdapter(redis: Redis, prefix: string): SessionsAndTokens {
  const read = async (key: string): Promise<object | null> =>
    JSON.parse((await redis.get(`${prefix}:authjs:${key}`)) ?? 'null') as object | null
  const write = (key: string, value: object) =>
    redis.set(`${prefix}:authjs:${key}`, JSON.stringify(value), 'EX', HOUR_S)
  const remove = (key: string) => redis.del(`${prefix}:authjs:${key}`)
  return {
    createSession: (session) => write(session.sessionToken, session),
    getSessionAndUser: (sessionToken) => read(sessionToken),
    updateSession: async (session) => {
      const before = await read(session.sessionToken)
      return before && write(session.sessionToken, { ...before, ...session })
    },
    deleteSession: (sessionToken) => remove(sessionToken),
    createVerificationToken: (token) => write(token.identifier + token.token, token),
    useVerificationToken: async ({ identifier, token }) => {
      const found = await read(identifier + token)
      await remove(identifier + token)
      return found
    },
  }
}

interface RequestCache {
  saveAsync(key: string, value: string): Promise<unknown>
  getAsync(key: string): Promise<string | null>
  removeAsync(key: string): Promise<unknown>
}

/** One response of an identity provider, posted twice at once: node-saml looks for its request, and then removes that. */
const acceptedTwice = (cache: RequestCache): Outcome =>
  count(async (n) => {
    const request = `_request-${n}`
    await cache.saveAsync(request, new Date().toISOString())
    const validate = async () => {
      if ((await cache.getAsync(request)) === null) throw new Error('InResponseTo is not valid')
      await cache.removeAsync(request)
    }
    const posts = await Promise.allSettled([validate(), validate()])
    return posts.every(({ status }) => status === 'fulfilled')
  })

const plainCache = (redis: Redis, prefix: string): RequestCache => ({
  saveAsync: (key, value) => redis.set(`${prefix}:saml:${key}`, value, 'EX', HOUR_S),
  getAsync: (key) => redis.get(`${prefix}:saml:${key}`),
  removeAsync: (key) => redis.del(`${prefix}:saml:${key}`),
})

export const otherRaces: readonly Race[] = [
  {
    framework: 'oidc-provider',
    what: 'a session that was ended is alive again',
    peer: 'its example adapter',
    onPeer: ({ redis, prefix }) => sessionAliveAgain(plainModels(redis, prefix)),
    onOurs: ({ state }) => sessionAliveAgain(createAdapter(state)('Session') as ModelStore),
  },
  {
    framework: 'better-auth',
    what: 'a sign-in at once with others survives "revoke all"',
    peer: 'GET, SET and DEL',
    onPeer: ({ redis, prefix }) => surviving(plainKeyValues(redis, prefix)),
    onOurs: ({ state }) => surviving(secondaryStorage(state)),
  },
  {
    framework: 'Auth.js',
    what: 'a session that ended is prolonged, and alive again',
    peer: 'GET, SET and DEL',
    onPeer: ({ redis, prefix }) => prolongedAfterItsEnd(plainAdapter(redis, prefix)),
    onOurs: ({ state }) => prolongedAfterItsEnd(withAuthstate(users, state)),
  },
  {
    framework: 'Auth.js',
    what: 'a link signs in more than one of ten at once',
    peer: 'GET, SET and DEL',
    onPeer: ({ redis, prefix }) => usedTwice(plainAdapter(redis, prefix)),
    onOurs: ({ state }) => usedTwice(withAuthstate(users, state)),
  },
  {
    framework: 'node-saml',
    what: 'one response is let in twice',
    peer: 'GET, SET and DEL',
    onPeer: ({ redis, prefix }) => acceptedTwice(plainCache(redis, prefix)),
    onOurs: ({ state }) => acceptedTwice(cacheProvider(state)),
  },
]
