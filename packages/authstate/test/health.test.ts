import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { FakeClock } from '@authstate/conformance'
import { redisConnectionSpi } from '@authstate/redis'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { start, type Topology } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { type HealthOptions, healthHandlers } from '../src/health.js'
import { type AuthState, type AuthStateConfig, createAuthState } from '../src/index.js'

const FRESH: HealthOptions = { shareMs: 0 }
const probe = (method = 'GET') => new Request('http://host/readyz', { method })

async function opened(config: AuthStateConfig = {}): Promise<AuthState> {
  const state = await createAuthState(config)
  onTestFinished(() => state.close())
  return state
}

describe('in memory', () => {
  test('a process is alive, and ready until it drains', async () => {
    const { liveness, readiness, drain, check } = healthHandlers(await opened(), FRESH)
    const ready = await readiness(probe())
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, missing: [] }])
    expect(ready.headers.get('cache-control')).toBe('no-store')
    drain()
    const draining = await readiness(probe())
    expect([draining.status, await draining.json()]).toEqual([503, { ready: false, missing: ['draining'] }])
    expect(await check()).toEqual({ ready: false, missing: ['draining'] })
    const alive = await liveness(probe())
    expect([alive.status, await alive.json()]).toEqual([200, { alive: true }])
  })

  test('a probe looks and does nothing else', async () => {
    const { readiness } = healthHandlers(await opened())
    const head = await readiness(probe('HEAD'))
    expect([head.status, await head.text()]).toEqual([200, ''])
    const post = await readiness(probe('POST'))
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  test('node:http gets the same', async () => {
    const { node } = healthHandlers(await opened())
    const server = createServer((request, response) =>
      (request.url === '/livez' ? node.liveness : node.readiness)(request, response),
    )
    onTestFinished(() => void server.close())
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const ready = await fetch(`${origin}/readyz`)
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, missing: [] }])
    expect((await fetch(`${origin}/livez`)).status).toBe(200)
    expect((await fetch(`${origin}/readyz`, { method: 'DELETE' })).status).toBe(405)
  })

  test('a clock that may be off by more than a second is not known', async () => {
    const clock = new FakeClock()
    const unsure = { now: () => clock.now(), uncertaintyMs: 1_001 }
    const { check } = healthHandlers(await opened({ clock: unsure }), FRESH)
    expect(await check()).toEqual({ ready: false, missing: ['clock'] })
    const never = { now: () => clock.now(), settled: () => new Promise<void>(() => {}) }
    const other = healthHandlers(await opened({ clock: never }), { ...FRESH, timeoutMs: 5 })
    expect(await other.check()).toEqual({ ready: false, missing: ['clock'] })
  })

  test('many probes cost one check', async () => {
    const state = await opened()
    let asked = 0
    const counting = new Proxy(state, {
      get: (target, name, receiver) => {
        if (name === 'health') asked += 1
        return Reflect.get(target, name, receiver)
      },
    })
    const { check } = healthHandlers(counting, { shareMs: 60_000 })
    await Promise.all(Array.from({ length: 20 }, check))
    await check()
    expect(asked).toBe(1)
  })

  test('a state that is closed is not ready', async () => {
    const state = await createAuthState()
    const { check } = healthHandlers(state, FRESH)
    await state.close()
    expect((await check()).missing).toContain('writes')
  })

  test.each([
    [{ timeoutMS: 1 }, /Did you mean 'timeoutMs'/],
    [{ timeoutMs: 0 }, /options\.timeoutMs/],
    [{ shareMs: -1 }, /options\.shareMs/],
  ])('options %j are refused', async (options, message) => {
    const state = await opened()
    expect(() => healthHandlers(state, options as HealthOptions)).toThrow(message)
  })
})

describeWith(serverBinary, 'on a Redis', () => {
  let server: Topology
  let admin: Redis
  beforeAll(async () => {
    server = await start('single')
    admin = new Redis(server.basePort, '127.0.0.1')
  })
  afterAll(async () => {
    admin.disconnect()
    await server.stop()
  })

  test('whose site lost data that other sites have not told it again yet, a process is not ready', async () => {
    const state = await opened({
      provider: 'redis',
      redis: { url: `redis://127.0.0.1:${server.basePort}`, prefix: 'sites' },
    })
    const { check } = healthHandlers(state, FRESH)
    expect(await check()).toEqual({ ready: true, missing: [] })
    let isReady = false
    const connection = state.get(redisConnectionSpi)
    connection.goWithSites({
      site: 'a',
      isReady: () => isReady,
      follow: (_, run) => run(),
      changing: () => {},
    })
    expect(await check()).toEqual({ ready: false, missing: ['sites'] })
    isReady = true
    expect(await check()).toEqual({ ready: true, missing: [] })
    await state.close()
  })

  test('that is full, read-only, frozen or away a process is not ready, and is again when it is mended', async () => {
    const url = `redis://:a-password@127.0.0.1:${server.basePort}`
    await admin.config('SET', 'requirepass', 'a-password')
    await admin.auth('a-password')
    const state = await opened({ provider: 'redis', redis: { url, commandTimeoutMs: 300 } })
    const { check, readiness } = healthHandlers(state, { ...FRESH, timeoutMs: 500 })
    expect(await check()).toEqual({ ready: true, missing: [] })

    await admin.config('SET', 'maxmemory', '1')
    expect(await check()).toMatchObject({ ready: false, missing: expect.arrayContaining(['writes']) })
    const full = await readiness(probe())
    expect(await full.text()).not.toMatch(/password|127|redis/i)
    await admin.config('SET', 'maxmemory', '0')
    await expect.poll(check).toEqual({ ready: true, missing: [] })

    await admin.config('SET', 'min-replicas-to-write', '1')
    expect((await check()).missing).toContain('writes')
    await admin.config('SET', 'min-replicas-to-write', '0')
    await expect.poll(check).toEqual({ ready: true, missing: [] })

    server.nodes[0]?.pause()
    expect((await check()).missing).toContain('writes')
    await expect
      .poll(check, { timeout: 10_000 })
      .toMatchObject({ missing: expect.arrayContaining(['channel']) })
    server.nodes[0]?.resume()
    await expect.poll(check, { timeout: 10_000 }).toEqual({ ready: true, missing: [] })
  })
})
