// Redis forgets an index some time after its last entry: here time passes for its keys as it does for the clock.

import { FakeClock, openInspector } from '@authstate/conformance'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { createdSession, sessionOf } from '../src/conformance/fixture.js'
import type { UserSessionProvider } from '../src/index.js'
import { openNode } from './support.js'

const MINUTE_MS = 60_000
const client = { clientId: 'app' }

const uses: Record<string, (sessions: UserSessionProvider, id: string) => Promise<unknown>> = {
  touch: (sessions, id) => sessions.touch('realm', id),
  'touch with a client': (sessions, id) => sessions.touch('realm', id, client),
  refresh: (sessions, id) => sessions.refresh('realm', id),
  'refresh with a client': (sessions, id) => sessions.refresh('realm', id, client),
  update: (sessions, id) => sessions.update('realm', id, { notes: { a: '1' } }),
  'put a client session': (sessions, id) => sessions.putClientSession('realm', id, client).then(sessionOf),
  'log in once more': (sessions) =>
    sessions.create('realm', { userId: 'bob', loginUsername: 'bob', client }).then(createdSession),
}

describeWith(redis, 'an index is there for as long as its sessions', () => {
  const raw = openRedis()
  const prefix = `user-session-index-life-${process.pid}`
  let run = 0
  afterAll(async () => {
    await (await openInspector(raw)).clear(prefix)
    raw.disconnect()
  })

  test('however they are used', { timeout: 120_000 }, () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(3 * MINUTE_MS, 30 * MINUTE_MS),
        fc.array(
          fc.tuple(
            fc.constantFrom(...Object.keys(uses)),
            fc.oneof(fc.constant(0.3), fc.constant(0.99), fc.double({ min: 0, max: 1, noNaN: true })),
          ),
          { minLength: 10, maxLength: 40, size: 'max' },
        ),
        async (idleMs, steps) => {
          const own = `${prefix}-${run++}`
          const inspector = await openInspector(raw)
          const clock = new FakeClock()
          await using sessions = await openNode({
            client: raw,
            prefix: own,
            clock,
            realms: () => ({ ssoSessionIdleTimeoutMs: idleMs }),
          })
          const { id } = await sessions
            .create('realm', {
              userId: 'alice',
              loginUsername: 'alice',
              brokerSessionId: 'broker-session',
              brokerUserId: 'broker-user',
              client,
            })
            .then(createdSession)
          for (const [use, share] of steps) {
            const ms = Math.floor(share * idleMs)
            clock.advance(ms)
            const age = async (key: string) => {
              const leftMs = await raw.pttl(key)
              if (leftMs >= 0) await raw.pexpire(key, leftMs - ms)
            }
            await Promise.all((await inspector.keys(own)).map(age))
            await uses[use]?.(sessions, id)
            const [session, atClient, byUser, byBrokerUser, byBrokerSession, all, living, count, stats] =
              await Promise.all([
                sessions.get('realm', id),
                sessions.get('realm', id, client),
                sessions.listByUser('realm', 'alice'),
                sessions.listByBrokerUser('realm', 'broker-user'),
                sessions.findByBrokerSession('realm', 'broker-session'),
                sessions.list('realm'),
                sessions.listByClient('realm', 'app'),
                sessions.countByClient('realm', 'app'),
                sessions.clientStats('realm'),
              ])
            const has = (items: readonly { readonly id: string }[]) => items.some((item) => item.id === id)
            const there = session !== undefined
            const seen = {
              byUser: has(byUser.items),
              byBrokerUser: has(byBrokerUser.items),
              byBrokerSession: byBrokerSession?.id === id,
              inTheRealm: has(all.items),
              atClient: has(living.items),
              count,
              stats: stats.get('app') ?? 0,
            }
            expect(seen, use).toEqual({
              byUser: there,
              byBrokerUser: there,
              byBrokerSession: there,
              inTheRealm: there,
              atClient: atClient !== undefined,
              count: living.items.length,
              stats: living.items.length,
            })
          }
          await inspector.clear(own)
        },
      ),
      { numRuns: 60 },
    ),
  )

  test('a client is listed once for the life of its index, and whatever the score of its entry', async () => {
    const own = `${prefix}-listed`
    const clock = new FakeClock()
    await using sessions = await openNode({ client: raw, prefix: own, clock })
    const login = () => sessions.create('realm', { userId: 'bob', loginUsername: 'bob', client })
    createdSession(await login())
    const [clients = ''] = await raw.keys(`${own}:{*}:uk:realm`)
    // An earlier version scored it by the end of its sessions.
    await raw.zadd(clients, clock.now() - 2 * MINUTE_MS, 'app')
    clock.advance(MINUTE_MS)
    createdSession(await login())
    expect(await raw.zscore(clients, 'app')).toBe(String(clock.now() - 3 * MINUTE_MS))
    expect([...(await sessions.clientStats('realm'))]).toEqual([['app', 2]])
    const [index = ''] = await raw.keys(`${own}:{*}:uc:realm:app`)
    expect(await raw.pttl(clients)).toBeGreaterThanOrEqual(await raw.pttl(index))
  })
})
