// A session that has been at thousands of clients: more than a script may put on Lua's stack.

import { FakeClock, openInspector } from '@authstate/conformance'
import { afterAll, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { createdSession, sessionOf } from '../src/conformance/fixture.js'
import type { UserSessionProvider } from '../src/index.js'
import { openNode } from './support.js'

const CLIENTS = 4_100
const HOUR_MS = 3_600_000

const rotation = (now: number) => ({
  clientId: 'app-7',
  family: 'f',
  presented: 'a',
  next: 'b',
  issuedAt: now,
  maxReuse: 0,
})

const verbs: Record<string, (sessions: UserSessionProvider, id: string, now: number) => Promise<unknown>> = {
  get: (sessions, id) => sessions.get('r', id),
  refresh: (sessions, id) => sessions.refresh('r', id),
  'refresh with a client': (sessions, id) => sessions.refresh('r', id, { clientId: 'app-7' }),
  touch: (sessions, id) => sessions.touch('r', id),
  'touch with a client': (sessions, id) => sessions.touch('r', id, { clientId: 'app-7' }),
  update: (sessions, id) => sessions.update('r', id, { notes: { a: '1' } }),
  restart: (sessions, id) =>
    sessions.restart('r', id, { userId: 'alice', loginUsername: 'alice' }).then(sessionOf),
  putClientSession: (sessions, id) =>
    sessions.putClientSession('r', id, { clientId: 'one-more' }).then(sessionOf),
  updateClientSession: (sessions, id) =>
    sessions.updateClientSession('r', id, { clientId: 'app-7', action: 'x' }),
  removeClientSession: (sessions, id) =>
    sessions.removeClientSession('r', id, 'app-7', { endWhenLast: true }),
  rotateRefreshToken: (sessions, id, now) => sessions.rotateRefreshToken('r', id, rotation(now)),
  createOffline: (sessions, id) => sessions.createOffline('r', id).then(sessionOf),
  list: async (sessions) => (await sessions.list('r')).items[0],
  clientStats: async (sessions) => (await sessions.clientStats('r')).get('app'),
  recompute: (sessions) => sessions.recompute('r'),
  remove: (sessions, id) => sessions.remove('r', id),
  removeByClient: (sessions) => sessions.removeByClient('r', 'app'),
  removeByUser: (sessions) => sessions.removeByUser('r', 'alice'),
  removeByRealm: (sessions) => sessions.removeByRealm('r'),
}

describeWith(redis, 'a session with thousands of clients', () => {
  const raw = openRedis()
  const prefix = `user-session-many-clients-${process.pid}`
  afterAll(async () => {
    await (await openInspector(raw)).clear(prefix)
    raw.disconnect()
  })

  /** A session that has that many client sessions, as if each had been put. */
  async function open(own: string) {
    const clock = new FakeClock()
    const realms = { clientSessionIdleTimeoutMs: 0 }
    const sessions = await openNode({ client: raw, prefix: own, clock, realms: () => realms })
    const client = { clientId: 'app', notes: { n: '1' } }
    const { id } = await sessions
      .create('r', { userId: 'alice', loginUsername: 'alice', client })
      .then(createdSession)
    const [key] = (await (await openInspector(raw)).keys(own)).filter((item) => item.endsWith(`us:r:${id}`))
    const [times, held] = await raw.hmget(key as string, 'c:app', 'a:app')
    const fields = Array.from({ length: CLIENTS }, (_, n) => `app-${n}`).flatMap((name) => [
      `c:${name}`,
      `${times}`.replace(/ app$/, ` ${name}`),
      `a:${name}`,
      `${held}`.replace(' app ', ` ${name} `),
    ])
    await raw.hset(key as string, ...fields)
    return { sessions, id, clock, realms }
  }

  test.each(Object.keys(verbs))('%s answers', async (verb) => {
    const { sessions, id, clock, realms } = await open(`${prefix}-${verb.replaceAll(' ', '-')}`)
    await using _ = sessions
    // The indexes are far behind, and the end of each client session is another one.
    realms.clientSessionIdleTimeoutMs = HOUR_MS / 4
    clock.advance(HOUR_MS / 5)
    const answer = await verbs[verb]?.(sessions, id, clock.now())
    expect(answer).toBeTruthy()
    if (verb === 'recompute') expect(answer).toBe(1)
    if (verb === 'createOffline') {
      expect((await sessions.get('r', id, { offline: true }))?.clients.size).toBe(CLIENTS + 1)
    }
  })

  test('its end is told with every client', async () => {
    const { sessions, clock } = await open(`${prefix}-sweep`)
    await using _ = sessions
    const heard: number[] = []
    sessions.on('expired', ({ clientIds }) => heard.push(clientIds.length))
    clock.advance(10 * HOUR_MS)
    expect(await sessions.sweep()).toBe(1)
    expect(heard).toEqual([CLIENTS + 1])
  })
})
