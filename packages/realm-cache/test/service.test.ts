import { StoreUnavailableError } from '@authstate/spi'
import { expect, test } from 'vitest'
import { cacheKeys, cacheTags, type Invalidation, type RealmCacheProvider } from '../src/index.js'
import { realmCacheService } from '../src/service.js'

/** Regions that note what is invalidated in them; one may refuse. */
function openRegions({ refusing }: { readonly refusing: readonly string[] }) {
  const done: [string, Invalidation][] = []
  const region = (name: string) => ({
    invalidate: async (what: Invalidation) => {
      if (refusing.includes(name)) throw new StoreUnavailableError('no connection', { applied: 'no' })
      done.push([name, what])
    },
  })
  const provider = { regions: () => ['users', 'realms'], region } as unknown as RealmCacheProvider
  return { provider, done }
}

const { realm, user } = realmCacheService

test('a realm that goes or changes, and a user who is forgotten, leave every region', async () => {
  const { provider, done } = openRegions({ refusing: [] })
  await realm?.remove?.(provider, 'acme')
  await user?.forget?.(provider, 'acme', 'ada')
  const ofRealm = { tag: [cacheTags.inRealm('acme')], keys: [cacheKeys.realm('acme')] }
  const ofUser = {
    tag: [cacheTags.ofUser('acme', 'ada')],
    keys: [
      cacheKeys.user('acme', 'ada'),
      cacheKeys.userIdentityLinks('acme', 'ada'),
      cacheKeys.userConsents('acme', 'ada'),
    ],
  }
  expect(done).toEqual([
    ['users', ofRealm],
    ['realms', ofRealm],
    ['users', ofUser],
    ['realms', ofUser],
  ])
})

test.each<[string, (provider: RealmCacheProvider) => Promise<unknown> | undefined]>([
  ['removeRealm', async (provider) => realm?.remove?.(provider, 'acme')],
  ['realmChanged', async (provider) => realm?.changed?.(provider, 'acme')],
  ['forgetUser', async (provider) => user?.forget?.(provider, 'acme', 'ada')],
])('%s that one region of two refuses may have been done in a part', async (_, verb) => {
  const { provider, done } = openRegions({ refusing: ['users'] })
  await expect(verb(provider)).rejects.toMatchObject({ applied: 'unknown' })
  expect(done).toHaveLength(1)
  const none = openRegions({ refusing: ['users', 'realms'] })
  await expect(verb(none.provider)).rejects.toMatchObject({ applied: 'no' })
})
