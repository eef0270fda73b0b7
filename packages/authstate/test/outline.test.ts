// Every verb of every SPI once, through the front door, on both stores: that they are there, and fit together.

import { FakeClock } from '@authstate/conformance'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { createdSession, sessionOf } from '../../user-session/src/conformance/fixture.js'
import { type AuthState, type AuthStateConfig, createAuthState } from '../src/index.js'

const keyring = { current: 'a', keys: { a: 'a secret of the test, not of a deployment' } }
const realms: AuthStateConfig['realms'] = (realmId) =>
  realmId === 'guarded' ? { bruteForce: { enabled: true, failureFactor: 2 } } : undefined

function outline(open: (clock: FakeClock) => Promise<AuthState>): void {
  let state: AuthState
  let clock: FakeClock
  beforeEach(async () => {
    clock = new FakeClock()
    state = await open(clock)
  })
  afterEach(async () => {
    await state.userSessions.removeByRealm('acme')
    await state.authSessions.removeByRealm('acme')
    await state.actionTokens.removeByRealm('acme')
    await state.loginFailures.removeByRealm('guarded')
    await state.close()
  })

  test('user sessions', async () => {
    const { userSessions } = state
    const seen: string[] = []
    for (const type of ['created', 'removed', 'expired'] as const)
      userSessions.on(type, () => seen.push(type))
    const session = await userSessions
      .create('acme', {
        userId: 'alice',
        loginUsername: 'alice@example.org',
        ipAddress: '192.0.2.1',
        authMethod: 'form',
        rememberMe: true,
        brokerSessionId: 'idp-session',
        brokerUserId: 'idp.alice',
        notes: { amr: 'pwd' },
        client: { clientId: 'app', protocol: 'openid-connect', redirectUri: 'https://app.example/cb' },
      })
      .then(createdSession)
    const { id } = session
    expect(session).toMatchObject({
      realmId: 'acme',
      userId: 'alice',
      offline: false,
      startedAt: clock.now(),
    })
    expect(session.state).toBeUndefined()
    expect(session.clients.get('app')?.clientId).toBe('app')
    expect(await userSessions.get('acme', id)).toEqual(session)
    expect(await userSessions.get('other', id)).toBeUndefined()
    expect(await userSessions.get('acme', id, { clientId: 'nobody' })).toBeUndefined()
    clock.advance(1_000)
    expect((await userSessions.refresh('acme', id, { clientId: 'app' }))?.lastRefreshAt).toBe(clock.now())
    const patched = await userSessions.update('acme', id, {
      state: 'LOGGED_IN',
      notes: { amr: null, acr: '1' },
    })
    expect(patched).toMatchObject({ state: 'LOGGED_IN', notes: { acr: '1' } })
    await userSessions.putClientSession('acme', id, { clientId: 'second', notes: { n: '1' } }).then(sessionOf)
    await userSessions.updateClientSession('acme', id, { clientId: 'second', notes: { n: null, m: '2' } })
    expect((await userSessions.get('acme', id))?.clients.get('second')?.notes).toEqual({ m: '2' })
    const rotation = {
      clientId: 'app',
      family: 'f',
      presented: 't1',
      next: 't2',
      issuedAt: clock.now(),
      maxReuse: 0,
    }
    expect(await userSessions.rotateRefreshToken('acme', id, rotation)).toMatchObject({ outcome: 'rotated' })
    expect(await userSessions.rotateRefreshToken('acme', id, rotation)).toMatchObject({ outcome: 'reused' })
    expect((await userSessions.get('acme', id))?.clients.has('app')).toBe(false)
    expect(
      (await userSessions.createOffline('acme', id, { clientIds: ['second'] }).then(sessionOf))?.offline,
    ).toBe(true)
    expect((await userSessions.get('acme', id, { offline: true }))?.id).toBe(id)
    expect(
      (await userSessions.listByUser('acme', 'alice', { limit: 10 })).items.map((item) => item.id),
    ).toEqual([id])
    expect((await userSessions.listByClient('acme', 'second', {})).items).toHaveLength(1)
    expect((await userSessions.listByBrokerUser('acme', 'idp.alice', {})).items).toHaveLength(1)
    expect((await userSessions.list('acme', {})).items).toHaveLength(1)
    expect((await userSessions.findByBrokerSession('acme', 'idp-session'))?.id).toBe(id)
    expect(await userSessions.countByClient('acme', 'second')).toBe(1)
    expect(await userSessions.clientStats('acme')).toEqual(new Map([['second', 1]]))
    expect(
      (await userSessions.restart('acme', id, { userId: 'alice', loginUsername: 'alice' }).then(sessionOf))
        ?.clients.size,
    ).toBe(0)
    await expect(
      userSessions.restart('acme', id, { userId: 'bob', loginUsername: 'bob' }).then(sessionOf),
    ).rejects.toThrow(TypeError)
    expect(await userSessions.removeClientSession('acme', id, 'second')).toBe(false)
    const other = await userSessions
      .create('acme', { userId: 'alice', loginUsername: 'alice' })
      .then(createdSession)
    expect(await userSessions.removeByUser('acme', 'alice', { except: other.id })).toBe(1)
    expect(await userSessions.removeByClient('acme', 'second', { offline: true })).toBe(1)
    expect(await userSessions.remove('acme', other.id)).toBe(true)
    expect(await userSessions.remove('acme', other.id)).toBe(false)
    expect(await userSessions.refresh('acme', other.id)).toBeUndefined()
    expect(await userSessions.removeByRealm('acme')).toBe(1)
    expect(seen).toContain('created')
    expect(seen).toContain('removed')
  })

  test('authentication sessions and sticky sessions', async () => {
    const { authSessions, stickySessions } = state
    const { id } = await authSessions.createRoot('acme')
    expect((await authSessions.getOrCreateRoot('acme', id)).id).toBe(id)
    const added = await authSessions.addTab('acme', id, { clientId: 'app', userSessionNotes: { k: 'v' } })
    const tabId = added?.tab.tabId ?? ''
    expect((await authSessions.getTab('acme', id, 'app', tabId))?.tabId).toBe(tabId)
    expect(await authSessions.getTab('acme', id, 'other', tabId)).toBeUndefined()
    await authSessions.updateTab('acme', id, tabId, { userId: 'alice', authNotes: { n: '1' } })
    expect((await authSessions.promote('acme', id, tabId))?.tab).toMatchObject({
      userId: 'alice',
      userSessionNotes: { k: 'v' },
    })
    expect(await authSessions.promote('acme', id, tabId)).toBeUndefined()
    expect(await authSessions.finishTab('acme', id, tabId)).toMatchObject({ rootRemoved: true })
    expect(await authSessions.getRoot('acme', id)).toBeUndefined()
    expect(await authSessions.restartRoot('acme', id)).toBeUndefined()
    expect(await authSessions.removeRoot('acme', id)).toBe(false)

    const route = stickySessions.route(id)
    expect(stickySessions.decode(stickySessions.encode(id))).toEqual({
      id,
      ...(route !== undefined && { route }),
    })
    expect(stickySessions.decode(stickySessions.encode(id, { route: 'n1' }))).toEqual({ id, route: 'n1' })
    expect(stickySessions.verify(stickySessions.sign(id))?.id).toBe(id)
    expect(stickySessions.cookie(id)).toMatch(/^AUTH_SESSION_ID=.*; Path=\/; HttpOnly; Secure; SameSite=None/)
  })

  test('action tokens', async () => {
    const { actionTokens } = state
    expect(
      await actionTokens.put('acme', 'code', 'c', { lifespanMs: 60_000, data: { n: 1 }, family: 'g' }),
    ).toBe('stored')
    expect(await actionTokens.consume('acme', 'code', 'c')).toEqual({ outcome: 'consumed', data: { n: 1 } })
    expect(await actionTokens.revokeFamily('acme', 'g')).toBe(0)
    await actionTokens.revoke('acme', 'jti', 60_000)
    expect(await actionTokens.isRevoked('acme', 'jti')).toBe(true)
    const link = await actionTokens.issueActionToken('acme', {
      userId: 'alice',
      actionId: 'verify',
      lifespanMs: 60_000,
    })
    expect((await actionTokens.consumeActionToken('acme', link, 'verify')).outcome).toBe('valid')
  })

  test('login failures', async () => {
    const { loginFailures } = state
    await loginFailures.recordFailure('guarded', 'bob', { ip: '192.0.2.1' })
    expect(await loginFailures.check('guarded', 'bob')).toEqual({ locked: false })
    clock.advance(5_000)
    await loginFailures.recordFailure('guarded', 'bob', { ip: '192.0.2.1' })
    expect(await loginFailures.check('guarded', 'bob')).toMatchObject({ locked: true, permanent: false })
    const guarded = await loginFailures.guard('guarded', 'bob', { ip: '192.0.2.1' }, async () => true)
    expect(guarded.outcome).toBe('locked')
    await loginFailures.clear('guarded', 'bob')
    expect(await loginFailures.get('guarded', 'bob')).toBeUndefined()
    expect((await loginFailures.guard('guarded', 'bob', { ip: '192.0.2.1' }, async () => true)).outcome).toBe(
      'success',
    )
    await loginFailures.recordSuccess('guarded', 'bob')
  })

  test('realm cache and cluster', async () => {
    const { realmCache, cluster } = state
    const region = realmCache.region<{ name: string }>('realms')
    let loads = 0
    const load = () => {
      loads += 1
      return { name: 'acme' }
    }
    expect(await region.get('acme', load, { tags: ['t'] })).toEqual({ name: 'acme' })
    expect(await region.get('acme', load)).toEqual({ name: 'acme' })
    expect(region.peek('acme')).toEqual({ name: 'acme' })
    await region.invalidate({ tag: 't' })
    expect(region.peek('acme')).toBeUndefined()
    await region.get('acme', load)
    await realmCache.clearAll()
    expect(region.peek('acme')).toBeUndefined()
    expect(loads).toBe(2)
    expect(region.stats()).toMatchObject({ hits: expect.any(Number), loads: 2 })

    expect(cluster.view().nodes.map((node) => node.name)).toContain(cluster.node.name)
    expect(await cluster.runOnce('task', { leaseMs: 1_000 }, async () => 42)).toEqual({
      executed: true,
      result: 42,
    })
    expect(await cluster.withLock('boot', {}, async () => 'done')).toBe('done')
    expect(await cluster.startedAt()).toBeLessThanOrEqual(clock.now())
    const heard = new Promise((resolve) => cluster.subscribe('topic', resolve))
    await cluster.publish('topic', { n: 1 })
    expect(await heard).toEqual({ n: 1 })
  })

  test('health and description', async () => {
    const health = await state.health()
    expect(health.ok).toBe(true)
    expect(JSON.stringify(state.describe())).not.toContain('a secret of the test')
  })
}

describe('the outline in memory', () => {
  outline((clock) => createAuthState({ clock, keyring, realms }))
})

describeWith(redis, 'the outline on Redis', () => {
  const prefix = `outline-${process.pid}`
  outline((clock) =>
    createAuthState({ provider: 'redis', redis: { url: redisUrl(), prefix }, clock, keyring, realms }),
  )
})
