import { describe, expect, onTestFinished, test } from 'vitest'
import { openSink } from '../src/conformance/sink.js'
import { environmentProxies, mappedProxies, parseMapping, parseProxy } from '../src/proxies.js'
import { httpClient, outcomeOf } from './client.js'
import { openProxy } from './proxy.js'

describe('nodes 31: mappings', () => {
  const choose = mappedProxies([
    '.*\\.google\\.com;http://p1:3128',
    '.*\\.corp;NO_PROXY',
    'a;b\\.example;http://semicolon:1',
    '.*;http://u:p%40@p2',
  ])

  test.each([
    ['www.google.com', 'p1'],
    ['WWW.GOOGLE.COM', 'p1'],
    ['evilgoogle.com', 'p2'],
    ['www.google.com.evil.org', 'p2'],
    ['google.com', 'p2'],
    ['db.corp', undefined],
    ['a;b.example', 'semicolon'],
  ])('%s goes through %s', (host, proxy) => {
    expect(choose(host, 443)?.host).toBe(proxy)
    expect(choose(host, 443)?.host).toBe(proxy)
  })

  test('user and password are decoded', () => {
    const proxy = choose('x.example', 443)
    expect(proxy).toMatchObject({ host: 'p2', port: 80, protocol: 'http:' })
    expect(proxy?.authorization).toBe(`Basic ${Buffer.from('u:p@').toString('base64')}`)
    expect(JSON.stringify(proxy?.key)).not.toContain('p@@')
  })

  test('where none matches there is no proxy, and the hosts that are remembered are bounded', () => {
    const few = mappedProxies(['a\\.example;http://p'])
    for (let n = 0; n < 3_000; n++) expect(few(`h${n}.example`, 443)).toBeUndefined()
    expect(few('a.example', 443)?.host).toBe('p')
  })

  test.each([
    ['', /regex;uri/],
    ['no semicolon', /regex;uri/],
    [';http://p', /regex;uri/],
    ['(;http://p', /regular expression/],
    [`${'a'.repeat(301)};http://p`, /300 characters/],
    ['a;p:3128', /scheme/],
    ['a;socks5://p', /scheme/],
    ['a;http://user@p', /password/],
    ['a;http://:secret@p', /user/],
    ['a;http://u:secret%@p', /percent-encoded/],
    ['a;http://u:secret@p/path', /path/],
    ['a;http://', /URI of a proxy/],
  ])('%j stops the start, and its text is not told', async (mapping, message) => {
    expect(() => parseMapping(mapping)).toThrow(message)
    const started = httpClient({ proxyMappings: [mapping] })
    await expect(started).rejects.toMatchObject({ code: 'ERR_PROVIDER_CONFIGURATION' })
    await expect(started).rejects.toThrow(message)
    await expect(started).rejects.not.toThrow(/secret/)
  })
})

describe('nodes 32: the environment', () => {
  const chosen = (env: Record<string, string>, host = 'a.example', port = 443) =>
    environmentProxies(env)?.(host, port)?.host

  test.each([
    [{ https_proxy: 'http://lower', HTTPS_PROXY: 'http://upper', http_proxy: 'http://other' }, 'lower'],
    [{ HTTPS_PROXY: 'http://upper', http_proxy: 'http://other' }, 'upper'],
    [{ http_proxy: 'http://lower', HTTP_PROXY: 'http://upper' }, 'lower'],
    [{ HTTP_PROXY: 'upper:3128' }, 'upper'],
    [{ https_proxy: ' ', HTTP_PROXY: 'http://upper' }, 'upper'],
    [{ HTTP_PROXY: 'http://of-a-client', REQUEST_METHOD: 'GET' }, undefined],
    [{}, undefined],
    [{ all_proxy: 'http://x' }, undefined],
  ])('%j: %s', (env, host) => expect(chosen(env as Record<string, string>)).toBe(host))

  test.each([
    ['a.example', 'a.example', 443, true],
    ['.example', 'a.example', 443, true],
    ['example', 'a.example', 443, true],
    ['*.example', 'a.b.example', 443, true],
    ['b.example, A.EXAMPLE', 'a.example', 443, true],
    ['*', 'a.example', 443, true],
    ['a.example:443', 'a.example', 443, true],
    ['a.example:80', 'a.example', 443, false],
    ['xample', 'a.example', 443, false],
    ['a.exampl', 'a.example', 443, false],
    ['a.*', 'a.example', 443, false],
    ['10.0.0.0/8', '10.1.2.3', 443, true],
    ['10.0.0.0/8', '11.1.2.3', 443, false],
    ['10.1.2.3', '10.1.2.3', 443, true],
    ['10.1.2.3:80', '10.1.2.3', 443, false],
    ['10.1.2.3:443', '10.1.2.3', 443, true],
    ['::1', '::1', 443, true],
    ['[::1]:443', '::1', 443, true],
    ['fd00::/8', 'fd00::1', 443, true],
    ['::ffff:10.0.0.0/104', '10.1.2.3', 443, true],
    ['::ffff:10.0.0.0/8', '10.1.2.3', 443, false],
    ['10.0.0.0/8/8', '10.0.0.1', 443, false],
    ['1/2/3', '10.0.0.1', 443, false],
    ['', 'a.example', 443, false],
  ])('no_proxy %j, %s port %i: without %s', (list, host, port, without) => {
    expect(chosen({ https_proxy: 'http://p', no_proxy: list, NO_PROXY: '*' }, host, port)).toBe(
      without ? undefined : 'p',
    )
  })

  test('a variable that is wrong stops the start, by its name', async () => {
    const started = httpClient({}, { env: { HTTPS_PROXY: 'http://secret@p' } })
    await expect(started).rejects.toThrow(/HTTPS_PROXY must have a password/)
    await expect(started).rejects.not.toThrow(/secret/)
    await expect(
      httpClient({ useEnvironmentProxy: false }, { env: { HTTPS_PROXY: 'http://secret@p' } }),
    ).resolves.toBeDefined()
  })
})

describe('through a proxy', () => {
  async function landscape(refuse = false) {
    const sink = await openSink()
    const proxy = await openProxy(() => (refuse ? undefined : sink.port))
    onTestFinished(() => proxy.close())
    onTestFinished(() => sink.close())
    return { sink, proxy, mapping: `.*;http://u:p%40@127.0.0.1:${proxy.port}` }
  }

  test('nodes 31: the proxy is asked for the checked address, and only it gets the password', async () => {
    const { sink, proxy, mapping } = await landscape()
    const client = await httpClient({ proxyMappings: [mapping] }, { resolve: async () => ['93.184.216.34'] })
    const answer = await client.request('http://app.example.com/x?y', { purpose: 'x' })
    expect([answer.status, answer.remoteAddress]).toEqual([200, undefined])
    const basic = `Basic ${Buffer.from('u:p@').toString('base64')}`
    expect(proxy.asked).toEqual([{ authority: '93.184.216.34:80', authorization: basic }])
    const [received] = sink.received
    expect([received?.path, received?.headers.host]).toEqual(['/x?y', 'app.example.com'])
    expect(JSON.stringify(received)).not.toContain(basic)
  })

  test('nodes 33: a target behind a proxy is checked like any other', async () => {
    const { sink, proxy, mapping } = await landscape()
    const resolve = async () => ['10.0.0.1']
    const client = await httpClient({ proxyMappings: [mapping] }, { resolve })
    for (const url of ['http://app.example.com/', 'http://10.0.0.1/', 'http://127.1/', 'http://[::1]/'])
      expect(await outcomeOf(client.request(url, { purpose: 'x' }))).toBe('egress no')
    expect([proxy.asked, sink.connections()]).toEqual([[], 0])
    const allowed = await httpClient(
      { proxyMappings: [mapping], egress: { allow: ['10.0.0.0/8'] } },
      { resolve },
    )
    expect(await outcomeOf(allowed.request('http://app.example.com/', { purpose: 'x' }))).toBe('200')
    expect(proxy.asked.map(({ authority }) => authority)).toEqual(['10.0.0.1:80'])
  })

  test('nodes 33: a name that the proxy resolves must be in the list', async () => {
    const { proxy, mapping } = await landscape()
    let lookUps = 0
    const resolve = async () => {
      lookUps++
      return ['93.184.216.34']
    }
    const client = await httpClient(
      { proxyMappings: [mapping], proxyResolve: 'proxy', egress: { allowHosts: ['app-*.example.com'] } },
      { resolve },
    )
    expect(await outcomeOf(client.request('http://app-1.example.com/', { purpose: 'x' }))).toBe('200')
    for (const url of ['http://app.example.com/', 'http://10.0.0.1/', 'http://app-1.example.com:25/'])
      expect(await outcomeOf(client.request(url, { purpose: 'x' }))).toBe('egress no')
    expect([proxy.asked.map(({ authority }) => authority), lookUps]).toEqual([['app-1.example.com:80'], 0])
  })

  test('a mapping to none is a direct connection, under the guard', async () => {
    const { sink, proxy, mapping } = await landscape()
    const proxyMappings = ['127\\.0\\.0\\.1;NO_PROXY', mapping]
    const client = await httpClient({ proxyMappings })
    expect(await outcomeOf(client.request(sink.origin, { purpose: 'x' }))).toBe('egress no')
    const allowed = await httpClient({ proxyMappings, egress: { allow: ['127.0.0.1'] } })
    expect(await outcomeOf(allowed.request(sink.origin, { purpose: 'x' }))).toBe('200')
    expect([proxy.asked, sink.connections()]).toEqual([[], 1])
  })

  test('nodes 32: mappings switch the environment off', async () => {
    const { sink, proxy } = await landscape()
    const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` }
    const options = { env, resolve: async () => ['127.0.0.1'] }
    const url = `http://app.example.com:${sink.port}/`
    const egress = { allow: ['127.0.0.1'] }
    const request = async (properties: object) =>
      outcomeOf((await httpClient({ egress, ...properties }, options)).request(url, { purpose: 'x' }))
    expect(await request({})).toBe('200')
    expect(proxy.asked.map(({ authority }) => authority)).toEqual([`127.0.0.1:${sink.port}`])
    expect(await request({ proxyMappings: ['nobody;NO_PROXY'] })).toBe('200')
    expect(await request({ useEnvironmentProxy: false })).toBe('200')
    expect(proxy.asked).toHaveLength(1)
  })

  test('a proxy that refuses, is away or says nothing is no connection', async () => {
    const { proxy, mapping } = await landscape(true)
    const resolve = async () => ['93.184.216.34']
    const refusing = await httpClient({ proxyMappings: [mapping] }, { resolve })
    await expect(refusing.request('http://a.example/', { purpose: 'x' })).rejects.toMatchObject({
      code: 'connect',
      sent: 'no',
      detail: 'the proxy answered 407',
    })
    await proxy.close()
    const away = await httpClient({ proxyMappings: [mapping] }, { resolve })
    await expect(away.request('http://a.example/', { purpose: 'x' })).rejects.toMatchObject({
      code: 'connect',
      detail: 'the proxy ECONNREFUSED',
    })
    const silent = await openProxy(() => undefined)
    onTestFinished(() => silent.close())
    const properties = { proxyMappings: [`.*;https://127.0.0.1:${silent.port}`], connectTimeoutMs: 100 }
    const outcome = await outcomeOf(
      (await httpClient(properties, { resolve })).request('http://a.example/', { purpose: 'x' }),
    )
    expect(['tls no', 'timeout no', 'connect no']).toContain(outcome)
  })

  test('connections through different proxies are not shared', () => {
    expect(parseProxy('http://u:a@p').key).toBe(parseProxy('http://u:b@p').key)
    expect(parseProxy('http://u:a@p').key).not.toBe(parseProxy('http://v:a@p').key)
    expect(parseProxy('http://p').key).not.toBe(parseProxy('http://p:81').key)
  })
})
