// The guard with names: what a resolver answers decides, and nobody is asked twice.
import { describe, expect, onTestFinished, test } from 'vitest'
import { openSink } from '../src/conformance/sink.js'
import type { Resolve } from '../src/index.js'
import { httpClient, outcomeOf } from './client.js'

const PUBLIC = '93.184.216.34'

/** A resolver that gives one answer after the other, and the last one for ever. */
function resolver(...answers: readonly (readonly string[])[]) {
  const asked: string[] = []
  const resolve: Resolve = async (name) => {
    asked.push(name)
    return answers[Math.min(asked.length, answers.length) - 1] ?? []
  }
  return { asked, resolve }
}

async function sink() {
  const opened = await openSink()
  onTestFinished(() => opened.close())
  return opened
}

describe('names', () => {
  test('nodes 25: a name is looked up once per connection, and the checked address is connected to', async () => {
    const server = await sink()
    // Public first, private afterwards: a second look-up would lead somewhere else.
    const { asked, resolve } = resolver(['127.0.0.1'], ['10.0.0.1'])
    const client = await httpClient({ egress: { allow: ['127.0.0.0/8'] } }, { resolve })
    const url = `http://app.example.com:${server.port}/x`
    for (let time = 0; time < 3; time++) {
      const answer = await client.request(url, { purpose: 'x' })
      expect([answer.status, answer.remoteAddress]).toEqual([200, '127.0.0.1'])
    }
    expect([asked, server.connections()]).toEqual([['app.example.com'], 1])
    expect(server.received[0]?.headers.host).toBe(`app.example.com:${server.port}`)
  })

  test('nodes 25: a name that turns private before the next connection is refused then', async () => {
    const server = await sink()
    server.behave((_request, response) => response.writeHead(200, { connection: 'close' }).end('ok'))
    const { asked, resolve } = resolver(['127.0.0.1'], ['10.0.0.1'])
    const client = await httpClient({ egress: { allow: ['127.0.0.1'] } }, { resolve })
    const url = `http://app.example.com:${server.port}/x`
    expect(await outcomeOf(client.request(url, { purpose: 'x' }))).toBe('200')
    expect(await outcomeOf(client.request(url, { purpose: 'x' }))).toBe('egress no')
    expect([asked.length, server.connections()]).toEqual([2, 1])
  })

  test.each([
    ['one public and one private', [PUBLIC, '127.0.0.1']],
    ['one private and one public', ['::1', PUBLIC]],
    ['an address with a zone', ['fe80::1%eth0']],
    ['no address', ['localhost']],
    ['the short form of an address', ['127.1']],
    ['the metadata of a cloud', ['169.254.169.254']],
  ])('nodes 26: %s refuses the name', async (_, addresses) => {
    const server = await sink()
    const client = await httpClient({}, { resolve: async () => addresses })
    const request = client.request(`http://app.example.com:${server.port}/`, { purpose: 'x' })
    expect(await outcomeOf(request)).toBe('egress no')
    expect(server.connections()).toBe(0)
  })

  test('without an address, or with a resolver that fails, there is no connection', async () => {
    const empty = await httpClient({}, { resolve: async () => [] })
    expect(await outcomeOf(empty.request('http://a.example/', { purpose: 'x' }))).toBe('connect no')
    const failing = await httpClient(
      {},
      { resolve: () => Promise.reject(Object.assign(new Error('secret'), { code: 'ENOTFOUND' })) },
    )
    await expect(failing.request('http://a.example/', { purpose: 'x' })).rejects.toThrow(
      'http-client: no connection (a.example): ENOTFOUND',
    )
  })

  test('nodes 28: a look-up that never ends is ended by the deadline, and is one for all who wait', async () => {
    let asked = 0
    const resolve: Resolve = () => {
      asked++
      return new Promise(() => {})
    }
    const client = await httpClient({ deadlineMs: 100 }, { resolve })
    const requests = Array.from({ length: 10 }, () => client.request('http://a.example/', { purpose: 'x' }))
    expect(new Set(await Promise.all(requests.map(outcomeOf)))).toEqual(new Set(['timeout no']))
    expect(asked).toBe(1)
  })

  test('a look-up that never ends is forgotten after the time for a connection', async () => {
    let asked = 0
    const resolve: Resolve = () => {
      asked++
      return asked === 1 ? new Promise(() => {}) : Promise.resolve(['10.0.0.1'])
    }
    const client = await httpClient({ connectTimeoutMs: 50 }, { resolve })
    const request = () => outcomeOf(client.request('http://a.example/', { purpose: 'x' }))
    expect(await request()).toBe('timeout no')
    await expect.poll(request).toBe('egress no')
    expect(asked).toBe(2)
  })

  test('a resolver that throws, or answers no list, is no connection', async () => {
    for (const resolve of [
      () => {
        throw Object.assign(new Error('secret'), { code: 'ENOTFOUND' })
      },
      async () => undefined,
      async () => [7],
    ]) {
      const client = await httpClient({}, { resolve: resolve as never })
      expect(await outcomeOf(client.request('http://a.example/', { purpose: 'x' }))).toBe('connect no')
    }
  })

  test('a look-up that never ends is ended by the time for a connection', async () => {
    const client = await httpClient({ connectTimeoutMs: 50 }, { resolve: () => new Promise(() => {}) })
    await expect(client.request('http://a.example/', { purpose: 'x' })).rejects.toMatchObject({
      code: 'timeout',
      sent: 'no',
      detail: 'no connection in time',
    })
  })

  test('of several addresses the next is tried where nobody listens', async () => {
    const server = await sink()
    const client = await httpClient(
      { egress: { allow: ['127.0.0.0/8'] } },
      { resolve: async () => ['127.0.0.2', '127.0.0.1'] },
    )
    const answer = await client.request(`http://a.example:${server.port}/`, { purpose: 'x' })
    expect(answer.remoteAddress).toBe('127.0.0.1')
  })
})

test('localhost and the name of this host are refused by the resolver of the system', async () => {
  const server = await sink()
  const client = await httpClient({})
  expect(await outcomeOf(client.request(`http://localhost:${server.port}/`, { purpose: 'x' }))).toBe(
    'egress no',
  )
  expect(server.connections()).toBe(0)
})
