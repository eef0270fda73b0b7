// In memory no verb holds the event loop for as long as there are tokens: what is counted here are the turns of others.
import { FakeClock } from '@authstate/conformance'
import { createProviderRegistry } from '@authstate/registry'
import { SLICE } from '@authstate/spi/internal'
import { expect, test } from 'vitest'
import { turnsOfOthers } from '../../../tools/testing/turns-of-others.js'
import { type ActionTokenProvider, actionTokenSpi, memoryActionTokens } from '../src/index.js'

const TOKENS = 10 * SLICE
const token = { data: { redirectUri: 'x' }, lifespanMs: 60_000, family: 'f', subject: 'alice' }

const verbs: Record<string, (provider: ActionTokenProvider) => Promise<unknown>> = {
  revokeFamily: (provider) => provider.revokeFamily('r', 'f'),
  listBySubject: async (provider) => {
    const { items } = await provider.listBySubject('r', 'alice', { limit: 100 })
    return TOKENS + items.length - 100
  },
  removeBySubject: (provider) => provider.removeBySubject('r', 'alice'),
  removeByRealm: (provider) => provider.removeByRealm('r'),
}

async function openFull() {
  const registry = createProviderRegistry({ factories: [memoryActionTokens()], clock: new FakeClock() })
  await registry.start()
  const provider = registry.get(actionTokenSpi)
  for (let n = 0; n < TOKENS; n++) await provider.put('r', 'code', `key ${n}`, token)
  return { registry, provider }
}

test.each(Object.keys(verbs))('%s of thousands of tokens lets others have turns', async (verb) => {
  const { registry, provider } = await openFull()
  const { answer, turns } = await turnsOfOthers(async () => verbs[verb]?.(provider))
  expect(answer).toBe(TOKENS)
  expect(turns).toBeGreaterThanOrEqual(TOKENS / SLICE - 1)
  await registry.close()
})

test('while thousands of tokens of a family are withdrawn none joins it, and nothing of it is left at the end', async () => {
  const { registry, provider } = await openFull()
  const used = await provider.consume('r', 'code', `key ${TOKENS - 1}`)
  expect(used.outcome).toBe('consumed')
  const revoking = provider.revokeFamily('r', 'f', { lifespanMs: 1_000 })
  await new Promise(setImmediate)
  expect(await provider.put('r', 'code', 'joins', token)).toBe('refused')
  expect(await revoking).toBe(TOKENS - 1)
  for (const n of [0, SLICE, TOKENS - 2]) {
    expect((await provider.consume('r', 'code', `key ${n}`)).outcome, String(n)).not.toBe('consumed')
  }
  await registry.close()
})
