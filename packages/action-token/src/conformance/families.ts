import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { ActionTokenProvider } from '../contract.js'
import { CEILING_MS, LIFESPAN_MS, RACERS, ROUNDS, token } from './fixture.js'

/** Families: what fell together once stays down. */
export function families(add: SuiteBuilder<ActionTokenProvider>): void {
  add.basic(
    'revokeFamily: withdraws every kind, and refuses what joins later',
    'RFC 6749 §10.5',
    async ({ provider }) => {
      await provider.put('realm', 'code', 'c', { ...token, family: 'grant' })
      await provider.put('realm', 'rt', 'r', { ...token, family: 'grant' })
      await provider.put('realm', 'rt', 'other', { ...token, family: 'grant-2' })
      await provider.put('realm', 'rt', 'none', token)
      await provider.put('realm-2', 'rt', 'r', { ...token, family: 'grant' })
      assert.equal(await provider.revokeFamily('realm', 'grant'), 2)
      assert.equal(await provider.revokeFamily('realm', 'grant'), 0)
      assert.deepEqual(await provider.consume('realm', 'code', 'c'), { outcome: 'unknown' })
      assert.deepEqual(await provider.consume('realm', 'rt', 'r'), { outcome: 'unknown' })
      assert.equal(await provider.put('realm', 'rt', 'late', { ...token, family: 'grant' }), 'refused')
      assert.equal(await provider.putIfAbsent('realm', 'at', 'late', { ...token, family: 'grant' }), false)
      assert.equal(await provider.get('realm', 'rt', 'late'), undefined)
      assert.equal((await provider.get('realm', 'rt', 'other'))?.family, 'grant-2')
      assert.equal((await provider.consume('realm', 'rt', 'none')).outcome, 'consumed')
      assert.equal((await provider.consume('realm-2', 'rt', 'r')).outcome, 'consumed')
      assert.equal(await provider.put('realm-2', 'rt', 'late', { ...token, family: 'grant' }), 'stored')
    },
  )

  add.basic('revokeFamily: what was consumed stays used', '§6.2', async ({ provider }) => {
    await provider.put('realm', 'code', 'c', { ...token, family: 'grant', data: { n: 1 } })
    await provider.consume('realm', 'code', 'c')
    await provider.put('realm', 'rt', 'r', { ...token, family: 'grant' })
    assert.equal(await provider.revokeFamily('realm', 'grant'), 1)
    assert.equal((await provider.consume('realm', 'code', 'c')).outcome, 'used')
  })

  add.basic(
    'revokeFamily: a token that moved to another family is not withdrawn',
    'contract',
    async ({ provider }) => {
      await provider.put('realm', 'rt', 'k', { ...token, family: 'one' })
      await provider.put('realm', 'rt', 'k', { ...token, family: 'two' })
      assert.equal(await provider.revokeFamily('realm', 'one'), 0)
      assert.equal((await provider.get('realm', 'rt', 'k'))?.family, 'two')
      assert.equal(await provider.revokeFamily('realm', 'two'), 1)
    },
  )

  add.expiry(
    'revokeFamily: an expired member does not count; the refusal ends with the ceiling',
    'contract',
    async ({ provider, clock }) => {
      await provider.put('realm', 'rt', 'k', { ...token, family: 'grant' })
      clock.advance(LIFESPAN_MS)
      assert.equal(await provider.revokeFamily('realm', 'grant'), 0)
      clock.advance(CEILING_MS - 1)
      assert.equal(await provider.put('realm', 'rt', 'k2', { ...token, family: 'grant' }), 'refused')
      clock.advance(1)
      assert.equal(await provider.put('realm', 'rt', 'k2', { ...token, family: 'grant' }), 'stored')
    },
  )

  add.basic('revokeFamily: also a large one, consumed members among it', 'contract', async ({ provider }) => {
    const count = 2_500
    await together(count, (n) => provider.put('realm', 'rt', `k${n}`, { ...token, family: 'grant' }))
    await together(count / 5, (n) => provider.consume('realm', 'rt', `k${n * 5}`))
    assert.equal(await provider.revokeFamily('realm', 'grant'), (count * 4) / 5)
    assert.equal((await provider.consume('realm', 'rt', 'k1')).outcome, 'unknown')
    assert.equal((await provider.consume('realm', 'rt', 'k5')).outcome, 'used')
  })

  add.concurrency(
    'revokeFamily: whatever joins meanwhile is withdrawn or refused',
    'contract',
    async ({ provider, anotherNode }) => {
      const other = await anotherNode()
      for (let round = 0; round < ROUNDS; round++) {
        const family = `grant-${round}`
        await together<unknown>(RACERS + 1, (n) =>
          n === RACERS / 2
            ? other.revokeFamily('realm', family)
            : provider.put('realm', 'rt', `${family}-${n}`, { ...token, family }),
        )
        for (let n = 0; n <= RACERS; n++) {
          assert.deepEqual(await provider.consume('realm', 'rt', `${family}-${n}`), { outcome: 'unknown' })
        }
      }
    },
  )
}
