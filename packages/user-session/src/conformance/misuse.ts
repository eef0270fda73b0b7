import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { UserSessionProvider } from '../contract.js'
import { createdSession, createS3, login, MAX_NOTES_BYTES, plain } from './fixture.js'

type Kind = typeof TypeError | typeof RangeError

/** Wrong arguments, and use after close. */
export function misuse(add: SuiteBuilder<UserSessionProvider>): void {
  const rejects = (call: () => Promise<unknown>, kind: Kind, named: string) =>
    assert.rejects(call, (error: Error) => {
      assert.ok(error instanceof kind, `${named}: ${error.name}: ${error.message}`)
      assert.ok(error.message.includes(`"${named}`), `${named} is not named: ${error.message}`)
      return true
    })
  // biome-ignore lint/suspicious/noExplicitAny: wrong types are what these cases are about
  const wrong = (value: unknown) => value as any

  add.basic(
    'arguments: wrong ones are refused by name, and nothing is written',
    'issue: bad input',
    async ({ provider }) => {
      const [s0] = await createS3(provider)
      const { id } = s0
      const rotation = {
        clientId: 'test-app',
        family: 'f',
        presented: 'a',
        next: 'b',
        issuedAt: 1,
        maxReuse: 0,
      }
      for (const bad of [undefined, null, 7, {}, '', 'x'.repeat(513), '🔑'.repeat(129), '\ud800'].map(
        wrong,
      )) {
        for (const call of [
          () => provider.create(bad, login()),
          () => provider.get(bad, id),
          () => provider.refresh(bad, id),
          () => provider.list(bad),
          () => provider.count(bad),
          () => provider.clientStats(bad),
          () => provider.removeByRealm(bad),
          () => provider.recompute(bad),
        ])
          await rejects(call, TypeError, 'realmId')
        for (const call of [
          () => provider.get('test', bad),
          () => provider.refresh('test', bad),
          () => provider.touch('test', bad),
          () => provider.update('test', bad, {}),
          () => provider.restart('test', bad, login()),
          () => provider.remove('test', bad),
          () => provider.putClientSession('test', bad, { clientId: 'a' }),
          () => provider.createOffline('test', bad),
          () => provider.rotateRefreshToken('test', bad, rotation),
        ])
          await rejects(call, TypeError, 'id')
        await rejects(() => provider.create('test', { ...login(), userId: bad }), TypeError, 'session.userId')
        await rejects(
          () => provider.create('test', { userId: 'u', loginUsername: bad }),
          TypeError,
          'session.loginUsername',
        )
        await rejects(() => provider.removeClientSession('test', id, bad), TypeError, 'clientId')
        await rejects(
          () => provider.putClientSession('test', id, { clientId: bad }),
          TypeError,
          'client.clientId',
        )
        await rejects(
          () => provider.updateClientSession('test', id, { clientId: bad }),
          TypeError,
          'patch.clientId',
        )
        await rejects(() => provider.listByUser('test', bad), TypeError, 'userId')
        await rejects(() => provider.listByClient('test', bad), TypeError, 'clientId')
        await rejects(() => provider.listByBrokerUser('test', bad), TypeError, 'brokerUserId')
        await rejects(() => provider.findByBrokerSession('test', bad), TypeError, 'brokerSessionId')
        await rejects(() => provider.listByBrokerSession('test', bad), TypeError, 'brokerSessionId')
        await rejects(() => provider.removeByBrokerSession('test', bad), TypeError, 'brokerSessionId')
        await rejects(() => provider.countByClient('test', bad), TypeError, 'clientId')
        await rejects(() => provider.removeByUser('test', bad), TypeError, 'userId')
        await rejects(() => provider.removeByClient('test', bad), TypeError, 'clientId')
        for (const name of ['clientId', 'family', 'presented', 'next']) {
          await rejects(
            () => provider.rotateRefreshToken('test', id, { ...rotation, [name]: bad }),
            TypeError,
            `rotation.${name}`,
          )
        }
        if (bad === undefined) continue
        await rejects(
          () => provider.create('test', login('u', { ipAddress: bad })),
          TypeError,
          'session.ipAddress',
        )
        await rejects(
          () => provider.create('test', login('u', { authMethod: bad })),
          TypeError,
          'session.authMethod',
        )
        await rejects(
          () => provider.create('test', login('u', { brokerUserId: bad })),
          TypeError,
          'session.brokerUserId',
        )
        await rejects(
          () => provider.create('test', login('u', { brokerSessionId: bad })),
          TypeError,
          'session.brokerSessionId',
        )
        if (typeof bad !== 'number') {
          await rejects(
            () => provider.create('test', login('u', { authenticatedAt: bad })),
            TypeError,
            'session.authenticatedAt',
          )
        }
        await rejects(() => provider.get('test', id, { clientId: bad }), TypeError, 'options.clientId')
        await rejects(
          () => provider.removeByUser('test', 'user1', { except: bad }),
          TypeError,
          'options.except',
        )
        await rejects(
          () => provider.rotateRefreshToken('test', id, { ...rotation, attempt: bad }),
          TypeError,
          'rotation.attempt',
        )
      }
      assert.equal(await provider.count('test'), 3)
      assert.deepEqual(plain(await provider.get('test', id)), plain(s0))
    },
  )

  add.basic(
    'authenticatedAt: one in the future, or no instant, is refused by name',
    'issue: bad input',
    async ({ provider, clock }) => {
      const { id } = await provider.create('test', login()).then(createdSession)
      for (const [bad, kind] of [
        [clock.now() + 1, RangeError],
        [clock.now() * 1000, RangeError],
        [clock.now() - 0.5, RangeError],
        [-1, RangeError],
        [Number.NaN, TypeError],
        [String(clock.now()), TypeError],
        [new Date(clock.now()), TypeError],
        [null, TypeError],
      ] as const) {
        const early = login('user1', { authenticatedAt: wrong(bad) })
        await rejects(() => provider.create('test', early), kind, 'session.authenticatedAt')
        await rejects(
          () => provider.create('test', { ...early, transient: true }),
          kind,
          'session.authenticatedAt',
        )
        await rejects(() => provider.restart('test', id, early), kind, 'session.authenticatedAt')
        await rejects(
          () => provider.createOffline('test', id, { authenticatedAt: wrong(bad) }),
          kind,
          'options.authenticatedAt',
        )
      }
      assert.equal(await provider.count('test'), 1)
      assert.equal(await provider.count('test', { offline: true }), 0)
    },
  )

  add.basic('arguments: objects, flags, numbers and notes too', 'issue: bad input', async ({ provider }) => {
    const [s0] = await createS3(provider)
    const { id } = s0
    const rotation = {
      clientId: 'test-app',
      family: 'f',
      presented: 'a',
      next: 'b',
      issuedAt: 1,
      maxReuse: 0,
    }
    const { clientId: _, ...transient } = rotation
    for (const bad of [null, 7, 'text', []].map(wrong)) {
      await rejects(() => provider.create('test', bad), TypeError, 'session')
      await rejects(() => provider.restart('test', id, bad), TypeError, 'session')
      await rejects(() => provider.update('test', id, bad), TypeError, 'patch')
      await rejects(() => provider.updateClientSession('test', id, bad), TypeError, 'patch')
      await rejects(() => provider.putClientSession('test', id, bad), TypeError, 'client')
      await rejects(() => provider.rotateRefreshToken('test', id, bad), TypeError, 'rotation')
      await rejects(() => provider.rotateTransientToken('test', bad), TypeError, 'rotation')
      for (const call of [
        () => provider.get('test', id, bad),
        () => provider.refresh('test', id, bad),
        () => provider.touch('test', id, bad),
        () => provider.update('test', id, {}, bad),
        () => provider.remove('test', id, bad),
        () => provider.removeClientSession('test', id, 'test-app', bad),
        () => provider.createOffline('test', id, bad),
        () => provider.count('test', bad),
        () => provider.removeByUser('test', 'user1', bad),
      ])
        await rejects(call, TypeError, 'options')
      for (const call of [
        () => provider.list('test', bad),
        () => provider.listByUser('test', 'user1', bad),
        () => provider.listByClient('test', 'test-app', bad),
        () => provider.listByBrokerUser('test', 'broker-user', bad),
      ])
        await rejects(call, TypeError, 'page')
      await rejects(() => provider.create('test', login('u', { notes: bad })), TypeError, 'session.notes')
      await rejects(() => provider.create('test', login('u', { client: bad })), TypeError, 'session.client')
      await rejects(() => provider.update('test', id, { notes: bad }), TypeError, 'patch.notes')
      await rejects(() => provider.remove('test', id, { offline: bad }), TypeError, 'options.offline')
      await rejects(
        () => provider.create('test', login('u', { rememberMe: bad })),
        TypeError,
        'session.rememberMe',
      )
      await rejects(
        () => provider.create('test', { ...login('u'), transient: bad }),
        TypeError,
        'session.transient',
      )
    }
    const notes = JSON.parse('{"__proto__":"x"}')
    await rejects(() => provider.update('test', id, { notes }), TypeError, 'patch.notes')
    await rejects(
      () => provider.create('test', login('u', { notes: wrong({ a: 1 }) })),
      TypeError,
      'session.notes',
    )
    await rejects(
      () => provider.create('test', login('u', { notes: { '': 'x' } })),
      TypeError,
      'session.notes',
    )
    for (const size of [MAX_NOTES_BYTES, 1024 * 1024]) {
      const large = { a: 'x'.repeat(size) }
      await rejects(() => provider.create('test', login('u', { notes: large })), RangeError, 'session.notes')
      await rejects(
        () => provider.create('test', login('u', { client: { clientId: 'a', notes: large } })),
        RangeError,
        'session.client.notes',
      )
      await rejects(() => provider.update('test', id, { notes: large }), RangeError, 'patch.notes')
      await rejects(
        () => provider.putClientSession('test', id, { clientId: 'a', notes: large }),
        RangeError,
        'client.notes',
      )
    }
    await rejects(() => provider.update('test', id, { state: wrong('LOST') }), TypeError, 'patch.state')
    await rejects(
      () => provider.putClientSession('test', id, { clientId: 'a', redirectUri: 'x'.repeat(9_000) }),
      TypeError,
      'client.redirectUri',
    )
    for (const limit of [0, 101, -1, 1.5, Number.POSITIVE_INFINITY]) {
      await rejects(() => provider.list('test', { limit }), RangeError, 'page.limit')
    }
    await rejects(() => provider.list('test', { limit: Number.NaN }), TypeError, 'page.limit')
    for (const cursor of [
      'x',
      '::',
      Buffer.from('1:x').toString('base64url'),
      Buffer.from(`-1:${id}`).toString('base64url'),
      '🔑',
    ]) {
      await rejects(() => provider.list('test', { cursor }), TypeError, 'page.cursor')
    }
    for (const bad of [-1, 1.5, Number.POSITIVE_INFINITY]) {
      await rejects(
        () => provider.rotateRefreshToken('test', id, { ...rotation, maxReuse: bad }),
        RangeError,
        'rotation.maxReuse',
      )
      await rejects(
        () => provider.rotateRefreshToken('test', id, { ...rotation, issuedAt: bad }),
        RangeError,
        'rotation.issuedAt',
      )
      await rejects(
        () => provider.rotateRefreshToken('test', id, { ...rotation, graceMs: bad }),
        RangeError,
        'rotation.graceMs',
      )
      await rejects(
        () => provider.rotateTransientToken('test', { ...transient, lifespanMs: bad }),
        RangeError,
        'rotation.lifespanMs',
      )
    }
    await rejects(
      () => provider.rotateRefreshToken('test', id, { ...rotation, next: 'a' }),
      TypeError,
      'rotation.next',
    )
    await rejects(
      () => provider.createOffline('test', id, { clientIds: wrong('app') }),
      TypeError,
      'options.clientIds',
    )
    await rejects(
      () => provider.createOffline('test', id, { clientIds: [wrong(1)] }),
      TypeError,
      'options.clientIds[0]',
    )
    assert.equal(await provider.count('test'), 3)
    assert.equal(await provider.count('test', { offline: true }), 0)
    assert.deepEqual(plain(await provider.get('test', id)), plain(s0))
  })

  add.basic(
    'close: twice is once, and afterwards nothing works',
    'contract',
    async ({ anotherNode, provider }) => {
      const { id } = await provider.create('test', login()).then(createdSession)
      const closing = await anotherNode()
      await closing.close?.()
      await closing.close?.()
      for (const call of [
        () => closing.create('test', login()),
        () => closing.get('test', id),
        () => closing.list('test'),
        () => closing.sweep(),
        async () => closing.on('created', () => {}),
        async () => closing.stats(),
        () => closing.removeByRealm('test'),
      ]) {
        await assert.rejects(call, { code: 'ERR_PROVIDER_CLOSED' })
      }
    },
  )
}
