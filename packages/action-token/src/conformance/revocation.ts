import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { ActionTokenProvider, Lifetime } from '../contract.js'
import { CEILING_MS, LIFESPAN_MS } from './fixture.js'

/** How far the clock of another node is ahead. */
const CLOCKS_APART_MS = 10_000

/** Revoked token ids. */
export function revocation(add: SuiteBuilder<ActionTokenProvider>): void {
  add.expiry('revoke: until its lifespan ends, in its realm only', 'A9/114', async ({ provider, clock }) => {
    assert.equal(await provider.isRevoked('realm', 'jti'), false)
    await provider.revoke('realm', 'jti', LIFESPAN_MS)
    assert.equal(await provider.isRevoked('realm', 'jti'), true)
    assert.equal(await provider.isRevoked('other', 'jti'), false)
    assert.equal(await provider.isRevoked('realm', 'jti2'), false)
    clock.advance(LIFESPAN_MS - 1)
    assert.equal(await provider.isRevoked('realm', 'jti'), true)
    clock.advance(1)
    assert.equal(await provider.isRevoked('realm', 'jti'), false)
  })

  add.expiry('revoke: again is no error and never shortens', 'A9/114', async ({ provider, clock }) => {
    await provider.revoke('realm', 'jti', LIFESPAN_MS)
    await provider.revoke('realm', 'jti', 1)
    clock.advance(LIFESPAN_MS - 1)
    assert.equal(await provider.isRevoked('realm', 'jti'), true)
  })

  add.expiry(
    'revoke: for as long as is asked, beyond the ceiling',
    'RFC 7009 §2, contract',
    async ({ provider, clock }) => {
      const marks: (readonly [string, number | Lifetime])[] = [
        ['number', 24 * CEILING_MS],
        ['span', { lifespanMs: 24 * CEILING_MS }],
        ['instant', { expiresAt: clock.now() + 24 * CEILING_MS }],
      ]
      for (const [tokenId, until] of marks) await provider.revoke('realm', tokenId, until)
      clock.advance(24 * CEILING_MS - 1)
      for (const [tokenId] of marks) assert.equal(await provider.isRevoked('realm', tokenId), true, tokenId)
      clock.advance(1)
      for (const [tokenId] of marks) assert.equal(await provider.isRevoked('realm', tokenId), false, tokenId)
    },
  )

  add.expiry(
    'revoke: until an instant, which shortens nothing and may have passed',
    'contract',
    async ({ provider, clock }) => {
      const expiresAt = clock.now() + LIFESPAN_MS
      await provider.revoke('realm', 'past', { expiresAt: clock.now() })
      assert.equal(await provider.isRevoked('realm', 'past'), false)
      await provider.revoke('realm', 'jti', { expiresAt })
      await provider.revoke('realm', 'jti', { expiresAt: expiresAt - 1 })
      await provider.revoke('realm', 'jti', { expiresAt: clock.now() })
      clock.advance(LIFESPAN_MS - 1)
      assert.equal(await provider.isRevoked('realm', 'jti'), true)
      clock.advance(1)
      assert.equal(await provider.isRevoked('realm', 'jti'), false)
    },
  )

  add.expiry(
    'revoke: an instant is the same on nodes whose clocks are apart',
    'contract',
    async ({ provider, clock, anotherNode }) => {
      const fast = await anotherNode({ name: 'fast', clock: { now: () => clock.now() + CLOCKS_APART_MS } })
      const expiresAt = clock.now() + LIFESPAN_MS
      await fast.revoke('realm', 'fast', { expiresAt })
      await provider.revoke('realm', 'right', { expiresAt })
      // In a store of one process the node is a store of its own.
      const nodes = (await provider.isRevoked('realm', 'fast')) ? [provider, fast] : [provider]
      for (const node of nodes) assert.equal(await node.isRevoked('realm', 'right'), true)
      clock.advance(LIFESPAN_MS - CLOCKS_APART_MS - 1)
      for (const node of nodes) assert.equal(await node.isRevoked('realm', 'right'), true)
      assert.equal(await fast.isRevoked('realm', 'fast'), true)
      clock.advance(CLOCKS_APART_MS)
      assert.equal(await provider.isRevoked('realm', 'right'), true)
      if (nodes.length === 2) assert.equal(await provider.isRevoked('realm', 'fast'), true)
      assert.equal(await fast.isRevoked('realm', 'fast'), false)
      clock.advance(1)
      assert.equal(await provider.isRevoked('realm', 'fast'), false)
      assert.equal(await provider.isRevoked('realm', 'right'), false)
    },
  )

  add.basic(
    'revoke: no token of whatever kind is the mark, and the mark is no token',
    '§19 row 16',
    async ({ provider }) => {
      await provider.revoke('realm', 'jti', LIFESPAN_MS)
      for (const kind of ['av', 'revoked', '.revoked']) {
        assert.equal(await provider.get('realm', kind, 'jti'), undefined)
        assert.equal(await provider.remove('realm', kind, 'jti'), false)
      }
      assert.equal(await provider.isRevoked('realm', 'jti'), true)
    },
  )
}
