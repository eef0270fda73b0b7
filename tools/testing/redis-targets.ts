// The four Redis stores every suite runs on: one server, the same behind a key prefix with records in the layout before, a Cluster, and
// ioredis 5. AUTHSTATE_TEST_ONLY_SERVERS leaves out those that differ in their client alone.
import { type KeySpaceRules, redisTarget, runSuite, type Suite } from '@authstate/conformance'
import type { RedisClient } from '@authstate/redis'
import type { AnyProviderFactory, Provider } from '@authstate/spi'
import { Cluster, Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterAll, describe, test } from 'vitest'
import { type Capability, cluster, clusterNodes, describeWith, redis, redisUrl } from './capabilities.js'
import { storagePage } from './storage-page.js'

/** Tells the connections of this process from those of other test files, which use the same server. */
export const connectionName = `test-${process.pid}`

const options = {
  enableOfflineQueue: true,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 3,
  connectionName,
}

interface Store {
  readonly name: string
  readonly needs: Capability
  readonly open: () => RedisClient
  /** Of the records; left out: the latest. */
  readonly layout?: 1
  /** It differs in its client, and not in its server. */
  readonly isOfClient?: true
}

const everyStore: readonly Store[] = [
  { name: 'redis', needs: redis, open: () => new Redis(redisUrl(), options) },
  {
    name: 'redis with keyPrefix',
    needs: redis,
    layout: 1,
    open: () => new Redis(redisUrl(), { ...options, keyPrefix: 'app:' }),
    isOfClient: true,
  },
  { name: 'redis cluster', needs: cluster, open: openCluster },
  { name: 'ioredis 5', needs: redis, open: () => new Redis5(redisUrl(), options), isOfClient: true },
]
const onlyServers = process.env['AUTHSTATE_TEST_ONLY_SERVERS'] !== undefined
const stores = everyStore.filter(({ isOfClient }) => !(onlyServers && isOfClient))

/** A client of the Cluster under test; the caller ends it. */
export function openCluster(): RedisClient {
  return new Cluster(clusterNodes(), {
    retryDelayOnFailover: 0,
    redisOptions: { autoResendUnfulfilledCommands: false, connectionName },
  })
}

/** A client of the standalone server under test; the caller ends it. */
export function openRedis(): Redis {
  return new Redis(redisUrl(), options)
}

/** A client of the store that random histories run on, which `npm run test:long -- --on cluster` chooses; the caller ends it. */
export const openForHistories = (): RedisClient =>
  process.env['HISTORIES_ON'] === 'cluster' ? openCluster() : openRedis()

/** The connections that wait for a channel, over clients of {@link openRedis} in this process. */
export async function readerIds(control: Redis): Promise<number[]> {
  const lines = String(await control.client('LIST')).split('\n')
  return lines
    .filter((line) => /\bcmd=xread\b/.test(line) && line.includes(` name=${connectionName} `))
    .map((line) => Number(/\bid=(\d+)/.exec(line)?.[1]))
}

/** Kills them; answers how many. */
export async function killReaders(control: Redis): Promise<number> {
  const ids = await readerIds(control)
  // One that is gone already is no reason to stop.
  for (const id of ids) await control.client('KILL', 'ID', id).catch(() => {})
  return ids.length
}

/**
 * Runs a suite on every Redis store of this run, and holds `docs/storage/<spi>.md` to the keys and fields that the
 * cases left on the first.
 */
export function runSuiteOnRedis<P extends Provider>(
  suite: Suite<P>,
  under: {
    readonly factories: readonly AnyProviderFactory[]
    readonly keySpace: KeySpaceRules
    /** SPIs that it depends on, whose keys are on pages of their own. */
    readonly dependsOn?: readonly string[]
    /** Names of the stores it runs on; all of them where AUTHSTATE_TEST_EVERY_STORE is set. @default all */
    readonly only?: readonly string[]
  },
): void {
  const { dependsOn = [], only, ...target } = under
  const isEvery = only === undefined || process.env['AUTHSTATE_TEST_EVERY_STORE'] !== undefined
  for (const { name, needs, open, layout } of isEvery
    ? stores
    : stores.filter((store) => only.includes(store.name))) {
    describeWith(needs, name, () => {
      const page = name === 'redis' ? storagePage(suite.spi.name, dependsOn) : undefined
      let client: RedisClient | undefined
      afterAll(() => client?.disconnect())
      runSuite(
        suite,
        redisTarget({
          name,
          spi: suite.spi,
          ...target,
          ...(layout && { layout }),
          ...(page && { observe: page.observe }),
          client: () => {
            client ??= open()
            return client
          },
        }),
        { describe, test },
      )
      page?.check()
    })
  }
}
