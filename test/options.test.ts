// Whatever takes options refuses a misspelt one and says what was probably meant; verbs of providers do so by their suites.
import { FakeClock, providerTarget, redisTarget } from '@authstate/conformance'
import { describe, expect, test } from 'vitest'
import { actionTokenSpi, createReplayGuard, memoryActionTokens } from '../packages/action-token/src/index.js'
import { createLoginCookies } from '../packages/auth-session/src/index.js'
import { createAuthState } from '../packages/authstate/src/index.js'
import { clusterSpi, memoryCluster } from '../packages/cluster/src/index.js'
import {
  clientAddressReader,
  loginFailureSpi,
  memoryLoginFailures,
} from '../packages/login-failure/src/index.js'
import { memoryRealmCache, PublicKeys, realmCacheSpi } from '../packages/realm-cache/src/index.js'
import { createProviderRegistry } from '../packages/registry/src/index.js'

const registry = createProviderRegistry({
  factories: [memoryActionTokens(), memoryCluster(), memoryLoginFailures(), memoryRealmCache()],
  clock: new FakeClock(),
})
await registry.start()
const tokens = registry.get(actionTokenSpi)
const cluster = registry.get(clusterSpi)
const failures = registry.get(loginFailureSpi)
const cache = registry.get(realmCacheSpi)
const nothing = async () => undefined as never

const calls: readonly [what: string, wrong: string, right: string, call: (options: never) => unknown][] = [
  ['clientAddressReader', 'forwardedfor', 'forwardedFor', (options) => clientAddressReader([])(options)],
  ['createReplayGuard', 'kindd', 'kind', (options) => createReplayGuard(tokens, options)],
  ['createLoginCookies', 'secur', 'secure', (options) => createLoginCookies(options)],
  ['createAuthState', 'provder', 'provider', (options) => createAuthState(options)],
  ['createProviderRegistry', 'factorys', 'factories', (options) => createProviderRegistry(options)],
  ['PublicKeys', 'maxCacheTimeM', 'maxCacheTimeMs', (options) => new PublicKeys(cache, options)],
  ['region', 'maxEntrie', 'maxEntries', (options) => cache.region('r', options)],
  ['guard', 'catgory', 'category', (options) => failures.guard('r', 'u', options, async () => true)],
  ['runOnce', 'leaseM', 'leaseMs', (options) => cluster.runOnce('k', options, nothing)],
  ['runOnceOrWait', 'leaseM', 'leaseMs', (options) => cluster.runOnceOrWait('k', options, nothing)],
  ['publish', 'scop', 'scope', (options) => cluster.publish('t', {}, options)],
  ['subscribe', 'onGaps', 'onGap', (options) => cluster.subscribe('t', nothing, options)],
  ['providerTarget', 'nods', 'nodes', (options) => providerTarget(options)],
  ['redisTarget', 'partition', 'partitions', (options) => redisTarget(options)],
]

describe('a misspelt option is refused', () => {
  test.each(calls)('%s: %s', async (_, wrong, right, call) => {
    const error = await (async () => call({ [wrong]: 1 } as never))().then(
      () => undefined,
      (e: Error) => e,
    )
    expect(String(error)).toContain(`Did you mean '${right}'?`)
  })
})
