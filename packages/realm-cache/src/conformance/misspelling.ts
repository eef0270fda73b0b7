import assert from 'node:assert/strict'
import { refusesMisspelling, taker } from '@authstate/conformance'
import type {
  CacheRegion,
  GetOptions,
  Invalidation,
  RealmCacheProvider,
  RegionOptions,
  UnitOfWorkRegion,
} from '../contract.js'
import type { Add } from './fixture.js'

type Tagged = Extract<Invalidation, { readonly tag: unknown }>

const REGION = {
  maxEntries: 1,
  maxIdleMs: 1,
  ttlMs: 1,
  negativeTtlMs: 1,
  jitter: 0,
  loadTimeoutMs: 1,
  softTimeoutMs: 0,
  staleIfErrorMs: 0,
  clusterSingleFlight: false,
  dependencies: [],
  secondLevelTtlMs: 0,
  enabled: true,
} as const

/** Properties that nobody reads. */
export function misspelling(add: Add): void {
  add.basic(
    'arguments: a misspelt property is refused by name, and nothing is done',
    'issue: bad input',
    async ({ provider }) => {
      await refusesMisspelling<RealmCacheProvider>({
        region: [taker<RegionOptions>(REGION, (options) => provider.region('another', options))],
        regions: [],
        clearAll: [],
        begin: [],
        inUnitOfWork: [],
        on: [],
      })
      assert.deepEqual(provider.regions(), [])
      const region = provider.region<string>('realms')
      await region.get('k', () => 'v')
      const never = (): never => assert.fail('must not be called')
      const reads = (call: (options: GetOptions<string>) => unknown) => [
        taker<GetOptions<string>>({ tags: ['t'], ttlMs: 1, isCurrent: never }, call),
      ]
      const invalidates = (call: (what: Tagged) => unknown) => [
        taker<Tagged>({ tag: 't', keys: ['k'] }, call),
      ]
      await refusesMisspelling<CacheRegion<string>>({
        get: reads((options) => region.get('other', never, options)),
        refresh: reads((options) => region.refresh('other', never, options)),
        invalidate: invalidates((what) => region.invalidate(what)),
        peek: [],
        clear: [],
        stats: [],
      })
      await using unit = provider.begin()
      const inside = unit.region<string>('realms')
      await refusesMisspelling<UnitOfWorkRegion<string>>({
        get: reads((options) => inside.get('other', never, options)),
        invalidate: invalidates((what) => inside.invalidate(what)),
        clear: [],
      })
      assert.equal(region.peek('k'), 'v')
    },
  )
}
