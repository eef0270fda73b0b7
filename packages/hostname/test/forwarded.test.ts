import dns from 'node:dns'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { hostname, requestWith } from './hostname.js'

const FRONT = { frontendUrl: 'https://login.example.com' }
const trusting = (proxyHeaders: string, trustedProxies = ['10.0.0.0/8', 'fd00::/8']) =>
  hostname({ ...FRONT, proxyHeaders, trustedProxies })

describe('nodes 37: X-Forwarded-For', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['1.2.3.4, 203.0.113.7', '203.0.113.7'],
    ['1.2.3.4, 203.0.113.7, 10.0.0.1', '203.0.113.7'],
    ['10.0.0.2, 10.0.0.1', '10.0.0.2'],
    ['203.0.113.7:4711', '203.0.113.7'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['2001:DB8:0::1', '2001:db8::1'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['1.2.3.4, ::ffff:10.0.0.1', '1.2.3.4'],
    ['unknown, _x, evil.name', undefined],
    ['203.0.113.7, unknown', undefined],
    ['203.0.113.7, _hidden, 10.0.0.1', undefined],
    ['unknown, 203.0.113.7', '203.0.113.7'],
    ['203.0.113.7, 127.1', undefined],
    ['203.0.113.7, 0x7f.0.0.1', undefined],
    ['203.0.113.7, 010.0.0.1', undefined],
    ['203.0.113.7,', '203.0.113.7'],
    ['203.0.113.7, , 10.0.0.1', '203.0.113.7'],
    ['', '10.0.0.9'],
    [`${'1.1.1.1, '.repeat(32)}203.0.113.7`, '203.0.113.7'],
    [`${'a'.repeat(20_000)}, 203.0.113.7`, '203.0.113.7'],
    [`${' '.repeat(2_048)}203.0.113.7`, '203.0.113.7'],
    [`203.0.113.7${', 10.0.0.1'.repeat(31)}`, '203.0.113.7'],
    [`203.0.113.7${', 10.0.0.1'.repeat(32)}`, undefined],
  ])('%j: %s', async (header, ip) => {
    const provider = await trusting('x-forwarded')
    expect(provider.clientAddress(requestWith({ headers: { 'x-forwarded-for': header } })).ip).toBe(ip)
    const list = header.split(', ')
    if (list.length < 20)
      expect(provider.clientAddress(requestWith({ headers: { 'x-forwarded-for': list } })).ip).toBe(ip)
  })

  test('is not read from others, nor in place of the other header', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.7', forwarded: 'for=203.0.113.8' }
    const stranger = requestWith({ remoteAddress: '192.0.2.1', headers })
    for (const [kind, ip] of [
      ['x-forwarded', '203.0.113.7'],
      ['forwarded', '203.0.113.8'],
    ] as const) {
      const provider = await trusting(kind)
      expect(provider.clientAddress(stranger)).toMatchObject({ ip: '192.0.2.1', trusted: false })
      expect(provider.clientAddress(requestWith({ headers }))).toMatchObject({ ip, trusted: true })
    }
    const none = await hostname(FRONT)
    expect(none.clientAddress(requestWith({ headers }))).toMatchObject({ ip: '10.0.0.9', trusted: false })
  })

  test('what cannot be read makes nobody the proxy', async () => {
    const provider = await trusting('x-forwarded')
    for (const header of ['unknown', `203.0.113.7${', 10.0.0.1'.repeat(40)}`]) {
      const address = provider.clientAddress(requestWith({ headers: { 'x-forwarded-for': header } }))
      expect([header, address.ip]).toEqual([header, undefined])
    }
  })

  test('the headers that the proxies do not set are as the client sent them, and not read', async () => {
    const headers = {
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-port': '81',
    }
    const properties = { ...FRONT, proxyHeaders: 'x-forwarded', trustedProxies: ['10.0.0.0/8'] }
    const some = await hostname({ ...properties, xForwarded: ['for', 'proto'] })
    expect(some.clientAddress(requestWith({ headers, host: 'app.example.com' }))).toEqual({
      ip: '203.0.113.7',
      scheme: 'https',
      host: 'app.example.com',
      trusted: true,
    })
    const others = await hostname({ ...properties, xForwarded: ['host'] })
    expect(others.clientAddress(requestWith({ headers }))).toMatchObject({
      ip: undefined,
      scheme: 'http',
      host: 'evil.example',
    })
  })

  test('no name is ever looked up', async () => {
    const looked = [vi.spyOn(dns, 'lookup'), vi.spyOn(dns.promises, 'lookup'), vi.spyOn(dns, 'resolve')]
    onTestFinished(() => void vi.restoreAllMocks())
    const provider = await trusting('x-forwarded')
    for (const header of ['evil.name', 'localhost', 'unknown, evil.name'])
      provider.clientAddress(requestWith({ headers: { 'x-forwarded-for': header } }))
    for (const spy of looked) expect(spy).not.toHaveBeenCalled()
  })

  test('names of networks', async () => {
    const provider = await trusting('x-forwarded', ['loopback', 'uniquelocal', '::ffff:192.0.2.0/120'])
    for (const remoteAddress of [
      '127.0.0.1',
      '::1',
      '10.1.1.1',
      '192.168.1.1',
      'fd00::1',
      '192.0.2.7',
      '::ffff:127.0.0.1',
    ]) {
      const headers = { 'x-forwarded-for': '203.0.113.7' }
      expect([remoteAddress, provider.clientAddress(requestWith({ remoteAddress, headers })).ip]).toEqual([
        remoteAddress,
        '203.0.113.7',
      ])
    }
    for (const remoteAddress of ['192.0.3.7', '2001:db8::1', '172.15.0.1', '193.0.2.7'])
      expect(
        provider.clientAddress(requestWith({ remoteAddress, headers: { 'x-forwarded-for': '1.1.1.1' } })).ip,
      ).toBe(remoteAddress)
  })
})

test.each([
  ['::ffff:10.0.0.0/104', '10.1.2.3', '11.1.2.3'],
  ['::ffff:10.0.0.0/120', '10.0.0.3', '10.0.1.3'],
  ['10.0.0.0/255.255.0.0', '10.0.2.3', '10.1.2.3'],
  ['::/8', '::7', '10.0.0.1'],
  ['2001:db8:0:8000::/49', '2001:db8:0:8001::7', '2001:db8:0:7fff::7'],
])('the proxies of %s have %s, and not %s', async (entry, proxy, other) => {
  const provider = await trusting('x-forwarded', [entry])
  const headers = { 'x-forwarded-for': '203.0.113.7' }
  const ip = (remoteAddress: string) => provider.clientAddress(requestWith({ remoteAddress, headers })).ip
  expect([ip(proxy), ip(other)]).toEqual(['203.0.113.7', other])
})

describe('nodes 37: scheme and host', () => {
  test.each([
    [
      { 'x-forwarded-for': '1.1.1.1', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'App.example.com' },
      'https',
      'app.example.com',
    ],
    [
      {
        'x-forwarded-for': '1.1.1.1',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'app.example.com:8443',
      },
      'https',
      'app.example.com:8443',
    ],
    [
      {
        'x-forwarded-for': '1.1.1.1',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'app.example.com',
        'x-forwarded-port': '8443',
      },
      'https',
      'app.example.com:8443',
    ],
    [
      {
        'x-forwarded-for': '6.6.6.6, 1.1.1.1',
        'x-forwarded-proto': 'ftp, https',
        'x-forwarded-host': 'evil.example, app.example.com',
      },
      'https',
      'app.example.com',
    ],
    [
      {
        'x-forwarded-for': '1.1.1.1, 10.0.0.1',
        'x-forwarded-proto': 'https, http',
        'x-forwarded-host': 'app.example.com, inner',
      },
      'https',
      'app.example.com',
    ],
    [
      { 'x-forwarded-for': '6.6.6.6, 1.1.1.1', 'x-forwarded-proto': 'evil, evil, https' },
      'https',
      'internal:8080',
    ],
    [
      { 'x-forwarded-for': '1.1.1.1', 'x-forwarded-proto': 'ftp', 'x-forwarded-host': 'app.example.com' },
      'http',
      undefined,
    ],
    [
      { 'x-forwarded-for': '1.1.1.1', 'x-forwarded-proto': 'https', 'x-forwarded-port': '443x' },
      'https',
      undefined,
    ],
    [{ 'x-forwarded-proto': 'https' }, 'https', 'internal:8080'],
    [{ 'x-forwarded-for': 'unknown', 'x-forwarded-host': 'app.example.com' }, 'http', 'app.example.com'],
    [
      { 'x-forwarded-for': '1.1.1.1', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'a/b' },
      'https',
      undefined,
    ],
    [{ 'x-forwarded-for': '1.1.1.1', 'x-forwarded-host': 'a', 'x-forwarded-port': '0' }, 'http', undefined],
  ])('%j: %s %s', async (headers, scheme, host) => {
    const provider = await trusting('x-forwarded')
    expect(provider.clientAddress(requestWith({ headers }))).toMatchObject({ scheme, host, trusted: true })
    expect((await provider.url('frontend', requestWith({ headers })))?.href).toBe(
      'https://login.example.com/',
    )
  })

  test('a dynamic backend takes the believed host, where it is allowed', async () => {
    const provider = await hostname({
      ...FRONT,
      backend: 'dynamic',
      allowedHosts: ['app.example.com'],
      proxyHeaders: 'x-forwarded',
      trustedProxies: ['10.0.0.0/8'],
    })
    const headers = (host: string) => ({
      'x-forwarded-for': '1.1.1.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': host,
    })
    const url = async (host: string, remoteAddress = '10.0.0.9') =>
      (await provider.url('backend', requestWith({ remoteAddress, headers: headers(host) })))?.href
    expect(await url('app.example.com')).toBe('https://app.example.com/')
    expect(await url('evil.example')).toBeUndefined()
    expect(await url('app.example.com', '192.0.2.1')).toBeUndefined()
  })
})

describe('nodes 37: Forwarded', () => {
  test.each([
    ['for=203.0.113.7', '203.0.113.7', 'http', 'internal:8080'],
    ['For="[2001:db8::1]:4711";Proto=HTTPS;Host=app.example.com', '2001:db8::1', 'https', 'app.example.com'],
    [
      'for=1.2.3.4, for=203.0.113.7;proto=https;host="app.example.com:8443"',
      '203.0.113.7',
      'https',
      'app.example.com:8443',
    ],
    [
      'for=203.0.113.7;proto=https;host=a.example , for=10.0.0.1;proto=http;host=inner',
      '203.0.113.7',
      'https',
      'a.example',
    ],
    ['for=203.0.113.7;by=10.0.0.1;x=y', '203.0.113.7', 'http', 'internal:8080'],
    ['for="_hidden";proto=https;host=a.example', undefined, 'https', 'a.example'],
    ['for=unknown', undefined, 'http', 'internal:8080'],
    ['proto=https', undefined, 'https', 'internal:8080'],
    ['for=203.0.113.7;host="a/b"', '203.0.113.7', 'http', undefined],
    ['for="203.0.113.7\\""', undefined, 'http', 'internal:8080'],
    [`${'for=1.1.1.1,'.repeat(300)}for=203.0.113.7`, '203.0.113.7', 'http', 'internal:8080'],
  ])('%s: %s %s %s', async (forwarded, ip, scheme, host) => {
    const provider = await trusting('forwarded')
    const address = provider.clientAddress(requestWith({ headers: { forwarded } }))
    expect(address).toEqual({ ip, scheme, host, trusted: true })
  })

  test('one that is empty counts as not sent', async () => {
    const provider = await trusting('forwarded')
    const address = provider.clientAddress(requestWith({ headers: { forwarded: ' ' } }))
    expect(address).toEqual({ ip: '10.0.0.9', scheme: 'http', host: 'internal:8080', trusted: false })
  })

  test.each([
    'for',
    'for=',
    '=1.1.1.1',
    'for=1.1.1.1;',
    'for=1.1.1.1,',
    ',for=1.1.1.1',
    'for="1.1.1.1',
    'for=1.1.1.1;for=2.2.2.2',
    'for=[::1]',
    'for = 1.1.1.1',
    'for=1.1.1.1 proto=https',
    'for="x, for=203.0.113.7',
    `for=203.0.113.7${',for=10.0.0.1'.repeat(32)}`,
  ])('%j cannot be read, and makes nobody the proxy', async (forwarded) => {
    const provider = await trusting('forwarded')
    const address = provider.clientAddress(requestWith({ headers: { forwarded } }))
    expect(address).toEqual({ ip: undefined, scheme: 'http', host: undefined, trusted: false })
  })

  test('junk is no error and no address', async () => {
    const [item, other] = [await trusting('forwarded'), await trusting('x-forwarded')]
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(
          fc.constantFrom(
            'for',
            '=',
            '"',
            ';',
            ',',
            '1.1.1.1',
            '[::1]',
            ' ',
            '\\',
            'host',
            'a.b',
            ':80',
            '%',
          ),
        )
        .map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, text, (header, more) => {
        const headers = {
          forwarded: header,
          'x-forwarded-for': header,
          'x-forwarded-host': more,
          'x-forwarded-proto': more,
          'x-forwarded-port': more,
        }
        for (const provider of [item, other]) {
          const { ip, host, scheme } = provider.clientAddress(requestWith({ headers }))
          expect(ip ?? '::').toMatch(/^[\da-f.:]+$/)
          expect(host ?? 'a').toMatch(/^(\[[\da-f:.]+\]|[a-z0-9_.-]+)(:\d+)?$/)
          expect(['http', 'https']).toContain(scheme)
        }
      }),
    )
  })
})
