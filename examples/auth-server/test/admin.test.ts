import { randomUUID } from 'node:crypto'
import { type AuthStateConfig, systemClock } from 'authstate'
import { describe, expect, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import type { Client, User } from '../src/config.js'
import { clientChanged, userChanged } from '../src/directory.js'
import { app, shop, TestBrowser, TestServer, users } from './support.js'

const csrfOf = (page: string): string => /name="csrf" value="([^"]*)"/.exec(page)?.[1] ?? ''

const sizes = ({ state }: TestServer): number[] =>
  ['clients', 'users'].map((name) => state.realmCache.region(name).stats().size)

describe('the page of administrators', () => {
  test('says what is kept, and clears one region or all', async () => {
    await using server = await TestServer.start()
    const admin = server.browser()
    await admin.signIn()
    const page = await (await admin.get('/admin')).text()
    expect(page).toMatch(/<tr><td>clients<\/td><td>1<\/td>/)
    // By name and by id.
    expect(page).toMatch(/<tr><td>users<\/td><td>2<\/td>/)
    const csrf = csrfOf(page)
    const cleared = await admin.post('/admin/clear', { csrf, region: 'clients' })
    expect([cleared.status, cleared.headers.get('location')]).toEqual([303, '/admin'])
    expect(sizes(server)).toEqual([0, expect.toSatisfy((size: number) => size > 0)])
    await admin.post('/admin/clear', { csrf })
    expect(sizes(server)).toEqual([0, 0])
    const unknown = await admin.post('/admin/clear', { csrf, region: 'nonsense' })
    expect(unknown.status).toBe(400)
    expect(server.state.realmCache.regions()).not.toContain('nonsense')
  })

  test('opens for no one else, and to no form from elsewhere', async () => {
    await using server = await TestServer.start()
    const [admin, ben, stranger] = [server.browser(), server.browser(), server.browser()]
    await admin.signIn()
    await ben.signIn(shop, 'ben')
    const bens = csrfOf(await (await ben.get('/account')).text())
    for (const [browser, csrf] of [
      [ben, bens],
      [stranger, ''],
      [admin, ''],
      [admin, bens],
      [admin, 'x'.repeat(43)],
    ] as const) {
      if (browser !== admin) expect((await browser.get('/admin')).status).toBe(403)
      expect((await browser.post('/admin/clear', { csrf })).status).toBe(403)
    }
    expect(sizes(server)).not.toContain(0)
  })
})

test('what changed is forgotten under every name, and nothing else is', async () => {
  await using server = await TestServer.start()
  for (const username of ['ada', 'ben']) {
    const browser = server.browser()
    await browser.signIn(shop, username)
    await browser.get('/account')
  }
  expect(sizes(server)).toEqual([1, 4])
  await userChanged(server.state.realmCache, 'id of ada')
  expect(sizes(server)).toEqual([1, 2])
  expect(server.state.realmCache.region('users').peek('name ben')).toMatchObject({ name: 'ben' })
  await clientChanged(server.state.realmCache, 'shop')
  expect(sizes(server)).toEqual([0, 2])
})

describeWith(redis, 'two nodes on Redis', () => {
  test('a change of a client or a user shows on both', { timeout: 60_000 }, async () => {
    const run = randomUUID()
    const config: AuthStateConfig = {
      provider: 'redis',
      redis: { url: redisUrl(), prefix: `authstate-example-${run}` },
      keyring: { current: 'k', keys: { k: run.repeat(2) } },
      clock: systemClock,
    }
    // The host's database, which both nodes read.
    const clients: Client[] = [shop, app]
    const people: User[] = [...users]
    const options = { clients, users: people }
    await using a = await TestServer.start(config, options)
    await using b = await TestServer.start(config, options)

    const atA = a.browser()
    await atA.signIn()
    const atB = new TestBrowser(b)
    for (const [name, value] of atA.cookies) atB.cookies.set(name, value)

    const clientNameAt = async (server: TestServer): Promise<string | undefined> => {
      const browser = server.browser()
      const { location } = await browser.begin(app)
      return /to go on to ([^<]*)</.exec(await (await browser.get(location)).text())?.[1]
    }
    const userNameAt = async (browser: TestBrowser): Promise<string | undefined> =>
      /Signed in as ([^<]*)\.</.exec(await (await browser.get('/account')).text())?.[1]
    const seen = async (): Promise<(string | undefined)[]> => [
      await clientNameAt(a),
      await clientNameAt(b),
      await userNameAt(atA),
      await userNameAt(atB),
    ]

    const rename = (clientName: string, userName: string): void => {
      clients[1] = { ...app, name: clientName }
      people[0] = { ...(users[0] as User), name: userName }
    }
    // Both look first, until both keep what they saw: a change that nobody tells of is not noticed.
    const kept = (): unknown[] => [
      a.state.realmCache.region('clients').peek('app'),
      b.state.realmCache.region('clients').peek('app'),
      a.state.realmCache.region('users').peek('id id of ada'),
      b.state.realmCache.region('users').peek('id id of ada'),
    ]
    await expect.poll(async () => (await seen()) && kept(), { timeout: 20_000 }).not.toContain(undefined)
    rename('App 2', 'Ada 2')
    expect(await seen()).toEqual(['App', 'App', 'ada', 'ada'])

    // An administrator on A: there at once, elsewhere as soon as the word is there.
    const csrf = csrfOf(await (await atA.get('/admin')).text())
    expect((await atA.post('/admin/clear', { csrf })).status).toBe(303)
    expect([await clientNameAt(a), await userNameAt(atA)]).toEqual(['App 2', 'Ada 2'])
    await expect.poll(seen, { timeout: 20_000 }).toEqual(['App 2', 'App 2', 'Ada 2', 'Ada 2'])

    // The host tells of what it changed: the client on B, the user on A.
    await expect.poll(kept, { timeout: 20_000 }).not.toContain(undefined)
    rename('App 3', 'Ada 3')
    await clientChanged(b.state.realmCache, 'app')
    await userChanged(a.state.realmCache, 'id of ada')
    expect([await clientNameAt(b), await userNameAt(atA)]).toEqual(['App 3', 'Ada 3'])
    await expect.poll(seen, { timeout: 20_000 }).toEqual(['App 3', 'App 3', 'Ada 3', 'Ada 3'])
  })
})
