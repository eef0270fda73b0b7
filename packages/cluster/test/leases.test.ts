import { FakeClock, faultyClient } from '@authstate/conformance'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { eventually, gate } from '../src/conformance/fixture.js'
import { type LeaseStore, Leases } from '../src/leases.js'
import * as scripts from '../src/scripts.js'
import { messages, openWorld, type World } from './nodes.js'

const lost = new Error('Connection is closed.')
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const name = { kind: 'task', key: 'k' } as const

/** A store that says what it is told to say. */
function storeThat(over: Partial<LeaseStore>): LeaseStore {
  return {
    acquire: async () => ({ acquired: true, fence: 1 }),
    renew: async () => true,
    release: async () => 'free',
    ...over,
  }
}

test('a lease ends for its holder when it cannot be renewed in time, whatever the clock says', async () => {
  const clock = new FakeClock()
  for (const renew of [async () => false, () => Promise.reject(lost), () => new Promise<boolean>(() => {})]) {
    const leases = new Leases(storeThat({ renew }), clock, quiet)
    const lease = (await leases.acquire(name, 60)) as Awaited<ReturnType<Leases['acquire']>> & {
      signal: AbortSignal
      held(): boolean
    }
    expect(lease.held()).toBe(true)
    await eventually(() => expect(lease.signal.aborted).toBe(true))
    expect(lease.held()).toBe(false)
    await leases.close()
  }
})

test('a clock that is set back does not prolong a lease', async () => {
  const clock = new FakeClock()
  const leases = new Leases(storeThat({ renew: () => new Promise(() => {}) }), clock, quiet)
  const lease = (await leases.acquire(name, 40)) as Awaited<ReturnType<Leases['acquire']>> & {
    held(): boolean
  }
  clock.advance(-1_000_000)
  expect(lease.held()).toBe(true)
  // As in a process that was paused: no timer has run when it asks.
  const until = performance.now() + 45
  while (performance.now() < until);
  expect(lease.held()).toBe(false)
  await leases.close()
})

test('one renewal that fails does not end a lease', async () => {
  let renewals = 0
  const renew = async () => {
    renewals += 1
    if (renewals % 2 === 1) throw lost
    return true
  }
  const leases = new Leases(storeThat({ renew }), { now: () => 0 }, quiet)
  const lease = (await leases.acquire(name, 90)) as Awaited<ReturnType<Leases['acquire']>> & {
    held(): boolean
  }
  await eventually(() => expect(renewals).toBeGreaterThan(5))
  expect(lease.held()).toBe(true)
  await leases.close()
})

describeWith(redis, 'leases in Redis', () => {
  const control = openRedis()
  afterAll(() => control.disconnect())
  let world: World
  beforeEach(() => {
    world = openWorld(control)
  })
  afterEach(() => world.close())

  test('a reply to acquire that was lost leaves no lease behind', async () => {
    const faulty = faultyClient(control)
    const a = await world.node({ redis: { client: faulty.client, prefix: world.prefix } })
    faulty.arm(scripts.acquire, { when: 'after', error: lost })
    await expect(a.provider.runOnce('k', {}, () => 'ran')).rejects.toMatchObject({ applied: 'unknown' })
    await eventually(async () => expect((await a.provider.runOnce('k', {}, () => 'ran')).executed).toBe(true))
  })

  test('a reply to release that was lost is asked for again, and the result is not lost', async () => {
    const faulty = faultyClient(control)
    const a = await world.node({ redis: { client: faulty.client, prefix: world.prefix } })
    for (const when of ['before', 'after'] as const) {
      faulty.arm(scripts.release, { when, error: lost })
      expect(await a.provider.runOnce('k', {}, () => when)).toEqual({ executed: true, result: when })
      expect(await a.provider.runOnce('k', {}, () => 'again')).toEqual({ executed: true, result: 'again' })
    }
  })

  test('in Redis a lease lasts for the margin longer than its holder counts on it, and then ends by itself', async () => {
    const clock = new FakeClock()
    const properties = { maxClockSkewMs: 3_000 }
    const [a, b] = [await world.node({ clock, properties }), await world.node({ clock, properties })]
    const [begun, end] = [gate(), gate()]
    const dead = a.provider.runOnce('k', { leaseMs: 600 }, async () => {
      begun.open()
      await end.opened
    })
    await begun.opened
    const [key = ''] = await world.key('ck')
    expect(await control.pttl(key)).toBeGreaterThan(600 + 2_000)
    // A renewal gives it the same time.
    await control.pexpire(key, 1_500)
    await eventually(async () => expect(await control.pttl(key)).toBeGreaterThan(600 + 2_000))
    a.crash()
    expect((await b.provider.runOnce('k', {}, () => {})).executed).toBe(false)
    await control.pexpire(key, 1)
    await eventually(async () => expect((await b.provider.runOnce('k', {}, () => 'ran')).executed).toBe(true))
    end.open()
    await dead
  })

  test('a lease whose holder may only be slow is left alone for as long as clocks may differ', async () => {
    const clock = new FakeClock()
    const properties = { maxClockSkewMs: 10_000, heartbeatMs: 600_000, deadAfterMs: 2_400_000 }
    const [a, b] = [await world.node({ clock, properties }), await world.node({ clock, properties })]
    const end = gate()
    const begun = gate()
    const running = a.provider.runOnce('k', { leaseMs: 60_000 }, async () => {
      begun.open()
      await end.opened
    })
    await begun.opened
    clock.advance(60_000 + 9_999)
    expect((await b.provider.runOnce('k', {}, () => {})).executed).toBe(false)
    clock.advance(1)
    expect((await b.provider.runOnce('k', {}, () => {})).executed).toBe(true)
    end.open()
    await running
  })

  test('a lock that waits goes on while Redis is away, until waitMs', async () => {
    const faulty = faultyClient(control)
    const a = await world.node({ redis: { client: faulty.client, prefix: world.prefix } })
    for (let n = 0; n < 3; n++) faulty.arm(scripts.acquire, { when: 'before', error: lost })
    expect(await a.provider.withLock('n', {}, () => 'got it')).toBe('got it')
    for (let n = 0; n < 50; n++) faulty.arm(scripts.acquire, { when: 'before', error: lost })
    await expect(a.provider.withLock('n', { waitMs: 50 }, () => 'x')).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    })
  })

  test('a lock that is asked for again inside is said', async () => {
    const a = await world.node()
    await a.provider.withLock('n', {}, () => a.provider.withLock('n', {}, () => {}))
    expect(messages(a, 'warn').filter((message) => message.includes('asked for again'))).toHaveLength(1)
  })
})
