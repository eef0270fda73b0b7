// The published better-auth over HTTP: two nodes over one database and one store.
import { faultyClient, openInspector, together } from '@authstate/conformance'
import type { RedisClient } from '@authstate/redis'
import type { SecondaryStorage as BetterAuthStorage } from 'better-auth'
import type { Redis } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import { cluster, describeWith, redis } from '../../../../tools/testing/capabilities.js'
import { openCluster, openRedis } from '../../../../tools/testing/redis-targets.js'
import { lockout, type SecondaryStorage, secondaryStorage } from '../src/index.js'
import { Browser, noRows, openState, serve } from './support.js'

const AT_ONCE = 20

/** What became of the sessions of twenty sign-ins at once, all but one of which were revoked then. */
interface Race {
  readonly live: number
  readonly listed: number
  readonly survived: number
}

async function race(storages: readonly BetterAuthStorage[]): Promise<Race> {
  const rows = noRows()
  const nodes = await Promise.all(storages.map((storage) => serve(rows, { secondaryStorage: storage })))
  const one = new Browser(nodes[0] as string)
  await one.signUp()
  const others = Array.from({ length: AT_ONCE }, (_, at) => new Browser(nodes[at % nodes.length] as string))
  for (const { status } of await together(AT_ONCE, (at) => (others[at] as Browser).signIn())) {
    expect(status).toBe(200)
  }
  const count = async (browsers: readonly Browser[]) =>
    (await Promise.all(browsers.map((browser) => browser.isSignedIn()))).filter(Boolean).length
  const live = await count([one, ...others])
  const listed = (await one.get('/list-sessions')).body as unknown as unknown[]
  expect(await one.post('/revoke-other-sessions')).toMatchObject({ status: 200, body: { status: true } })
  expect(await one.isSignedIn()).toBe(true)
  return { live, listed: listed.length, survived: await count(others) }
}

const exact: Race = { live: AT_ONCE + 1, listed: AT_ONCE + 1, survived: 0 }

/** A storage of plain commands, as the one that better-auth publishes for Redis. */
function plainStorage(client: Redis, prefix: string): BetterAuthStorage {
  const name = (key: string) => `${prefix}:plain:${key}`
  return {
    get: (key) => client.get(name(key)),
    set: (key, value, ttl = 0) =>
      ttl > 0 ? client.setex(name(key), ttl, value) : client.set(name(key), value),
    delete: async (key) => void (await client.del(name(key))),
    getAndDelete: (key) => client.getdel(name(key)),
    increment: (key) => client.incr(name(key)),
  }
}

function describeOn(openClient: () => RedisClient & { disconnect(): void }): void {
  const client = openClient()
  const prefix = `better-auth-server-${process.pid}`
  afterAll(async () => {
    await (await openInspector(client)).clear(prefix)
    client.disconnect()
  })
  const open = async (): Promise<SecondaryStorage> =>
    secondaryStorage(await openState({ redis: { client, prefix } }))

  test('of twenty sign-ins at once all are listed, and none survives that the others are revoked', async () => {
    expect(await race([await open(), await open()])).toEqual(exact)
  })
}

describeWith(cluster, 'on a Cluster', () => describeOn(openCluster))
describeWith(redis, 'on Redis', () => {
  describeOn(openRedis)
  const client = openRedis()
  const prefix = `better-auth-beside-${process.pid}`
  afterAll(async () => {
    await (await openInspector(client)).clear(prefix)
    client.disconnect()
  })

  test('beside it, with plain commands most are not listed, and survive', async () => {
    const { live, listed, survived } = await race([
      plainStorage(client, prefix),
      plainStorage(client, prefix),
    ])
    console.log(`plain commands: ${live} live, ${listed} listed, ${survived} of ${AT_ONCE} survive`)
    expect(live).toBe(AT_ONCE + 1)
    expect(listed).toBeLessThan(AT_ONCE + 1)
    expect(survived).toBeGreaterThan(0)
  })

  test('a Redis that does not answer is an error of the request, and nobody is logged out', async () => {
    const faulty = faultyClient(client)
    const storage = secondaryStorage(await openState({ redis: { client: faulty.client, prefix } }))
    const browser = new Browser(await serve(noRows(), { secondaryStorage: storage }))
    await browser.signUp()
    faulty.arm('get', { when: 'before', error: new Error('Connection is closed.') })
    const { status, headers } = await browser.get('/get-session')
    expect([status, headers.getSetCookie()]).toEqual([500, []])
    expect(await browser.isSignedIn()).toBe(true)
  })
})

describe('in memory', () => {
  test('of twenty sign-ins at once all are listed, and none survives that the others are revoked', async () => {
    const state = await openState()
    expect(await race([secondaryStorage(state), secondaryStorage(state)])).toEqual(exact)
  })

  test('a session is kept, ended, and not brought back by a request that was slow', async () => {
    const storage = secondaryStorage(await openState())
    const origin = await serve(noRows(), { secondaryStorage: storage, session: { updateAge: 0 } })
    const browser = new Browser(origin)
    expect((await browser.signUp()).status).toBe(200)
    const { body } = await browser.get('/get-session')
    const { token, userId } = (body as { session: { token: string; userId: string } }).session
    const value = (await storage.get(token)) ?? ''
    expect(await storage.sessionsOf(userId)).toMatchObject([{ token, session: { userId } }])
    const copy = browser.at(origin)
    await browser.post('/sign-out')
    await storage.set(token, value, 60)
    expect(await copy.isSignedIn()).toBe(false)
    expect(await storage.sessionsOf(userId)).toEqual([])
    expect(storage.counts()).toEqual({ refused: 1, unknown: 0, untimed: 0 })
  })

  test('what is changed of a user lasts beside a request that prolongs the session', async () => {
    const storage = secondaryStorage(await openState())
    let hold = async () => {}
    const slow: BetterAuthStorage = {
      ...storage,
      set: async (key, value, ttl) => {
        if (!key.includes('-')) await hold()
        await storage.set(key, value, ttl)
      },
    }
    const origin = await serve(noRows(), { secondaryStorage: slow, session: { updateAge: 0 } })
    const browser = new Browser(origin)
    await browser.signUp()
    let open = () => {}
    const passage = new Promise<void>((resolve) => {
      open = resolve
    })
    const arrival = new Promise<void>((resolve) => {
      hold = () => {
        resolve()
        return passage
      }
    })
    const prolonging = browser.get('/get-session')
    await arrival
    hold = async () => {}
    expect((await browser.post('/update-user', { name: 'Countess' })).status).toBe(200)
    open()
    expect((await prolonging).status).toBe(200)
    expect((await browser.get('/get-session')).body).toMatchObject({ user: { name: 'Countess' } })
  })

  test('all sessions of a user end at once, and later ones stand', async () => {
    const storage = secondaryStorage(await openState())
    const browser = new Browser(await serve(noRows(), { secondaryStorage: storage }))
    await browser.signUp()
    expect((await browser.post('/revoke-sessions')).status).toBe(200)
    expect(await browser.isSignedIn()).toBe(false)
    expect(storage.counts()).toEqual({ refused: 0, unknown: 0, untimed: 0 })
  })

  test('requests are counted over nodes', async () => {
    const state = await openState()
    const rows = noRows()
    const limits = { rateLimit: { enabled: true, storage: 'secondary-storage' as const } }
    const nodes = [
      await serve(rows, { secondaryStorage: secondaryStorage(state), ...limits }),
      await serve(rows, { secondaryStorage: secondaryStorage(state), ...limits }),
    ] as const
    const answers = await together(10, (at) => new Browser(nodes[at % 2 === 0 ? 0 : 1]).signIn())
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(7)
  })
})

describe('the lock-out', () => {
  const bruteForce = { enabled: true, failureFactor: 3, quickLoginCheckMs: 0 }
  const open = async (failPolicy = 'closed') => {
    const state = await openState({
      realm: { bruteForce },
      spi: { 'login-failure': { memory: { failPolicy } } },
    })
    const rows = noRows()
    const options = { secondaryStorage: secondaryStorage(state), plugins: [lockout(state)] }
    const nodes = [await serve(rows, options), await serve(rows, options)] as const
    await new Browser(nodes[0]).signUp()
    return { state, rows, nodes }
  }

  test('of twenty wrong passwords at once no more are verified than the policy allows, then the right one is refused', async () => {
    const { state, rows, nodes } = await open()
    const answers = await together(AT_ONCE, (at) =>
      new Browser(nodes[at % 2 === 0 ? 0 : 1]).signIn('wrong password'),
    )
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(3)
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(17)
    const right = await new Browser(nodes[1]).signIn()
    expect(right).toMatchObject({ status: 429, body: { code: 'ACCOUNT_LOCKED' } })
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await state.loginFailures.clear('better-auth', String(rows['user']?.[0]?.['id']))).toBe(true)
    expect((await new Browser(nodes[1]).signIn()).status).toBe(200)
  })

  test('a right password forgives the wrong ones before it', async () => {
    const { nodes } = await open()
    const browser = new Browser(nodes[0])
    for (let round = 0; round < 3; round++) {
      for (let wrong = 0; wrong < 2; wrong++)
        expect((await browser.signIn('wrong password')).status).toBe(401)
      expect((await browser.signIn()).status).toBe(200)
    }
  })

  test('a name of nobody fails and locks as one of somebody', async () => {
    const { nodes } = await open()
    const tries = async (name: string) => {
      const answers = []
      for (let at = 0; at < 5; at++) {
        const { status, body } = await new Browser(nodes[at % 2 === 0 ? 0 : 1]).signIn('wrong password', name)
        answers.push([status, body])
      }
      return answers
    }
    const somebody = await tries('ada')
    expect(somebody.map(([status]) => status)).toEqual([401, 401, 401, 429, 429])
    expect(await tries('nobody')).toEqual(somebody)
  })

  test('a password that a signed-in user confirms is guarded as well', async () => {
    const { nodes } = await open()
    const browser = new Browser(nodes[0])
    await browser.signIn()
    const change = (currentPassword: string) =>
      browser.post('/change-password', { currentPassword, newPassword: 'another password' })
    for (let wrong = 0; wrong < 3; wrong++) expect((await change('wrong password')).status).toBe(400)
    expect((await change('right password')).status).toBe(429)
  })

  test('where the realm is not protected nobody is locked', async () => {
    const state = await openState()
    const origin = await serve(noRows(), {
      secondaryStorage: secondaryStorage(state),
      plugins: [lockout(state)],
    })
    await new Browser(origin).signUp()
    for (let wrong = 0; wrong < 40; wrong++) await new Browser(origin).signIn('wrong password')
    expect((await new Browser(origin).signIn()).status).toBe(200)
  })

  test('an option that is wrong is refused by name', async () => {
    const state = await openState()
    expect(() => lockout(state, { realmId: '' })).toThrow(/"realmId"/)
    expect(() => lockout(state, { realm: 'x' } as never)).toThrow(/'realmId'/)
  })
})
