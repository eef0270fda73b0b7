import type { RedisClient } from '@authstate/redis'
import { redisCluster } from '../../packages/cluster/src/redis.js'
import { realmCacheKeySpace, realmCacheSuite } from '../../packages/realm-cache/src/conformance.js'
import {
  type CacheRegion,
  memoryRealmCache,
  type RealmCacheProvider,
} from '../../packages/realm-cache/src/index.js'
import { redisRealmCache } from '../../packages/realm-cache/src/redis.js'
import * as scripts from '../../packages/realm-cache/src/scripts.js'
import { inMemory, inScripts, later, type Mistake, pause } from './plant.js'

/** A cache whose regions do something wrong. */
const inRegions =
  (
    mistake: (real: CacheRegion<unknown>, cache: RealmCacheProvider) => Partial<CacheRegion<unknown>>,
  ): Mistake<RealmCacheProvider> =>
  (cache) => {
    const made = new Map<unknown, CacheRegion<unknown>>()
    const region = (name: string, options?: Parameters<RealmCacheProvider['region']>[1]) => {
      const real = cache.region(name, options)
      const known = made.get(real) ?? wrong(real, mistake(real, cache))
      made.set(real, known)
      return known
    }
    return { region: region as RealmCacheProvider['region'] }
  }

function wrong(real: CacheRegion<unknown>, verbs: Partial<CacheRegion<unknown>>): CacheRegion<unknown> {
  return new Proxy(real, {
    get: (_, name) => {
      if (Object.hasOwn(verbs, name)) return verbs[name as keyof typeof verbs]
      const value: unknown = Reflect.get(real, name, real)
      return typeof value === 'function' ? value.bind(real) : value
    },
  })
}

export const realmCacheBugs = inMemory(realmCacheSuite, memoryRealmCache, (plant) => {
  plant(
    'stale value',
    'what a loader read before an invalidation is kept',
    'get: a value read before an invalidation of its key is not kept',
    inRegions((real) => ({
      get: async (key, load, options) => {
        const value = await real.get(key, load, options)
        if (real.peek(key) === undefined) await real.get(key, () => value, options)
        return value
      },
    })),
  )
  plant(
    'stale value',
    'an invalidation takes effect when it has been sent',
    'invalidate: the value is gone when the call returns, before it resolves',
    inRegions((real) => ({
      invalidate: async (what) => {
        await pause()
        await real.invalidate(what)
      },
    })),
  )
  plant(
    'half the work',
    'an invalidation takes the first key only',
    'invalidate: many keys, and keys nobody has',
    inRegions((real) => ({
      invalidate: (what) => real.invalidate(Array.isArray(what) ? what.slice(0, 1) : what),
    })),
  )
  plant(
    'half the work',
    'tags are not known',
    'invalidate: a tag takes everything that carries it',
    inRegions((real) => ({ get: (key, load, { tags: _, ...rest } = {}) => real.get(key, load, rest) })),
  )
  plant(
    'too much work',
    'an invalidation clears the region',
    'invalidate: many keys, and keys nobody has',
    inRegions((real) => ({ invalidate: () => real.clear() })),
  )
  plant(
    'too much work',
    'every region hears every invalidation',
    'invalidate: another region is untouched',
    inRegions((real, cache) => ({
      invalidate: async (what) => {
        for (const name of cache.regions()) await cache.region(name).invalidate(what)
        await real.invalidate(what)
      },
    })),
  )
  plant(
    'off-by-one expiry',
    'peek answers at the end of ttlMs',
    'ttlMs: alive to the last millisecond, gone at the end',
    inRegions((real) => ({ peek: (key) => later(-1, () => real.peek(key)) })),
  )
  plant(
    'off-by-one expiry',
    'get loads again a millisecond early',
    'ttlMs: alive to the last millisecond, gone at the end',
    inRegions((real) => ({ get: (key, load, options) => later(1, () => real.get(key, load, options)) })),
  )
  plant(
    'reading extends',
    'peek begins the life again',
    'ttlMs: reading does not prolong it',
    (cache, { context }) =>
      inRegions((real) => {
        const reads = new Map<string, { readonly value: unknown; readonly at: number }>()
        return {
          peek: (key) => {
            const before = reads.get(key)
            const at = context.clock.now()
            const value = real.peek(key) ?? (before && at - before.at < 1_000 ? before.value : undefined)
            if (value !== undefined) reads.set(key, { value, at })
            return value
          },
        }
      })(cache, { context }),
  )
  plant(
    'stampede',
    'callers that miss together each load',
    'get: callers that miss together share one load',
    inRegions((real) => ({
      get: async (key, load, options) => {
        const kept = real.peek(key)
        if (kept !== undefined) return kept
        const value = await load({ key, signal: new AbortController().signal })
        return real.get(key, () => value, options)
      },
    })),
  )
  plant(
    'serial work',
    'a slow load holds up other keys',
    'get: different keys do not wait for each other',
    inRegions((real) => {
      let last: Promise<unknown> = Promise.resolve()
      return {
        get: (key, load, options) => {
          const answer = last.then(() => real.get(key, load, options))
          last = answer.catch(() => {})
          return answer
        },
      }
    }),
    { hangs: true },
  )
  plant(
    'swallowed error',
    'a loader that fails has nothing',
    'get: when the loader throws, everyone who waited gets the error and nothing is kept',
    inRegions((real) => ({
      get: (key, load, options) => real.get(key, load, options).catch(() => undefined),
    })),
  )
  plant(
    'wrong emptiness',
    'a value that is falsy is none',
    'get: values are given out as they are, falsy ones too',
    inRegions((real) => ({
      get: async (key, load, options) => (await real.get(key, load, options)) || undefined,
    })),
  )
  plant(
    'work in the unit is seen',
    'a unit sends what it collected at once',
    'unit: what it touched is read from the source inside, and kept outside until it ends',
    (real) => ({
      begin: () => {
        const unit = real.begin()
        return new Proxy(unit, {
          get: (_, name) => {
            if (name !== 'region') {
              const value: unknown = Reflect.get(unit, name, unit)
              return typeof value === 'function' ? value.bind(unit) : value
            }
            return (of: string) => {
              const region = unit.region(of)
              return {
                get: region.get.bind(region),
                clear: region.clear.bind(region),
                invalidate: (what: Parameters<typeof region.invalidate>[0]) => {
                  void real.region(of).invalidate(what)
                  region.invalidate(what)
                },
              }
            }
          },
        })
      },
    }),
  )
  plant(
    'half the work',
    'a unit whose work throws sends nothing',
    'inUnitOfWork: what was collected is sent, whether the work returns or throws',
    (real) => ({
      inUnitOfWork: async (work) => {
        const unit = real.begin()
        const result = await work(unit)
        await unit.end()
        return result
      },
    }),
  )
})

const slow = 'secondLevelTtlMs: what a slow node read before an invalidation is not left there after it'
const declared =
  'secondLevelTtlMs: what was declared untrue is found by nobody: keys, tags, clears, units of work'

export const realmCacheScriptBugs = (client: () => RedisClient) =>
  inScripts(
    realmCacheSuite,
    { factories: [redisRealmCache(), redisCluster()], keySpace: realmCacheKeySpace },
    client,
    (edit) => {
      edit(
        'stale value',
        'offer.lua takes every ticket',
        slow,
        scripts.offer,
        'ticket ~= ARGV[1]',
        'not ticket',
      )
      edit(
        'stale value',
        'look.lua does not look at tags',
        declared,
        scripts.look,
        'tonumber(at) > since',
        'tonumber(at) < 0',
      )
      edit(
        'stale value',
        'look.lua knows no generations',
        declared,
        scripts.look,
        'begun == generation',
        'begun',
      )
      edit(
        'stale value',
        'invalidate.lua leaves the keys',
        declared,
        scripts.invalidate,
        "redis.call('DEL'",
        "redis.call('GET'",
      )
      edit(
        'stale value',
        'look.lua lets a refresh put what it asked before a tag was declared untrue',
        slow,
        scripts.look,
        'ticket, generation, revision, ends, value_ends, tags },',
        "ticket, generation, '9', ends, value_ends, tags },",
      )
      edit(
        'unbounded life',
        'offer.lua sets no TTL',
        'secondLevelTtlMs: what one node asked the source for, another finds, and so does one that comes later',
        scripts.offer,
        ", 'PX', ARGV[6]",
        '',
      )
    },
  )
