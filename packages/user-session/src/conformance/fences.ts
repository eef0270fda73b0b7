import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { CreateOutcome, UserSession, UserSessionEvent, UserSessionProvider } from '../contract.js'
import {
  createdSession,
  createS3,
  DAY,
  everyPage,
  HOUR,
  ids,
  login,
  MINUTE,
  ROUNDS,
  sessionOf,
} from './fixture.js'

/** What a sign-out everywhere does to logins that were under way. */
export function fences(add: SuiteBuilder<UserSessionProvider>): void {
  const heard = (outcome: CreateOutcome) => (outcome.outcome === 'refused' ? outcome.reason : outcome.outcome)

  add.basic(
    'authenticatedAt: what was authenticated before the user was signed out is refused, however late it comes',
    'issue: fence, contract',
    async ({ provider, clock }) => {
      const authenticatedAt = clock.now()
      const { id } = await provider.create('test', login('user1', { authenticatedAt })).then(createdSession)
      assert.equal((await provider.get('test', id))?.startedAt, clock.now())
      await provider.removeByUser('test', 'user1')
      const later = await provider.create('test', login()).then(createdSession)
      await provider.removeByUser('test', 'user1', { offline: true })
      // Of the same millisecond nobody can tell.
      for (const ms of [0, 1, 55 * MINUTE]) {
        clock.advance(ms)
        await provider.refresh('test', later.id)
        const early = login('user1', { authenticatedAt, client: { clientId: 'app' } })
        assert.equal(heard(await provider.create('test', early)), 'ended')
        assert.equal(heard(await provider.create('test', { ...early, transient: true })), 'ended')
        if (ms < IDLE) {
          const refused = { outcome: 'refused', reason: 'ended' }
          assert.deepEqual(await provider.restart('test', later.id, early), refused)
          assert.equal((await provider.get('test', later.id))?.clients.size, 0)
          assert.equal(
            await provider.createOffline('test', later.id, { authenticatedAt }).then(sessionOf),
            undefined,
          )
        }
      }
      assert.equal(await provider.count('test', { offline: true }), 0)
      for (const [realmId, userId] of [
        ['test', 'user2'],
        ['test2', 'user1'],
      ] as const) {
        assert.equal(heard(await provider.create(realmId, login(userId, { authenticatedAt }))), 'created')
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
      const { id } = await provider.create('test', login('user1', { authenticatedAt })).then(createdSession)
      assert.ok(await provider.restart('test', id, login('user1', { authenticatedAt })).then(sessionOf))
      assert.ok(await provider.createOffline('test', id, { authenticatedAt }).then(sessionOf))
      const transient = { ...login('user1', { authenticatedAt }), transient: true }
      assert.equal(heard(await provider.create('test', transient)), 'created')
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
        assert.equal(heard(await provider.create('test', login(userId, { authenticatedAt }))), 'ended')
        const { id } = await provider.create('test', login(userId)).then(createdSession)
        assert.equal(await provider.createOffline('test', id, { authenticatedAt }).then(sessionOf), undefined)
        assert.ok(await provider.createOffline('test', id).then(sessionOf))
      }
      assert.equal(heard(await provider.create('test2', login('user1', { authenticatedAt }))), 'created')
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
      const { id } = await provider.create('test', early).then(createdSession)
      assert.ok(await provider.restart('test', id, early).then(sessionOf))
      assert.ok(await provider.createOffline('test', id, { authenticatedAt }).then(sessionOf))
      assert.equal(
        heard(await provider.create('test', login('other', { authenticatedAt }))),
        'ended',
        'the mark is kept for as long as a login is taken',
      )
      clock.advance(1)
      assert.equal(heard(await provider.create('test', early)), 'too-late')
      assert.equal(heard(await provider.create('test', { ...early, transient: true })), 'too-late')
      assert.deepEqual(await provider.restart('test', id, early), { outcome: 'refused', reason: 'too-late' })
      assert.equal(await provider.createOffline('test', id, { authenticatedAt }).then(sessionOf), undefined)
      assert.ok(await provider.get('test', id))
      assert.equal(await provider.restart('test', `${'A'.repeat(22)}00`, early).then(sessionOf), undefined)
      assert.equal(heard(await provider.create('test', login())), 'created')
    },
  )

  add.concurrency(
    'removeByUser: a login of another node in the same millisecond is ended or refused',
    'issue: fence',
    async ({ provider, anotherNode, clock }) => {
      const other = await anotherNode()
      for (let round = 0; round < ROUNDS; round++) {
        clock.advance(1)
        for (let n = 0; n < round % 4; n++) await other.create('test', login('another')).then(createdSession)
        const pending = other.create('test', login())
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
        const pending = provider.create('test', login())
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

  add.concurrency(
    'removeByRealm: what begins after it is neither refused nor ended, and does not hold it up',
    'issue: fence',
    async ({ provider, anotherNode, clock }) => {
      const other = await anotherNode()
      for (let round = 0; round < 5; round++) {
        await together(300, (n) => provider.create('test', login(`user${n % 40}`)).then(createdSession))
        clock.advance(1)
        let isOver = false
        const removal = provider.removeByRealm('test').finally(() => {
          isOver = true
        })
        clock.advance(1)
        const later = new Set<string>()
        for (let n = 0; !isOver || n < 10; n++) {
          const created = await together(10, (m) =>
            (m % 2 === 0 ? provider : other)
              .create('test', login(`user${m}`, { client: { clientId: 'app' } }))
              .then(createdSession),
          )
          for (const { id } of created) later.add(id)
          // As requests do: in memory a verb takes no turn of the event loop, and a removal waits for one.
          await new Promise((resolve) => setImmediate(resolve))
        }
        assert.equal(await removal, 300)
        const found = await everyPage((page) => provider.list('test', page), 100)
        assert.deepEqual(ids(found), [...later].sort())
        assert.equal(await provider.removeByRealm('test'), later.size)
      }
    },
  )

  add.concurrency(
    'removeByRealm: in this process also what begins in the same millisecond',
    'issue: fence',
    async ({ provider }) => {
      await together(200, (n) => provider.create('test', login(`user${n % 40}`)).then(createdSession))
      const removal = provider.removeByRealm('test')
      const later = await together(20, (n) => provider.create('test', login(`user${n}`)).then(createdSession))
      const offline = await Promise.all(
        later.slice(0, 5).map(({ id }) => provider.createOffline('test', id).then(sessionOf)),
      )
      assert.equal(await removal, 200)
      assert.deepEqual(ids(await everyPage((page) => provider.list('test', page), 100)), ids(later))
      assert.equal(await provider.count('test', { offline: true }), offline.filter(Boolean).length)
      assert.equal(offline.filter(Boolean).length, 5)
    },
  )

  add.basic(
    'removeByRealm: refresh tokens of transient sessions too',
    'issue: what a removal leaves',
    async ({ provider, clock }) => {
      const rotate = async (
        realmId: string,
        family: string,
        presented: string,
        next: string,
        issuedAt: number,
      ) => {
        const rotation = { family, presented, next, issuedAt, maxReuse: 0, lifespanMs: 90 * DAY }
        return (await provider.rotateTransientToken(realmId, rotation)).outcome
      }
      const began = clock.now()
      assert.equal(await rotate('test', 'a', 'A1', 'A2', began), 'rotated')
      assert.equal(await rotate('test2', 'a', 'A1', 'A2', began), 'rotated')
      clock.advance(1)
      await provider.removeByRealm('test')
      assert.equal(await rotate('test', 'a', 'A2', 'A3', began), 'gone')
      // Whoever issued it, by whatever clock.
      assert.equal(await rotate('test', 'a', 'A2', 'A3', began + HOUR), 'gone')
      assert.equal(await rotate('test', 'never rotated', 'B1', 'B2', began), 'gone')
      // Within one millisecond nobody can tell what came first.
      assert.equal(await rotate('test', 'in its millisecond', 'B1', 'B2', began + 1), 'gone')
      assert.equal(await rotate('test', 'right after it', 'B1', 'B2', began + 2), 'rotated')
      assert.equal(await rotate('test2', 'a', 'A2', 'A3', began), 'rotated')
      clock.advance(30 * DAY)
      assert.equal(await rotate('test', 'a', 'A2', 'A3', began), 'gone')
      assert.equal(await rotate('test', 'never rotated', 'B1', 'B2', began), 'gone')
      assert.equal(await rotate('test', 'new', 'C1', 'C2', clock.now()), 'rotated')
      assert.equal(await rotate('test', 'new', 'C2', 'C3', clock.now()), 'rotated')
      await provider.removeByUser('test', 'user1')
      assert.equal(await rotate('test', 'new', 'C3', 'C4', clock.now()), 'rotated')
      await provider.removeByRealm('test')
      assert.equal(await rotate('test', 'new', 'C4', 'C5', clock.now()), 'gone')
    },
  )

  add.basic(
    'removeByUser: online and offline sessions in one call',
    'issue: sign out everywhere',
    async ({ provider, clock }) => {
      const [s0, s1, s2] = await createS3(provider)
      for (const { id } of [s0, s1, s2]) await provider.createOffline('test', id).then(sessionOf)
      const heard: UserSessionEvent[] = []
      provider.on('removed', (event) => heard.push(event))
      assert.equal(await provider.removeByUser('test', 'user1', { offline: 'both', except: s1.id }), 2)
      assert.deepEqual(
        heard.map(({ sessionId, offline, reason }) => [sessionId, offline, reason]).sort(),
        [
          [s0.id, false, 'user'],
          [s0.id, true, 'user'],
        ].sort(),
      )
      const authenticatedAt = clock.now()
      clock.advance(1)
      assert.equal(await provider.removeByUser('test', 'user1', { offline: 'both' }), 2)
      const { id } = await provider.create('test', login()).then(createdSession)
      assert.equal(await provider.createOffline('test', id, { authenticatedAt }).then(sessionOf), undefined)
      assert.equal(heard.length, 4)
      assert.equal(await provider.count('test', { offline: true }), 1)
      assert.deepEqual(
        ids((await provider.list('test')).items),
        ids([s2, (await provider.get('test', id)) as UserSession]),
      )
      await assert.rejects(
        () => provider.removeByUser('test', 'user1', { offline: 'all' as 'both' }),
        (error: Error) => error instanceof TypeError && error.message.includes('"options.offline"'),
      )
    },
  )
}

/** Less than the session that was refreshed last may be unused. */
const IDLE = 30 * MINUTE
