import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { CreateOutcome, UserSessionProvider } from '../contract.js'
import { HOUR, login, MINUTE, ROUNDS } from './fixture.js'

/** What a sign-out everywhere does to logins that were under way. */
export function fences(add: SuiteBuilder<UserSessionProvider>): void {
  const told = (outcome: CreateOutcome) => (outcome.outcome === 'refused' ? outcome.reason : outcome.outcome)

  add.basic(
    'authenticatedAt: what was authenticated before the user was signed out is refused, however late it comes',
    'issue: fence, contract',
    async ({ provider, clock }) => {
      const authenticatedAt = clock.now()
      const { id } = await provider.create('test', login('user1', { authenticatedAt }))
      assert.equal((await provider.get('test', id))?.startedAt, clock.now())
      await provider.removeByUser('test', 'user1')
      const later = await provider.create('test', login())
      await provider.removeByUser('test', 'user1', { offline: true })
      // Of the same millisecond nobody can tell.
      for (const ms of [0, 1, 55 * MINUTE]) {
        clock.advance(ms)
        await provider.refresh('test', later.id)
        const early = login('user1', { authenticatedAt, client: { clientId: 'app' } })
        assert.equal(told(await provider.tryCreate('test', early)), 'ended')
        assert.equal(told(await provider.tryCreate('test', { ...early, transient: true })), 'ended')
        await assert.rejects(() => provider.create('test', early), { code: 'ERR_CONFLICT', reason: 'ended' })
        if (ms < IDLE) {
          await assert.rejects(() => provider.restart('test', later.id, early), { reason: 'ended' })
          assert.equal((await provider.get('test', later.id))?.clients.size, 0)
          assert.equal(await provider.createOffline('test', later.id, { authenticatedAt }), undefined)
        }
      }
      assert.equal(await provider.count('test', { offline: true }), 0)
      for (const [realmId, userId] of [
        ['test', 'user2'],
        ['test2', 'user1'],
      ] as const) {
        assert.equal(told(await provider.tryCreate(realmId, login(userId, { authenticatedAt }))), 'created')
      }
    },
  )

  add.basic(
    'authenticatedAt: what was authenticated after the user was signed out is taken',
    'issue: fence, contract',
    async ({ provider, clock }) => {
      await provider.removeByUser('test', 'user1')
      await provider.removeByUser('test', 'user1', { offline: true })
      await provider.removeByRealm('test')
      clock.advance(1)
      const authenticatedAt = clock.now()
      clock.advance(10 * MINUTE)
      const { id } = await provider.create('test', login('user1', { authenticatedAt }))
      assert.ok(await provider.restart('test', id, login('user1', { authenticatedAt })))
      assert.ok(await provider.createOffline('test', id, { authenticatedAt }))
      const transient = { ...login('user1', { authenticatedAt }), transient: true }
      assert.equal(told(await provider.tryCreate('test', transient)), 'created')
      assert.equal(await provider.removeByUser('test', 'user1'), 1)
    },
  )

  add.basic(
    'authenticatedAt: what was authenticated before the realm was signed out is refused',
    'issue: fence, contract',
    async ({ provider, clock }) => {
      const authenticatedAt = clock.now()
      clock.advance(1)
      await provider.removeByRealm('test')
      clock.advance(1)
      for (const userId of ['user1', 'user2', 'a:b']) {
        assert.equal(told(await provider.tryCreate('test', login(userId, { authenticatedAt }))), 'ended')
        const { id } = await provider.create('test', login(userId))
        assert.equal(await provider.createOffline('test', id, { authenticatedAt }), undefined)
        assert.ok(await provider.createOffline('test', id))
      }
      assert.equal(told(await provider.tryCreate('test2', login('user1', { authenticatedAt }))), 'created')
    },
  )

  add.expiry(
    'authenticatedAt: an hour later nobody can tell, and every login is refused',
    'issue: fence, contract',
    async ({ provider, clock }) => {
      const authenticatedAt = clock.now()
      const early = login('user1', { authenticatedAt })
      await provider.removeByUser('test', 'other')
      clock.advance(HOUR)
      const { id } = await provider.create('test', early)
      assert.ok(await provider.restart('test', id, early))
      assert.ok(await provider.createOffline('test', id, { authenticatedAt }))
      assert.equal(
        told(await provider.tryCreate('test', login('other', { authenticatedAt }))),
        'ended',
        'the mark is kept for as long as a login is taken',
      )
      clock.advance(1)
      assert.equal(told(await provider.tryCreate('test', early)), 'too-late')
      assert.equal(told(await provider.tryCreate('test', { ...early, transient: true })), 'too-late')
      await assert.rejects(() => provider.create('test', early), { code: 'ERR_CONFLICT', reason: 'too-late' })
      await assert.rejects(() => provider.restart('test', id, early), { reason: 'too-late' })
      assert.equal(await provider.createOffline('test', id, { authenticatedAt }), undefined)
      assert.ok(await provider.get('test', id))
      assert.equal(await provider.restart('test', `${'A'.repeat(22)}00`, early), undefined)
      assert.equal(told(await provider.tryCreate('test', login())), 'created')
    },
  )

  add.concurrency(
    'removeByUser: a login of another node in the same millisecond is ended or refused',
    'issue: fence',
    async ({ provider, anotherNode, clock }) => {
      const other = await anotherNode()
      for (let round = 0; round < ROUNDS; round++) {
        clock.advance(1)
        for (let n = 0; n < round % 4; n++) await other.create('test', login('another'))
        const pending = other.tryCreate('test', login())
        await (round % 2 === 0 ? provider.removeByUser('test', 'user1') : provider.removeByRealm('test'))
        const outcome = await pending
        if (outcome.outcome === 'created')
          assert.equal(await provider.get('test', outcome.session.id), undefined)
        else assert.equal(outcome.reason, 'ended')
      }
    },
  )

  add.concurrency(
    'removeByUser: on two nodes in one millisecond, a login before either of them is refused',
    'issue: fence',
    async ({ provider, anotherNode, clock }) => {
      const other = await anotherNode()
      for (let round = 0; round < ROUNDS; round++) {
        clock.advance(1)
        await provider.removeByUser('test', 'user1')
        const pending = provider.tryCreate('test', login())
        const removals = [other.removeByUser('test', 'user1')]
        if (round % 2 === 0) removals.push(provider.removeByUser('test', 'user1'))
        await Promise.all(removals)
        const outcome = await pending
        if (outcome.outcome === 'created')
          assert.equal(await provider.get('test', outcome.session.id), undefined)
        else assert.equal(outcome.reason, 'ended')
      }
    },
  )
}

/** Less than the session that was refreshed last may be unused. */
const IDLE = 30 * MINUTE
