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
    'revokeFamily: without a refusal what joins later is stored, and with consumed tokens their keys are free',
    'contract',
    async ({ provider, clock }) => {
      const member = { ...token, family: 'grant' }
      const fill = async () => {
        for (let n = 0; n < 40; n++) await provider.put('realm', 'rt', `k${n}`, member)
        for (let n = 0; n < 10; n++) await provider.consume('realm', 'rt', `k${n}`)
      }
      await fill()
      await provider.put('realm', 'rt', 'others', { ...token, family: 'grant-2' })
      assert.equal(await provider.revokeFamily('realm', 'grant', { refuse: false }), 30)
      assert.equal(await provider.put('realm', 'rt', 'k20', member), 'stored')
      assert.equal((await provider.consume('realm', 'rt', 'k0')).outcome, 'used')
      assert.equal(await provider.revokeFamily('realm', 'grant', { refuse: false, consumed: 'remove' }), 1)
      for (let n = 0; n < 40; n++)
        assert.deepEqual(await provider.consume('realm', 'rt', `k${n}`), { outcome: 'unknown' })
      await fill()
      assert.equal(await provider.revokeFamily('realm', 'grant', { consumed: 'remove', lifespanMs: 5 }), 30)
      for (let n = 0; n < 40; n++) {
        assert.equal(await provider.has('realm', 'rt', `k${n}`), false)
        assert.equal(await provider.put('realm', 'rt', `k${n}`, member), 'refused')
      }
      // What was refused before is refused on, whoever does not ask for it.
      await provider.revokeFamily('realm', 'grant', { refuse: false })
      assert.equal(await provider.put('realm', 'rt', 'k0', member), 'refused')
      clock.advance(5)
      assert.equal(await provider.put('realm', 'rt', 'k0', member), 'stored')
      assert.equal(await provider.has('realm', 'rt', 'others'), true)
    },
  )

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

  add.expiry(
    'revokeFamily: refuses for as long as is asked, beyond the ceiling, under every key',
    'RFC 6749 §10.5',
    async ({ provider, clock }) => {
      const join = (family: string, n: number) =>
        provider.put('realm', 'rt', `${family}-${n}`, { ...token, family })
      const expiresAt = clock.now() + 24 * CEILING_MS
      await provider.revokeFamily('realm', 'until', { expiresAt })
      await provider.revokeFamily('realm', 'span', { lifespanMs: 24 * CEILING_MS })
      await provider.revokeFamily('realm', 'short', { lifespanMs: LIFESPAN_MS })
      // A later end stays, whatever is asked again.
      await provider.revokeFamily('realm', 'until')
      await provider.revokeFamily('realm', 'span', { lifespanMs: 1 })
      clock.advance(LIFESPAN_MS - 1)
      for (let n = 0; n < 40; n++) assert.equal(await join('short', n), 'refused')
      clock.advance(1)
      for (let n = 0; n < 40; n++) assert.equal(await join('short', n), 'stored')
      clock.advance(24 * CEILING_MS - LIFESPAN_MS - 1)
      for (let n = 0; n < 40; n++) {
        assert.equal(await join('until', n), 'refused')
        assert.equal(await join('span', n), 'refused')
      }
      clock.advance(1)
      for (let n = 0; n < 40; n++) assert.equal(await join('until', n), 'stored')
      assert.equal(await join('span', 0), 'stored')
    },
  )

  add.expiry(
    'revokeFamily: never refuses for less than a consumed member lives',
    'contract',
    async ({ provider, clock, withProperties }) => {
      await provider.put('realm', 'rt', 'k', { lifespanMs: CEILING_MS, family: 'grant' })
      await provider.put('realm', 'rt', 'free', { lifespanMs: CEILING_MS, family: 'free' })
      await provider.consume('realm', 'rt', 'k', { attempt: 'a' })
      await provider.revokeFamily('realm', 'grant', { lifespanMs: 1 })
      await provider.revokeFamily('realm', 'free', { lifespanMs: 1 })
      clock.advance(CEILING_MS - 1)
      assert.equal((await provider.consume('realm', 'rt', 'k', { attempt: 'a' })).outcome, 'consumed')
      for (let n = 0; n < 40; n++) {
        assert.equal(await provider.put('realm', 'rt', `k${n}`, { ...token, family: 'grant' }), 'refused')
      }
      assert.equal(await provider.put('realm', 'rt', 'k2', { ...token, family: 'free' }), 'stored')
      clock.advance(1)
      assert.equal(await provider.put('realm', 'rt', 'k2', { ...token, family: 'grant' }), 'stored')

      const lowered = await withProperties({ maxLifespanMs: LIFESPAN_MS })
      await lowered.revokeFamily('realm', 'later')
      clock.advance(LIFESPAN_MS - 1)
      assert.equal(await lowered.put('realm', 'rt', 'k3', { lifespanMs: 1, family: 'later' }), 'refused')
      clock.advance(1)
      assert.equal(await lowered.put('realm', 'rt', 'k3', { lifespanMs: 1, family: 'later' }), 'stored')
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
