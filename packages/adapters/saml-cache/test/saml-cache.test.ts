import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ActionTokenProvider, actionTokenSpi, memoryActionTokens } from '@authstate/action-token'
import { redisActionTokens } from '@authstate/action-token/redis'
import { FakeClock, openInspector, together } from '@authstate/conformance'
import { type RedisClient, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { type Clock, ConfigurationError, StoreUnavailableError } from '@authstate/spi'
import { type CacheProvider, SAML, ValidateInResponseTo } from '@node-saml/node-saml'
import type { Redis } from 'ioredis'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { describeWith, redis } from '../../../../tools/testing/capabilities.js'
import { openRedis } from '../../../../tools/testing/redis-targets.js'
import { cacheProvider, type SamlCacheOptions, type SamlCacheState } from '../src/index.js'
import { idpCert, respondTo } from './identity-provider.js'

const ROUNDS = 100

interface Over {
  readonly redis?: { readonly client: RedisClient; readonly prefix: string }
  readonly clock?: Clock
  readonly properties?: Readonly<Record<string, number>>
}

/** A node that keeps tokens in memory, or in a Redis under a prefix. */
async function openState({ redis: over, clock, properties }: Over = {}): Promise<SamlCacheState> {
  const provider = over ? 'redis' : 'memory'
  const registry = createProviderRegistry({
    factories: over ? [redisActionTokens(), redisConnection()] : [memoryActionTokens()],
    config: {
      ...(over && { redis: over }),
      spi: { 'action-token': { provider, [provider]: properties ?? {} } },
    },
    ...(clock !== undefined && { clock }),
  })
  await registry.start()
  onTestFinished(() => registry.close())
  return { actionTokens: registry.get(actionTokenSpi) }
}

/** A service provider that node-saml is, with whatever cache. */
const serviceProvider = (cache: CacheProvider): SAML =>
  new SAML({
    callbackUrl: 'http://localhost/saml',
    entryPoint: 'http://localhost/idp',
    issuer: 'sp',
    idpCert,
    validateInResponseTo: ValidateInResponseTo.always,
    wantAssertionsSigned: false,
    cacheProvider: cache,
  })

/** Serves `POST /saml`, as an application does. */
async function serve(saml: SAML): Promise<(response: string) => Promise<string>> {
  const server = createServer(async (request, answer) => {
    let body = ''
    for await (const chunk of request) body += chunk
    try {
      const { profile } = await saml.validatePostResponseAsync({
        SAMLResponse: new URLSearchParams(body).get('SAMLResponse') ?? '',
      })
      answer.end(`welcome ${profile?.nameID}`)
    } catch (error) {
      answer.writeHead(401).end((error as Error).message)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.closeAllConnections())
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return async (response) => {
    const answered = await fetch(`http://127.0.0.1:${port}/saml`, {
      method: 'POST',
      body: new URLSearchParams({ SAMLResponse: response }),
    })
    return answered.text()
  }
}

/** Begins a login. @returns the id of its request */
async function begin(saml: SAML, cache: CacheProvider): Promise<string> {
  let id = ''
  const { saveAsync } = cache
  cache.saveAsync = (key, value) => {
    id = key
    return saveAsync(key, value)
  }
  await saml.getAuthorizeUrlAsync('', undefined, {})
  cache.saveAsync = saveAsync
  return id
}

/** The cache that people write over Redis: each of its commands is atomic. */
function plainCache(client: Redis, prefix: string): CacheProvider {
  return {
    saveAsync: async (key, value) => {
      await client.set(`${prefix}:plain:${key}`, value, 'PX', 60_000)
      return { value, createdAt: 0 }
    },
    getAsync: (key) => client.get(`${prefix}:plain:${key}`),
    removeAsync: async (key) => ((await client.del(`${prefix}:plain:${key}`)) === 1 ? key : null),
  }
}

/** How often each response was let in, of those that were posted to two nodes at once. */
async function countAccepted(
  cacheOfNode: () => CacheProvider,
  rounds = ROUNDS,
): Promise<Record<number, number>> {
  const caches = [cacheOfNode(), cacheOfNode()]
  const nodes = caches.map(serviceProvider)
  const posts = await Promise.all(nodes.map(serve))
  const accepted: Record<number, number> = {}
  for (let round = 0; round < rounds; round++) {
    const response = respondTo(await begin(nodes[round % 2] as SAML, caches[round % 2] as CacheProvider))
    const answers = await Promise.all(posts.map((post) => post(response)))
    const times = answers.filter((answer) => answer === 'welcome ada@example.com').length
    accepted[times] = (accepted[times] ?? 0) + 1
  }
  return accepted
}

function describeCache(open: () => Promise<SamlCacheState>, openOther: typeof open): void {
  test('of one response posted to two nodes at once exactly one is let in, a hundred times', async () => {
    const states = [await open(), await openOther()]
    expect(await countAccepted(() => cacheProvider(states.pop() as SamlCacheState))).toEqual({ 1: ROUNDS })
  })

  test('ten removals at once: one resolves, the others reject', async () => {
    const nodes = [cacheProvider(await open()), cacheProvider(await openOther())] as const
    await nodes[0].saveAsync('_1', 'x')
    await nodes[0].getAsync('_1')
    const settled = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => nodes[index % 2 === 0 ? 0 : 1].removeAsync('_1')),
    )
    expect(settled.filter(({ status }) => status === 'fulfilled')).toEqual([
      { status: 'fulfilled', value: '_1' },
    ])
  })

  test('keeps a request, once', async () => {
    const cache = cacheProvider(await open())
    const item = await cache.saveAsync('_2', '2026-11-30T12:00:00Z')
    expect(item).toEqual({ value: '2026-11-30T12:00:00Z', createdAt: expect.any(Number) })
    expect(await cache.saveAsync('_2', 'another')).toBeNull()
    expect(await cache.getAsync('_2')).toBe('2026-11-30T12:00:00Z')
    expect(await cache.getAsync('_3')).toBeNull()
    expect(await cache.removeAsync(null)).toBeNull()
    expect(await cache.removeAsync('_2')).toBe('_2')
    expect(await cache.getAsync('_2')).toBeNull()
    expect(await cache.saveAsync('_2', 'again')).not.toBeNull()
  })

  test.each([
    ['of no byte', ''],
    ['of 100 000 bytes', 'x'.repeat(100_000)],
    ['of any script', 'запрос-リクエスト-🪪'],
    ['that names what objects inherit', '__proto__'],
  ])('an id %s is one like any other', async (_, id) => {
    const cache = cacheProvider(await open())
    expect(await cache.getAsync(id)).toBeNull()
    await expect(cache.removeAsync(id)).rejects.toThrow(/^InResponseTo is not valid/)
    expect(await cache.saveAsync(id, 'x')).toMatchObject({ value: 'x' })
    expect(await cache.getAsync(id)).toBe('x')
    expect(await cache.removeAsync(id)).toBe(id)
  })
}

describe('in memory', () => {
  const opened = new Map<string, SamlCacheState>()
  const open = async () => {
    const name = expect.getState().currentTestName ?? ''
    const state = opened.get(name) ?? (await openState())
    opened.set(name, state)
    return state
  }
  describeCache(open, open)

  test('on one node as well, and a response is not let in later', async () => {
    const cache = cacheProvider(await openState())
    const saml = serviceProvider(cache)
    const post = await serve(saml)
    const response = respondTo(await begin(saml, cache))
    const answers = await together(10, () => post(response))
    expect(answers.filter((answer) => answer.startsWith('welcome'))).toHaveLength(1)
    expect(await post(response)).toMatch(/^InResponseTo is not valid/)
  })

  test('of validations that one call has begun exactly one lets the response in, also where it looked itself', async () => {
    const cache = cacheProvider(await openState())
    const saml = serviceProvider(cache)
    const id = await begin(saml, cache)
    const container = { SAMLResponse: respondTo(id) }
    await cache.getAsync(id)
    const settled = await Promise.allSettled(
      Array.from({ length: 10 }, () => saml.validatePostResponseAsync(container)),
    )
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    await expect(saml.validatePostResponseAsync(container)).rejects.toThrow(/^InResponseTo is not valid/)
  })

  test('what node-saml refuses for another reason is told as node-saml tells it', async () => {
    const cache = cacheProvider(await openState())
    const saml = serviceProvider(cache)
    const post = await serve(saml)
    const id = await begin(saml, cache)
    const response = respondTo(id, { audience: 'somebody else' })
    expect(await post(response)).toMatch(/^SAML assertion audience mismatch/)
    expect(await post(response), 'the request is spent').toMatch(/^InResponseTo is not valid/)
    expect(await post(Buffer.from('<a/>').toString('base64'))).toBe('InResponseTo is missing from response')
    expect(await post(respondTo('_unknown'))).toMatch(/^InResponseTo is not valid/)
  })

  test('a request ends with its time', async () => {
    const clock = new FakeClock()
    const cache = cacheProvider(await openState({ clock }), { lifespanMs: 1_000 })
    expect(await cache.saveAsync('_1', 'x')).toEqual({ value: 'x', createdAt: clock.now() })
    clock.advance(999)
    expect(await cache.getAsync('_1')).toBe('x')
    clock.advance(1)
    expect(await cache.getAsync('_1')).toBeNull()
    await expect(cache.removeAsync('_1')).rejects.toThrow(/^InResponseTo is not valid/)
  })

  test('two realms are apart', async () => {
    const state = await openState()
    await cacheProvider(state, { realmId: 'a' }).saveAsync('_1', 'x')
    expect(await cacheProvider(state, { realmId: 'b' }).getAsync('_1')).toBeNull()
  })

  test('a value that is too long is refused by name and size, and nothing is stored', async () => {
    const cache = cacheProvider(await openState({ properties: { maxDataBytes: 100 } }))
    await expect(cache.saveAsync('_1', 'x'.repeat(200))).rejects.toThrow(
      /at most 100 bytes.*"maxDataBytes".*got 212/,
    )
    expect(await cache.getAsync('_1')).toBeNull()
  })

  test('a store that is away is an error, and the response is let in afterwards', async () => {
    const { actionTokens } = await openState()
    const cache = cacheProvider({ actionTokens })
    const response = respondTo(await begin(serviceProvider(cache), cache))
    const post = await serve(serviceProvider(cacheProvider({ actionTokens: awayOnce(actionTokens) })))
    expect(await post(response)).toBe('the store is away')
    expect(await post(response)).toBe('welcome ada@example.com')
  })

  test.each([
    [{ realmId: '' }, TypeError, /"realmId"/],
    [{ lifespanMs: 0 }, RangeError, /"lifespanMs"/],
    [{ lifespan: 1 }, TypeError, /'lifespanMs'/],
    [{ lifespanMs: 31 * 86_400_000 }, ConfigurationError, /"lifespanMs".*"maxLifespanMs" of action-token/],
  ])('refuses to start with %o', async (options, type, message) => {
    const state = await openState()
    const start = () => cacheProvider(state, options as SamlCacheOptions)
    expect(start).toThrow(type)
    expect(start).toThrow(message)
  })
})

describeWith(redis, 'on Redis', () => {
  const client = openRedis()
  const prefix = `saml-cache-${process.pid}`
  afterAll(async () => {
    await (await openInspector(client)).clear(prefix)
    client.disconnect()
  })
  const open = () => openState({ redis: { client, prefix } })
  describeCache(open, open)

  test('beside it, a cache of get and delete lets responses in twice', async () => {
    const rounds = 50
    const accepted = await countAccepted(() => plainCache(client, prefix), rounds)
    expect(accepted[2]).toBeGreaterThan(0)
    console.log(`a cache of get and delete let ${accepted[2]} of ${rounds} responses in twice`)
  })
})

/** A provider whose next calls of `get` and `take` fail. */
function awayOnce(actionTokens: ActionTokenProvider): ActionTokenProvider {
  const failing = (verb: 'get' | 'take') => {
    let isAway = true
    return {
      value: (...given: [realmId: string, kind: string, key: string]) => {
        if (!isAway) return actionTokens[verb](...given)
        isAway = false
        return Promise.reject(new StoreUnavailableError('the store is away', { applied: 'no' }))
      },
    }
  }
  return Object.create(actionTokens, { get: failing('get'), take: failing('take') }) as ActionTokenProvider
}
