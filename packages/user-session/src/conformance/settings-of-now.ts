import assert from 'node:assert/strict'
import type { Stage, SuiteBuilder } from '@authstate/conformance'
import type { RealmSettings } from '@authstate/spi'
import type { UserSessionProvider } from '../contract.js'
import { clientIds, createdSession, HOUR, login, MINUTE, SECOND, sessionOf } from './fixture.js'

/** Settings that end a session whose stored end lies ahead, half an hour after its last use. */
const strict: Readonly<Record<string, (startedAt: number) => RealmSettings>> = {
  'not-before was raised': (startedAt) => ({ notBefore: startedAt + 1 }),
  'remember-me was switched off': () => ({ rememberMe: false }),
  'the idle time was shortened': () => ({ ssoSessionIdleTimeoutMs: 10 * MINUTE }),
  'the time in all was shortened': () => ({ ssoSessionMaxLifespanMs: 10 * MINUTE }),
}

/** Settings that end the client session alone. */
const strictForClients: Readonly<Record<string, RealmSettings>> = {
  'the idle time of clients was shortened': { clientSessionIdleTimeoutMs: 10 * MINUTE },
  'the time in all of clients was shortened': { clientSessionMaxLifespanMs: 10 * MINUTE },
  'the client got an idle time of its own': {
    clients: (clientId) => (clientId === 'app' ? { sessionIdleTimeoutMs: 10 * MINUTE } : undefined),
  },
}

/** Each verb that writes to a session. Answers `false` when it says that there is none. */
const writes: Readonly<
  Record<string, (provider: UserSessionProvider, id: string, now: number) => Promise<unknown>>
> = {
  refresh: (provider, id) => provider.refresh('test', id),
  touch: (provider, id) => provider.touch('test', id),
  update: (provider, id) => provider.update('test', id, { notes: { a: '1' } }),
  restart: (provider, id) => provider.restart('test', id, login()).then(sessionOf),
  putClientSession: (provider, id) =>
    provider.putClientSession('test', id, { clientId: 'new' }).then(sessionOf),
  createOffline: (provider, id) => provider.createOffline('test', id).then(sessionOf),
}

/** Each verb that writes to the client session `app`. */
const clientWrites: typeof writes = {
  'refresh with a client': (provider, id) => provider.refresh('test', id, { clientId: 'app' }),
  'touch with a client': (provider, id) => provider.touch('test', id, { clientId: 'app' }),
  updateClientSession: (provider, id) =>
    provider.updateClientSession('test', id, { clientId: 'app', action: 'x', notes: { a: '1' } }),
  rotateRefreshToken: async (provider, id, issuedAt) =>
    (await provider.rotateRefreshToken('test', id, rotationOf(issuedAt))).outcome !== 'gone',
  createOffline: async (provider, id) =>
    (await provider.createOffline('test', id, { clientIds: ['app'] }).then(sessionOf))?.clients.has('app'),
}

const rotationOf = (issuedAt: number) =>
  ({ clientId: 'app', family: 'f', presented: 'T1', next: 'T2', issuedAt, maxReuse: 0 }) as const

/** A session with remember-me, used half an hour ago. */
async function usedBefore({ provider, clock, setRealm }: Stage<UserSessionProvider>) {
  setRealm('test', { ssoSessionIdleTimeoutMs: HOUR })
  const session = await provider
    .create('test', login('user1', { rememberMe: true, client: { clientId: 'app', action: 'begun' } }))
    .then(createdSession)
  clock.advance(30 * MINUTE)
  return session
}

/** What a write finds is decided by the settings of now, whatever was stored before. */
export function settingsOfNow(add: SuiteBuilder<UserSessionProvider>): void {
  for (const [verb, write] of Object.entries({ ...writes, ...clientWrites })) {
    add.expiry(`${verb}: what is over by the settings of now is gone`, 'contract', async (stage) => {
      const { provider, clock, setRealm } = stage
      for (const [why, settings] of Object.entries(strict)) {
        const { id, startedAt } = await usedBefore(stage)
        setRealm('test', { ssoSessionIdleTimeoutMs: HOUR, ...settings(startedAt) })
        assert.ok(!(await write(provider, id, clock.now())), why)
        assert.equal(await provider.get('test', id), undefined, why)
        assert.equal(await provider.get('test', id, { offline: true }), undefined, why)
      }
    })
  }

  for (const [verb, write] of Object.entries(clientWrites)) {
    add.expiry(
      `${verb}: a client session that is over by the settings of now is gone`,
      'contract',
      async (stage) => {
        const { provider, clock, setRealm } = stage
        for (const [why, settings] of Object.entries(strictForClients)) {
          const { id } = await usedBefore(stage)
          setRealm('test', { ssoSessionIdleTimeoutMs: HOUR, ...settings })
          assert.ok(!(await write(provider, id, clock.now())), why)
          assert.deepEqual(clientIds(await provider.get('test', id)), [], why)
          assert.equal(await provider.countByClient('test', 'app'), 0, why)
        }
      },
    )
  }

  add.expiry(
    'putClientSession: one that is over by the settings of now begins anew',
    'contract',
    async (stage) => {
      const { provider, clock, setRealm } = stage
      for (const settings of Object.values(strictForClients)) {
        const { id } = await usedBefore(stage)
        const rotated = await provider.rotateRefreshToken('test', id, rotationOf(clock.now()))
        assert.equal(rotated.outcome, 'rotated')
        setRealm('test', { ssoSessionIdleTimeoutMs: HOUR, ...settings })
        const put = await provider.putClientSession('test', id, { clientId: 'app' }).then(sessionOf)
        assert.equal(put?.clients.get('app')?.startedAt, clock.now())
        const again = { ...rotationOf(clock.now() - SECOND), presented: 'T2', next: 'T3' }
        assert.deepEqual(await provider.rotateRefreshToken('test', id, again), { outcome: 'stale' })
      }
    },
  )

  add.expiry('rotateRefreshToken, updateClientSession: compute the ends anew', 'contract', async (stage) => {
    const { provider, clock, setRealm } = stage
    const own: typeof writes = {
      rotate: clientWrites['rotateRefreshToken'] as (typeof writes)[string],
      update: clientWrites['updateClientSession'] as (typeof writes)[string],
    }
    for (const write of Object.values(own)) {
      for (const [idleMs, clientIdleMs] of [
        [40 * MINUTE, 35 * MINUTE],
        [3 * HOUR, 2 * HOUR],
      ] as const) {
        const { id, lastRefreshAt } = await usedBefore(stage)
        setRealm('test', { ssoSessionIdleTimeoutMs: idleMs, clientSessionIdleTimeoutMs: clientIdleMs })
        assert.ok(await write(provider, id, clock.now()))
        const session = await provider.get('test', id)
        assert.equal(session?.expiresAt, lastRefreshAt + idleMs)
        assert.equal(session.lastRefreshAt, lastRefreshAt)
        assert.equal(session.clients.get('app')?.expiresAt, lastRefreshAt + clientIdleMs)
        clock.set(lastRefreshAt + clientIdleMs)
        assert.equal(await provider.countByClient('test', 'app'), 0)
        clock.set(lastRefreshAt + idleMs)
        assert.equal(await provider.count('test'), 0)
      }
    }
  })

  add.expiry('restart: into a shorter life, it is swept when that ends', 'contract', async (stage) => {
    const { provider, clock, setRealm } = stage
    setRealm('test', { ssoSessionIdleTimeoutRememberMeMs: 3 * HOUR })
    const { id } = await provider.create('test', login('user1', { rememberMe: true })).then(createdSession)
    const restarted = await provider.restart('test', id, login()).then(sessionOf)
    assert.equal(restarted?.expiresAt, clock.now() + 30 * MINUTE)
    clock.advance(30 * MINUTE)
    assert.equal(await provider.sweep(), 1)
  })

  add.expiry('rotateTransientToken: a token from before not-before is gone', 'contract', async (stage) => {
    const { provider, clock, setRealm } = stage
    const rotate = (presented: string, next: string, issuedAt: number) =>
      provider.rotateTransientToken('test', {
        family: 'f',
        presented,
        next,
        issuedAt,
        maxReuse: 0,
        lifespanMs: HOUR,
      })
    const issuedAt = clock.now()
    assert.equal((await rotate('T1', 'T2', issuedAt)).outcome, 'rotated')
    clock.advance(SECOND)
    setRealm('test', { notBefore: clock.now() })
    assert.deepEqual(await rotate('T2', 'T3', issuedAt), { outcome: 'gone' })
    assert.deepEqual(await rotate('R1', 'R2', clock.now() - 1), { outcome: 'gone' })
    assert.equal((await rotate('R1', 'R2', clock.now())).outcome, 'rotated')
  })
}
