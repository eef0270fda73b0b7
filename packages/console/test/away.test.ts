import { describe, expect, test } from 'vitest'
import { CHIEF, silent, world } from './support.js'

const REDIS = 'redis at 127.0.0.1:6379 did not answer within 2000 ms'

describe('a store that goes away', () => {
  test('leaves the last data with their age, and actions off', async () => {
    const { get, store, clock } = await world()
    for (const path of ['/sessions?realm=acme', '/failures?realm=acme', '/clients?realm=acme', '/cluster'])
      expect((await get(path)).status).toBe(200)
    store.away = true
    clock.advance(42_000)
    for (const path of ['/sessions?realm=acme', '/failures?realm=acme', '/clients?realm=acme', '/cluster']) {
      const { status, text } = await get(path)
      expect([path, status]).toEqual([path, 200])
      expect(text).toContain(`${REDIS}. What is shown is what was known 42 s ago. Nothing can be done now.`)
      expect(text).toMatch(/<html[^>]* data-away="1"/)
      expect(text.match(/<button[^>]* data-does(?! disabled)/g)).toBeNull()
    }
    expect((await get('/sessions?realm=acme')).text).toContain('<bdi>ada</bdi>')
    const { away, at, data } = JSON.parse((await get('/api/v1/sessions?realm=acme')).text)
    expect([away, clock.now() - at, data.items.length]).toEqual([
      `The store does not answer: ${REDIS}.`,
      42_000,
      6,
    ])
    store.away = false
    expect((await get('/sessions?realm=acme')).text).not.toContain('Nothing can be done now')
  })

  test('is told where nothing was known before, and of what it was asked to do', async () => {
    const { get, post, token, store, data } = await world()
    const { items } = await data<{ items: readonly { reference: string }[] }>('sessions?realm=acme')
    const form = await token()
    store.away = true
    const page = await get('/clients?realm=acme')
    expect([page.status, page.headers.get('retry-after'), page.text.includes(REDIS)]).toEqual([
      503,
      '5',
      true,
    ])
    const problem = await get('/api/v1/clients?realm=acme')
    expect([problem.status, JSON.parse(problem.text).code]).toEqual([503, 'ERR_STORE_UNAVAILABLE'])
    const refs = items.map(({ reference }) => reference)
    const acted = await post('/api/v1/sessions/end?realm=acme', { token: form, refs })
    expect([acted.status, acted.text.includes(REDIS)]).toEqual([503, true])
  })

  test('is on the overview with what was seen last', async () => {
    const { get, store, console, clock } = await world()
    expect((await get('/')).text).not.toContain('data-away')
    store.away = true
    clock.advance(7_000)
    const { text } = await get('/')
    expect(text).toContain('data-away="1"')
    expect(text).toContain(`${REDIS}. What is shown is what was known 7 s ago.`)
    expect(text).toContain('acme')
    const events = await console(new Request('http://x/api/v1/events'))
    const reader = events.body?.getReader()
    const { value } = (await reader?.read()) ?? {}
    expect(JSON.parse(new TextDecoder().decode(value).slice(6))).toMatchObject({
      away: `The store does not answer: ${REDIS}.`,
    })
    await reader?.cancel()
  })
})

describe('open pages', () => {
  const textOf = async (reader: ReadableStreamDefaultReader<Uint8Array> | undefined) => {
    const { value, done } = (await reader?.read()) ?? {}
    return done ? undefined : new TextDecoder().decode(value)
  }

  test('are told at once, and as long as they read; close() ends them all', async () => {
    const { console } = await world({ maxStreams: 2 })
    const open = () => console(new Request('http://x/api/v1/events'))
    const [first, second, third] = [await open(), await open(), await open()]
    expect([first.status, second.status, third.status]).toEqual([200, 200, 503])
    expect(first.headers.get('content-type')).toBe('text/event-stream')
    expect(third.headers.get('retry-after')).toBe('15')
    const readers = [first.body?.getReader(), second.body?.getReader()]
    for (const reader of readers) expect(await textOf(reader)).toMatch(/^data: \{"now":\d+,"at":\d+\}\n\n$/)
    await readers[1]?.cancel()
    const again = await open()
    expect(again.status).toBe(200)
    await console.close()
    expect(await textOf(readers[0])).toBeUndefined()
    expect((await console(new Request('http://x/'))).status).toBe(503)
    await console.close()
  })

  test('are for who may read something', async () => {
    const { get, become } = await world()
    become({ ...CHIEF, can: { read: [] } })
    expect((await get('/api/v1/events')).status).toBe(403)
  })
})

test('a doctor is asked once for all who look, and what it says is shown with what to do', async () => {
  let asked = 0
  const examination = {
    target: 'redis://10.0.0.5:6379/0',
    mode: 'standalone' as const,
    server: 'redis 7.0.15',
    prefix: 'authstate',
    partitions: 16,
    at: 1_700_000_000_000,
    findings: [
      {
        id: 'eviction.policy',
        verdict: 'fail' as const,
        spi: ['action-token'],
        measured: {},
        message: 'volatile-lru may evict <live> records.',
        fix: 'maxmemory-policy noeviction',
        docs: 'docs/doctor.md',
      },
      {
        id: 'latency',
        verdict: 'ok' as const,
        spi: [],
        measured: {},
        message: 'fast',
        docs: 'docs/doctor.md',
      },
    ],
    summary: { ok: 1, warn: 0, fail: 1, unknown: 0, skip: 0 },
  }
  const doctor = async () => {
    asked += 1
    return examination
  }
  const { get } = await world({ doctor })
  const pages = await Promise.all([get('/redis'), get('/redis'), get('/redis?again=1')])
  expect(asked).toBe(1)
  for (const { text } of pages) {
    expect(text).toContain('volatile-lru may evict &lt;live&gt; records.')
    expect(text).toContain('maxmemory-policy noeviction')
    expect(text.indexOf('eviction.policy')).toBeLessThan(text.indexOf('>latency<'))
  }
  expect((await get('/')).text).toContain('volatile-lru may evict')
})

test('a doctor that fails says why, and the page is there', async () => {
  const { get } = await world({
    doctor: () => Promise.reject(new Error('with a secret in it')),
    logger: silent,
  })
  const { status, text } = await get('/redis')
  expect([status, text.includes('Redis could not be examined'), text.includes('secret')]).toEqual([
    200,
    true,
    false,
  ])
})
