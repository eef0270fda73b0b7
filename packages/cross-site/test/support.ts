import { randomUUID } from 'node:crypto'
import { type ActionTokenProvider, actionTokenSpi } from '@authstate/action-token'
import { redisActionTokens } from '@authstate/action-token/redis'
import { type AuthSessionProvider, authSessionSpi } from '@authstate/auth-session'
import { redisAuthSessions } from '@authstate/auth-session/redis'
import { type ClusterProvider, clusterSpi } from '@authstate/cluster'
import { redisCluster } from '@authstate/cluster/redis'
import { type FakeClock, RecordingLogger } from '@authstate/conformance'
import { type LoginFailureProvider, loginFailureSpi } from '@authstate/login-failure'
import { redisLoginFailures } from '@authstate/login-failure/redis'
import { type RealmCacheProvider, realmCacheSpi } from '@authstate/realm-cache'
import { redisRealmCache } from '@authstate/realm-cache/redis'
import { type RedisConnection, redisConnection, redisConnectionSpi } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { type UserSessionProvider, userSessionSpi } from '@authstate/user-session'
import { redisUserSessions } from '@authstate/user-session/redis'
import { type WebSessionProvider, webSessionSpi } from '@authstate/web-session'
import { redisWebSessions } from '@authstate/web-session/redis'
import { onTestFinished } from 'vitest'
import { until as waitUntil } from '../../../tools/servers/topology.mjs'
import { redisUrl } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { type Delay, TcpProxy } from '../../../tools/testing/tcp-proxy.js'
import { type CrossSite, type CrossSiteConfig, crossSite } from '../src/index.js'

export const REALM = 'acme'
const PARTITIONS = 2

/** What a node of a site is opened with. */
export interface SiteOptions {
  readonly name: string
  readonly prefix: string
  /** The other sites: name, prefix and the way there. */
  readonly others: Readonly<Record<string, { readonly prefix: string; readonly url?: string }>>
  readonly clock?: FakeClock
  /** Clocks of the other sites. */
  readonly clocks?: Readonly<Record<string, FakeClock>>
  readonly config?: Partial<CrossSiteConfig>
  readonly partitions?: number
  readonly maxNotes?: number
  /** Without it, nothing is told yet. */
  readonly starts?: boolean
  /** What action tokens of the site go through instead of its connection. */
  readonly through?: (connection: RedisConnection) => RedisConnection
  readonly logger?: RecordingLogger
}

/** A node of a site. */
export interface TestSite {
  readonly users: UserSessionProvider
  readonly failures: LoginFailureProvider
  readonly webs: WebSessionProvider
  readonly tokens: ActionTokenProvider
  readonly logins: AuthSessionProvider
  readonly cluster: ClusterProvider
  readonly cache: RealmCacheProvider
  readonly connection: RedisConnection
  readonly sites: CrossSite
  readonly logger: RecordingLogger
  start(): Promise<CrossSite>
  close(): Promise<void>
}

/** A prefix below which nothing is left when the test ends. */
export function freshPrefix(): string {
  const prefix = `sites-${randomUUID()}`
  onTestFinished(async () => {
    const raw = openRedis()
    const keys = await raw.keys(`${prefix}:*`)
    if (keys.length > 0) await raw.unlink(...keys)
    raw.disconnect()
  })
  return prefix
}

const tokensThrough = (through: SiteOptions['through'] = (connection) => connection) => {
  const factory = redisActionTokens()
  const create: typeof factory.create = (context, config) => {
    const connection = through(context.get(redisConnectionSpi))
    const get = (spi: unknown) => (spi === redisConnectionSpi ? connection : context.get(spi as never))
    return factory.create(Object.create(context, { get: { value: get } }), config)
  }
  return { ...factory, create }
}

export async function openSite(options: SiteOptions): Promise<TestSite> {
  const { name, prefix, others, clock, clocks, config, partitions = PARTITIONS, starts = true } = options
  const logger = options.logger ?? new RecordingLogger()
  const plan = crossSite({
    site: name,
    sites: Object.fromEntries(
      Object.entries(others).map(([other, { prefix: there, url = redisUrl() }]) => [
        other,
        { redis: { url, prefix: there, commandTimeoutMs: 1_000 } },
      ]),
    ),
    heartbeatMs: 20,
    ...config,
  })
  const registry = createProviderRegistry({
    factories: [
      redisUserSessions(),
      redisLoginFailures(),
      redisWebSessions(),
      tokensThrough(options.through),
      redisAuthSessions(),
      redisCluster(),
      redisRealmCache(),
      redisConnection(),
    ],
    config: {
      redis: {
        url: redisUrl(),
        prefix,
        partitions,
        changes: { consumers: [plan.consumer], ...(options.maxNotes && { maxNotes: options.maxNotes }) },
      },
      spi: {
        'user-session': { provider: 'redis', redis: { sweepIntervalMs: 0 } },
        'login-failure': { provider: 'redis' },
        'web-session': { provider: 'redis' },
        'action-token': { provider: 'redis' },
        'auth-session': { provider: 'redis' },
        cluster: { provider: 'redis' },
        'realm-cache': { provider: 'redis' },
      },
    },
    realms: () => ({ bruteForce: { enabled: true, failureFactor: 3, quickLoginCheckMs: 0 } }),
    logger,
    ...(clock && { clock }),
  })
  await registry.start()
  const connection = registry.get(redisConnectionSpi)
  let sites: CrossSite | undefined
  let closing: Promise<void> | undefined
  const start = async () => {
    sites = await plan.start(connection, {
      logger,
      reading: { pollMs: 4, leaseMs: 600 },
      ...(clocks && { clocks }),
    })
    return sites
  }
  const close = () => {
    closing ??= (async () => {
      await sites?.close()
      await registry.close()
    })()
    return closing
  }
  onTestFinished(close)
  if (starts) await start()
  return {
    users: registry.get(userSessionSpi),
    failures: registry.get(loginFailureSpi),
    webs: registry.get(webSessionSpi),
    tokens: registry.get(actionTokenSpi),
    logins: registry.get(authSessionSpi),
    cluster: registry.get(clusterSpi),
    cache: registry.get(realmCacheSpi),
    connection,
    get sites() {
      if (sites === undefined) throw new Error('it has not begun')
      return sites
    },
    logger,
    start,
    close,
  }
}

/** A way to the Redis of a site that can be cut, and whose answers may be kept. */
export async function openWay(answers?: Delay): Promise<{ url: string; cut(): void; heal(): void }> {
  const port = Number(new URL(redisUrl()).port)
  const proxy = await TcpProxy.start(port, answers === undefined ? {} : { down: answers })
  onTestFinished(() => proxy.stop())
  return {
    url: `redis://127.0.0.1:${proxy.port}`,
    // Nobody listens there.
    cut: () => proxy.goTo(1),
    heal: () => proxy.goTo(port),
  }
}

/** Two sites that have caught up with each other, and the ways between them. */
export async function openTwo(more: Partial<SiteOptions> = {}) {
  const [prefixA, prefixB] = [freshPrefix(), freshPrefix()]
  const [toA, toB] = [await openWay(), await openWay()]
  const a = await openSite({
    ...more,
    name: 'a',
    prefix: prefixA,
    others: { b: { prefix: prefixB, url: toB.url } },
  })
  const b = await openSite({
    ...more,
    name: 'b',
    prefix: prefixB,
    others: { a: { prefix: prefixA, url: toA.url } },
  })
  await isState(a, 'b', 'online')
  await isState(b, 'a', 'online')
  await inStep(a, b)
  return { a, b, toA, toB, prefixA, prefixB }
}

/** Sites that all know each other and have caught up, and the ways between them: `ways[from][to]`. */
export async function openMesh(
  names: readonly string[],
  more: Partial<SiteOptions> = {},
  configs: Readonly<Record<string, Partial<CrossSiteConfig>>> = {},
) {
  const prefixes = Object.fromEntries(names.map((name) => [name, freshPrefix()]))
  const ways: Record<string, Record<string, Awaited<ReturnType<typeof openWay>>>> = {}
  const sites: Record<string, TestSite> = {}
  for (const name of names) {
    const others = names.filter((other) => other !== name)
    const ofName = Object.fromEntries(
      await Promise.all(others.map(async (other) => [other, await openWay()] as const)),
    )
    ways[name] = ofName
    sites[name] = await openSite({
      ...more,
      config: { ...more.config, ...configs[name] },
      name,
      prefix: prefixes[name] as string,
      others: Object.fromEntries(
        others.map((other) => [
          other,
          { prefix: prefixes[other] as string, url: ofName[other]?.url as string },
        ]),
      ),
    })
  }
  for (const name of names)
    for (const other of names) if (other !== name) await isState(sites[name] as TestSite, other, 'online')
  const site = (name: string) => sites[name] as TestSite
  await inStep(...names.map(site))
  const both = (one: string, other: string, how: 'cut' | 'heal') => {
    ways[one]?.[other]?.[how]()
    ways[other]?.[one]?.[how]()
  }
  return { site, ways, prefixes, both }
}

/** Passes once what a site does by itself is done. */
export const until = <T>(look: () => Promise<T | undefined | false>): Promise<NonNullable<T>> =>
  waitUntil('what a site does by itself', look as () => Promise<T>, { timeoutMs: 50_000, everyMs: 5 })

/** Passes once a link is in a state. */
export async function isState({ sites }: TestSite, to: string, state: string): Promise<void> {
  await until(async () => (await sites.links()).some((link) => link.to === to && link.state === state))
}

/** Passes once each has told the others all that changed. */
export async function inStep(...sites: readonly TestSite[]): Promise<void> {
  for (const site of sites) {
    for (;;) {
      await site.sites.caughtUp()
      const links = await site.sites.links()
      if (links.every(({ state, behind }) => state === 'online' && behind === 0)) break
      for (const { to } of links) await isState(site, to, 'online')
    }
  }
}

/** Passes once the clock of a site has gone on by so much. */
export async function passes({ connection }: TestSite, ms: number): Promise<void> {
  const from = connection.clock.now()
  await until(async () => connection.clock.now() >= from + ms)
}

/** Signs a user in. */
export async function signIn({ users }: TestSite, userId = 'alice', clientId = 'shop') {
  const made = await users.create(REALM, { userId, loginUsername: userId, client: { clientId } })
  if (made.outcome !== 'created') throw new Error(made.outcome)
  return made.session
}
