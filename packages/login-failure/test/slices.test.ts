// In memory no verb holds the event loop for as long as there are records: what is counted here are the turns of others.
import { FakeClock } from '@authstate/conformance'
import { createProviderRegistry } from '@authstate/registry'
import { SLICE } from '@authstate/spi/internal'
import { expect, test } from 'vitest'
import { turnsOfOthers } from '../../../tools/testing/turns-of-others.js'
import { type LoginFailureProvider, loginFailureSpi, memoryLoginFailures } from '../src/index.js'

const RECORDS = 10 * SLICE

const verbs: Record<string, (provider: LoginFailureProvider) => Promise<unknown>> = {
  removeByRealm: (provider) => provider.removeByRealm('r'),
  'removeByRealm of another realm': (provider) => provider.removeByRealm('other'),
  recompute: (provider) => provider.recompute('r'),
}

const answers: Record<string, unknown> = {
  removeByRealm: RECORDS,
  'removeByRealm of another realm': 0,
  recompute: { updated: RECORDS, removed: 0 },
}

test.each(Object.keys(verbs))('%s among thousands of records lets others have turns', async (verb) => {
  const bruteForce = { enabled: true, maxDeltaTimeMs: 60_000 }
  const registry = createProviderRegistry({
    factories: [memoryLoginFailures()],
    clock: new FakeClock(),
    realms: () => ({ bruteForce }),
  })
  await registry.start()
  const provider = registry.get(loginFailureSpi)
  for (let n = 0; n < RECORDS; n++) await provider.recordFailure('r', `user ${n}`)
  bruteForce.maxDeltaTimeMs = 90_000
  const { answer, turns } = await turnsOfOthers(async () => verbs[verb]?.(provider))
  expect(answer).toEqual(answers[verb])
  expect(turns).toBeGreaterThanOrEqual(RECORDS / SLICE - 1)
  await registry.close()
})

test('thousands of names that belong to nobody are forgotten in turns', async () => {
  const registry = createProviderRegistry({
    factories: [memoryLoginFailures()],
    clock: new FakeClock(),
    realms: () => ({ bruteForce: { enabled: true } }),
  })
  await registry.start()
  const provider = registry.get(loginFailureSpi)
  for (let n = 0; n < RECORDS; n++) {
    await provider.guardUnknownUser('r', { username: `name ${n}` }, async () => false)
  }
  const { turns } = await turnsOfOthers(() => provider.removeByRealm('r'))
  expect(turns).toBeGreaterThanOrEqual(RECORDS / SLICE - 1)
  await registry.close()
})
