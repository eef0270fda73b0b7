import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { balancerCapability, type RunningBalancer, startBalancer } from '../../../tools/testing/balancers.js'
import { bundle } from '../../../tools/testing/bundle.js'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { Application, type Login } from '../src/demo/application.js'
import { Browser, type Visit } from '../src/demo/browser.js'
import { type NodeProcess, startProcess } from '../src/demo/node-process.js'
import { clearRedis, type Node } from '../src/demo/nodes.js'
import { createWorld, NOTES, PASSWORDS, type World } from '../src/demo/world.js'

const NODES = ['n1', 'n2', 'n3'] as const
const BROWSERS = 24
const ROUNDS = 2
/** Above the three checks after which HAProxy holds a node for gone. */
const DRAIN_MS = 10_000

/** A request that a node answered. */
interface Answer {
  readonly route: string | undefined
  readonly node: string | null
  readonly status: number
}

/** A browser in the middle of a login. */
interface Begun {
  readonly browser: Browser
  readonly login: Login
  readonly page: Visit
  /** Who answered, newest last. */
  readonly answers: Answer[]
}

const routeOf = (cookie: string): string | undefined => /AUTH_SESSION_ID=[^.;]*[.]([^;]+)/.exec(cookie)?.[1]

const haproxy = balancerCapability('haproxy')

describeWith(redis.available ? haproxy : redis, 'three nodes behind HAProxy', () => {
  const running = new Map<string, NodeProcess>()
  let world: World
  let nodes: readonly NodeProcess[]
  let balancer: RunningBalancer
  let site: Node
  let notes: Application

  beforeAll(async () => {
    const demo = await createWorld(redisUrl())
    const [alice] = demo.users
    if (!alice) throw new Error('the demo has no users')
    const users = Array.from({ length: BROWSERS }, (_, n) => ({
      ...alice,
      id: `u-${n}`,
      username: `user${n}`,
    }))
    world = { ...demo, users }
    const main = fileURLToPath(new URL('../src/demo/node-main.ts', import.meta.url))
    const options = { drainMs: DRAIN_MS, program: bundle(main)[0] as string }
    nodes = await Promise.all(NODES.map((name) => startProcess(world, name, options)))
    for (const node of nodes) running.set(node.name, node)
    const ports = nodes.map(({ origin }) => Number(new URL(origin).port))
    balancer = await startBalancer('haproxy', ports)
    site = { name: 'haproxy', origin: `http://127.0.0.1:${balancer.port}` }
    notes = await Application.discover(site, NOTES)
  }, 120_000)

  afterAll(async () => {
    await Promise.all([...running.values()].map((node) => node.end('SIGKILL')))
    await balancer?.stop()
    await clearRedis(world)
  })

  /** Where a node, asked past the balancer, sends new logins: to all nodes once it knows them. */
  async function routesBy(node: Node): Promise<Set<string | undefined>> {
    const routes = await crowd(async () => {
      let route: string | undefined
      const browser = new Browser((exchange) => {
        route = routeOf(exchange.cookie)
      })
      await browser.open(node, (await notes.begin()).url)
      return route
    })
    return new Set(routes)
  }

  /** Opens the login page, and reloads it as people do. */
  async function begin(): Promise<Begun> {
    const answers: Answer[] = []
    const browser = new Browser(({ cookie, response }) => {
      answers.push({ route: routeOf(cookie), node: response.headers.get('x-node'), status: response.status })
    })
    const login = await notes.begin()
    let page = await browser.open(site, login.url)
    for (let n = 0; n < 2; n++) page = await browser.open(site, page.url)
    return { browser, login, page, answers }
  }

  /** Types the password; the application redeems the code, at whichever node, and asks who it is. */
  async function finish({ browser, login, page }: Begun, user: number): Promise<void> {
    const fields = { username: `user${user}`, password: PASSWORDS.alice }
    const visit = await browser.submit(site, page, '/login', fields)
    const tokens = await notes.redeem(site, visit.url, login)
    const { preferred_username: username } = await notes.userinfo(site, tokens)
    expect(username).toBe(fields.username)
  }

  const crowd = <T>(run: (user: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: BROWSERS }, (_, user) => run(user)))

  /** Requests with a route that another node answered than that of the route, but for one that is going. */
  const astray = (answers: readonly Answer[], going?: string): Answer[] =>
    answers.filter(({ route, node }) => route !== undefined && route !== node && route !== going)

  const failed = (answers: readonly Answer[]): Answer[] => answers.filter(({ status }) => status >= 400)

  test('every node sends new logins to all three', { timeout: 60_000 }, async () => {
    for (const node of nodes) {
      await expect.poll(() => routesBy(node), { timeout: 20_000 }).toEqual(new Set(NODES))
    }
  })

  test('everybody gets in, each on the node of its cookie, while nodes go', {
    timeout: 180_000,
  }, async () => {
    const before = await crowd(begin)
    const routes = before.map(({ answers }) => answers.at(-1)?.route)
    expect(new Set(routes)).toEqual(new Set(NODES))
    const first = before.flatMap(({ answers }) => answers)
    expect([astray(first), failed(first)]).toEqual([[], []])

    // One node is stopped in the middle of a crowd of logins.
    let done = 0
    let stopped: Promise<unknown> | undefined
    const during: Answer[] = []
    await crowd(async (user) => {
      for (let round = 0; round < ROUNDS; round++) {
        const begun = await begin()
        await finish(begun, user)
        during.push(...begun.answers)
        done += 1
        if (done === (BROWSERS * ROUNDS) / 2) stopped = running.get('n2')?.end('SIGTERM')
      }
    })
    expect(done).toBe(BROWSERS * ROUNDS)
    expect([astray(during, 'n2'), failed(during)]).toEqual([[], []])
    const served = during.filter(({ route }) => route === 'n2').map(({ node }) => node)
    expect(served).toContain('n2')
    await stopped

    // Who had a login page of that node gets another node for the rest of the login; nobody else moves.
    const reload = async ({ browser, page, answers }: Begun): Promise<Answer | undefined> => {
      await browser.open(site, page.url)
      return answers.at(-1)
    }
    await expect
      .poll(async () => (await Promise.all(before.map(reload))).map((answer) => answer?.route), {
        timeout: 20_000,
      })
      .not.toContain('n2')
    const after = await Promise.all(before.map(reload))
    expect(astray(after as Answer[])).toEqual([])
    for (const [n, route] of routes.entries()) {
      if (route === 'n2') expect(['n1', 'n3']).toContain(after[n]?.node)
      else expect(after[n]?.node).toBe(route)
    }

    // Another dies between the page and the password.
    expect(after.map((answer) => answer?.node)).toContain('n3')
    await running.get('n3')?.end('SIGKILL')
    await crowd((user) => finish(before[user] as Begun, user))
    const last = before.flatMap(({ answers }) => answers)
    expect(failed(last)).toEqual([])
    expect(new Set(before.map(({ answers }) => answers.at(-1)?.node))).toEqual(new Set(['n1']))
  })
})
