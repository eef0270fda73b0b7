import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { ActionTokenProvider } from '../contract.js'
import { awkward, CEILING_MS, token } from './fixture.js'

const WINDOW_MS = 10_000

/** Counts of tries. */
export function counting(add: SuiteBuilder<ActionTokenProvider>): void {
  add.expiry(
    'countUse: the window begins with the first try, and no other moves its end',
    'contract',
    async ({ provider, clock }) => {
      const tried = (windowMs = WINDOW_MS) => provider.countUse('realm', 'otp', 'k', { windowMs })
      const resetsAt = clock.now() + WINDOW_MS
      assert.deepEqual(await tried(), { count: 1, resetsAt })
      clock.advance(1_000)
      assert.deepEqual(await tried(), { count: 2, resetsAt })
      assert.deepEqual(await tried(1), { count: 3, resetsAt })
      assert.deepEqual(await tried(CEILING_MS), { count: 4, resetsAt })
      clock.advance(WINDOW_MS - 1_001)
      assert.deepEqual(await tried(), { count: 5, resetsAt })
      clock.advance(1)
      assert.deepEqual(await tried(1), { count: 1, resetsAt: resetsAt + 1 })
      clock.advance(1)
      assert.deepEqual(await tried(CEILING_MS), { count: 1, resetsAt: clock.now() + CEILING_MS })
      clock.advance(CEILING_MS - 1)
      assert.equal((await tried()).count, 2)
    },
  )

  add.basic('countUse: each name counts for itself, and is no token', 'contract', async ({ provider }) => {
    const options = { windowMs: WINDOW_MS }
    await provider.put('realm', 'otp', 'k', token)
    for (const name of awkward) {
      assert.equal((await provider.countUse('realm', 'otp', name, options)).count, 1)
      assert.equal((await provider.countUse('realm', name, 'k', options)).count, 1)
      assert.equal((await provider.countUse(name, 'otp', 'k', options)).count, 1)
    }
    for (const name of awkward)
      assert.equal((await provider.countUse('realm', 'otp', name, options)).count, 2)
    assert.equal(await provider.has('realm', 'otp', 'a'), false)
    assert.equal((await provider.countUse('realm', 'otp', 'k', options)).count, 1)
    assert.equal((await provider.consume('realm', 'otp', 'k')).outcome, 'consumed')
    assert.equal((await provider.countUse('realm', 'otp', 'k', options)).count, 2)
    assert.equal(await provider.remove('realm', 'otp', 'k'), true)
    assert.equal((await provider.countUse('realm', 'otp', 'k', options)).count, 3)
  })

  add.basic('countUse: a realm that was removed begins again', 'contract', async ({ provider }) => {
    const options = { windowMs: WINDOW_MS }
    for (const realm of ['a', 'b']) {
      for (let n = 0; n < 40; n++) await provider.countUse(realm, 'otp', `k${n}`, options)
    }
    assert.equal(await provider.removeByRealm('a'), 0)
    for (let n = 0; n < 40; n++) {
      assert.equal((await provider.countUse('a', 'otp', `k${n}`, options)).count, 1)
      assert.equal((await provider.countUse('b', 'otp', `k${n}`, options)).count, 2)
    }
  })

  add.concurrency(
    'countUse: of N at once each gets another count',
    'contract',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode()]
      const counts = await together(100, (n) =>
        (nodes[n % 2] ?? provider).countUse('realm', 'otp', 'k', { windowMs: WINDOW_MS }),
      )
      assert.deepEqual(
        counts.map(({ count }) => count).sort((a, b) => a - b),
        Array.from({ length: 100 }, (_, n) => n + 1),
      )
      assert.equal(new Set(counts.map(({ resetsAt }) => resetsAt)).size, 1)
    },
  )

  add.basic(
    'countUse: a window that is none is refused by name',
    'issue: bad input',
    async ({ provider }) => {
      const count = (windowMs: unknown) => provider.countUse('realm', 'otp', 'k', { windowMs } as never)
      for (const bad of [0, -1, 1.5, CEILING_MS + 1])
        await assert.rejects(count(bad), { name: 'RangeError', message: /"windowMs"/ })
      for (const bad of ['1', null, undefined])
        await assert.rejects(count(bad), { name: 'TypeError', message: /"windowMs"/ })
      await assert.rejects(provider.countUse('realm', 'otp', 'k', undefined as never), TypeError)
      assert.equal((await count(CEILING_MS)).count, 1)
    },
  )
}
