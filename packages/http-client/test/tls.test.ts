import { copyFileSync, promises, utimesSync, writeFileSync } from 'node:fs'
import { createServer, type ServerOptions } from 'node:https'
import { syncBuiltinESMExports } from 'node:module'
import type { TLSSocket } from 'node:tls'
import { RecordingLogger } from '@authstate/conformance'
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { openSink } from '../src/conformance/sink.js'
import { type Certificate, openCertificates } from './certificates.js'
import { httpClient, outcomeOf } from './client.js'
import { openProxy } from './proxy.js'

const certificates = openCertificates()
afterAll(() => certificates.remove())
const ours = certificates.authority('ours')
const others = certificates.authority('others')
const server = ours.issue(['DNS:app.example.com', 'IP:127.0.0.1'])

/** A server with a certificate, for whatever name. */
async function secureSink(certificate: Certificate, options: ServerOptions = {}) {
  const sink = await openSink(createServer({ cert: certificate.cert, key: certificate.key, ...options }))
  onTestFinished(() => sink.close())
  return sink
}

/** A client for which every name is loopback. */
const client = (properties: object, logger?: RecordingLogger) =>
  httpClient(
    { egress: { allow: ['127.0.0.0/8'] }, ...properties },
    { resolve: async () => ['127.0.0.1'] },
    logger,
  )

describe('nodes 34: who is trusted', () => {
  const { ca, strange } = { ca: [ours.cert], strange: [others.certFile] }
  const wildcard = ours.issue(['DNS:*.example.com'])
  const named = ours.issue(['DNS:other.example.com', 'DNS:evil.app.example.com'])
  const old = ours.issue(['DNS:app.example.com'], { days: 0 })

  test.each([
    ['an unknown authority', server, {}, 'tls no'],
    ['the wrong authority', server, { ca: strange }, 'tls no'],
    ['the right authority, besides the usual', server, { ca }, '200'],
    ['the right authority from a file, alone', server, { ca: [ours.certFile], caMode: 'only' }, '200'],
    ['another authority alone', server, { ca: strange, caMode: 'only' }, 'tls no'],
    ['two authorities', server, { ca: [...strange, ...ca] }, '200'],
    ['the name of another', named, { ca }, 'tls no'],
    ['the name of another, which is not looked at', named, { ca, hostnameVerification: 'any' }, '200'],
    ['no trust, though the name is not looked at', server, { hostnameVerification: 'any' }, 'tls no'],
    ['a wildcard', wildcard, { ca }, '200'],
    ['a wildcard where the very name is wanted', wildcard, { ca, hostnameVerification: 'strict' }, 'tls no'],
    ['the very name', server, { ca, hostnameVerification: 'strict' }, '200'],
    ['a certificate of the past', old, { ca }, 'tls no'],
    ['anybody', server, { insecure: true }, '200'],
  ] as const)('%s', async (_, certificate, properties, expected) => {
    const sink = await secureSink(certificate)
    const request = (await client(properties)).request(`https://app.example.com:${sink.port}/`, {
      purpose: 'x',
    })
    expect(await outcomeOf(request)).toBe(expected)
    expect(sink.received).toHaveLength(expected === '200' ? 1 : 0)
  })

  test('an address is looked for among the addresses of the certificate', async () => {
    const sink = await secureSink(server)
    expect(await outcomeOf((await client({ ca })).request(sink.origin, { purpose: 'x' }))).toBe('200')
    const nameOnly = await secureSink(ours.issue(['DNS:app.example.com']))
    expect(await outcomeOf((await client({ ca })).request(nameOnly.origin, { purpose: 'x' }))).toBe('tls no')
  })

  test('TLS below 1.2, and a server without TLS', async () => {
    const properties = { ca, egress: { allow: ['127.0.0.0/8'] } }
    const aged = await secureSink(server, {
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT:@SECLEVEL=0',
    })
    expect(await outcomeOf((await client(properties)).request(aged.origin, { purpose: 'x' }))).toBe('tls no')
    const plain = await openSink()
    onTestFinished(() => plain.close())
    const url = `https://127.0.0.1:${plain.port}/`
    expect(await outcomeOf((await client(properties)).request(url, { purpose: 'x' }))).toBe('tls no')
  })

  test('the variable of Node that trusts everybody has no effect', async () => {
    const sink = await secureSink(server)
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    onTestFinished(() => {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
    })
    expect(await outcomeOf((await client({})).request(sink.origin, { purpose: 'x' }))).toBe('tls no')
  })

  test('trusting everybody is told in the log and by the health', async () => {
    const logger = new RecordingLogger()
    const insecure = await client({ insecure: true }, logger)
    expect(insecure.warnings?.()).toEqual([expect.stringContaining('"insecure"')])
    expect(JSON.stringify(logger.entries)).toContain('insecure')
    expect((await client({})).warnings?.()).toEqual([])
  })
})

describe('nodes 35: client certificates', () => {
  const mine = others.issue(['DNS:me'])
  const demanding = { requestCert: true, rejectUnauthorized: false, ca: others.cert }
  const shown = (sink: Awaited<ReturnType<typeof secureSink>>) => {
    const seen: boolean[] = []
    sink.behave((request, response) => {
      const { raw } = (request.socket as TLSSocket).getPeerCertificate()
      seen.push(raw !== undefined)
      response.end()
    })
    return seen
  }
  const files = { cert: mine.certFile, key: mine.keyFile }

  test('one is shown to its hosts and to nobody else', async () => {
    const sink = await secureSink(ours.issue(['DNS:*.example.com']), demanding)
    const seen = shown(sink)
    const clientCertificates = [{ hosts: ['h1.example.com', 'n-*.example.com'], ...files }]
    const provider = await client({ ca: [ours.cert], clientCertificates })
    for (const host of ['h1', 'h2', 'n-7', 'h1'])
      await provider.request(`https://${host}.example.com:${sink.port}/`, { purpose: 'x' })
    expect(seen).toEqual([true, false, true, true])
    const { X509Certificate, createHash } = await import('node:crypto')
    const raw = new X509Certificate(mine.cert).raw
    const thumbprint = createHash('sha256').update(raw).digest('base64url')
    expect(provider.certificateThumbprint('https://h1.example.com/token')).toBe(thumbprint)
    expect(provider.certificateThumbprint('https://h2.example.com/token')).toBeUndefined()
  })

  test('one in PKCS #12, and one as text', async () => {
    const sink = await secureSink(server, demanding)
    const seen = shown(sink)
    const hosts = ['127.0.0.1']
    const pfx = certificates.pfx(mine, 'passphrase')
    for (const item of [
      { hosts, pfx, passphrase: 'passphrase' },
      { hosts, cert: mine.cert, key: mine.key },
    ]) {
      const provider = await client({ ca: [ours.cert], clientCertificates: [item] })
      await provider.request(sink.origin, { purpose: 'x' })
      expect(provider.certificateThumbprint(sink.origin)).toMatch(/^[\w-]{43}$/)
    }
    expect(seen).toEqual([true, true])
  })

  test('a server that demands one and gets none or another', async () => {
    const strict = { ...demanding, rejectUnauthorized: true }
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const sink = await secureSink(server, { ...strict, maxVersion })
      const provider = await client({ ca: [ours.cert] })
      const outcome = await outcomeOf(provider.request(sink.origin, { purpose: 'x' }))
      expect(outcome).toMatch(/^(tls|connect|protocol) (no|unknown)$/)
      expect(sink.received).toHaveLength(0)
    }
  })

  test('what does not fit together stops the start, without its text', async () => {
    const hosts = ['a']
    const pfx = certificates.pfx(mine, 'passphrase')
    for (const [item, place] of [
      [{ hosts, cert: mine.certFile, key: server.keyFile }, 'clientCertificates[0]'],
      [{ hosts, pfx, passphrase: 'wr0ng' }, 'clientCertificates[0]'],
      [{ hosts, cert: '/nowhere/a.pem', key: mine.keyFile }, 'clientCertificates[0].cert'],
      [{ hosts, cert: mine.certFile }, 'clientCertificates'],
      [{ hosts, pfx, ...files }, 'clientCertificates'],
      [{ hosts: [], ...files }, 'clientCertificates'],
      [{ hosts: ['a b'], ...files }, 'clientCertificates'],
    ] as const) {
      const started = client({ clientCertificates: [item] })
      await expect(started).rejects.toMatchObject({ code: 'ERR_PROVIDER_CONFIGURATION' })
      await expect(started).rejects.toThrow(place)
      await expect(started).rejects.not.toThrow(/wr0ng|nowhere/)
    }
    await expect(client({ ca: ['/nowhere'] })).rejects.toThrow(/ca\[0\]: the file cannot be read \(ENOENT\)/)
    await expect(client({ ca: [mine.keyFile] })).rejects.toThrow(/ca\[0\]: has no certificate/)
    await expect(client({ caMode: 'only' })).rejects.toThrow(/must be "add" while "ca" is empty/)
  })
})

describe('nodes 35: a file that changes', () => {
  test('is read before the next request, and older connections are not used again', async () => {
    const file = `${certificates.folder}/changing.pem`
    copyFileSync(ours.certFile, file)
    const logger = new RecordingLogger()
    const provider = await client({ ca: [file], caMode: 'only' }, logger)
    const sink = await secureSink(server)
    const request = () => outcomeOf(provider.request(sink.origin, { purpose: 'x' }))
    expect([await request(), await request(), sink.connections()]).toEqual(['200', '200', 1])
    copyFileSync(others.certFile, file)
    expect(await request()).toBe('tls no')
    copyFileSync(ours.certFile, file)
    expect([await request(), sink.connections()]).toEqual(['200', 3])
    expect(logger.entries).toEqual([])
  })

  test('and is half written leaves the one before in force, and the log says so once', async () => {
    const file = `${certificates.folder}/half.pem`
    copyFileSync(ours.certFile, file)
    const logger = new RecordingLogger()
    const provider = await client({ ca: [file], caMode: 'only' }, logger)
    const sink = await secureSink(server)
    const request = () => outcomeOf(provider.request(sink.origin, { purpose: 'x' }))
    expect(await request()).toBe('200')
    writeFileSync(file, '-----BEG')
    expect([await request(), await request()]).toEqual(['200', '200'])
    expect(logger.entries).toHaveLength(1)
    copyFileSync(others.certFile, file)
    expect(await request()).toBe('tls no')
  })
})

describe('nodes 35: a file that could not be used', () => {
  test('is read again when it changes, also where its size and its time of change look the same', async () => {
    const file = `${certificates.folder}/mended.pem`
    copyFileSync(ours.certFile, file)
    const provider = await client({ ca: [file], caMode: 'only' })
    const sink = await secureSink(server)
    const request = () => outcomeOf(provider.request(sink.origin, { purpose: 'x' }))
    const write = (text: string): void => {
      writeFileSync(file, text)
      utimesSync(file, 1_000_000_000, 1_000_000_000)
    }
    write(others.cert.replaceAll('CERTIFICATE', 'CERTIFICATX'))
    expect([await request(), await request()]).toEqual(['200', '200'])
    write(others.cert)
    expect(await request()).toBe('tls no')
  })

  test('is read again before each request where it could not be read, and the log says so once', async () => {
    const file = `${certificates.folder}/unread.pem`
    copyFileSync(ours.certFile, file)
    const logger = new RecordingLogger()
    const provider = await client({ ca: [file], caMode: 'only' }, logger)
    const sink = await secureSink(server)
    const request = () => outcomeOf(provider.request(sink.origin, { purpose: 'x' }))
    writeFileSync(file, others.cert)
    const full = Object.assign(new Error('too many open files'), { code: 'EMFILE' })
    vi.spyOn(promises, 'readFile').mockRejectedValue(full)
    syncBuiltinESMExports()
    onTestFinished(() => {
      vi.restoreAllMocks()
      syncBuiltinESMExports()
    })
    expect([await request(), await request()]).toEqual(['200', '200'])
    expect(logger.entries).toHaveLength(1)
    vi.restoreAllMocks()
    syncBuiltinESMExports()
    expect(await request()).toBe('tls no')
  })
})

describe('through a proxy', () => {
  test('a client certificate for every host is shown to the target, and not to the proxy', async () => {
    const mine = others.issue(['DNS:me'])
    const demanding = { requestCert: true, rejectUnauthorized: false, ca: others.cert }
    const seen: [who: string, isShown: boolean][] = []
    const note = (who: string) => (socket: TLSSocket) =>
      void seen.push([who, socket.getPeerCertificate().raw !== undefined])
    const target = createServer({ ...ours.issue(['DNS:app.example.com']), ...demanding })
    const secureProxy = createServer({ ...ours.issue(['IP:127.0.0.1']), ...demanding })
    target.on('secureConnection', note('target'))
    secureProxy.on('secureConnection', note('proxy'))
    const sink = await openSink(target)
    onTestFinished(() => sink.close())
    const proxy = await openProxy(() => sink.port, secureProxy as unknown as Parameters<typeof openProxy>[1])
    onTestFinished(() => proxy.close())
    const provider = await client({
      ca: [ours.cert],
      proxyMappings: [`.*;https://127.0.0.1:${proxy.port}`],
      clientCertificates: [{ hosts: ['*', '*.example.com'], cert: mine.certFile, key: mine.keyFile }],
    })
    const url = `https://app.example.com:${sink.port}/`
    expect(await outcomeOf(provider.request(url, { purpose: 'x' }))).toBe('200')
    expect(seen).toEqual([
      ['proxy', false],
      ['target', true],
    ])
  })

  test('TLS is spoken with the target by its name, and with a proxy of TLS by its own', async () => {
    const sink = await secureSink(ours.issue(['DNS:app.example.com']))
    const names: (string | boolean | null | undefined)[] = []
    sink.behave((request, response) => {
      names.push((request.socket as TLSSocket & { servername?: string }).servername)
      response.end()
    })
    const { cert, key } = ours.issue(['IP:127.0.0.1'])
    const secureProxy = createServer({ cert, key }) as unknown as Parameters<typeof openProxy>[1]
    for (const [scheme, proxy] of [
      ['http', await openProxy(() => sink.port)],
      ['https', await openProxy(() => sink.port, secureProxy)],
    ] as const) {
      onTestFinished(() => proxy.close())
      const proxyMappings = [`.*;${scheme}://127.0.0.1:${proxy.port}`]
      const provider = await client({ ca: [ours.cert], proxyMappings })
      const url = `https://app.example.com:${sink.port}/`
      expect(await outcomeOf(provider.request(url, { purpose: 'x' }))).toBe('200')
      expect(proxy.asked.map(({ authority }) => authority)).toEqual([`127.0.0.1:${sink.port}`])
      const wrong = await provider
        .request(`https://b.example.com:${sink.port}/`, { purpose: 'x' })
        .catch((e) => e)
      expect([wrong.code, wrong.host]).toEqual(['tls', 'b.example.com'])
    }
    expect(names).toEqual(['app.example.com', 'app.example.com'])
  })
})
