import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { ActionTokenProvider } from '../contract.js'
import { LIFESPAN_MS, RACERS, ROUNDS, token } from './fixture.js'

/** Taking a token away for oneself. */
export function taking(add: SuiteBuilder<ActionTokenProvider>): void {
  add.basic('take: gives the token once, and the key is free', 'contract', async ({ provider, clock }) => {
    const whole = { ...token, data: { n: [1] }, family: 'grant', subject: 'alice' }
    await provider.put('realm', 'state', 'k', whole)
    await provider.put('realm', 'other', 'k', token)
    await provider.put('realm-2', 'state', 'k', token)
    assert.deepEqual(await provider.take('realm', 'state', 'k'), {
      data: { n: [1] },
      expiresAt: clock.now() + LIFESPAN_MS,
      family: 'grant',
      subject: 'alice',
    })
    assert.equal(await provider.take('realm', 'state', 'k'), undefined)
    assert.equal(await provider.has('realm', 'state', 'k'), false)
    assert.deepEqual(await provider.consume('realm', 'state', 'k'), { outcome: 'unknown' })
    assert.deepEqual(await provider.listBySubject('realm', 'alice'), { items: [] })
    assert.equal(await provider.revokeFamily('realm', 'grant', { refuse: false }), 0)
    assert.equal(await provider.putIfAbsent('realm', 'state', 'k', { ...whole, data: { n: 2 } }), true)
    assert.deepEqual((await provider.take('realm', 'state', 'k'))?.data, { n: 2 })
    assert.equal(await provider.has('realm', 'other', 'k'), true)
    assert.equal(await provider.has('realm-2', 'state', 'k'), true)
    assert.equal(await provider.take('realm', 'state', 'never'), undefined)
  })

  add.basic('take: what was consumed stays used, and is nobody else’s', 'contract', async ({ provider }) => {
    await provider.put('realm', 'code', 'k', { ...token, subject: 'alice' })
    await provider.consume('realm', 'code', 'k', { attempt: 'a' })
    assert.equal(await provider.take('realm', 'code', 'k'), undefined)
    assert.equal((await provider.consume('realm', 'code', 'k')).outcome, 'used')
    assert.equal((await provider.consume('realm', 'code', 'k', { attempt: 'a' })).outcome, 'consumed')
    assert.equal(await provider.put('realm', 'code', 'k', token), 'refused')
  })

  add.expiry(
    'take: there one millisecond before expiresAt, gone at it',
    'contract',
    async ({ provider, clock, withProperties }) => {
      const graceful = await withProperties({ readGraceMs: LIFESPAN_MS })
      for (const key of ['early', 'late']) await graceful.put('realm', 'state', key, token)
      clock.advance(LIFESPAN_MS - 1)
      assert.notEqual(await graceful.take('realm', 'state', 'early'), undefined)
      clock.advance(1)
      assert.equal(await graceful.take('realm', 'state', 'late'), undefined)
      assert.equal(await provider.take('realm', 'state', 'late'), undefined)
    },
  )

  add.concurrency(
    'take: exactly one of N callers gets it, and none of those who consume then',
    'contract',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode()]
      for (let round = 0; round < ROUNDS; round++) {
        const key = `k${round}`
        await provider.put('realm', 'state', key, { ...token, data: { round } })
        const got = await together(RACERS, async (n) => {
          const node = nodes[n % 2] ?? provider
          if (n % 3 > 0) return (await node.take('realm', 'state', key))?.data
          const outcome = await node.consume('realm', 'state', key)
          return outcome.outcome === 'consumed' ? outcome.data : undefined
        })
        assert.deepEqual(
          got.filter((data) => data !== undefined),
          [{ round }],
        )
      }
    },
  )
}
