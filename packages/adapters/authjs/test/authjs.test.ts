import type { Adapter, AdapterSession, VerificationToken } from '@auth/core/adapters'
import { FakeClock, faultyClient, openInspector } from '@authstate/conformance'
import { ConfigurationError } from '@authstate/spi'
import { afterAll, describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../../tools/testing/capabilities.js'
import { openRedis } from '../../../../tools/testing/redis-targets.js'
import { type AuthjsOptions, withAuthstate } from '../src/index.js'
import { describeContract } from './contract.js'
import { Application, adapterOver, Browser, openState, usersInMemory } from './support.js'

const ROUNDS = 20
const AT_ONCE = 10
const DAY_MS = 86_400_000

describe('the contract in memory', () => {
  describeContract(async () => {
    const state = await openState()
    return [state, state]
  })
})

describeWith(redis, 'the contract on Redis', () => {
  const client = openRedis()
  let opened = 0
  const prefix = `authjs-${process.pid}`
  afterAll(async () => {
    await (await openInspector(client)).clear(prefix)
    client.disconnect()
  })
  describeContract(async () => {
    const over = { redis: { client, prefix: `${prefix}-${opened++}` } }
    return [await openState(over), await openState(over)]
  })

  test('a Redis that does not answer logs nobody out', async () => {
    const faulty = faultyClient(client)
    const application = new Application(
      adapterOver(await openState({ redis: { client: faulty.client, prefix } })),
    )
    const browser = new Browser(application)
    await browser.signIn('ada@example.com')
    const { sessionToken } = browser
    faulty.arm('get', { when: 'before', error: new Error('Connection is closed.') })
    expect(await browser.who()).toBeUndefined()
    expect(application.errors.map(({ name }) => name)).toEqual(['AdapterError', 'SessionTokenError'])
    expect(browser.sessionToken).toBe(sessionToken)
    expect(await browser.who()).toBe('ada@example.com')
  })
})

/** Holds whoever asks for it, until it is opened. */
class Gate {
  #open = () => {}
  #arrive = () => {}
  readonly passage = new Promise<void>((resolve) => {
    this.#open = resolve
  })
  readonly arrival = new Promise<void>((resolve) => {
    this.#arrive = resolve
  })

  pass(): Promise<void> {
    this.#arrive()
    return this.passage
  }

  open(): void {
    this.#open()
  }
}

/** Sessions and tokens as adapters over a key-value store have them: every command is atomic, an update reads and sets. */
function plainAdapter(meeting?: Meeting): Adapter {
  const sessions = new Map<string, AdapterSession>()
  const tokens = new Map<string, VerificationToken>()
  const users = usersInMemory()
  const read = async <T>(from: Map<string, T>, key: string): Promise<T | null> => from.get(key) ?? null
  return {
    ...users,
    createSession: async (session) => {
      sessions.set(session.sessionToken, session)
      return session
    },
    getSessionAndUser: async (token) => {
      const session = await read(sessions, token)
      const user = session && (await users.getUser(session.userId))
      return session && user ? { session, user } : null
    },
    updateSession: async (changed) => {
      const session = await read(sessions, changed.sessionToken)
      if (session === null) return null
      await gates.get(changed.sessionToken)?.pass()
      sessions.set(session.sessionToken, { ...session, ...changed })
      return session
    },
    deleteSession: async (token) => void sessions.delete(token),
    createVerificationToken: async (token) => {
      tokens.set(token.identifier + token.token, token)
      return token
    },
    useVerificationToken: async ({ identifier, token }) => {
      const found = await read(tokens, identifier + token)
      await meeting?.arrive()
      tokens.delete(identifier + token)
      return found
    },
  }
}

/** Holds whoever comes until ten have. */
class Meeting {
  #waiting: (() => void)[] = []

  arrive(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      if (this.#waiting.length < AT_ONCE) return
      for (const go of this.#waiting) go()
      this.#waiting = []
    })
  }
}

/** By session token: where its next update waits. */
const gates = new Map<string, Gate>()

/** How often a session was alive again after its user signed out while another request prolonged it. */
async function countRevivals(adapter: Adapter): Promise<number> {
  const application = new Application(adapter, { updateAge: 0 })
  let revivals = 0
  for (let round = 0; round < ROUNDS; round++) {
    const browser = new Browser(application)
    await browser.signIn(`${round}@example.com`)
    const slow = browser.copy()
    const token = browser.sessionToken as string
    const gate = new Gate()
    gates.set(token, gate)
    const prolonging = slow.who()
    await gate.arrival
    gates.delete(token)
    await browser.signOut()
    gate.open()
    await prolonging
    if ((await slow.who()) !== undefined) revivals++
  }
  return revivals
}

/** How many of ten who open one link at once are signed in, round by round. */
async function countSignedIn(adapter: Adapter): Promise<Set<number>> {
  const application = new Application(adapter)
  const counts = new Set<number>()
  for (let round = 0; round < ROUNDS; round++) {
    await new Browser(application).askForLink(`${round}@example.com`)
    const browsers = Array.from({ length: AT_ONCE }, () => new Browser(application))
    await Promise.all(browsers.map((browser) => browser.get(application.mails.at(-1) as string)))
    counts.add(browsers.filter(({ sessionToken }) => sessionToken !== undefined).length)
  }
  return counts
}

describe('under the published Auth.js', () => {
  test('a session is kept, listed and ended', async () => {
    const adapter = adapterOver(await openState())
    const application = new Application(adapter)
    const browsers = [new Browser(application), new Browser(application)] as const
    for (const browser of browsers) await browser.signIn('ada@example.com')
    const user = await adapter.getUserByEmail('ada@example.com')
    expect(await adapter.sessionsOf(user?.id ?? '')).toHaveLength(2)
    await adapter.endSessions(user?.id ?? '', {
      except: adapter.sessionIdOf(browsers[0].sessionToken as string),
    })
    expect(await browsers[0].who()).toBe('ada@example.com')
    expect(await browsers[1].who()).toBeUndefined()
    await browsers[0].signOut()
    expect(await adapter.sessionsOf(user?.id ?? '')).toEqual([])
    expect(application.errors).toEqual([])
  })

  test('a session that ended never comes back by a request that prolongs it', async () => {
    const adapter = adapterOver(await openState())
    const { updateSession } = adapter
    const slow: typeof updateSession = async (session) => {
      await gates.get(session.sessionToken)?.pass()
      return updateSession(session)
    }
    expect(await countRevivals({ ...adapter, updateSession: slow })).toBe(0)
  })

  test('beside it, with an adapter that reads and sets it does', async () => {
    const revivals = await countRevivals(plainAdapter())
    console.log(`an adapter that reads and sets: ${revivals} of ${ROUNDS} sessions alive again`)
    expect(revivals).toBe(ROUNDS)
  })

  test('of ten who open a link at once one is signed in', async () => {
    expect(await countSignedIn(adapterOver(await openState()))).toEqual(new Set([1]))
  })

  test('beside it, with an adapter that reads and deletes all of them are', async () => {
    expect(await countSignedIn(plainAdapter(new Meeting()))).toEqual(new Set([AT_ONCE]))
  })
})

test('times are those of the state', async () => {
  const clock = new FakeClock()
  const adapter = adapterOver(await openState({ clock }))
  await adapter.createSession({ sessionToken: 't', userId: 'u', expires: new Date(Date.now() + DAY_MS) })
  clock.advance(DAY_MS - 60_000)
  expect(await adapter.sessionsOf('u')).toHaveLength(1)
  clock.advance(60_000)
  expect(await adapter.sessionsOf('u')).toEqual([])
})

test('everything else is that of the adapter below', async () => {
  const users = usersInMemory()
  const state = await openState()
  const adapter = withAuthstate(users, state)
  expect(adapter.getUserByEmail).toBe(users.getUserByEmail)
  expect(adapter.linkAccount).toBe(users.linkAccount)
  const { deleteUser: _, ...without } = users
  expect(withAuthstate(without, state)).not.toHaveProperty('deleteUser')
})

test.each([
  [{ realmId: '' }, TypeError, /"realmId"/],
  [{ realm: 'x' }, TypeError, /'realmId'/],
  [{ sessionMs: 0 }, RangeError, /"sessionMs"/],
  [{ sessionMs: 401 * DAY_MS }, ConfigurationError, /"sessionMs".*"maxLifespanMs" of web-session/],
  [{ verificationMs: 31 * DAY_MS }, ConfigurationError, /"verificationMs".*"maxLifespanMs" of action-token/],
])('refuses to start with %o', async (options, type, message) => {
  const state = await openState()
  const start = () => withAuthstate(usersInMemory(), state, options as AuthjsOptions)
  expect(start).toThrow(type)
  expect(start).toThrow(message)
})

test('arguments of the wrong kind are refused by name', async () => {
  const state = await openState()
  expect(() => withAuthstate({}, state)).toThrow(/"adapter.getUser"/)
  expect(() => withAuthstate(null as never, state)).toThrow(/"adapter"/)
  const adapter = adapterOver(state)
  await expect(adapter.getSessionAndUser(1 as never)).rejects.toThrow(/"sessionToken"/)
  await expect(adapter.useVerificationToken({ identifier: 'x' } as never)).rejects.toThrow(/"token"/)
  const session = { sessionToken: 't', userId: 'u' }
  await expect(adapter.createSession(session as never)).rejects.toThrow(/"expires"/)
})
