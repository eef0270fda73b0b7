import { expect, test } from 'vitest'
import { MemoryStore } from '../src/memory-store.js'
import { MOST_DECOYS, type Subject } from '../src/store.js'
import { policyOfTests } from './arbitraries.js'

const policy = policyOfTests({ failureFactor: 1, permanentLockout: true })
const failure = { now: 1_000, at: 1_000, ip: '', secondary: false, attempt: '' }
const decoy = (id: string): Subject => ({ realmId: 'realm', rule: 'user', id, decoy: true })

test('in memory the names that were tried last are remembered, and no more than the bound', async () => {
  const store = new MemoryStore()
  const user: Subject = { realmId: 'realm', rule: 'user', id: 'alice' }
  await store.fail(user, policy, failure)
  for (let n = 0; n < MOST_DECOYS; n++) await store.fail(decoy(String(n)), policy, failure)
  expect((await store.load(decoy('0'), 1_000))?.numFailures).toBe(1)
  await store.fail(decoy('one more'), policy, failure)
  expect(await store.load(decoy('0'), 1_000)).toBeUndefined()
  expect((await store.load(decoy('1'), 1_000))?.numFailures).toBe(1)
  expect((await store.load(user, 1_000))?.numFailures).toBe(1)
  expect(await store.removeRealm('realm', 1_000)).toBe(1)
  expect(await store.load(decoy('1'), 1_000)).toBeUndefined()
})
