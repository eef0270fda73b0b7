import { FakeClock, faultyClient, openInspector } from '@authstate/conformance'
import { type RedisClient, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { type Clock, systemClock } from '@authstate/spi'
import fc from 'fast-check'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { createSessions, type Session, type SessionState, type SessionsOptions } from '../src/fetch.js'
import { memoryWebSessions, type WebSessionProvider, webSessionSpi } from '../src/index.js'
import { redisWebSessions } from '../src/redis.js'

const MINUTE_MS = 60_000
const ROUNDS = 20
const secret = 'a secret of these tests, long enough'

interface Data {
  userId: string
  cart: string[]
  locale: string
  when: Date
}

async function openState(clock: Clock = new FakeClock(1_700_000_000_000)): Promise<SessionState> {
  const registry = createProviderRegistry({ factories: [memoryWebSessions()], clock })
  await registry.start()
  onTestFinished(() => registry.close())
  return { webSessions: registry.get(webSessionSpi) }
}

const open = (state: SessionState, options: Partial<SessionsOptions<Data>> = {}) =>
  createSessions<Data>(state, { secret, ...options })

const from = (cookie?: string | null) =>
  new Request('https://app.example.com/', cookie ? { headers: { cookie } } : {})

/** What a browser sends back of a Set-Cookie header. */
const pairOf = (setCookie: string | undefined): string => setCookie?.split(';')[0] ?? ''

/** A session that is stored, and the cookie that names it. */
async function stored(sessions: ReturnType<typeof open>, data: Partial<Data>): Promise<string> {
  const session = await sessions.load(from())
  Object.assign(session.data, data)
  return pairOf(await sessions.commit(session))
}

/** Once the clock of the store has moved on. A node knows that clock to a few milliseconds. */
async function aMomentLater({ webSessions }: SessionState): Promise<void> {
  const clock = webSessions.clock ?? systemClock
  const then = clock.now() + 10
  await vi.waitUntil(() => clock.now() > then, { interval: 1, timeout: 10_000 })
}

describe('a session', () => {
  test('is stored once there is something in it, and comes back with what was put into it', async () => {
    const state = await openState()
    const sessions = open(state)
    const empty = await sessions.load(from())
    expect([empty.isNew, empty.isEnded, empty.data]).toEqual([true, false, {}])
    expect(await sessions.commit(empty)).toBeUndefined()
    expect(await state.webSessions.count('sessions')).toBe(0)

    empty.data.cart = ['book']
    empty.data.when = new Date(0)
    const headers = new Headers()
    const set = await sessions.commit(empty, headers)
    expect(headers.getSetCookie()).toEqual([set])
    expect(empty.isNew).toBe(false)
    expect(await sessions.commit(empty, headers), 'the browser has it').toBeUndefined()

    const again = await sessions.load(from(pairOf(set)))
    expect([again.id, again.isNew]).toEqual([empty.id, false])
    expect(again.data).toEqual({ cart: ['book'], when: '1970-01-01T00:00:00.000Z' })
    again.data.cart?.push('pen')
    delete again.data.when
    expect(await sessions.commit(again)).toBeUndefined()
    expect((await sessions.load(from(pairOf(set)))).data).toEqual({ cart: ['book', 'pen'] })
    again.data = {}
    await sessions.commit(again)
    expect((await sessions.load(from(pairOf(set)))).data).toEqual({})
  })

  test('may be taken apart from its functions, and belongs to those that loaded it', async () => {
    const state = await openState()
    const { load, commit } = open(state)
    const session = await load(from())
    session.data.locale = 'fr'
    expect(await commit(session)).toContain('__Host-session=')
    await expect(open(state).commit(session)).rejects.toThrow(/"session" must be one that "load"/)
    await expect(commit({} as Session<Data>)).rejects.toThrow(TypeError)
  })

  test.each([
    ['a list', [1], TypeError, /session\.data/],
    ['nothing', null, TypeError, /session\.data/],
    ['what is too large', { cart: ['x'.repeat(300_000)] }, RangeError, /maxDataBytes|262144/],
    ['a number that JSON does not have', { cart: 1n }, TypeError, /BigInt/],
  ])('that became %s is refused, and what is stored stays', async (_, data, type, message) => {
    const sessions = open(await openState())
    const cookie = await stored(sessions, { locale: 'fr' })
    const session = await sessions.load(from(cookie))
    session.data = data as never
    const committed = sessions.commit(session)
    await expect(committed).rejects.toThrow(type)
    await expect(committed).rejects.toThrow(message)
    expect((await sessions.load(from(cookie))).data).toEqual({ locale: 'fr' })
  })
})

describe('the cookie', () => {
  const flags = 'HttpOnly; Secure; SameSite=Lax'
  test.each([
    [{}, /^__Host-session=[\w-]{21}\.[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/],
    [{ domain: 'example.com' }, new RegExp(`^session=\\S+; Domain=example.com; Path=/; ${flags}$`)],
    [{ path: '/app' }, new RegExp(`^session=\\S+; Path=/app; ${flags}$`)],
    [{ secure: false }, /^session=\S+; Path=\/; HttpOnly; SameSite=Lax$/],
    [
      { name: '__Host-id', sameSite: 'strict' },
      /^__Host-id=\S+; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    ],
    [{ sameSite: 'none' }, /; Secure; SameSite=None$/],
    [{ persistent: true }, /; Max-Age=86400; /],
  ] as const)('of %j', async (cookie, header) => {
    const sessions = open(await openState(), { cookie })
    const session = await sessions.load(from())
    session.data.locale = 'fr'
    const set = await sessions.commit(session)
    expect(set).toMatch(header)
    expect((await sessions.load(from(`a=b; ${pairOf(set)}; c=d`))).id).toBe(session.id)
    const headers = new Headers()
    const cleared = await sessions.end(session, headers)
    expect(cleared).toMatch(/=; Max-Age=0; .*Expires=Thu, 01 Jan 1970/)
    expect(cleared.split('=')[0]).toBe(set?.split('=')[0])
    expect(headers.getSetCookie()).toEqual([cleared])
  })

  test('that was forged, garbled or made elsewhere names no session', async () => {
    const state = await openState()
    const sessions = open(state)
    const cookie = await stored(sessions, { locale: 'fr' })
    const other = await stored(sessions, { locale: 'de' })
    const [name = '', value = ''] = cookie.split('=')
    const [id = '', signature = ''] = value.split('.')
    const [, otherSignature = ''] = other.split('.')
    const forged = [
      id,
      `${id}.`,
      `${id}.${otherSignature}`,
      `${id}.${signature.slice(1)}`,
      `${id}.${signature}x`,
      `${id}.${signature}.x`,
      `${id}.${signature.toLowerCase()}`,
      `${id.slice(0, -1)}${id.endsWith('a') ? 'b' : 'a'}.${signature}`,
      `.${signature}`,
      'x'.repeat(100_000),
      '%',
      '__proto__',
      '',
    ]
    for (const text of forged) {
      const session = await sessions.load(from(`${name}=${text}`))
      expect([session.isNew, session.id === id], text.slice(0, 99)).toEqual([true, false])
    }
    for (const elsewhere of [
      open(state, { realmId: 'other' }),
      open(state, { secret: `${secret}!` }),
      open(state, { cookie: { name: 'id' } }),
    ])
      expect((await elsewhere.load(from(cookie))).isNew).toBe(true)
    expect((await sessions.load(from(cookie))).isNew).toBe(false)
    // A cookie that somebody else has set, for another path, comes first.
    expect((await sessions.load(from(`${name}=forged; ${cookie}`))).data).toEqual({ locale: 'fr' })
    expect((await sessions.load({ headers: { get: () => null } })).isNew).toBe(true)
  })

  test('junk is a new session, whatever it is', async () => {
    const sessions = open(await openState())
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (junk) => {
        const request = { headers: { get: () => `__Host-session=${junk}; ${junk}` } }
        expect((await sessions.load(request)).isNew).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  test('counts under every secret, and is signed with the first', async () => {
    const state = await openState()
    const newer = new TextEncoder().encode('another secret that is long enough')
    const before = open(state)
    const both = open(state, { secret: [newer, secret] })
    const after = open(state, { secret: newer })
    const cookie = await stored(before, { locale: 'fr' })
    expect((await both.load(from(cookie))).data).toEqual({ locale: 'fr' })
    expect((await after.load(from(cookie))).isNew).toBe(true)
    expect((await after.load(from(await stored(both, { locale: 'de' })))).data).toEqual({ locale: 'de' })
  })
})

describe('the life of a session', () => {
  test('is prolonged by a change, and by a request that changes nothing once a tenth has passed', async () => {
    const clock = new FakeClock(1_700_000_000_000)
    const state = await openState(clock)
    const sessions = open(state, { lifespanMs: 100 * MINUTE_MS, cookie: { persistent: true } })
    const cookie = await stored(sessions, { locale: 'fr' })
    const { id } = await sessions.load(from(cookie))
    const request = async (change?: string) => {
      const session = await sessions.load(from(cookie))
      if (change !== undefined) session.data.locale = change
      const set = await sessions.commit(session)
      const { version, expiresAt } = (await state.webSessions.get('sessions', id)) ?? {}
      return { version, left: ((expiresAt ?? 0) - clock.now()) / MINUTE_MS, set: set !== undefined }
    }
    expect(await request()).toEqual({ version: 1, left: 100, set: false })
    clock.advance(9 * MINUTE_MS)
    expect(await request()).toEqual({ version: 1, left: 91, set: false })
    clock.advance(MINUTE_MS)
    expect(await request()).toEqual({ version: 2, left: 100, set: true })
    clock.advance(MINUTE_MS)
    expect(await request('de')).toEqual({ version: 3, left: 100, set: true })
    clock.advance(100 * MINUTE_MS)
    const over = await sessions.load(from(cookie))
    expect([over.isNew, over.id === id, over.data]).toEqual([true, false, {}])
  })

  test('is prolonged by every request where that is asked for', async () => {
    const clock = new FakeClock(1_700_000_000_000)
    const state = await openState(clock)
    const sessions = open(state, { touchAfterMs: 0 })
    const cookie = await stored(sessions, { locale: 'fr' })
    clock.advance(1)
    const session = await sessions.load(from(cookie))
    expect(await sessions.commit(session)).toBeUndefined()
    expect((await state.webSessions.get('sessions', session.id))?.version).toBe(2)
  })

  test('that ended while a request read it is over for that request', async () => {
    const state = await openState()
    const refused: string[] = []
    const sessions = open(state, { touchAfterMs: 0, onRefused: ({ sessionId }) => refused.push(sessionId) })
    const cookie = await stored(sessions, { locale: 'fr' })
    const [reads, changes] = [await sessions.load(from(cookie)), await sessions.load(from(cookie))]
    await sessions.endOne(reads.id)
    expect(await sessions.commit(reads)).toBeUndefined()
    expect([reads.isEnded, refused]).toEqual([true, []])
    changes.data.locale = 'de'
    expect(await sessions.commit(changes)).toBeUndefined()
    expect([changes.isEnded, refused]).toEqual([true, [changes.id]])
    changes.data.locale = 'es'
    expect(await sessions.commit(changes), 'nothing goes on').toBeUndefined()
    expect(await state.webSessions.count('sessions')).toBe(0)
  })
})

/** @param node A node each time, all over the same sessions within one test. */
function describeRaces(node: () => Promise<SessionState>): void {
  test('a session that was ended never comes back, whatever a slow request saves', async () => {
    const [here, elsewhere] = [open(await node()), open(await node())]
    for (let round = 0; round < ROUNDS; round++) {
      const cookie = await stored(here, { userId: 'u' })
      const slow = await here.load(from(cookie))
      await elsewhere.end(await elsewhere.load(from(cookie)))
      slow.data.cart = ['late']
      if (round % 2 === 0) here.regenerate(slow)
      expect(await here.commit(slow)).toBeUndefined()
      expect(slow.isEnded).toBe(true)
      expect((await elsewhere.load(from(cookie))).data).toEqual({})
      expect(await here.sessionsOf('u')).toEqual([])
    }
  })

  test('of two requests at once that change different names both last', async () => {
    const [here, elsewhere] = [open(await node()), open(await node())]
    for (let round = 0; round < ROUNDS; round++) {
      const cookie = await stored(here, { userId: 'u', when: new Date(0) })
      const [one, other] = [await here.load(from(cookie)), await elsewhere.load(from(cookie))]
      one.data.cart = [`${round}`]
      delete one.data.when
      other.data.locale = 'fr'
      await Promise.all([here.commit(one), elsewhere.commit(other)])
      expect((await here.load(from(cookie))).data).toEqual({ userId: 'u', cart: [`${round}`], locale: 'fr' })
      // What a request did not know of, it does not undo when it saves once more.
      one.data.cart = []
      await here.commit(one)
      expect((await here.load(from(cookie))).data).toEqual({ userId: 'u', cart: [], locale: 'fr' })
    }
  })

  test('a sign-in takes another id, and brings what the visitor had', async () => {
    const [here, elsewhere] = [open(await node()), open(await node())]
    const cookie = await stored(here, { cart: ['book'] })
    const session = await here.load(from(cookie))
    const idBefore = session.id
    const beside = await elsewhere.load(from(cookie))
    beside.data.cart = ['book', 'pen']
    await elsewhere.commit(beside)
    here.regenerate(session)
    session.data.userId = 'u'
    const set = pairOf(await here.commit(session))
    expect(session.id).not.toBe(idBefore)
    expect((await elsewhere.load(from(set))).data).toEqual({ userId: 'u', cart: ['book', 'pen'] })
    // Who knew the cookie of before knows nothing now, and cannot bring it back.
    expect((await elsewhere.load(from(cookie))).isNew).toBe(true)
    beside.data.locale = 'fr'
    await elsewhere.commit(beside)
    expect(beside.isEnded).toBe(true)
    expect(await here.sessionsOf('u')).toHaveLength(1)
    await here.commit(session)
    expect(await here.sessionsOf('u')).toMatchObject([{ id: session.id }])
  })

  test('a sign-in over a session that was ended meanwhile stands, with nothing of it', async () => {
    const sessions = open(await node())
    const cookie = await stored(sessions, { userId: 'first', cart: ['secret'] })
    const session = await sessions.load(from(cookie))
    await sessions.endAll('first')
    sessions.regenerate(session)
    session.data.userId = 'second'
    const set = pairOf(await sessions.commit(session))
    expect((await sessions.load(from(set))).data).toEqual({ userId: 'second' })
    expect(await sessions.sessionsOf('first')).toEqual([])
  })

  test('the sessions of a user are listed and ended, and a sign-in under way does not outlive that', async () => {
    const state = await node()
    const sessions = open(state)
    const cookies = [await stored(sessions, { userId: 'u' }), await stored(sessions, { userId: 'u' })]
    const visitor = await stored(sessions, { cart: [] })
    const [slow, own] = [await sessions.load(from(visitor)), await sessions.load(from(cookies[0]))]
    expect((await sessions.sessionsOf('u')).map(({ data }) => data)).toEqual([
      { userId: 'u' },
      { userId: 'u' },
    ])
    expect(await sessions.endOthers(slow), 'nobody signed in there').toBe(0)
    own.data.locale = 'fr'
    expect(await sessions.endOthers(own)).toBe(1)
    expect(await sessions.sessionsOf('u')).toMatchObject([{ id: own.id, data: { locale: 'fr' } }])
    slow.data.userId = 'u'
    expect(await sessions.commit(slow)).toBeUndefined()
    expect(await sessions.sessionsOf('u')).toHaveLength(1)
    // The visitor lost nothing but that sign-in.
    expect((await sessions.load(from(visitor))).data).toEqual({ cart: [] })
    // A sign-in that began in the millisecond of an end counts as one before it: the next one begins after that.
    await aMomentLater(state)
    const later = await sessions.load(from(visitor))
    sessions.regenerate(later)
    later.data.userId = 'u'
    expect(await sessions.endOthers(later)).toBe(1)
    expect(await sessions.commit(later), 'its cookie is still due').toContain('__Host-session=')
    expect(await sessions.sessionsOf('u')).toMatchObject([{ id: later.id }])
    delete later.data.userId
    await sessions.commit(later)
    expect(await sessions.sessionsOf('u')).toEqual([])
    expect(await sessions.endOne(later.id)).toBe(true)
    expect(await sessions.endOne(later.id)).toBe(false)
  })

  test('a step-up under way when all sessions of its user are ended does not stand', async () => {
    const sessions = open(await node())
    const session = await sessions.load(from(await stored(sessions, { userId: 'u' })))
    sessions.regenerate(session)
    session.data.locale = 'fr'
    await sessions.endAll('u')
    expect(await sessions.commit(session)).toBeUndefined()
    expect([session.isEnded, await sessions.sessionsOf('u')]).toEqual([true, []])
  })
}

describe('requests at once, in memory', () => {
  let state: SessionState | undefined
  afterEach(() => {
    state = undefined
  })
  describeRaces(async () => {
    state ??= await openState(systemClock)
    return state
  })
})

describe('a logout', () => {
  test('clears the cookie once, and takes nothing more in', async () => {
    const state = await openState()
    const sessions = open(state)
    const session = await sessions.load(from(await stored(sessions, { userId: 'u' })))
    const cleared = await sessions.end(session)
    expect(await sessions.commit(session)).toBe(cleared)
    expect(await sessions.commit(session)).toBeUndefined()
    expect([session.isEnded, session.data]).toEqual([true, {}])
    expect(() => {
      session.data.locale = 'fr'
    }).toThrow(TypeError)
    expect(await sessions.end(session), 'again').toBe(cleared)
    expect(await sessions.endOthers(session)).toBe(0)
    sessions.regenerate(session)
    session.data.locale = 'fr'
    const set = await sessions.commit(session)
    expect((await sessions.load(from(pairOf(set)))).data).toEqual({ locale: 'fr' })
    expect(await sessions.sessionsOf('u')).toEqual([])
  })

  test('of a session with another id that is not stored yet ends the one that is', async () => {
    const state = await openState()
    const sessions = open(state)
    const cookie = await stored(sessions, { userId: 'u' })
    const session = await sessions.load(from(cookie))
    sessions.regenerate(session)
    sessions.regenerate(session)
    await sessions.end(session)
    expect((await sessions.load(from(cookie))).isNew).toBe(true)
    expect(await state.webSessions.count('sessions')).toBe(0)
  })
})

describe('a store that is away', () => {
  /** A state whose next call of a verb fails. */
  function failing({ webSessions }: SessionState) {
    const failures = new Set<PropertyKey>()
    const provider = new Proxy({} as WebSessionProvider, {
      get: (_, verb) => {
        const value: unknown = Reflect.get(webSessions, verb)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) =>
          failures.delete(verb)
            ? Promise.reject(new Error(`${String(verb)} failed`))
            : value.apply(webSessions, args)
      },
    })
    return { state: { webSessions: provider }, failures }
  }

  test('is an error of the request, and nobody is logged out', async () => {
    const { state, failures } = failing(await openState())
    const sessions = open(state)
    const cookie = await stored(sessions, { userId: 'u' })
    failures.add('get')
    await expect(sessions.load(from(cookie))).rejects.toThrow('get failed')
    const session = await sessions.load(from(cookie))
    session.data.locale = 'fr'
    failures.add('update')
    await expect(sessions.commit(session)).rejects.toThrow('update failed')
    failures.add('remove')
    await expect(sessions.end(session)).rejects.toThrow('remove failed')
    expect([session.isEnded, session.data]).toEqual([false, { userId: 'u', locale: 'fr' }])
    await sessions.commit(session)
    expect((await sessions.load(from(cookie))).data).toEqual({ userId: 'u', locale: 'fr' })
  })

  test.each(['get', 'save', 'remove'])('in the %s of a new id leaves the session of before', async (verb) => {
    const { state, failures } = failing(await openState())
    const sessions = open(state)
    const cookie = await stored(sessions, { userId: 'u' })
    const session = await sessions.load(from(cookie))
    sessions.regenerate(session)
    failures.add(verb)
    await expect(sessions.commit(session)).rejects.toThrow(`${verb} failed`)
    expect((await sessions.load(from(cookie))).data).toEqual({ userId: 'u' })
    const set = pairOf(await sessions.commit(session))
    expect((await sessions.load(from(set))).data).toEqual({ userId: 'u' })
    expect((await sessions.load(from(cookie))).isNew).toBe(true)
    expect(await sessions.sessionsOf('u')).toHaveLength(1)
  })
})

test.each([
  [{ secret: undefined }, TypeError, /"secret"/],
  [{ secret: [] }, TypeError, /"secret"/],
  [
    { secret: 'too short' },
    TypeError,
    /^"secret" must be text or bytes, at least 32 of them, or a list of such secrets$/,
  ],
  [{ secret: [secret, 'too short'] }, TypeError, /"secret"/],
  [{ secret: 7 }, TypeError, /"secret"/],
  [{ realmId: '' }, TypeError, /"realmId"/],
  [{ lifespanMs: 0 }, RangeError, /"lifespanMs"/],
  [{ lifespanMs: 401 * 86_400_000 }, RangeError, /"lifespanMs".*"maxLifespanMs" of web-session/],
  [{ touchAfterMs: 86_400_000 }, RangeError, /"touchAfterMs"/],
  [{ userId: 'user' }, TypeError, /"userId"/],
  [{ onRefused: 1 }, TypeError, /"onRefused"/],
  [{ maxAge: 1 }, TypeError, /'maxAge'/],
  [{ cookie: { httpOnly: false } }, TypeError, /'httpOnly'/],
  [{ cookie: { name: 'a b' } }, TypeError, /"cookie.name"/],
  [{ cookie: { name: '__Host-a', path: '/app' } }, TypeError, /"cookie.name".*"__Host-"/],
  [{ cookie: { name: '__Host-a', domain: 'a.example' } }, TypeError, /"cookie.name"/],
  [{ cookie: { name: '__Secure-a', secure: false } }, TypeError, /"cookie.name".*"__Secure-"/],
  [{ cookie: { path: 'app' } }, TypeError, /"cookie.path"/],
  [{ cookie: { domain: 'a;b' } }, TypeError, /"cookie.domain"/],
  [{ cookie: { secure: 1 } }, TypeError, /"cookie.secure"/],
  [{ cookie: { sameSite: 'None' } }, TypeError, /"cookie.sameSite"/],
  [{ cookie: { sameSite: 'none', secure: false } }, TypeError, /"cookie.sameSite".*"secure"/],
  [{ cookie: { persistent: 1 } }, TypeError, /"cookie.persistent"/],
])('refuses to start with %o', async (options, type, message) => {
  const state = await openState()
  const start = () => open(state, options as never)
  expect(start).toThrow(type)
  expect(start).toThrow(message)
})

describeWith(redis, 'requests at once, on Redis', () => {
  const client = openRedis()
  let prefix = ''
  const registries: { close(): Promise<void> }[] = []
  const openNode = async (of: RedisClient): Promise<SessionState> => {
    const registry = createProviderRegistry({
      factories: [redisWebSessions(), redisConnection()],
      config: { redis: { client: of, prefix }, spi: { 'web-session': { provider: 'redis' } } },
    })
    await registry.start()
    registries.push(registry)
    return { webSessions: registry.get(webSessionSpi) }
  }
  afterEach(async () => {
    await Promise.all(registries.splice(0).map((registry) => registry.close()))
    await (await openInspector(client)).clear(prefix)
  })
  describeRaces(async () => {
    prefix = `fetch-${process.pid}-${expect.getState().currentTestName?.length}`
    return openNode(client)
  })

  test('a Redis that does not answer is an error that says so', async () => {
    prefix = `fetch-${process.pid}-away`
    const cookie = await stored(open(await openNode(client)), { userId: 'u' })
    const faulty = faultyClient(client)
    const sessions = open(await openNode(faulty.client))
    faulty.arm('get', { when: 'before', error: new Error('Connection is closed.') })
    await expect(sessions.load(from(cookie))).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect((await sessions.load(from(cookie))).data).toEqual({ userId: 'u' })
  })
})
