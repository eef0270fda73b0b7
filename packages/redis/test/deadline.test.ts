import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest'
import { start, type Topology, until } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { DeadlineExceeded, Deadlines, type Wait } from '../src/deadline.js'
import type { RedisClient, RedisOptions } from '../src/index.js'
import { count, failureOf, open } from './support.js'

describe('deadlines', () => {
  // Looked up at each call, so that it is the runner's timers: the library itself goes on with the host's.
  const time = {
    setTimeout: ((...args: Parameters<typeof setTimeout>) => setTimeout(...args)) as typeof setTimeout,
    monotonicMs: () => performance.now(),
  }
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  test('each wait ends to the millisecond, with one timer for all', async () => {
    const deadlines = new Deadlines(100, time)
    const ended: string[] = []
    for (const name of ['first', 'second', 'third']) {
      deadlines.begin((error) => ended.push(`${name}: ${error.message}`))
      expect(vi.getTimerCount()).toBe(1)
      await vi.advanceTimersByTimeAsync(30)
    }
    expect(deadlines.pending).toBe(3)
    await vi.advanceTimersByTimeAsync(9)
    expect(ended).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(ended).toEqual(['first: no answer within 100 ms'])
    expect(vi.getTimerCount()).toBe(1)
    await vi.advanceTimersByTimeAsync(60)
    expect(ended).toHaveLength(3)
    expect(deadlines.pending).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('what has ended in time is not told, wherever it stands', async () => {
    const deadlines = new Deadlines(100, time)
    const exceeded: number[] = []
    const waits = Array.from({ length: 5 }, (_, n) => deadlines.begin(() => exceeded.push(n)))
    for (const n of [2, 0, 4]) expect(deadlines.end(waits[n] as Wait)).toBe(true)
    expect(deadlines.pending).toBe(2)
    await vi.advanceTimersByTimeAsync(100)
    expect(exceeded).toEqual([1, 3])
    expect(waits.map((wait) => deadlines.end(wait))).toEqual(Array(5).fill(false))
    expect(deadlines.pending).toBe(0)
  })

  test('what begins after the list was empty is told too', async () => {
    const deadlines = new Deadlines(100, time)
    const heard = vi.fn()
    deadlines.end(deadlines.begin(heard))
    await vi.advanceTimersByTimeAsync(60)
    deadlines.begin(heard)
    await vi.advanceTimersByTimeAsync(99)
    expect(heard).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(heard).toHaveBeenCalledExactlyOnceWith(expect.any(DeadlineExceeded))
  })

  test('idle: when the last one has ended, whichever way', async () => {
    const deadlines = new Deadlines(100, time)
    await deadlines.idle()
    deadlines.end(deadlines.begin(() => {}))
    deadlines.begin(() => {})
    let idle = false
    const waiting = Promise.all([deadlines.idle(), deadlines.idle()]).then(() => {
      idle = true
    })
    await vi.advanceTimersByTimeAsync(99)
    expect(idle).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    await waiting
    expect(idle).toBe(true)
  })
})

/** Long enough for a server that answers, on a busy machine. */
const TIMEOUT_MS = 3_000

describeWith(serverBinary, 'a server that hangs', () => {
  let server: Topology
  beforeAll(async () => {
    server = await start('single')
  })
  afterAll(() => server.stop())
  const url = () => `redis://127.0.0.1:${server.basePort}`
  const given = (client: RedisClient): RedisClient => {
    onTestFinished(() => client.disconnect())
    return client
  }

  test.each<[string, () => RedisOptions]>([
    ['made', () => ({ url: url() })],
    [
      'given, ioredis 6',
      () => ({ client: given(new Redis(url(), { autoResendUnfulfilledCommands: false })) }),
    ],
    [
      'given, ioredis 5',
      () => ({ client: given(new Redis5(url(), { autoResendUnfulfilledCommands: false })) }),
    ],
  ])('%s client: commands end on time, and may be applied later', async (name, options) => {
    const connection = await open({ ...options(), commandTimeoutMs: TIMEOUT_MS })
    const counter = connection.keys.key(0, 'n', name)
    const add = () => connection.run(count, { counter }, { by: 1 })
    expect(await add()).toBe(1)

    server.nodes[0]?.pause()
    const begun = performance.now()
    const all = [
      ...Array.from({ length: 50 }, add),
      connection.checkHealth(),
      connection.hgetall('test.read', 'h'),
    ]
    const errors = await Promise.all(all.map(failureOf))
    const tookMs = performance.now() - begun
    server.nodes[0]?.resume()

    expect(tookMs).toBeGreaterThan(TIMEOUT_MS - 10)
    for (const error of errors)
      expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', applied: 'unknown' })
    expect(String(errors[0])).toContain(`test.count: Redis gave no answer within ${TIMEOUT_MS} ms`)
    expect(String(errors[50])).toContain('redis.check-health: Redis gave no answer')
    // A connection asks some things by itself, such as the time.
    await until('nothing to be pending', () => connection.stats().pending === 0)
    // What was sent is applied once the server goes on, and the connection that was silent is replaced.
    const raw = given(new Redis(url())) as Redis
    await until('what was sent', async () => (await raw.get(counter)) === '51')
    await until('another connection', () => add().catch(() => undefined), { timeoutMs: 50_000 })
  })

  test('close() waits for what is in flight, and not longer than its deadline', async () => {
    const connection = await open({ url: url(), commandTimeoutMs: TIMEOUT_MS })
    const counter = connection.keys.key(0, 'n', 'close')
    server.nodes[0]?.pause()
    const begun = performance.now()
    const inFlight = failureOf(connection.run(count, { counter }, { by: 1 }))
    await connection.close()
    const tookMs = performance.now() - begun
    server.nodes[0]?.resume()
    expect(tookMs).toBeGreaterThan(TIMEOUT_MS - 10)
    expect(await inFlight).toMatchObject({ applied: 'unknown' })
  })
})
