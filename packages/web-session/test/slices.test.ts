// In memory no verb holds the event loop for as long as there are sessions: what is counted here are the turns of others.
import { FakeClock } from '@authstate/conformance'
import { createProviderRegistry } from '@authstate/registry'
import { SLICE } from '@authstate/spi/internal'
import { expect, test } from 'vitest'
import { turnsOfOthers } from '../../../tools/testing/turns-of-others.js'
import { memoryWebSessions, type WebSessionProvider, webSessionSpi } from '../src/index.js'

const SESSIONS = 10 * SLICE
const session = { data: { n: 1 }, lifespanMs: 60_000, userId: 'u', labels: { l: 'v' }, alias: 'x' }

const verbs: Record<string, [(provider: WebSessionProvider) => Promise<unknown>, unknown]> = {
  find: [async (provider) => (await provider.find('r', 'x'))?.id, `s${SESSIONS - 1}`],
  list: [async (provider) => (await provider.list('r', { limit: 100 })).items.length, 100],
  listByUser: [async (provider) => (await provider.listByUser('r', 'u', { limit: 7 })).items.length, 7],
  listByLabel: [async (provider) => (await provider.listByLabel('r', 'l', 'v')).items.length, 20],
  count: [(provider) => provider.count('r'), SESSIONS],
  removeByUser: [(provider) => provider.removeByUser('r', 'u'), SESSIONS],
  removeByLabel: [(provider) => provider.removeByLabel('r', 'l', 'v'), SESSIONS],
  removeByRealm: [(provider) => provider.removeByRealm('r'), SESSIONS],
}

test.each(Object.entries(verbs))(
  '%s of thousands of sessions lets others have turns',
  async (_, [ask, expected]) => {
    const registry = createProviderRegistry({ factories: [memoryWebSessions()], clock: new FakeClock() })
    await registry.start()
    const provider = registry.get(webSessionSpi)
    for (let n = 0; n < SESSIONS; n++) await provider.save('r', `s${n}`, session)
    const { answer, turns } = await turnsOfOthers(() => ask(provider))
    expect(answer).toBe(expected)
    expect(turns).toBeGreaterThanOrEqual(SESSIONS / SLICE - 1)
    await registry.close()
  },
)
