// In memory no verb holds the event loop for as long as there are records: what is counted here are the turns of others.
import { FakeClock } from '@authstate/conformance'
import { createProviderRegistry } from '@authstate/registry'
import { SLICE } from '@authstate/spi/internal'
import { expect, test } from 'vitest'
import { turnsOfOthers } from '../../../tools/testing/turns-of-others.js'
import { authSessionSpi, memoryAuthSessions } from '../src/index.js'

const ROOTS = 10 * SLICE

test.each(['r', 'other'])(
  'removeByRealm of realm %s among thousands of roots lets others have turns',
  async (realm) => {
    const registry = createProviderRegistry({ factories: [memoryAuthSessions()], clock: new FakeClock() })
    await registry.start()
    const provider = registry.get(authSessionSpi)
    for (let n = 0; n < ROOTS; n++) await provider.createRoot('r')
    let removed = 0
    provider.on('removed', () => {
      removed += 1
    })
    const { turns } = await turnsOfOthers(() => provider.removeByRealm(realm))
    expect(removed).toBe(realm === 'r' ? ROOTS : 0)
    // The walk over what is there, and then the one over what went, whose end is told.
    const walks = realm === 'r' ? 2 : 1
    expect(turns).toBeGreaterThanOrEqual(walks * (ROOTS / SLICE - 1))
    await registry.close()
  },
)
