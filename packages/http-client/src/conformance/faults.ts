import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { SuiteBuilder } from '@authstate/conformance'
import { ProviderClosedError } from '@authstate/spi'
import type { HttpClientProvider } from '../contract.js'
import { failsWith } from './expect.js'
import { type Behaviour, friendly, withSinks } from './sink.js'

/** Long enough for a request to reach its server, short enough to wait for. */
const SHORT_MS = 150

const hang: Behaviour = () => {}
const drip: Behaviour = (_request, response) => {
  response.write('a')
  const timer = setInterval(() => response.write('a'), 5)
  response.on('close', () => clearInterval(timer))
}

/** What the other side, or the caller, breaks. */
export function addFaultCases({ faults }: SuiteBuilder<HttpClientProvider>): void {
  faults('request: one deadline covers headers and body', 'issue, nodes 28', ({ provider }) =>
    withSinks(1, async (sink) => {
      for (const behaviour of [hang, drip]) {
        sink.behave(behaviour)
        const request = provider.request(sink.origin, { purpose: 'x', deadlineMs: SHORT_MS })
        await failsWith(request, 'timeout', 'unknown')
        await sink.isLeft()
      }
      // Neither connection is used again.
      sink.behave(friendly)
      assert.equal((await provider.request(sink.origin, { purpose: 'x' })).status, 200)
      assert.deepEqual([sink.connections(), provider.stats().busy], [3, 0])
    }),
  )

  faults(
    'request: what is refused before its end ends its connection, also where its server says no more',
    'contract',
    ({ provider }) =>
      withSinks(1, async (sink) => {
        const encoded = { 'content-encoding': 'gzip' }
        const bomb = gzipSync(Buffer.alloc(1_000_000))
        const behaviours: [what: string, code: 'too-large' | 'protocol', behaviour: Behaviour][] = [
          ['a bomb', 'too-large', (_request, response) => response.writeHead(200, encoded).write(bomb)],
          ['no gzip', 'protocol', (_request, response) => response.writeHead(200, encoded).write('no gzip')],
          ['too much', 'too-large', (_request, response) => response.write('a'.repeat(20_000))],
        ]
        for (const [what, code, behaviour] of behaviours) {
          sink.behave(behaviour)
          const request = provider.request(sink.origin, { purpose: 'x', maxResponseBytes: 10_000 })
          await failsWith(request, code, 'unknown', what)
          await sink.isLeft()
          assert.equal(provider.stats().busy, 0, what)
        }
      }),
  )

  faults(
    'request: an attempt that was refused leaves its connection to the next one',
    'contract',
    ({ withProperties }) =>
      withSinks(1, async (sink) => {
        const provider = await withProperties({
          egress: { allow: ['127.0.0.0/8'] },
          purposes: { x: { retries: 1 } },
          maxConnections: 1,
        })
        sink.behave((_request, response) => {
          response.writeHead(200, { 'content-encoding': 'gzip' }).write('no gzip')
          sink.behave(friendly)
        })
        assert.equal((await provider.request(sink.origin, { purpose: 'x' })).status, 200)
        assert.equal(sink.received.length, 2)
      }),
  )

  faults(
    'request: one deadline covers the line before a connection',
    'issue, nodes 28',
    ({ withProperties }) =>
      withSinks(1, async (sink) => {
        const properties = {
          egress: { allow: ['127.0.0.0/8'] },
          maxConnectionsPerOrigin: 1,
          deadlineMs: SHORT_MS,
        }
        const provider = await withProperties({ ...properties, queueTimeoutMs: '1h' })
        sink.behave(hang)
        const outcomes = await Promise.allSettled(
          Array.from({ length: 50 }, () => provider.request(sink.origin, { purpose: 'x' })),
        )
        const codes = outcomes.map((item) => (item.status === 'rejected' ? item.reason.code : item.status))
        assert.deepEqual([...new Set(codes)], ['timeout'])
        const { busy, queued } = provider.stats()
        assert.deepEqual({ busy, queued }, { busy: 0, queued: 0 })
      }),
  )

  faults('request: nobody listens', 'contract', async ({ provider }) => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    await failsWith(provider.request(`http://127.0.0.1:${port}/`, { purpose: 'x' }), 'connect', 'no')
    assert.deepEqual(provider.stats().byOrigin, {})
  })

  faults('request: the connection breaks, or what comes is no HTTP', 'contract', ({ provider }) =>
    withSinks(1, async (sink) => {
      const behaviours: Record<string, Behaviour> = {
        'before the answer': (request) => request.socket.destroy(),
        'within the body': (request, response) => {
          response.writeHead(200, { 'content-length': '10' })
          response.write('abc', () => request.socket.destroy())
        },
        'no HTTP': (request) => request.socket.end('SSH-2.0-OpenSSH_9\r\n'),
        'two lengths': (request) =>
          request.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'),
        'shorter than said': (request) =>
          request.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab'),
      }
      for (const [what, behaviour] of Object.entries(behaviours)) {
        sink.behave(behaviour)
        await failsWith(provider.request(sink.origin, { purpose: 'x' }), 'protocol', 'unknown', what)
      }
      sink.behave((_request, response) => response.end('ok'))
      assert.equal((await provider.request(sink.origin, { purpose: 'x' })).text(), 'ok')
    }),
  )

  faults('request: nothing is sent twice', 'contract', ({ provider }) =>
    withSinks(1, async (sink) => {
      sink.behave((request) => request.socket.destroy())
      for (const [purpose, method] of [
        ['token', 'GET'],
        ['jwks', 'POST'],
        ['backchannel-logout', 'POST'],
      ] as const) {
        const before = sink.received.length
        await failsWith(provider.request(sink.origin, { purpose, method }), 'protocol', 'unknown', purpose)
        assert.equal(sink.received.length, before + 1, purpose)
      }
    }),
  )

  faults(
    'request: what an attempt may have sent is told, however the next one ends',
    'contract',
    ({ withProperties }) =>
      withSinks(1, async (sink) => {
        const provider = await withProperties({
          egress: { allow: ['127.0.0.0/8'] },
          purposes: { x: { retries: 1 } },
        })
        // After the first attempt nobody listens any more.
        sink.behave((request) => {
          request.socket.destroy()
          void sink.close()
        })
        await failsWith(provider.request(sink.origin, { purpose: 'x' }), 'connect', 'unknown')
        assert.equal(sink.received.length, 1)
        await failsWith(provider.request(sink.origin, { purpose: 'x' }), 'connect', 'no')
      }),
  )

  faults(
    'request: a GET for a purpose with retries is sent again, as often as it says',
    'contract',
    ({ provider, withProperties }) =>
      withSinks(1, async (sink) => {
        let count = 0
        const third: Behaviour = (request, response) => {
          count++
          if (count === 1) request.socket.destroy()
          else response.writeHead(count === 2 ? 503 : 200).end('keys')
        }
        sink.behave(third)
        assert.equal((await provider.request(sink.origin, { purpose: 'jwks' })).text(), 'keys')
        assert.equal(sink.received.length, 3)
        sink.behave((_request, response) => response.writeHead(503).end())
        assert.equal((await provider.request(sink.origin, { purpose: 'jwks' })).status, 503)
        assert.equal(sink.received.length, 6)
        const properties = { egress: { allow: ['127.0.0.0/8'] }, purposes: { jwks: { retries: 0 } } }
        await (await withProperties(properties)).request(sink.origin, { purpose: 'jwks' })
        assert.equal(sink.received.length, 7)
      }),
  )

  faults('request: the caller gives up', 'contract', ({ provider }) =>
    withSinks(1, async (sink) => {
      sink.behave(hang)
      const before = AbortSignal.abort(new Error('secret'))
      await failsWith(provider.request(sink.origin, { purpose: 'x', signal: before }), 'aborted', 'no')
      assert.equal(sink.connections(), 0)
      const controller = new AbortController()
      const request = provider.request(sink.origin, { purpose: 'x', signal: controller.signal })
      await sink.hasReceived(1)
      controller.abort(new Error('secret'))
      await failsWith(request, 'aborted', 'unknown')
      await sink.isLeft()
    }),
  )

  faults('close: ends what is under way, and what waits', 'contract', ({ withProperties }) =>
    withSinks(1, async (sink) => {
      const properties = { egress: { allow: ['127.0.0.0/8'] }, maxConnections: 1, deadlineMs: '3s' }
      const provider = await withProperties(properties)
      await provider.request(sink.origin, { purpose: 'x' })
      sink.behave(hang)
      const requests = [1, 2].map(() => provider.request(sink.origin, { purpose: 'x' }))
      const outcomes = Promise.allSettled(requests)
      await sink.hasReceived(2)
      await Promise.all([provider.close?.(), provider.close?.()])
      for (const outcome of await outcomes)
        assert.ok(outcome.status === 'rejected' && outcome.reason instanceof ProviderClosedError)
      await assert.rejects(provider.request(sink.origin, { purpose: 'x' }), ProviderClosedError)
      await sink.isLeft()
      assert.deepEqual([sink.received.length, provider.stats().open], [2, 0])
    }),
  )

  faults('request: an error holds nothing of the request or of the answer', 'issue', ({ provider, logger }) =>
    withSinks(1, async (sink) => {
      const secrets = ['s3cr3t-path', 's3cr3t-query', 's3cr3t-header', 's3cr3t-body', 's3cr3t-answer']
      const [path, query, header, body, answer] = secrets
      const behaviours: Behaviour[] = [
        (request) => request.socket.end(`HTTP/1.1 ${answer}\r\n\r\n`),
        (request) => request.socket.end(`${answer}\r\n\r\n`),
        (request) => request.socket.destroy(),
        hang,
        (_request, response) => response.end(`${answer}${'a'.repeat(1_000)}`),
      ]
      for (const behaviour of behaviours) {
        sink.behave(behaviour)
        const sending = provider.request(`${sink.origin}/${path}?token=${query}`, {
          purpose: 'token',
          method: 'POST',
          headers: { authorization: `Bearer ${header}` },
          body: `logout_token=${body}`,
          deadlineMs: SHORT_MS,
          maxResponseBytes: 100,
        })
        const error = await sending.then(
          () => undefined,
          (reason: Error) => reason,
        )
        const text = `${error} ${error?.stack} ${JSON.stringify(error)} ${JSON.stringify(logger)}`
        for (const secret of secrets) assert.ok(!text.includes(secret as string), `${secret} is in ${error}`)
      }
    }),
  )
}
