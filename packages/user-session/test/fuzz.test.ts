// What another version, or somebody else, may have left in a session.

import { FakeClock, openInspector } from '@authstate/conformance'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { overDamage } from '../../../tools/testing/damage.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { createdSession, sessionOf } from '../src/conformance/fixture.js'
import type { UserSession, UserSessionProvider } from '../src/index.js'
import { openNode } from './support.js'

describeWith(redis, 'a stored session', () => {
  const client = openRedis()
  const prefix = `user-session-fuzz-${process.pid}`
  const clock = new FakeClock()
  const now = clock.now()
  let sessions: UserSessionProvider & AsyncDisposable
  let id = ''
  let key = ''
  let intact: Record<string, string> = {}
  beforeAll(async () => {
    sessions = await openNode({ client, prefix, clock })
  })
  beforeEach(async () => {
    id = (
      await sessions
        .create('realm', {
          userId: 'alice',
          loginUsername: 'alice',
          notes: { a: '1' },
          client: { clientId: 'app', notes: { b: '2' } },
        })
        .then(createdSession)
    ).id
    const rotation = { clientId: 'app', family: 'f', presented: 'T1', next: 'T2', issuedAt: now, maxReuse: 1 }
    expect(await sessions.rotateRefreshToken('realm', id, rotation)).toMatchObject({ outcome: 'rotated' })
    const keys = await (await openInspector(client)).keys(prefix)
    key = keys.find((item) => item.includes(':us:') && item.endsWith(id)) ?? ''
    intact = await client.hgetall(key)
  })
  afterAll(async () => {
    await sessions[Symbol.asyncDispose]()
    await (await openInspector(client)).clear(prefix)
    client.disconnect()
  })

  const damaged = (text: string) =>
    fc.oneof(
      fc.string(),
      fc.constantFrom('', 'v1', 'c', '{}', '{', ':', 'null', 'NaN', '-1', '9'.repeat(400)),
      fc
        .tuple(
          fc.nat(text.length),
          fc.nat(6),
          fc.oneof(fc.constantFrom('', ' ', ':', '{', '"', 'x'), fc.string()),
        )
        .map(([at, without, instead]) => text.slice(0, at) + instead + text.slice(at + without)),
    )

  function expectWhole(session: UserSession | undefined): void {
    if (session === undefined) return
    expect(session.userId).toBeTypeOf('string')
    for (const item of [session, ...session.clients.values()]) {
      for (const instant of [item.startedAt, item.lastRefreshAt, item.expiresAt])
        expect(instant).toBeGreaterThanOrEqual(0)
      for (const note of Object.values(item.notes)) expect(note).toBeTypeOf('string')
    }
  }

  const verbs: readonly [string, () => Promise<unknown>][] = [
    ['get', async () => expectWhole(await sessions.get('realm', id))],
    ['get of a client', async () => expectWhole(await sessions.get('realm', id, { clientId: 'app' }))],
    ['touch', () => sessions.touch('realm', id)],
    ['refresh', async () => expectWhole(await sessions.refresh('realm', id, { clientId: 'app' }))],
    ['update', async () => expectWhole(await sessions.update('realm', id, { notes: { c: '3' } }))],
    ['putClientSession', () => sessions.putClientSession('realm', id, { clientId: 'app' }).then(sessionOf)],
    [
      'updateClientSession',
      () => sessions.updateClientSession('realm', id, { clientId: 'app', action: 'x' }),
    ],
    [
      'rotateRefreshToken',
      () =>
        sessions.rotateRefreshToken('realm', id, {
          clientId: 'app',
          family: 'f',
          presented: 'T2',
          next: 'T3',
          issuedAt: now,
          maxReuse: 1,
        }),
    ],
    ['createOffline', async () => expectWhole(await sessions.createOffline('realm', id).then(sessionOf))],
    [
      'listByUser',
      async () => {
        for (const item of (await sessions.listByUser('realm', 'alice')).items) expectWhole(item)
      },
    ],
    ['count', () => sessions.count('realm')],
    ['removeClientSession', () => sessions.removeClientSession('realm', id, 'app')],
    ['sweep', () => sessions.sweep()],
    ['removeByUser', () => sessions.removeByUser('realm', 'alice')],
    ['remove', () => sessions.remove('realm', id)],
  ]

  test.each(verbs)('%s: whole or absent, whatever a field holds', async (_, verb) => {
    const fields = Object.keys(intact)
    expect(fields.length).toBeGreaterThanOrEqual(4)
    const damage = fc
      .constantFrom(...fields)
      .chain((field) => damaged(intact[field] ?? '').map((text) => ({ [field]: text })))
    await overDamage(client, key, intact, damage, verb)
  })
})
