import assert from 'node:assert/strict'
import { together } from '@authstate/conformance'
import type { CacheRegion, Invalidation, RealmCacheProvider } from '../contract.js'
import { cacheKeys, cacheTags, fanOut } from '../fan-out.js'
import { type Add, eventually, nothingOld, Source } from './fixture.js'

const realmId = 'r:{1}'
const realm = { id: realmId, name: 'acme' }
const client = { realmId, id: 'c1', clientId: 'app' }
const role = { realmId, id: 'role1', name: 'admin' }
const group = { realmId, id: 'g1', name: 'staff' }
const clientScope = { realmId, id: 's1' }
const user = { realmId, id: 'u1', username: 'Alice', email: 'Alice@Example.org' }
const plain = (key: string): Record<'added' | 'updated' | 'removed', Invalidation> => ({
  added: key,
  updated: key,
  removed: key,
})

/** Scenario, region, what is looked up, and what each change of it makes untrue. */
const kinds: readonly (readonly [
  string,
  string,
  string,
  string,
  Record<'added' | 'updated' | 'removed', Invalidation>,
])[] = [
  [
    '167',
    'realms',
    'a realm',
    cacheKeys.realmByName('acme'),
    {
      added: fanOut.realm.updated(realm),
      updated: fanOut.realm.updated(realm),
      removed: fanOut.realm.removed(realm),
    },
  ],
  [
    '168',
    'realms',
    'a client',
    cacheKeys.clientByClientId(realmId, 'app'),
    {
      added: fanOut.client.added(client),
      updated: fanOut.client.updated(client),
      removed: fanOut.client.removed(client),
    },
  ],
  [
    '169',
    'realms',
    'a client scope',
    cacheKeys.clientScope(realmId, 's1'),
    {
      added: fanOut.clientScope.added(clientScope),
      updated: fanOut.clientScope.updated(clientScope),
      removed: fanOut.clientScope.removed(clientScope),
    },
  ],
  ['170', 'realms', 'a component', 'component:1', plain('component:1')],
  [
    '171',
    'realms',
    'a group',
    cacheKeys.groupByName(realmId, 'staff'),
    {
      added: fanOut.group.added(group),
      updated: fanOut.group.updated(group),
      removed: fanOut.group.removed(group),
    },
  ],
  ['172', 'authorization', 'a permission ticket', 'ticket:1', plain('ticket:1')],
  [
    '173',
    'realms',
    'a role',
    cacheKeys.roleByName(realmId, 'admin'),
    {
      added: fanOut.role.added(role),
      updated: fanOut.role.updated(role),
      removed: fanOut.role.removed(role),
    },
  ],
  [
    '174',
    'users',
    'a user',
    cacheKeys.userByUsername(realmId, 'alice'),
    {
      added: fanOut.user.added(user),
      updated: fanOut.user.updated(user),
      removed: fanOut.user.removed(user),
    },
  ],
  ['175', 'realms', 'a user federation provider', 'federation:1', plain('federation:1')],
]

/** The region of each of some nodes, in front of one database. */
function overNodes(nodes: readonly RealmCacheProvider[], name: string): CacheRegion<string>[] {
  return nodes.map((node) => node.region<string>(name, { negativeTtlMs: 60_000 }))
}

export function nodes(add: Add): void {
  for (const [scenario, name, what, key, untrue] of kinds) {
    add.cluster(
      `${what}: created, changed and deleted on one node, seen on every other`,
      `A13/${scenario}`,
      async ({ provider, anotherNode }) => {
        const regions = overNodes([provider, await anotherNode(), await anotherNode()], name)
        const database = new Source()
        const everywhere = (expected: string | undefined) =>
          eventually(async () => {
            for (const region of regions) assert.equal(await database.read(region, key), expected)
          })
        const [changing] = regions as [CacheRegion<string>]
        await everywhere(undefined)
        database.rows.set(key, 'created')
        await changing.invalidate(untrue.added)
        await everywhere('created')
        for (const value of ['changed', 'changed again']) {
          database.rows.set(key, value)
          await changing.invalidate(untrue.updated)
          await everywhere(value)
        }
        database.rows.delete(key)
        await changing.invalidate(untrue.removed)
        await everywhere(undefined)
      },
    )
  }

  add.cluster(
    'a node that made a change and shut down: the others show it, and so does it when it is back',
    'A13/176',
    async ({ provider, anotherNode }) => {
      const changing = await anotherNode()
      // In a store of one process the other node is this one: it cannot end alone.
      await changing.region('probe').get('k', () => 'v')
      const isAlone = provider.region('probe').peek('k') !== undefined
      const database = new Source()
      for (const value of ['one', 'two', 'three']) {
        database.rows.set('k', value)
        const heard = changing.region('realms').invalidate('k')
        if (value === 'three' && !isAlone) await changing.close?.()
        await heard
        await eventually(async () =>
          assert.equal(await database.read(provider.region<string>('realms'), 'k'), value),
        )
      }
      const back = await anotherNode()
      assert.equal(await database.read(back.region<string>('realms'), 'k'), 'three')
    },
  )

  add.cluster(
    'tags, clears and units of work reach the other nodes',
    '§15.4',
    async ({ provider, anotherNode }) => {
      const other = await anotherNode()
      const [mine, theirs] = overNodes([provider, other], 'realms') as [
        CacheRegion<string>,
        CacheRegion<string>,
      ]
      const fill = async () => {
        for (const region of [mine, theirs]) {
          await region.get('by key', () => 'v')
          await region.get('by tag', () => 'v', { tags: [cacheTags.ofRole(realmId, 'role1')] })
          await region.get('other', () => 'v')
        }
      }
      const left = (...expected: string[]) =>
        eventually(() => {
          for (const region of [mine, theirs]) {
            assert.deepEqual(
              ['by key', 'by tag', 'other'].filter((key) => region.peek(key) !== undefined),
              expected,
            )
          }
        })
      await fill()
      await mine.invalidate({ tag: cacheTags.ofRole(realmId, 'role1'), keys: ['by key'] })
      await left('other')
      await fill()
      await provider.inUnitOfWork((unit) => unit.region('realms').invalidate(['by key', 'other']))
      await left('by tag')
      await fill()
      await mine.clear()
      await left()
      await fill()
      await provider.clearAll()
      await left()
    },
  )

  add.cluster('many keys and long names arrive complete', '§15.4', async ({ provider, anotherNode }) => {
    const [mine, theirs] = overNodes([provider, await anotherNode()], 'realms') as [
      CacheRegion<string>,
      CacheRegion<string>,
    ]
    const keys = Array.from({ length: 400 }, (_, n) => `${n}:${'\u0001'.repeat(n % 3 === 0 ? 500 : 5)}`)
    for (const key of [...keys, 'kept']) await theirs.get(key, () => 'v')
    await mine.invalidate(keys)
    await eventually(() => assert.equal(theirs.stats().size, 1))
    assert.equal(theirs.peek('kept'), 'v')
  })

  add.concurrency(
    'writers and readers on every node: in the end nobody has an old value',
    '§15.6, A13/178',
    async ({ provider, anotherNode }) => {
      const providers = [provider, await anotherNode(), await anotherNode()]
      const regions = overNodes(providers, 'users')
      const database = new Source()
      const keys = Array.from({ length: 20 }, (_, n) => `k${n}`)
      const load = async ({ key }: { readonly key: string }) => {
        const row = database.rows.get(key)
        await new Promise((resolve) => setImmediate(resolve))
        return row
      }
      await together(12, async (worker) => {
        const region = regions[worker % regions.length] as CacheRegion<string>
        for (let turn = 0; turn < 100; turn++) {
          const key = keys[(worker * 7 + turn * 3) % keys.length] as string
          if (turn % 4 === 0) {
            database.rows.set(key, `${worker}.${turn}`)
            await region.invalidate(key)
          } else {
            await region.get(key, load)
          }
        }
      })
      await nothingOld(regions, keys, database)
    },
  )

  add.cluster(
    'clusterSingleFlight: of nodes that miss at once one asks first, the others after it',
    '§20',
    async ({ provider, anotherNode }) => {
      const regions = [provider, await anotherNode()].map((node) =>
        node.region<string>('queued', { clusterSingleFlight: true }),
      )
      let asking = 0
      let most = 0
      const load = async () => {
        asking += 1
        most = Math.max(most, asking)
        await new Promise((resolve) => setTimeout(resolve, 5))
        asking -= 1
        return 'v'
      }
      for (let round = 0; round < 10; round++) {
        const answers = await together(6, (index) =>
          (regions[index % 2] as CacheRegion<string>).get(`k${round}`, load),
        )
        assert.deepEqual(new Set(answers), new Set(['v']))
      }
      assert.equal(most, 1)
      await assert.rejects(
        (regions[0] as CacheRegion<string>).get('k', () => Promise.reject(new Error('away'))),
        /away/,
      )
    },
  )
}
