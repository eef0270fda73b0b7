import { type ChannelStatus, type ClusterProvider, clusterSpi } from '@authstate/cluster'
import { FakeClock } from '@authstate/conformance'
import { createProviderRegistry } from '@authstate/registry'
import type { ProviderFactory } from '@authstate/spi'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type CacheRegion,
  PublicKeys,
  type RealmCacheEvent,
  type RealmCacheProvider,
  realmCacheSpi,
} from '../src/index.js'
import { redisRealmCache } from '../src/redis.js'

/** A turn of the event loop: the clock is read once in each. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

const clock = new FakeClock()
let status: ChannelStatus
let tellChannel: (status: ChannelStatus) => void = () => {}
let registry: ReturnType<typeof createProviderRegistry>
let cache: RealmCacheProvider
let region: CacheRegion<string>
let events: RealmCacheEvent[]

/** A cluster whose channel is as the test says. */
const scripted: ProviderFactory<ClusterProvider> = {
  spi: clusterSpi,
  id: 'scripted',
  create: () =>
    ({
      channel: () => status,
      onChannelChange: (listener: typeof tellChannel) => {
        tellChannel = listener
        return () => {}
      },
      subscribe: () => () => {},
      onViewChange: () => () => {},
      publish: async () => {},
    }) as unknown as ClusterProvider,
}

const become = (state: ChannelStatus['state']) => {
  status = { ...status, state }
  tellChannel(status)
}

beforeEach(async () => {
  status = { state: 'live', heardAt: clock.now() }
  registry = createProviderRegistry({
    factories: [redisRealmCache(), scripted],
    config: { spi: { 'realm-cache': { provider: 'redis', redis: { maxSilenceMs: 5_000 } } } },
    clock,
  })
  await registry.start()
  cache = registry.get(realmCacheSpi)
  region = cache.region('realms')
  events = []
  cache.on((event) => events.push(event))
  await region.get('k', () => 'kept')
})
afterEach(() => registry.close())

test('silence: trusted to the last millisecond of the bound, and again once something is heard', async () => {
  clock.advance(4_999)
  await turn()
  expect(region.peek('k')).toBe('kept')
  clock.advance(1)
  await turn()
  expect(region.peek('k')).toBeUndefined()
  expect(await region.get('k', () => 'from the source')).toBe('from the source')
  clock.advance(100)
  expect(region.stats()).toMatchObject({ outages: 1, outageMs: 100, bypasses: 1, size: 1 })
  status = { ...status, heardAt: clock.now() }
  await turn()
  expect(region.peek('k')).toBe('kept')
  expect(events).toEqual([
    { type: 'distrusted', reason: 'silence' },
    { type: 'trusted', afterMs: 100 },
  ])
})

test('a clock that steps is no silence, where the channel measures it by a watch', async () => {
  status = { ...status, heardAt: clock.now() - 3_600_000, silentMs: 4_999 }
  await turn()
  expect(region.peek('k')).toBe('kept')
  status = { ...status, heardAt: clock.now(), silentMs: 5_000 }
  await turn()
  expect(region.peek('k')).toBeUndefined()
})

test('a lost connection is seen at once, in whatever turn', async () => {
  expect(region.peek('k')).toBe('kept')
  become('disconnected')
  expect(region.peek('k')).toBeUndefined()
  become('catching-up')
  expect(region.peek('k')).toBeUndefined()
  become('live')
  expect(region.peek('k')).toBe('kept')
  expect(region.stats().outages).toBe(1)
})

test('while it cannot be trusted nothing is kept, nobody has what was being read before, and invalidations work', async () => {
  become('disconnected')
  let calls = 0
  const load = () => {
    calls += 1
    return `read ${calls}`
  }
  expect(await Promise.all([region.get('other', load), region.get('other', load)])).toEqual([
    'read 1',
    'read 2',
  ])
  await region.invalidate('k')
  become('live')
  expect([region.peek('other'), region.peek('k')]).toEqual([undefined, undefined])
})

test('while it cannot be trusted a thousand callers make two loads, and one request for keys', async () => {
  become('disconnected')
  let loads = 0
  let running = 0
  let most = 0
  const load = async () => {
    loads += 1
    running += 1
    most = Math.max(most, running)
    await turn()
    running -= 1
    return `read ${loads}`
  }
  const first = region.get('other', load)
  const later = Array.from({ length: 999 }, () => region.get('other', load))
  expect(await first).toBe('read 1')
  expect(new Set(await Promise.all(later))).toEqual(new Set(['read 2']))
  expect([loads, most]).toEqual([2, 1])
  await expect(region.get('other', () => Promise.reject(new Error('away')))).rejects.toThrow('away')
  expect(await region.get('other', load)).toBe('read 3')
  expect(region.stats()).toMatchObject({ bypasses: 1_002, loads: 5 })

  const keys = new PublicKeys(cache)
  let requests = 0
  const owner = async () => {
    requests += 1
    await turn()
    return { keys: [{ kid: 'k' }] }
  }
  for (let n = 0; n < 9; n++) {
    const found = await Promise.all(Array.from({ length: 100 }, () => keys.get('m', { kid: 'k' }, owner)))
    expect(new Set(found.map((key) => key?.kid))).toEqual(new Set(['k']))
    clock.advance(1_000)
  }
  expect(requests).toBe(1)
  clock.advance(1_001)
  await keys.get('m', { kid: 'k' }, owner)
  expect(requests).toBe(2)
})

test('while it cannot be trusted two loaders that need each other do not wait for each other', async () => {
  become('disconnected')
  const need = (other: string) => async () => {
    await turn()
    return region.get(other, () => 'never asked')
  }
  const answers = await Promise.allSettled([region.get('a', need('b')), region.get('b', need('a'))])
  const failed = answers.filter(({ status }) => status === 'rejected')
  expect(failed).toMatchObject([{ reason: { name: 'TypeError' } }])
  expect(await region.get('a', () => 'v')).toBe('v')
})

test('a load that began before the connection was lost and ends after is not kept', async () => {
  let finish: (value: string) => void = () => {}
  const slow = region.get(
    'slow',
    () =>
      new Promise<string>((resolve) => {
        finish = resolve
      }),
  )
  become('disconnected')
  finish('read')
  expect(await slow).toBe('read')
  become('live')
  expect(region.peek('slow')).toBeUndefined()
})

test('closed, nothing is given out', async () => {
  await registry.close()
  expect(() => region.peek('k')).toThrow('closed')
})
