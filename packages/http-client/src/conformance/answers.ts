import assert from 'node:assert/strict'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import {
  hostileNames,
  refusesEndlessNames,
  refusesMisspelling,
  type SuiteBuilder,
  taker,
} from '@authstate/conformance'
import type { HttpClientProvider, HttpRequestInit } from '../contract.js'
import { failsWith } from './expect.js'
import { withSinks } from './sink.js'

/** What is sent, and what comes back. */
export function addAnswerCases({ basic }: SuiteBuilder<HttpClientProvider>): void {
  basic('request: sends method, path, headers and body, and reads the answer', 'contract', ({ provider }) =>
    withSinks(1, async (sink) => {
      sink.behave((_request, response) => {
        response.writeHead(201, { 'content-type': 'text/plain', 'set-cookie': ['a=1', 'b=2'] })
        response.end('grüße')
      })
      const answer = await provider.request(`${sink.origin}/a/b?c=d#e`, {
        purpose: 'token',
        method: 'POST',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', accept: 'text/plain' },
        body: 'x=1&y=ü',
      })
      const [received] = sink.received
      assert.deepEqual(
        [received?.method, received?.path, received?.body, received?.headers['content-type']],
        ['POST', '/a/b?c=d', 'x=1&y=ü', 'application/x-www-form-urlencoded'],
      )
      assert.equal(received?.headers.host, new URL(sink.origin).host)
      assert.equal(answer.status, 201)
      assert.equal(answer.headers['content-type'], 'text/plain')
      assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2'])
      assert.equal(answer.text(), 'grüße')
      assert.equal(Buffer.from(answer.bytes()).toString(), 'grüße')
      assert.equal(answer.remoteAddress, '127.0.0.1')
    }),
  )

  basic('request: a URL object and bytes are taken as well', 'contract', ({ provider }) =>
    withSinks(1, async (sink) => {
      const body = new Uint8Array([104, 105])
      await provider.request(new URL(sink.origin), { purpose: 'x', method: 'PUT', body })
      await provider.request(sink.origin, { purpose: 'x' })
      assert.deepEqual(
        sink.received.map(({ method, path, body: sent }) => [method, path, sent]),
        [
          ['PUT', '/', 'hi'],
          ['GET', '/', ''],
        ],
      )
    }),
  )

  basic(
    'request: every status is an answer, and nothing is sent to where a redirect leads',
    'issue',
    ({ provider }) =>
      withSinks(2, async (sink, elsewhere) => {
        for (const status of [204, 301, 302, 303, 307, 308, 400, 401, 404, 429, 500, 503]) {
          sink.behave((_request, response) =>
            response.writeHead(status, { location: `${elsewhere.origin}/secret` }).end(),
          )
          const answer = await provider.request(`${sink.origin}/x`, {
            purpose: 'token',
            method: 'POST',
            body: 'a',
          })
          assert.equal(answer.status, status)
          assert.equal(answer.headers['location'], `${elsewhere.origin}/secret`)
        }
        assert.deepEqual([elsewhere.connections(), sink.received.length], [0, 12])
      }),
  )

  basic(
    'request: the answers of a purpose may be dropped, the connection stays',
    'contract',
    ({ provider }) =>
      withSinks(1, async (sink) => {
        for (const size of [5, 5, 100_000, 5]) {
          sink.behave((_request, response) => response.end('a'.repeat(size)))
          const answer = await provider.request(sink.origin, {
            purpose: 'backchannel-logout',
            method: 'POST',
            body: 'a',
          })
          assert.deepEqual([answer.status, answer.bytes().byteLength, answer.text()], [200, 0, ''])
        }
        // One that is too large is not read, so its connection ends.
        assert.equal(sink.connections(), 2)
      }),
  )

  basic('request: json reads the body, and says when it is none', 'contract', ({ provider }) =>
    withSinks(1, async (sink) => {
      sink.behave((_request, response) => response.end('{"a":[1]}'))
      assert.deepEqual((await provider.request(sink.origin, { purpose: 'x' })).json(), { a: [1] })
      sink.behave((_request, response) => response.end('<secret>'))
      const answer = await provider.request(sink.origin, { purpose: 'x' })
      await failsWith((async () => answer.json())(), 'protocol', 'unknown')
    }),
  )

  basic(
    'request: a compressed body is decompressed, one in an unknown way is refused',
    'contract',
    ({ provider }) =>
      withSinks(1, async (sink) => {
        const ways = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, identity: Buffer.from }
        for (const [encoding, compress] of Object.entries(ways)) {
          sink.behave((_request, response) =>
            response
              .writeHead(200, { 'content-encoding': encoding })
              .end((compress as typeof gzipSync)('hello')),
          )
          assert.equal((await provider.request(sink.origin, { purpose: 'x' })).text(), 'hello', encoding)
        }
        for (const [encoding, body] of [
          ['zstd', 'x'],
          ['gzip', 'no gzip'],
          ['gzip, gzip', gzipSync(gzipSync('x'))],
        ] as const) {
          sink.behave((_request, response) =>
            response.writeHead(200, { 'content-encoding': encoding }).end(body),
          )
          await failsWith(provider.request(sink.origin, { purpose: 'x' }), 'protocol', 'unknown', encoding)
        }
      }),
  )

  basic(
    'request: arguments that are wrong are told by name, and nothing is sent',
    'contract',
    ({ provider }) =>
      withSinks(1, async (sink) => {
        const wrong: [what: string, init: object | undefined][] = [
          ['init', undefined],
          ['purpose', {}],
          ['purpose', { purpose: '' }],
          ['method', { method: 'get' }],
          ['method', { method: 'CONNECT' }],
          ['headers', { headers: 'a: b' }],
          ['headers', { headers: { 'a b': 'c' } }],
          ['headers', { headers: { a: 'b\r\nc: d' } }],
          ['headers', { headers: { a: '\u0100' } }],
          ['headers', { headers: { a: 7 } }],
          ...[
            'Host',
            'content-length',
            'Transfer-Encoding',
            'Connection',
            'Upgrade',
            'Proxy-Authorization',
            'Expect',
          ].map((name): [string, object] => ['headers', { headers: { [name]: 'x' } }]),
          ['body', { body: 'x' }],
          ['body', { method: 'POST', body: {} }],
          ['deadlineMs', { deadlineMs: 0 }],
          ['deadlineMs', { deadlineMs: 1.5 }],
          ['deadlineMs', { deadlineMs: 2 ** 31 }],
          ['maxResponseBytes', { maxResponseBytes: -1 }],
          ['egress', { egress: '10.0.0.0/8' }],
          ...[
            '0.0.0.0/0',
            '10.0.0.0/7',
            '::/0',
            'example.com',
            '10.1/16',
            '10.0.0.0/33',
            '10.0.0.1:0',
            '10.0.0.1:65536',
            '',
            7,
          ].map((rule): [string, object] => ['egress[0]', { egress: [rule] }]),
          ['signal', { signal: {} }],
        ]
        for (const [name, init] of wrong) {
          const given = init && (name === 'purpose' ? init : { purpose: 'x', ...init })
          await assert.rejects(
            provider.request(sink.origin, given as unknown as HttpRequestInit),
            (error: Error) =>
              /^(TypeError|RangeError)$/.test(error.name) &&
              error.message.includes(`"${name.startsWith('init') ? name : `init.${name}`}`),
            `${name} ${JSON.stringify(init)}`,
          )
        }
        for (const url of [undefined, 7, {}, null])
          await assert.rejects(provider.request(url as never, { purpose: 'x' }), /TypeError: "url"/)
        assert.equal(sink.connections(), 0)
      }),
  )

  basic('request: a misspelt option is refused', 'house rules', ({ provider }) =>
    withSinks(1, async (sink) => {
      await refusesMisspelling<HttpClientProvider>({
        request: [
          taker<HttpRequestInit>(
            {
              purpose: 'x',
              method: 'POST',
              headers: {},
              body: '',
              deadlineMs: 1_000,
              maxResponseBytes: 10,
              egress: [],
              signal: new AbortController().signal,
            },
            (init) => provider.request(sink.origin, init),
          ),
        ],
        certificateThumbprint: [],
        stats: [],
      })
      assert.equal(sink.connections(), 0)
    }),
  )

  basic('request: a purpose is a name like any other', 'house rules', ({ provider }) =>
    withSinks(1, async (sink) => {
      for (const purpose of hostileNames)
        assert.equal((await provider.request(sink.origin, { purpose })).status, 200)
      await refusesEndlessNames({ purpose: (purpose) => provider.request(sink.origin, { purpose }) })
    }),
  )

  basic(
    'certificateThumbprint: nothing where no certificate is configured',
    'contract',
    async ({ provider }) => {
      assert.equal(provider.certificateThumbprint('https://app.example.com/x'), undefined)
      assert.throws(() => provider.certificateThumbprint(7 as never), TypeError)
    },
  )
}
