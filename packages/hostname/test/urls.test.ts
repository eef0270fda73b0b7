import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { RecordingLogger } from '@authstate/conformance'
import { describe, expect, test } from 'vitest'
import { parseFrontendUrl, type RequestBase, requestBaseOf, type UrlType } from '../src/index.js'
import { hostname, requestWith } from './hostname.js'

const FRONT = 'https://login.example.com'
const REALM = 'https://acme.example.com/sso'
const hosts = { allowedHosts: ['internal', 'login.example.com', 'acme.example.com'] }
const settings: Record<string, object> = {
  global: { frontendUrl: FRONT },
  admin: { frontendUrl: FRONT, adminUrl: 'https://admin.example.com:8443/console/' },
  dynamic: { frontendUrl: FRONT, backend: 'dynamic', ...hosts },
  unforced: { frontendUrl: FRONT, forceBackendToFrontend: false, ...hosts },
  forced: { frontendUrl: FRONT, forceBackendToFrontend: true },
  path: { frontendUrl: `${FRONT}:443/auth/`, backend: 'dynamic', ...hosts },
  loose: { strict: false, ...hosts },
}
const front = requestWith({ scheme: 'https', host: 'LOGIN.example.com:443' })
const inside = requestWith()
const evil = requestWith({ host: 'evil.example' })

describe('nodes 36: frontend, backend, admin and local URLs', () => {
  const rows: [
    setting: string,
    type: UrlType,
    request: RequestBase | undefined,
    realm: boolean,
    url: string | undefined,
  ][] = [
    ['global', 'frontend', inside, false, `${FRONT}/`],
    ['global', 'frontend', undefined, false, `${FRONT}/`],
    ['global', 'frontend', inside, true, REALM],
    ['global', 'backend', inside, false, `${FRONT}/`],
    ['global', 'backend', inside, true, REALM],
    ['global', 'admin', inside, false, `${FRONT}/`],
    ['global', 'admin', inside, true, REALM],
    ['admin', 'admin', inside, false, 'https://admin.example.com:8443/console'],
    ['admin', 'admin', inside, true, 'https://admin.example.com:8443/console'],
    ['admin', 'frontend', inside, false, `${FRONT}/`],
    ['dynamic', 'backend', inside, false, 'http://internal:8080/'],
    ['dynamic', 'backend', inside, true, 'http://internal:8080/'],
    ['dynamic', 'backend', front, false, `${FRONT}/`],
    ['dynamic', 'backend', requestWith({ scheme: 'https', host: 'acme.example.com' }), true, REALM],
    ['dynamic', 'backend', requestWith({ host: 'login.example.com' }), false, 'http://login.example.com/'],
    ['dynamic', 'backend', undefined, false, `${FRONT}/`],
    ['dynamic', 'backend', evil, false, undefined],
    ['dynamic', 'frontend', evil, false, `${FRONT}/`],
    ['unforced', 'backend', inside, false, 'http://internal:8080/'],
    ['forced', 'backend', inside, false, `${FRONT}/`],
    ['path', 'backend', inside, false, 'http://internal:8080/auth'],
    ['path', 'backend', front, false, `${FRONT}/auth`],
    ['path', 'local-admin', inside, false, 'http://localhost:8080/auth'],
    [
      'global',
      'local-admin',
      requestWith({ scheme: 'https', host: 'evil.example', localPort: 443 }),
      true,
      'https://localhost/',
    ],
    ['global', 'local-admin', undefined, false, undefined],
    ['loose', 'frontend', inside, false, 'http://internal:8080/'],
    ['loose', 'frontend', inside, true, REALM],
    ['loose', 'frontend', evil, false, undefined],
    ['loose', 'admin', inside, false, 'http://internal:8080/'],
    ['loose', 'frontend', undefined, false, undefined],
  ]

  test.each(rows)('%s: %s (%#)', async (setting, type, request, realm, url) => {
    const provider = await hostname(settings[setting] ?? {}, (id) =>
      id === 'acme' ? { frontendUrl: REALM } : {},
    )
    const realmId = realm ? 'acme' : 'other'
    expect((await provider.url(type, request, { realmId }))?.href).toBe(url)
    if (!realm) expect((await provider.url(type, request))?.href).toBe(url)
  })

  test('what is refused is counted, and never echoed', async () => {
    const provider = await hostname(settings['loose'] ?? {})
    expect(await provider.issuer('acme', evil)).toBeUndefined()
    expect(await provider.issuer('acme', inside)).toBe('http://internal:8080/realms/acme')
    expect(provider.stats()).toEqual({ refusedHosts: 1, malformedRealmUrls: 0 })
    await expect(provider.resolveRelative('/x')).rejects.toMatchObject({ code: 'ERR_PROVIDER_CONFIGURATION' })
  })

  test('a port that is named with a host must be the port of the request', async () => {
    const provider = await hostname({
      strict: false,
      allowedHosts: ['*.example.com:8443', '[::1]', '10.0.0.1:80'],
    })
    const url = async (host: string) => (await provider.url('frontend', requestWith({ host })))?.host
    expect(await url('a.example.com:8443')).toBe('a.example.com:8443')
    expect(await url('a.example.com')).toBeUndefined()
    expect(await url('a.b.example.com:8443')).toBeUndefined()
    expect(await url('[::1]:9')).toBe('[::1]:9')
    expect(await url('10.0.0.1')).toBe('10.0.0.1')
    for (const host of [
      '10.1',
      '0x0a.0.0.1',
      'a.example.com.:8443',
      'a.example.com:8443:8443',
      'a@a.example.com:8443',
      'a.example.com:99999',
    ])
      expect(await url(host)).toBeUndefined()
  })
})

describe('realms', () => {
  test('a source that takes its time is waited for', async () => {
    const provider = await hostname({ frontendUrl: FRONT }, async () => ({ frontendUrl: REALM }))
    expect(await provider.issuer('acme')).toBe(`${REALM}/realms/acme`)
    expect((await provider.resolveRelative('/x', { realmId: 'acme' })).href).toBe(
      'https://acme.example.com/x',
    )
  })

  test('a URL of a realm that cannot be used is told once and counted, and the URL of the server counts', async () => {
    const logger = new RecordingLogger()
    const provider = await hostname(
      { frontendUrl: FRONT },
      () => ({ frontendUrl: 'javascript:s3cr3t' }),
      logger,
    )
    for (let time = 0; time < 3; time++)
      expect((await provider.url('frontend', inside, { realmId: 'acme' }))?.href).toBe(`${FRONT}/`)
    expect(provider.stats().malformedRealmUrls).toBe(3)
    expect(provider.warnings?.()).toHaveLength(1)
    expect(logger.entries).toHaveLength(1)
    expect(JSON.stringify(logger.entries)).not.toMatch(/s3cr3t|acme/)
  })

  test('parseFrontendUrl refuses one before it is stored', () => {
    expect(parseFrontendUrl('login.example.com').href).toBe('https://login.example.com/')
    for (const text of [
      '',
      ' ',
      'javascript:s3cr3t',
      'https://',
      'https://u:s3cr3t@a',
      'https://a?b',
      'https://a/#',
      'https://a..b',
      'a/b',
      'ftp://a',
      'https://a\\b',
      '127.1',
      7,
      undefined,
    ]) {
      expect(() => parseFrontendUrl(text)).toThrow(/"frontendUrl" of a realm must/)
      expect(() => parseFrontendUrl(text)).not.toThrow(/s3cr3t/)
    }
  })
})

describe('configurations', () => {
  test.each([
    [{}, /frontendUrl.*add frontendUrl: 'https:\/\/login.example.com'/s],
    [{ frontendUrl: 'https://u:p@a' }, /must have no user and no password/],
    [{ frontendUrl: FRONT, adminUrl: '/admin' }, /adminUrl.*must be a URL/],
    [{ strict: false }, /allowedHosts.*must name the hosts/],
    [{ frontendUrl: FRONT, backend: 'dynamic' }, /allowedHosts.*must name the hosts/],
    [{ frontendUrl: FRONT, allowedHosts: ['a'] }, /allowedHosts.*must be left out/],
    [
      { frontendUrl: FRONT, backend: 'frontend', forceBackendToFrontend: true },
      /forceBackendToFrontend.*must be left out/,
    ],
    [{ frontendUrl: FRONT, proxyHeaders: 'forwarded' }, /trustedProxies.*must name the proxies/],
    [{ frontendUrl: FRONT, trustedProxies: ['10.0.0.1'] }, /proxyHeaders.*must say which headers/],
    [
      { frontendUrl: FRONT, proxyHeaders: 'forwarded', trustedProxies: ['0.0.0.0/0'] },
      /every client would count as a proxy/,
    ],
    ...[
      '::ffff:10.0.0.0/8',
      '::ffff:10.0.0.0/95',
      '10.0.0.0/33',
      '10.0.0.0/255.0.255.0',
      'proxy.example',
    ].map((entry): [object, RegExp] => [
      { frontendUrl: FRONT, proxyHeaders: 'forwarded', trustedProxies: [entry] },
      /must be an address/,
    ]),
    [
      { frontendUrl: FRONT, proxyHeaders: 'forwarded', trustedProxies: ['::ffff:0.0.0.0/96'] },
      /every client would count as a proxy/,
    ],
    [
      { frontendUrl: FRONT, proxyHeaders: 'forwarded', trustedProxies: ['10.0.0.1'], xForwarded: ['for'] },
      /xForwarded.*must be left out/,
    ],
    [
      { frontendUrl: FRONT, proxyHeaders: 'x-forwarded', trustedProxies: ['10.0.0.1'], xForwarded: [] },
      /xForwarded/,
    ],
    [{ frontendUrl: FRONT, issuerPath: 'realms' }, /issuerPath.*must be empty or a path/],
    [{ frontendUrl: FRONT, issuerPath: '/{realm}' }, /issuerPath.*must be empty or a path/],
    [{ strict: false, allowedHosts: ['https://a'] }, /allowedHosts.*must be a host/],
  ])('%j stops the start', async (properties, message) => {
    await expect(hostname(properties)).rejects.toThrow(message)
    await expect(hostname(properties)).rejects.toMatchObject({ code: 'ERR_PROVIDER_CONFIGURATION' })
  })
})

test('requestBaseOf reads a request of Node', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const base = await new Promise<RequestBase>((resolve) => {
    server.once('request', (request) => resolve(requestBaseOf(request)))
    connect(port, '127.0.0.1').end('GET / HTTP/1.1\r\nHost: a.example:1\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n')
  })
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  expect(base).toMatchObject({
    scheme: 'http',
    host: 'a.example:1',
    localPort: port,
    remoteAddress: '127.0.0.1',
  })
  expect(base.headers['x-forwarded-for']).toBe('1.2.3.4')
})

test('requestBaseOf: in HTTP/2 the authority wins over a Host beside it', () => {
  const socket = { encrypted: true, localPort: 443, remoteAddress: '127.0.0.1' }
  const of = (headers: object) => requestBaseOf({ socket, headers } as unknown as IncomingMessage).host
  expect(of({ ':authority': 'a.example', host: 'evil.example' })).toBe('a.example')
  expect(of({ ':authority': 'a.example' })).toBe('a.example')
  expect(of({ host: 'a.example' })).toBe('a.example')
})
