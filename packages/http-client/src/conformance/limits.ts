import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import type { SuiteBuilder } from '@authstate/conformance'
import type { HttpClientProvider } from '../contract.js'
import { failsWith } from './expect.js'
import { type Behaviour, withSinks } from './sink.js'

const MEGABYTE = 1_048_576
const LIMIT = 100_000

/** How large an answer may be, how many connections there are, who waits. */
export function addLimitCases({ basic, concurrency }: SuiteBuilder<HttpClientProvider>): void {
  basic('request: an answer that is too large is not read to its end', 'issue, nodes 29', ({ provider }) =>
    withSinks(1, async (sink) => {
      let written = 0
      const endless: Behaviour = (_request, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(16_384))) written += 16_384
        }
        response.on('drain', more)
        more()
      }
      const behaviours: [what: string, behaviour: Behaviour][] = [
        ['11 MB', (_request, response) => response.end(Buffer.alloc(11 * MEGABYTE))],
        ['one byte more', (_request, response) => response.end(Buffer.alloc(LIMIT + 1))],
        ['no end', endless],
        [
          'a bomb',
          (_request, response) =>
            response
              .writeHead(200, { 'content-encoding': 'gzip' })
              .end(gzipSync(Buffer.alloc(50 * MEGABYTE))),
        ],
      ]
      for (const [what, behaviour] of behaviours) {
        sink.behave(behaviour)
        const request = provider.request(sink.origin, { purpose: 'x', maxResponseBytes: LIMIT })
        await failsWith(request, 'too-large', 'unknown', what)
      }
      // What is on its way when the connection ends lies in buffers of the two sides.
      await sink.isLeft()
      assert.ok(written < 20 * MEGABYTE, `${written} bytes were taken of an answer that may have ${LIMIT}`)
      sink.behave((_request, response) => response.end(Buffer.alloc(LIMIT)))
      const answer = await provider.request(sink.origin, { purpose: 'x', maxResponseBytes: LIMIT })
      assert.equal(answer.bytes().byteLength, LIMIT)
    }),
  )

  basic(
    'request: the configured limit holds, and 11 MB are too much when nothing is said',
    'contract',
    ({ provider, withProperties }) =>
      withSinks(1, async (sink) => {
        sink.behave((_request, response) => response.end(Buffer.alloc(11 * MEGABYTE)))
        await failsWith(provider.request(sink.origin, { purpose: 'x' }), 'too-large', 'unknown')
        const properties = {
          egress: { allow: ['127.0.0.0/8'] },
          maxResponseBytes: 12 * MEGABYTE,
          purposes: { small: { maxResponseBytes: 5 } },
        }
        const larger = await withProperties(properties)
        assert.equal((await larger.request(sink.origin, { purpose: 'x' })).bytes().byteLength, 11 * MEGABYTE)
        await failsWith(larger.request(sink.origin, { purpose: 'small' }), 'too-large', 'unknown')
      }),
  )

  basic('request: headers of an answer without end are refused', 'issue', ({ provider }) =>
    withSinks(1, async (sink) => {
      sink.behave((request) => {
        const header = `x-${'a'.repeat(1_000)}: b\r\n`
        request.socket.write(`HTTP/1.1 200 OK\r\n${header.repeat(200)}`)
      })
      await failsWith(provider.request(sink.origin, { purpose: 'x' }), 'too-large', 'unknown')
    }),
  )

  concurrency(
    'request: one origin has its share of connections, and others go on',
    'issue, nodes 30',
    ({ withProperties }) =>
      withSinks(2, async (busy, other) => {
        const provider = await withProperties({
          egress: { allow: ['127.0.0.0/8'] },
          maxConnectionsPerOrigin: 8,
          queueTimeoutMs: '30s',
          deadlineMs: '30s',
        })
        const held: (() => void)[] = []
        busy.behave((_request, response) => held.push(() => response.end('ok')))
        const requests = Array.from({ length: 200 }, (_, n) =>
          provider.request(`${busy.origin}/${n}`, { purpose: 'x' }),
        )
        await busy.hasReceived(8)
        assert.deepEqual(provider.stats().byOrigin[busy.origin], { open: 8, busy: 8, queued: 192 })
        // The eight that are held hold up nobody else.
        assert.equal((await provider.request(other.origin, { purpose: 'x' })).status, 200)
        busy.behave((_request, response) => response.end('ok'))
        for (const answer of held) answer()
        const answers = await Promise.all(requests)
        assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
        assert.deepEqual([busy.peak(), busy.received.length], [8, 200])
        assert.equal(provider.stats().queued, 0)
      }),
  )

  concurrency(
    'request: two origins that answer nobody leave connections for others',
    'contract',
    ({ withProperties }) =>
      withSinks(3, async (first, second, other) => {
        const provider = await withProperties({
          egress: { allow: ['127.0.0.0/8'] },
          maxConnections: 8,
          maxConnectionsPerOrigin: 4,
          queueTimeoutMs: '30s',
          deadlineMs: '30s',
        })
        const held: (() => void)[] = []
        const requests = [first, second].flatMap((sink) => {
          sink.behave((_request, response) => held.push(() => response.end('ok')))
          return Array.from({ length: 20 }, () => provider.request(sink.origin, { purpose: 'x' }))
        })
        await first.hasReceived(1)
        await second.hasReceived(1)
        for (let round = 0; round < 5; round++)
          assert.equal((await provider.request(other.origin, { purpose: 'x' })).status, 200)
        assert.equal(first.received.length + second.received.length + provider.stats().queued, 40)
        for (const sink of [first, second]) sink.behave((_request, response) => response.end('ok'))
        for (const answer of held) answer()
        assert.equal((await Promise.all(requests)).length, 40)
        assert.deepEqual([provider.stats().busy, provider.stats().queued], [0, 0])
      }),
  )

  concurrency(
    'request: where all connections are in use, who has the fewest is served first',
    'contract',
    ({ withProperties }) =>
      withSinks(2, async (greedy, modest) => {
        const provider = await withProperties({
          egress: { allow: ['127.0.0.0/8'] },
          maxConnections: 2,
          queueTimeoutMs: '30s',
          deadlineMs: '30s',
        })
        const held: (() => void)[] = []
        greedy.behave((_request, response) => held.push(() => response.end('ok')))
        const many = Array.from({ length: 5 }, () => provider.request(greedy.origin, { purpose: 'x' }))
        await greedy.hasReceived(2)
        modest.behave((_request, response) => {
          // Those who came earlier still wait.
          assert.equal(greedy.received.length, 2)
          response.end('ok')
        })
        const later = provider.request(modest.origin, { purpose: 'x' })
        held[0]?.()
        assert.equal((await later).status, 200)
        greedy.behave((_request, response) => response.end('ok'))
        held[1]?.()
        const answers = await Promise.all(many)
        assert.deepEqual([answers.length, provider.stats().queued], [5, 0])
      }),
  )

  concurrency('request: an idle connection makes room for another origin', 'issue', ({ withProperties }) =>
    withSinks(3, async (...sinks) => {
      const provider = await withProperties({
        egress: { allow: ['127.0.0.0/8'] },
        maxConnections: 2,
        maxQueued: 0,
      })
      for (const sink of [...sinks, ...sinks]) {
        assert.equal((await provider.request(sink.origin, { purpose: 'x' })).status, 200)
        assert.ok(provider.stats().open <= 2)
      }
      assert.deepEqual(
        sinks.map(({ received }) => received.length),
        [2, 2, 2],
      )
    }),
  )

  concurrency('request: more than may wait are refused at once', 'issue', ({ withProperties }) =>
    withSinks(1, async (sink) => {
      const properties = { egress: { allow: ['127.0.0.0/8'] }, maxConnections: 1, maxQueued: 1 }
      const provider = await withProperties({ ...properties, queueTimeoutMs: '20s', deadlineMs: '20s' })
      let answer = (): void => {}
      sink.behave((_request, response) => {
        answer = () => response.end('ok')
      })
      const first = provider.request(sink.origin, { purpose: 'x' })
      await sink.hasReceived(1)
      const second = provider.request(sink.origin, { purpose: 'x' })
      await failsWith(provider.request(sink.origin, { purpose: 'x' }), 'queue-full', 'no', 'the third')
      assert.deepEqual([provider.stats().queued, provider.stats().refused], [1, 1])
      answer()
      assert.equal((await first).status, 200)
      await sink.hasReceived(2)
      answer()
      assert.equal((await second).status, 200)
    }),
  )

  concurrency('request: who waits for too long is refused', 'contract', ({ withProperties }) =>
    withSinks(1, async (sink) => {
      const properties = { egress: { allow: ['127.0.0.0/8'] }, maxConnections: 1, queueTimeoutMs: 50 }
      const provider = await withProperties({ ...properties, deadlineMs: '20s' })
      let answer = (): void => {}
      sink.behave((_request, response) => {
        answer = () => response.end('ok')
      })
      const first = provider.request(sink.origin, { purpose: 'x' })
      await sink.hasReceived(1)
      await failsWith(provider.request(sink.origin, { purpose: 'x' }), 'queue-full', 'no')
      answer()
      assert.equal((await first).status, 200)
      assert.deepEqual([sink.received.length, provider.stats().refused], [1, 1])
    }),
  )

  basic('request: a connection is used again', 'contract', ({ provider }) =>
    withSinks(1, async (sink) => {
      for (let time = 0; time < 5; time++) await provider.request(sink.origin, { purpose: 'x' })
      assert.equal(sink.connections(), 1)
      const { open, busy, queued, byOrigin } = provider.stats()
      assert.deepEqual({ open, busy, queued }, { open: 1, busy: 0, queued: 0 })
      assert.deepEqual(byOrigin, { [sink.origin]: { open: 1, busy: 0, queued: 0 } })
    }),
  )
}
