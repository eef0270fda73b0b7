// Every bug of test/planted is caught by the case it names. One that survives means that a suite claims more than it
// looks at.
import { AssertionError } from 'node:assert'
import { checkSuite } from '@authstate/conformance'
import type { RedisClient } from '@authstate/redis'
import { afterAll, describe, expect, test } from 'vitest'
import { table } from '../tools/lib/table.mjs'
import { describeWith, redis } from '../tools/testing/capabilities.js'
import { openRedis } from '../tools/testing/redis-targets.js'
import { actionTokenBugs, actionTokenScriptBugs } from './planted/action-token.js'
import { applicationNodeBugs, applicationNodeScriptBugs } from './planted/application-node.js'
import { authSessionBugs, authSessionScriptBugs } from './planted/auth-session.js'
import { clusterBugs } from './planted/cluster.js'
import { hostnameBugs } from './planted/hostname.js'
import { httpClientBugs } from './planted/http-client.js'
import { loginFailureBugs, loginFailureScriptBugs } from './planted/login-failure.js'
import { mannersBugs } from './planted/manners.js'
import type { Plantation, PlantedBug } from './planted/plant.js'
import { realmCacheBugs, realmCacheScriptBugs } from './planted/realm-cache.js'
import { stickySessionBugs } from './planted/sticky-session-encoder.js'
import { userSessionBugs, userSessionScriptBugs } from './planted/user-session.js'
import { webSessionBugs, webSessionScriptBugs } from './planted/web-session.js'

const caught: string[][] = []

function tryAll({ suite, store, healthy, bugs }: Plantation): void {
  const spi = suite.spi.name
  const run = (target: PlantedBug['target'], names: readonly string[], timeoutMs = 30_000) =>
    checkSuite(suite, target, { select: ({ name }) => names.includes(name), seed: 1, timeoutMs })

  describe(`bugs planted in ${spi}, ${store}`, () => {
    test('without one every case that is named passes', { timeout: 60_000 }, async () => {
      const names = [...new Set(bugs.map(({ caughtBy }) => caughtBy))]
      const results = await run(healthy, names)
      expect(results.map(({ guarantee }) => guarantee).sort()).toEqual(names.sort())
      expect(results.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
    })

    test.each(bugs.map((bug) => [bug.kind, bug.what, bug] as const))('%s: %s', async (kind, what, bug) => {
      const [result] = await run(bug.target, [bug.caughtBy], bug.hangs ? 300 : undefined)
      if (result?.outcome !== 'failed') expect.fail(`survived "${bug.caughtBy}"`)
      const { cause } = result.failure
      // An accident in the bug itself would fail any case.
      if (!(cause instanceof AssertionError)) {
        expect(String(cause)).toMatch(bug.hangs ? /did not end within 300 ms/ : (bug.throws ?? /^$/))
      }
      caught.push([spi, kind, what, bug.caughtBy])
    })
  })
}

const plantations: readonly Plantation[] = [
  actionTokenBugs,
  authSessionBugs,
  userSessionBugs,
  loginFailureBugs,
  realmCacheBugs,
  stickySessionBugs,
  webSessionBugs,
  httpClientBugs,
  hostnameBugs,
  applicationNodeBugs,
  clusterBugs,
  mannersBugs,
]

test('there are 40 bugs at least besides those in scripts, each told once', () => {
  const heard = plantations.flatMap(({ suite, bugs }) => bugs.map(({ what }) => `${suite.spi.name}: ${what}`))
  expect(heard.length).toBeGreaterThanOrEqual(40)
  expect(new Set(heard).size).toBe(heard.length)
})

for (const plantation of plantations) tryAll(plantation)

describeWith(redis, 'in scripts', () => {
  let client: RedisClient | undefined
  const open = (): RedisClient => {
    client ??= openRedis()
    return client
  }
  afterAll(() => client?.disconnect())
  for (const bugs of [
    actionTokenScriptBugs,
    authSessionScriptBugs,
    userSessionScriptBugs,
    loginFailureScriptBugs,
    realmCacheScriptBugs,
    webSessionScriptBugs,
    applicationNodeScriptBugs,
  ])
    tryAll(bugs(open))
})

afterAll(() => {
  console.info(
    `${caught.length} planted bugs caught\n${table([['spi', 'kind', 'bug', 'caught by'], ...caught])}`,
  )
})
