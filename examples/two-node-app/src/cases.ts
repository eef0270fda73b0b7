import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { Browser } from './browser.js'
import { pause, type System } from './system.js'

/** What is shown with real processes, by its number in the plan of clustered applications. */
export interface Case {
  readonly number: number
  readonly title: string
  run(system: System, redisUrl: string): Promise<void>
}

let names = 0
const fresh = (): { login_hint: string; sid: string } => {
  names += 1
  return { login_hint: `user-${names}`, sid: `sid-${names}` }
}

async function signedIn(system: System, query: Record<string, string> = fresh()): Promise<Browser> {
  const browser = new Browser(system)
  assert.equal(await browser.signIn(query), 302, 'a login')
  return browser
}

async function logoutToken(system: System, claims: object, typ = 'logout+jwt'): Promise<string> {
  const query = new URLSearchParams({ claims: JSON.stringify(claims), typ })
  return ((await (await fetch(`${system.op}/logout-token?${query}`)).json()) as { token: string }).token
}

const send = (to: string, body: BodyInit): Promise<Response> =>
  fetch(`${to}/backchannel`, { method: 'POST', body })
const post = (to: string, token: string) => send(to, new URLSearchParams({ logout_token: token }))

async function logout(system: System, claims: object, to = system.origin): Promise<void> {
  assert.equal((await post(to, await logoutToken(system, claims))).status, 200, 'a logout')
}

async function everywhere(system: System, browser: Browser): Promise<number[]> {
  return Promise.all(([0, 1] as const).map(async (n) => (await browser.copy().open(system.node(n))).status))
}

const untilSoon = async (isSo: () => Promise<boolean>, what: string): Promise<void> => {
  for (let tries = 0; !(await isSo()); tries++) {
    assert.ok(tries < 100, what)
    await pause(50)
  }
}

export const cases: readonly Case[] = [
  {
    number: 39,
    title: 'a sign-in over one process is a session at the other',
    async run(system) {
      const browser = await signedIn(system)
      const pages = [await browser.open(), await browser.open()]
      assert.deepEqual(
        pages.map(({ status }) => status),
        [200, 200],
      )
      assert.notEqual(pages[0]?.body.node, pages[1]?.body.node)
      assert.equal(pages[0]?.body.id, pages[1]?.body.id)
      for (const [name, value] of browser.cookies) assert.ok(name.length + value.length < 4_096)
    },
  },
  {
    number: 40,
    title: 'a logout that arrives at one process ends the session at the other, and its cookies go',
    async run(system) {
      const names = fresh()
      const browser = await signedIn(system, names)
      await logout(system, { sid: names.sid }, system.node(0))
      const page = await browser.open(system.node(1))
      assert.deepEqual([page.status, page.body.absent], [401, 'ended'])
      assert.deepEqual([...browser.cookies.keys()], ['login'])
    },
  },
  {
    number: 41,
    title: 'a logout before the callback makes the login come to nothing',
    async run(system) {
      const names = fresh()
      assert.equal(await new Browser(system).signIn(names, () => logout(system, { sid: names.sid })), 401)
      const other = fresh()
      const ofUser = () => logout(system, { sub: other.login_hint })
      assert.equal(await new Browser(system).signIn(other, ofUser), 401)
    },
  },
  {
    number: 42,
    title: 'a logout ends what it is about; a new login stands, and the old cookie stays dead',
    async run(system) {
      const { login_hint } = fresh()
      const [a, b] = [fresh().sid, fresh().sid]
      const first = await signedIn(system, { login_hint, sid: a })
      const second = await signedIn(system, { login_hint, sid: b })
      await logout(system, { sid: a, sub: login_hint })
      assert.deepEqual(
        [await everywhere(system, first), await everywhere(system, second)],
        [
          [401, 401],
          [200, 200],
        ],
      )
      await logout(system, { sub: login_hint })
      assert.deepEqual(await everywhere(system, second), [401, 401])
      // A logout token counts whole seconds.
      await pause(1_100)
      const third = await signedIn(system, { login_hint, sid: fresh().sid })
      assert.deepEqual(
        [await everywhere(system, third), await everywhere(system, second)],
        [
          [200, 200],
          [401, 401],
        ],
      )
    },
  },
  {
    number: 43,
    title: 'what is no logout token is refused, all alike, and ends nothing',
    async run(system) {
      const { login_hint, sid } = fresh()
      const browser = await signedIn(system, { login_hint, sid })
      const seconds = Math.floor(Date.now() / 1_000)
      const bad: (readonly [object, string?])[] = [
        [{ sid, iss: 'https://evil.example.com' }],
        [{ sid, aud: 'other' }],
        [{ sid, exp: seconds - 60 }],
        [{ sid, iat: seconds + 120 }],
        [{ sid, events: [] }],
        [{ sid, nonce: 'n' }],
        [{}],
        [{ sid }, 'at+jwt'],
        [{ sub: login_hint, events: undefined, nonce: 'n' }, 'JWT'],
      ]
      const bodies: BodyInit[] = await Promise.all(
        bad.map(
          async ([claims, typ]) =>
            new URLSearchParams({ logout_token: await logoutToken(system, claims, typ) }),
        ),
      )
      const good = await logoutToken(system, { sid })
      const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${good.split('.')[1]}.`
      bodies.push(new URLSearchParams({ logout_token: unsigned }))
      bodies.push(
        new URLSearchParams([
          ['logout_token', good],
          ['logout_token', good],
        ]),
      )
      bodies.push(new URLSearchParams({ logout_token: 'x'.repeat(100_000) }))
      for (const body of bodies) {
        const answer = await send(system.origin, body)
        assert.deepEqual([answer.status, await answer.text()], [400, '{"error":"invalid_request"}'])
      }
      assert.deepEqual(await everywhere(system, browser), [200, 200])
      assert.equal((await post(system.origin, good)).headers.get('cache-control'), 'no-store')
      assert.deepEqual(await everywhere(system, browser), [401, 401])
    },
  },
  {
    number: 44,
    title: 'one token twice, and twenty times at once over both: all 200; another one with its jti: 400',
    async run(system) {
      const { sid } = fresh()
      await signedIn(system, { login_hint: fresh().login_hint, sid })
      const jti = `jti-${sid}`
      const token = await logoutToken(system, { sid, jti })
      const statuses = await Promise.all(
        Array.from({ length: 20 }, async () => (await post(system.origin, token)).status),
      )
      assert.deepEqual([...new Set(statuses)], [200])
      assert.equal((await post(system.origin, token)).status, 200)
      assert.equal((await post(system.origin, await logoutToken(system, { sid: 'other', jti }))).status, 400)
    },
  },
  {
    number: 45,
    title: 'a Redis that takes no writes while ending: 503 with Retry-After, and the next try works',
    async run(system, redisUrl) {
      const { login_hint, sid } = fresh()
      const browser = await signedIn(system, { login_hint, sid })
      const token = await logoutToken(system, { sid })
      const redis = new Redis(redisUrl)
      await redis.call('CLIENT', 'PAUSE', '10000', 'WRITE')
      const failed = await post(system.origin, token)
      await redis.call('CLIENT', 'UNPAUSE')
      redis.disconnect()
      assert.deepEqual([failed.status, failed.headers.get('retry-after')], [503, '5'])
      let status = 0
      await untilSoon(async () => {
        status = (await post(system.origin, token)).status
        return status === 200
      }, 'the next try works')
      assert.deepEqual(await everywhere(system, browser), [401, 401])
    },
  },
  {
    number: 46,
    title: 'two hundred requests with a token at its end: one call, no failure, one token',
    async run(system) {
      await system.control({ accessSeconds: 1, delayMs: 100 })
      const browser = await signedIn(system)
      await system.control({ accessSeconds: 300, delayMs: 100 })
      await pause(1_100)
      const pages = await Promise.all(Array.from({ length: 200 }, () => browser.copy().open()))
      assert.deepEqual([...new Set(pages.map(({ status }) => status))], [200])
      assert.equal(new Set(pages.map(({ body }) => body.token)).size, 1)
      assert.equal(new Set(pages.map(({ body }) => body.node)).size, 2)
      assert.equal((await system.stats()).refreshes, 1)
      await system.control({ delayMs: 0 })
    },
  },
  {
    number: 47,
    title:
      'the process that refreshes is killed: the other one follows; with grace it succeeds, without the session ends once',
    async run(system) {
      for (const hasGrace of [true, false]) {
        await system.control({ accessSeconds: 1, delayMs: 0, hasGrace })
        const browser = await signedIn(system)
        await pause(1_100)
        await system.control({ accessSeconds: 300, delayMs: 300 })
        const dying = browser
          .copy()
          .open(system.node(0))
          .catch(() => undefined)
        await untilSoon(async () => (await system.stats()).refreshes === 1, 'it asks the provider')
        await system.stopNode(0, 'SIGKILL')
        await dying
        await system.control({ accessSeconds: 300, delayMs: 0, hasGrace })
        let status = 503
        await untilSoon(async () => {
          status = (await browser.open(system.node(1))).status
          return status !== 503
        }, 'the other process follows')
        assert.equal(status, hasGrace ? 200 : 401)
        const { refreshes } = await system.stats()
        assert.equal(refreshes, 1)
        await browser.open(system.node(1))
        assert.equal((await system.stats()).refreshes, refreshes)
        await system.startNode(0)
      }
      await system.control({ hasGrace: false, delayMs: 0, accessSeconds: 300 })
    },
  },
  {
    number: 48,
    title: 'a logout while tokens are got: the session stays gone, the new refresh token is revoked',
    async run(system) {
      const { login_hint, sid } = fresh()
      const browser = await signedIn(system, { login_hint, sid })
      await system.control({ delayMs: 300 })
      const refreshing = browser.open(system.node(0), '?force')
      await untilSoon(async () => (await system.stats()).refreshes === 1, 'it asks the provider')
      await logout(system, { sid }, system.node(1))
      assert.equal((await refreshing).status, 401)
      assert.deepEqual(await everywhere(system, browser), [401, 401])
      assert.equal((await system.stats()).revoked, 1)
      await system.control({ delayMs: 0 })
    },
  },
  {
    number: 49,
    title: '2, 20 and 60 roles fit; 400 are too large in cookies; damaged cookies are absent, never an error',
    async run(system) {
      for (const roles of ['2', '20', '60']) {
        const browser = await signedIn(system, { ...fresh(), roles })
        assert.deepEqual(await everywhere(system, browser), [200, 200])
        for (const [name, value] of browser.cookies) browser.cookies.set(name, `${value.slice(0, -5)}AAAAA`)
        assert.deepEqual(await everywhere(system, browser), [401, 401])
      }
      const status = await new Browser(system).signIn({ ...fresh(), roles: '400' })
      assert.ok(status === 302 || status === 413)
    },
  },
  {
    number: 50,
    title:
      'nodes register; both are told; old cookies are refused on both; a killed one expires, a stopped one leaves at once',
    async run(system) {
      const nodes = async () => (await (await fetch(`${system.op}/nodes`)).json()) as string[]
      const both = [system.hostOf(0), system.hostOf(1)].sort()
      await untilSoon(async () => (await nodes()).length === 2, 'both are registered')
      assert.deepEqual(await nodes(), both)
      const browser = await signedIn(system)
      const notBefore = Math.floor(Date.now() / 1_000)
      const tell = async (path: string, action: object) => {
        const query = new URLSearchParams({ path, claims: JSON.stringify(action) })
        return (await (await fetch(`${system.op}/tell-nodes?${query}`)).json()) as { told: number[] }
      }
      assert.deepEqual(
        (await tell('/app/k_push_not_before', { action: 'PUSH_NOT_BEFORE', notBefore })).told,
        [204, 204],
      )
      assert.deepEqual((await tell('/app/k_logout', { action: 'LOGOUT', notBefore })).told, [204, 204])
      assert.deepEqual(await everywhere(system, browser), [401, 401])
      await pause(1_100)
      const later = await signedIn(system)
      assert.deepEqual(
        (await tell('/app/k_push_not_before', { action: 'PUSH_NOT_BEFORE', notBefore: 1 })).told,
        [204, 204],
      )
      assert.deepEqual(
        [await everywhere(system, browser), await everywhere(system, later)],
        [
          [401, 401],
          [200, 200],
        ],
      )
      await system.stopNode(0, 'SIGKILL')
      await system.stopNode(1, 'SIGTERM')
      assert.deepEqual(await nodes(), [system.hostOf(0)])
      await untilSoon(async () => (await nodes()).length === 0, 'the killed one expires')
      await Promise.all([system.startNode(0), system.startNode(1)])
    },
  },
]
