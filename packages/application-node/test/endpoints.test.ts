// Nodes make themselves known over HTTP: what Keycloak's endpoints answer, and what only an administrator's rules let in.
import { FakeClock, RecordingLogger } from '@authstate/conformance'
import { createProviderRegistry } from '@authstate/registry'
import { StoreUnavailableError } from '@authstate/spi'
import { describe, expect, onTestFinished, test } from 'vitest'
import { suiteHttpClient } from '../src/conformance.js'
import {
  applicationNodeSpi,
  type ClientTargets,
  createNodeEndpoints,
  memoryApplicationNodes,
  type NodeEndpointOptions,
  type NodeRequestEvent,
} from '../src/index.js'

const BASE = 'https://op.example.com/realms/acme/clients-managements'
const FORM = 'application/x-www-form-urlencoded'

const usual: NodeEndpointOptions['authenticate'] = (request, form) =>
  request.headers.get('authorization') === 'Basic c2hvcDp4' || form.get('client_assertion') === 'good'
    ? { realmId: 'acme', clientId: 'shop' }
    : undefined

/** Endpoints over a registry in memory. */
async function open(options: Partial<NodeEndpointOptions> = {}, target: ClientTargets = {}) {
  const registry = createProviderRegistry({
    factories: [
      suiteHttpClient(),
      memoryApplicationNodes({
        clients: (_realmId, clientId) =>
          clientId === 'shop'
            ? { managementUrl: 'https://shop.example.com/admin', maxNodes: 2, ...target }
            : undefined,
        issuer: () => 'https://op.example.com',
        sign: () => 'token',
      }),
    ],
    config: { spi: { 'application-node': { memory: { dispatch: false } } } },
    clock: new FakeClock(),
    logger: new RecordingLogger(),
  })
  await registry.start()
  onTestFinished(() => registry.close())
  const nodes = registry.get(applicationNodeSpi)
  const events: NodeRequestEvent[] = []
  const errors: unknown[] = []
  const endpoints = createNodeEndpoints(nodes, {
    authenticate: usual,
    onNode: (event) => events.push(event),
    onError: (error) => errors.push(error),
    ...options,
  })
  const send = async (verb: 'registerNode' | 'unregisterNode', body: BodyInit, more: RequestInit = {}) => {
    const request = new Request(BASE, {
      method: 'POST',
      headers: { authorization: 'Basic c2hvcDp4', 'content-type': FORM },
      body,
      ...more,
    })
    const response = await endpoints[verb](request)
    const text = await response.text()
    expect(response.headers.get('cache-control')).toBe('no-store')
    return { status: response.status, headers: response.headers, text }
  }
  const register = (host: string) => send('registerNode', new URLSearchParams({ client_cluster_host: host }))
  const unregister = (host: string) =>
    send('unregisterNode', new URLSearchParams({ client_cluster_host: host }))
  const hosts = async () => (await nodes.list('acme', 'shop')).map(({ host }) => host)
  return { nodes, events, errors, send, register, unregister, hosts }
}

const errorOf = ({ status, text }: { status: number; text: string }) =>
  `${status} ${(JSON.parse(text) as { error: string }).error}`

test('a node registers, renews and leaves; a node that is not known leaves without a word', async () => {
  const { events, register, unregister, hosts } = await open({}, { allowedHosts: ['app-*.example.com'] })
  expect(await register('APP-1.example.com')).toMatchObject({ status: 204, text: '' })
  expect((await register('app-1.example.com')).status).toBe(204)
  expect(await hosts()).toEqual(['app-1.example.com'])
  expect((await unregister('app-1.example.com')).status).toBe(204)
  expect((await unregister('app-1.example.com')).status).toBe(204)
  expect((await unregister('not a host')).status).toBe(204)
  expect(await hosts()).toEqual([])
  expect(events.map(({ type, outcome }) => `${type} ${outcome}`)).toEqual([
    'register-node registered',
    'register-node renewed',
    'unregister-node unregistered',
    'unregister-node unknown',
    'unregister-node unknown',
  ])
  expect(events[0]).toEqual({
    type: 'register-node',
    realmId: 'acme',
    clientId: 'shop',
    host: 'APP-1.example.com',
    outcome: 'registered',
  })
})

test('an entry that an administrator made stays when a client unregisters it', async () => {
  const { nodes, unregister, hosts } = await open()
  await nodes.addManual('acme', 'shop', 'shop.example.com')
  expect((await unregister('shop.example.com')).status).toBe(204)
  expect(await hosts()).toEqual(['shop.example.com'])
})

test('a client may also prove itself by fields of the form', async () => {
  const { send, hosts } = await open()
  const body = new URLSearchParams({ client_assertion: 'good', client_cluster_host: 'shop.example.com' })
  const headers = { 'content-type': `${FORM};charset=UTF-8` }
  expect((await send('registerNode', body, { headers })).status).toBe(204)
  expect(await hosts()).toEqual(['shop.example.com'])
})

describe('a host that may not be', () => {
  test.each([
    'app.evil.example',
    'shop.example.com.evil.example',
    'shop.example.com:8080',
    'shop.example.com/a',
    'user@shop.example.com',
    'shop.example.com%00',
    'shop.example.com\u0000',
    '127.1',
    '2130706433',
    '0x7f.1',
    '127.0.0.1',
    '169.254.169.254',
    '[::1]',
    '::1',
    'xn--a',
    'shop.example.com.',
    '.example.com',
    ' shop.example.com',
    'https://shop.example.com',
    '$'.concat('{application.session.host}'),
    `${'a'.repeat(243)}.example.com`,
  ])('%s is refused, and nothing is stored', async (host) => {
    const { register, hosts, events } = await open({}, { allowedHosts: ['*.example.com'] })
    const refused = await register(host)
    expect(errorOf(refused)).toBe('400 invalid_request')
    // Nothing of what was sent, and nothing of what is allowed.
    expect(refused.text).toBe(
      '{"error":"invalid_request","error_description":"Client cluster host not allowed"}',
    )
    expect(await hosts()).toEqual([])
    expect(events[0]?.outcome).toBe('refused')
  })

  test('one more than the client may have is refused in the same words', async () => {
    const { register, events } = await open({}, { allowedHosts: ['app-*.example.com'] })
    for (const index of [1, 2]) expect((await register(`app-${index}.example.com`)).status).toBe(204)
    expect(await register('app-3.example.com')).toMatchObject({
      status: 400,
      text: (await register('evil.example')).text,
    })
    expect(events.map(({ reason }) => reason)).toEqual([undefined, undefined, 'limit', 'host-not-allowed'])
  })
})

describe('a request that may not be', () => {
  const host = 'client_cluster_host=shop.example.com'

  test.each<[string, Partial<NodeEndpointOptions>, string | RequestInit, string]>([
    ['of nobody', { authenticate: () => undefined }, host, '401 invalid_client'],
    ['unencrypted', { authenticate: () => ({ refused: 'https-required' }) }, host, '403 invalid_request'],
    [
      'of a realm that is switched off',
      { authenticate: () => ({ refused: 'realm-disabled' }) },
      host,
      '401 invalid_client',
    ],
    [
      'of a public client',
      { authenticate: () => ({ realmId: 'acme', clientId: 'shop', isPublic: true }) },
      host,
      '400 invalid_client',
    ],
    [
      'of a client that is not there',
      { authenticate: () => ({ realmId: 'acme', clientId: 'other' }) },
      host,
      '400 invalid_request',
    ],
    ['without a host', {}, 'client=shop', '400 invalid_request'],
    ['with an empty host', {}, 'client_cluster_host=', '400 invalid_request'],
    ['with two hosts', {}, `${host}&${host}`, '400 invalid_request'],
    ['of another type', {}, { headers: { 'content-type': 'text/plain' } }, '400 invalid_request'],
    ['too long', {}, `${host}&pad=${'x'.repeat(65_536)}`, '400 invalid_request'],
  ])('%s', async (_name, options, given, expected) => {
    const { send, hosts } = await open(options)
    const [body, more] = typeof given === 'string' ? [given, {}] : [host, given]
    expect(errorOf(await send('registerNode', body, more))).toBe(expected)
    expect(await hosts()).toEqual([])
    // Who leaves is looked at in the same way, but for the rules of hosts.
    if (!_name.startsWith('of a client')) {
      expect(errorOf(await send('unregisterNode', body, more))).toBe(expected)
    }
  })

  test('by another method, and one whose body does not come', async () => {
    const { send } = await open()
    const endpoint = createNodeEndpoints((await open()).nodes, { authenticate: usual }).registerNode
    const asked = await endpoint(new Request(BASE))
    expect([asked.status, asked.headers.get('allow')]).toEqual([405, 'POST'])
    const broken = new ReadableStream({ start: (controller) => controller.error(new Error('reset')) })
    const init = { duplex: 'half' } as RequestInit
    expect(errorOf(await send('registerNode', broken, init))).toBe('400 invalid_request')
  })
})

describe("what is not the client's fault", () => {
  test('a store that is away is 503 with Retry-After', async () => {
    const errors: unknown[] = []
    const away = () => Promise.reject(new StoreUnavailableError('away', { applied: 'no' }))
    const { registerNode, unregisterNode } = createNodeEndpoints(
      { register: away, unregister: away },
      { authenticate: usual, onError: (error) => errors.push(error) },
    )
    for (const endpoint of [registerNode, unregisterNode]) {
      const response = await endpoint(
        new Request(BASE, {
          method: 'POST',
          headers: { authorization: 'Basic c2hvcDp4' },
          body: new URLSearchParams({ client_cluster_host: 'shop.example.com' }),
        }),
      )
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
    }
    expect(errors).toHaveLength(2)
  })

  test('a client that is configured wrongly is 500, and says nothing of the configuration', async () => {
    const { register, errors } = await open({}, { allowedHosts: ['*secret*'], nodeTimeoutMs: -1 })
    const answered = await register('shop.example.com')
    expect(errorOf(answered)).toBe('500 server_error')
    expect(answered.text).not.toContain('nodeTimeoutMs')
    expect(errors).toHaveLength(1)
  })

  test.each<[string, NodeEndpointOptions['authenticate']]>([
    ['fails', () => Promise.reject(new Error('secret'))],
    ['answers no client', () => 'shop' as never],
    ['answers a refusal that there is not', () => ({ refused: 'because' as never })],
    ['answers no realm', () => ({ clientId: 'shop' }) as never],
    [
      'answers a public client in other words',
      () => ({ realmId: 'acme', clientId: 'shop', isPublic: 'yes' as never }),
    ],
  ])('a function that %s is 503, told, and lets nobody in', async (_name, authenticate) => {
    const { register, hosts, errors } = await open({ authenticate })
    expect(errorOf(await register('shop.example.com'))).toBe('503 temporarily_unavailable')
    expect(errors).toHaveLength(1)
    expect(await hosts()).toEqual([])
  })

  test('a listener that throws harms nobody', async () => {
    const { register, hosts } = await open({
      onNode: () => {
        throw new Error('listener')
      },
    })
    expect((await register('shop.example.com')).status).toBe(204)
    expect(await hosts()).toEqual(['shop.example.com'])
  })
})

test('a wrong option is named', async () => {
  const { nodes } = await open()
  expect(() => createNodeEndpoints(nodes, {} as never)).toThrow('"authenticate" must be a function')
  expect(() => createNodeEndpoints({} as never, { authenticate: usual })).toThrow('"nodes.register"')
  expect(() => createNodeEndpoints(nodes, { authenticate: usual, onNodes: () => {} } as never)).toThrow(
    'onNodes',
  )
})
