// Whatever takes options refuses a misspelt one and says what was probably meant; verbs of providers do so by their suites.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  checkKeySpace,
  checkSuite,
  defineSuite,
  FakeClock,
  faultyClient,
  leftOut,
  memoryTarget,
  providerTarget,
  redisTarget,
  runSuite,
} from '@authstate/conformance'
import { describe, expect, test } from 'vitest'
import {
  actionTokenSpi,
  confirmLink,
  createReplayGuard,
  memoryActionTokens,
} from '../packages/action-token/src/index.js'
import { createLoginCookies } from '../packages/auth-session/src/index.js'
import { createAuthState } from '../packages/authstate/src/index.js'
import { clusterSpi, memoryCluster } from '../packages/cluster/src/index.js'
import { policyOf } from '../packages/login-failure/src/for-stores.js'
import {
  clientAddressReader,
  loginFailureSpi,
  memoryLoginFailures,
  simulate,
} from '../packages/login-failure/src/index.js'
import { fanOut, memoryRealmCache, PublicKeys, realmCacheSpi } from '../packages/realm-cache/src/index.js'
import { connect, defineScript } from '../packages/redis/src/index.js'
import { createProviderRegistry } from '../packages/registry/src/index.js'
import {
  checkPage,
  defineSpi,
  Emitter,
  resolveRealm,
  StoreUnavailableError,
} from '../packages/spi/src/index.js'
import { deriveKeyring } from '../packages/spi/src/internal.js'
import { createSessions, sessionStrategy } from '../packages/web-session/src/fetch.js'
import { memoryWebSessions, webSessionSpi } from '../packages/web-session/src/index.js'

const registry = createProviderRegistry({
  factories: [
    memoryActionTokens(),
    memoryCluster(),
    memoryLoginFailures(),
    memoryRealmCache(),
    memoryWebSessions(),
  ],
  clock: new FakeClock(),
})
await registry.start()
const tokens = registry.get(actionTokenSpi)
const cluster = registry.get(clusterSpi)
const failures = registry.get(loginFailureSpi)
const cache = registry.get(realmCacheSpi)
const web = { webSessions: registry.get(webSessionSpi) }
const secret = 'a secret of 32 bytes and of a few more'
const nothing = async () => undefined as never
const suite = defineSuite(actionTokenSpi, () => {})
const target = memoryTarget(actionTokenSpi, [memoryActionTokens()])
const runner = { describe: () => {}, test: () => {} }

/** A function as JavaScript calls it. */
type Loose = (...args: unknown[]) => unknown

type Row = readonly [what: string, wrong: string, right: string, call: (options: never) => unknown]

const calls: readonly Row[] = [
  ['confirmLink', 'actionID', 'actionId', (options) => confirmLink(tokens, 'r', options)],
  ['createReplayGuard', 'kindd', 'kind', (options) => createReplayGuard(tokens, options)],
  ['createLoginCookies', 'secur', 'secure', (options) => createLoginCookies(options)],
  [
    'createSessions',
    'lifespanM',
    'lifespanMs',
    (options: object) => createSessions(web, { secret, ...options }),
  ],
  ['createSessions: cookie', 'secur', 'secure', (cookie) => createSessions(web, { secret, cookie })],
  ['sessionStrategy', 'realm', 'realmId', (options) => sessionStrategy(web, options)],
  ['createAuthState', 'provder', 'provider', (options) => createAuthState(options)],
  ['createAuthState: node', 'rout', 'route', (node) => createAuthState({ node })],
  ['createProviderRegistry', 'factorys', 'factories', (options) => createProviderRegistry(options)],
  [
    'a provider factory',
    'secret',
    'secrets',
    (wrong: object) =>
      createProviderRegistry({ factories: [{ spi: actionTokenSpi, id: 'a', create: nothing, ...wrong }] }),
  ],
  ['clientAddressReader', 'forwardedfor', 'forwardedFor', (options) => clientAddressReader([])(options)],
  ['simulate: settings', 'failurefactor', 'failureFactor', (settings) => simulate(settings, [])],
  ['simulate: history', 'categry', 'category', (event) => simulate({}, [event])],
  ['policyOf', 'stratgy', 'strategy', (settings) => policyOf(settings, 'settings')],
  ['guard', 'catgory', 'category', (options) => failures.guard('r', 'u', options, async () => true)],
  ['PublicKeys', 'maxCacheTimeM', 'maxCacheTimeMs', (options) => new PublicKeys(cache, options)],
  ['region', 'maxEntrie', 'maxEntries', (options) => cache.region('r', options)],
  ...(['updated', 'removed'] as const).map(
    (how): Row => [`fanOut.realm.${how}`, 'names', 'name', (realm) => fanOut.realm[how](realm)],
  ),
  ...(['added', 'updated', 'removed'] as const).flatMap((how): Row[] => [
    [`fanOut.client.${how}`, 'clientid', 'clientId', (client) => fanOut.client[how](client)],
    [`fanOut.role.${how}`, 'ofclient', 'ofClient', (role) => fanOut.role[how](role)],
    [`fanOut.group.${how}`, 'parentID', 'parentId', (group) => fanOut.group[how](group)],
    [`fanOut.clientScope.${how}`, 'realmID', 'realmId', (scope) => fanOut.clientScope[how](scope)],
    [`fanOut.user.${how}`, 'userName', 'username', (user) => fanOut.user[how](user)],
  ]),
  ['runOnce', 'leaseM', 'leaseMs', (options) => cluster.runOnce('k', options, nothing)],
  ['runOnceOrWait', 'leaseM', 'leaseMs', (options) => cluster.runOnceOrWait('k', options, nothing)],
  ['withLock', 'waitM', 'waitMs', (options) => cluster.withLock('n', options, nothing)],
  [
    'withLock of a session',
    'waitM',
    'waitMs',
    (options) => cluster.lockSession().withLock('n', options, nothing),
  ],
  ['publish', 'scop', 'scope', (options) => cluster.publish('t', {}, options)],
  ['subscribe', 'onGaps', 'onGap', (options) => cluster.subscribe('t', nothing, options)],
  ['checkSuite', 'timeout', 'timeoutMs', (options) => checkSuite(suite, target, options)],
  [
    'checkSuite: target',
    'leavOut',
    'leaveOut',
    (wrong: object) => checkSuite(suite, { ...target, ...wrong }),
  ],
  ['runSuite', 'sed', 'seed', (options) => runSuite(suite, target, runner, options)],
  [
    'runSuite: target',
    'leavOut',
    'leaveOut',
    (wrong: object) => runSuite(suite, { ...target, ...wrong }, runner),
  ],
  ['leftOut', 'leavOut', 'leaveOut', (wrong: object) => leftOut(suite, { ...target, ...wrong })],
  ['checkKeySpace', 'imortal', 'immortal', (rules) => checkKeySpace({} as never, 'p', rules, 0)],
  [
    'faultyClient',
    'eror',
    'error',
    (fault: object) => faultyClient({} as never).arm('get', { when: 'after', ...fault } as never),
  ],
  ['providerTarget', 'nods', 'nodes', (options) => providerTarget(options)],
  ['redisTarget', 'partition', 'partitions', (options) => redisTarget(options)],
  ['connect', 'loger', 'logger', (surroundings) => connect('redis://127.0.0.1:1', surroundings)],
  [
    'connect: options',
    'prefx',
    'prefix',
    (options: object) => connect({ url: 'redis://127.0.0.1:1', ...options }),
  ],
  ['defineScript', 'recrd', 'record', (definition) => defineScript(definition)],
  ['defineSpi', 'realmSetting', 'realmSettings', (options) => defineSpi('a', options)],
  ['deriveKeyring', 'curent', 'current', (keyring) => deriveKeyring(keyring, 'p')],
  ['checkPage', 'limt', 'limit', (page) => checkPage(page)],
  ['resolveRealm', 'notBefor', 'notBefore', (settings) => resolveRealm(settings)],
  ['Emitter', 'ownr', 'owner', (options) => new Emitter(options)],
  ['StoreUnavailableError', 'aplied', 'applied', (options) => new StoreUnavailableError('m', options)],
]

const failureOf = async (work: () => unknown): Promise<unknown> => {
  try {
    await work()
    return undefined
  } catch (error) {
    return error
  }
}

describe('a misspelt option is refused', () => {
  test.each(calls)('%s: %s', async (_, wrong, right, call) => {
    const error = await failureOf(() => call({ [wrong]: 1 } as never))
    expect(String(error)).toContain(`Did you mean '${right}'?`)
    expect((error as Error).name).toMatch(/^(TypeError|ConfigurationError)$/)
  })
})

describe('options for what takes none are refused', () => {
  const sources = readdirSync('packages').flatMap((name) => {
    const folder = `packages/${name}/src`
    return existsSync(folder) ? readdirSync(folder).map((file) => `${folder}/${file}`) : []
  })
  const makers = sources
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/^export function (\w+)\(\): ProviderFactory</gm)].map(
        ([, name = '']) => ({ name, file }),
      ),
    )

  test('every factory is found', () => expect(makers.length).toBeGreaterThan(20))

  test.each(makers)('$name, and says where properties go', async ({ name, file }) => {
    const module = await import(resolve(file))
    expect(() => module[name]({ maxEntries: 1 })).toThrow(
      new RegExp(`^${name}\\(\\) takes no argument: say the properties .* as (spi: \\{|redis: \\{)`),
    )
    expect(module[name]()).toHaveProperty('spi')
  })

  test.each<[string, (options: never) => unknown]>([
    ['faultyClient(client)', (options) => (faultyClient as Loose)({}, options)],
    [
      'memoryTarget(spi, factories, name)',
      (options) => (memoryTarget as Loose)(actionTokenSpi, [], 'memory', options),
    ],
  ])('%s', (call, give) => {
    expect(() => give({ when: 'after' } as never)).toThrow(`${call} takes no other argument`)
  })

  test('the name of a target is a text', () => {
    expect(() => memoryTarget(actionTokenSpi, [], { name: 'memory' } as never)).toThrow(
      '"name" must be a string',
    )
  })
})

describe('a whole record may say what changed, and more', () => {
  test('properties that are near to nothing, or beside what is meant, are passed over', () => {
    const user = { realmId: 'r', id: 'u', email: 'e', emails: ['e'], username: 'n', createdAt: 1 }
    expect(fanOut.user.updated(user)).toHaveLength(3)
  })
})

describe('a property whose name every object has is refused', () => {
  const nested = (name: string, place: (below: object) => object): object =>
    place(Object.defineProperty({}, name, { value: {}, enumerable: true }))

  test.each<[string, (below: object) => object]>([
    ['the configuration', (below) => below],
    ['a section', (below) => ({ spi: { 'action-token': below } })],
    ['properties of a provider', (below) => ({ spi: { 'action-token': { memory: below } } })],
    ['a section within properties', (below) => ({ spi: { 'login-failure': { address: below } } })],
    ['a region', (below) => ({ spi: { 'realm-cache': { regions: { users: below } } } })],
    ['the names of regions', (below) => ({ spi: { 'realm-cache': { regions: below } } })],
    ['an address of a node', (below) => ({ provider: 'redis', redis: { nodes: [{ host: 'h', ...below }] } })],
    ['options of TLS', (below) => ({ provider: 'redis', redis: { url: 'rediss://h', tls: below } })],
  ])('in %s', async (_, place) => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty', '__proto__']) {
      // `...below` would set the prototype in place of a property.
      const config = JSON.parse(JSON.stringify(nested(name, place)))
      const error = await failureOf(() => createAuthState(config))
      expect(String(error)).toMatch(
        new RegExp(`(no (property|option)|unknown).*'${name}'|'${name}' is unknown`),
      )
    }
  })

  test('in the options of a connection', async () => {
    for (const options of [
      '{"url":"redis://127.0.0.1:1","toString":1}',
      '{"nodes":[{"host":"h","__proto__":1}]}',
    ]) {
      const error = await failureOf(() => connect(JSON.parse(options)))
      expect(String(error)).toMatch(/^ConfigurationError: redis\..*this property does not exist/)
    }
  })
})

describe('a clock of a test shows a time', () => {
  test.each<[string, (value: never) => unknown]>([
    ['FakeClock', (value) => new FakeClock(value)],
    ['advance', (value) => new FakeClock().advance(value)],
    ['set', (value) => new FakeClock().set(value)],
  ])('%s refuses what is no number', (_, call) => {
    for (const value of [{ startMs: 1 }, Number.NaN, '1', null, Number.POSITIVE_INFINITY]) {
      expect(() => call(value as never)).toThrow(TypeError)
    }
  })
})
