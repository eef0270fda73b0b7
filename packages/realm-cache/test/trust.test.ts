import { type ChannelStatus, type ClusterProvider, clusterSpi } from '@authstate/cluster'
import { FakeClock } from '@authstate/conformance'
import { createProviderRegistry, type ProviderFactory } from '@authstate/spi'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type CacheRegion,
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

test('while it can not be trusted nothing is kept, nobody shares a load, and invalidations work', async () => {
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
