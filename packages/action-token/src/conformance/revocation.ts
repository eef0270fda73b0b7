import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { ActionTokenProvider } from '../contract.js'
import { LIFESPAN_MS } from './fixture.js'

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
