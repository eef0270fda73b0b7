import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { FakeClock, RecordingLogger } from '@authstate/conformance'
import { type ChangeNote, type RedisConnection, redisConnectionSpi } from '@authstate/redis'
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { startChild } from '../../../tools/testing/child.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { createdSession, sessionOf } from '../../user-session/src/conformance/fixture.js'
import { type AuthState, createAuthState } from '../src/index.js'

const REALM = 'acme'
const MINUTE = 60_000
const login = {
  userId: 'ada',
  loginUsername: 'ada',
  brokerSessionId: 'b-1',
  client: { clientId: 'shop', nodeHost: 'n1', applicationSessionId: 's-1' },
}

type Redis = ReturnType<typeof openRedis>

/** A note as it is stored, in short: kind, how and key, and what is gone. */
interface Noted {
  readonly what: string
  readonly gone: unknown
}

class Outbox {
  readonly #raw: Redis
  readonly #prefix: string
  constructor(raw: Redis, prefix: string) {
    this.#raw = raw
    this.#prefix = prefix
  }

  async clear(): Promise<void> {
    const keys = await this.#raw.keys(`${this.#prefix}:{*}:xn`)
    if (keys.length > 0) await this.#raw.del(...keys)
  }

  async all(): Promise<Noted[]> {
    const keys = (await this.#raw.keys(`${this.#prefix}:{*}:xn`)).sort()
    const streams = await Promise.all(keys.map((key) => this.#raw.xrange(key, '-', '+')))
    return streams.flat().map(([, [kind, text = '', , gone]]) => ({
      what: `${kind} ${text}`,
      gone: gone === undefined ? undefined : JSON.parse(gone),
    }))
  }
}

describeWith(redis, 'what verbs note for a consumer of changes', () => {
  const raw = openRedis()
  const prefix = `changes-${randomUUID()}`
  const clock = new FakeClock(1_700_000_000_000)
  const outbox = new Outbox(raw, prefix)
  const opened = createAuthState({
    provider: 'redis',
    redis: {
      url: redisUrl(),
      prefix,
      partitions: 2,
      changes: { consumers: [{ name: 'audit', details: true }] },
    },
    keyring: { current: 'a', keys: { a: 'x'.repeat(32) } },
    clock,
    logger: new RecordingLogger(),
    realms: () => ({ bruteForce: { enabled: true } }),
    spi: {
      'user-session': { sweepIntervalMs: 0, maxSessionsPerUser: 3, limitPolicy: 'end-oldest' },
      'login-failure': { address: {} },
    },
  })
  let state: AuthState
  beforeEach(async () => {
    state = await opened
    await state.removeRealm(REALM)
    clock.advance(1)
    await outbox.clear()
  })
  afterAll(async () => {
    await (await opened).close()
    const keys = await raw.keys(`${prefix}:*`)
    if (keys.length > 0) await raw.del(...keys)
    raw.disconnect()
  })

  /** What a step notes. */
  async function noted(step: () => unknown): Promise<Noted[]> {
    await outbox.clear()
    await step()
    return outbox.all()
  }
  const whats = (notes: readonly Noted[]) => notes.map(({ what }) => what)
  const gone = (reason: string) => ['ada', reason, String(clock.now()), ['shop', 'n1', 's-1']]
  const of = (how: string, kind: string, id: string) => `user-session ${how}${kind}:${REALM}:${id}`

  describe('user-session', () => {
    test('changes name the record, and nothing that it holds', async () => {
      const { userSessions } = state
      let id = ''
      const created = await noted(async () => {
        id = (await userSessions.create(REALM, { ...login, notes: { secret: 'n' } }).then(createdSession)).id
      })
      expect(created).toEqual([{ what: of('f', 'us', id), gone: undefined }])
      expect(await noted(() => userSessions.touch(REALM, id))).toEqual([
        { what: of('t', 'us', id), gone: undefined },
      ])
      expect(whats(await noted(() => userSessions.refresh(REALM, id)))).toEqual([of('t', 'us', id)])
      expect(whats(await noted(() => userSessions.refresh(REALM, id, { clientId: 'shop' })))).toEqual([
        of('t', 'us', id),
      ])
      expect(whats(await noted(() => userSessions.update(REALM, id, { notes: { a: 'b' } })))).toEqual([
        of('f', 'us', id),
      ])
      expect(
        whats(await noted(() => userSessions.putClientSession(REALM, id, { clientId: 'x' }).then(sessionOf))),
      ).toEqual([of('f', 'us', id)])
      expect(
        whats(await noted(() => userSessions.updateClientSession(REALM, id, { clientId: 'x', action: 'a' }))),
      ).toEqual([of('f', 'us', id)])
      expect(whats(await noted(() => userSessions.createOffline(REALM, id).then(sessionOf)))).toEqual([
        of('f', 'os', id),
      ])
      const rotation = { clientId: 'shop', family: 'f', presented: 't0', next: 't1', maxReuse: 0 }
      expect(
        whats(
          await noted(() =>
            userSessions.rotateRefreshToken(REALM, id, { ...rotation, issuedAt: clock.now() }),
          ),
        ),
      ).toEqual([of('f', 'us', id)])
      expect(await noted(() => userSessions.get(REALM, id))).toEqual([])
      expect(await noted(() => userSessions.touch(REALM, 'x'.repeat(24)))).toEqual([])
    })

    test.each([
      ['removed', (id: string) => state.userSessions.remove(REALM, id)],
      ['user', () => state.userSessions.removeByUser(REALM, 'ada')],
      ['broker-session', () => state.userSessions.removeByBrokerSession(REALM, 'b-1')],
      ['realm', () => state.userSessions.removeByRealm(REALM)],
      [
        'last-client',
        (id: string) => state.userSessions.removeClientSession(REALM, id, 'shop', { endWhenLast: true }),
      ],
      [
        'expired',
        async () => {
          clock.advance(365 * 24 * 60 * MINUTE)
          await state.userSessions.sweep()
          await state.userSessions.sweep()
        },
      ],
    ])('an ending is noted once, with who went and why: %s', async (reason, end) => {
      const { id } = await state.userSessions.create(REALM, login).then(createdSession)
      const notes = (await noted(() => end(id))).filter(({ what }) => what.startsWith('user-session '))
      expect(notes).toEqual([{ what: of('r', 'us', id), gone: gone(reason) }])
      expect((await noted(() => end(id))).filter(({ what }) => what.startsWith('user-session '))).toEqual([])
    })

    test('all sessions of a user are noted once each, and the fence', async () => {
      const ids = []
      for (let n = 0; n < 3; n++)
        ids.push((await state.userSessions.create(REALM, login).then(createdSession)).id)
      const notes = await noted(() => state.userSessions.removeByUser(REALM, 'ada', { offline: 'both' }))
      expect(whats(notes).sort()).toEqual(
        [
          ...ids.map((id) => of('r', 'us', id)),
          `user-session-fence fuf:${REALM}:ada`,
          `user-session-fence fof:${REALM}:ada`,
        ].sort(),
      )
    })

    test('what makes room is noted with its reason, beside what comes', async () => {
      const first = await state.userSessions.create(REALM, login).then(createdSession)
      for (let n = 0; n < 2; n++) {
        clock.advance(1)
        await state.userSessions.create(REALM, login).then(createdSession)
      }
      clock.advance(1)
      const notes = await noted(() => state.userSessions.create(REALM, login).then(createdSession))
      expect(notes).toHaveLength(2)
      expect(notes[0]).toEqual({ what: of('r', 'us', first.id), gone: gone('limit') })
    })

    test.each([
      ['removed', (id: string) => state.userSessions.removeClientSession(REALM, id, 'shop')],
      ['client', () => state.userSessions.removeByClient(REALM, 'shop')],
      [
        'restarted',
        (id: string) =>
          state.userSessions.restart(REALM, id, { ...login, client: undefined }).then(sessionOf),
      ],
      [
        'reused',
        async (id: string) => {
          const rotation = {
            clientId: 'shop',
            family: 'f',
            presented: 't0',
            maxReuse: 0,
            issuedAt: clock.now(),
          }
          await state.userSessions.rotateRefreshToken(REALM, id, { ...rotation, next: 't1' })
          await outbox.clear()
          await state.userSessions.rotateRefreshToken(REALM, id, { ...rotation, next: 't2' })
        },
      ],
    ])('a client session that ends alone is noted once, with which: %s', async (reason, end) => {
      const { id } = await state.userSessions.create(REALM, login).then(createdSession)
      expect(await noted(() => end(id))).toEqual([{ what: of('f', 'us', id), gone: gone(reason) }])
    })

    test('tokens of no stored session', async () => {
      const notes = await noted(() =>
        state.userSessions.rotateTransientToken(REALM, {
          family: 'f',
          presented: 'a',
          next: 'b',
          issuedAt: clock.now(),
          maxReuse: 0,
          lifespanMs: MINUTE,
        }),
      )
      expect(whats(notes)).toEqual([`user-session-tokens fut:${REALM}:f`])
    })
  })

  test('auth-session', async () => {
    const { authSessions } = state
    const root = await authSessions.createRoot(REALM)
    const note = (how: string) => [`auth-session ${how}auth:${REALM}:${root.id}`]
    const added = await authSessions.addTab(REALM, root.id, { clientId: 'app' })
    const tabId = added?.tab.tabId ?? ''
    expect(whats(await outbox.all())).toEqual([...note('f'), ...note('f')])
    const steps: [() => unknown, string[]][] = [
      [() => authSessions.updateTab(REALM, root.id, tabId, { authNotes: { a: 'b' } }), note('f')],
      [() => authSessions.restartRoot(REALM, root.id), note('f')],
      [() => authSessions.removeTab(REALM, root.id, tabId), []],
      [() => authSessions.removeRoot(REALM, root.id), note('r')],
      [() => authSessions.removeRoot(REALM, root.id), []],
    ]
    for (const [step, expected] of steps) expect(whats(await noted(step))).toEqual(expected)
    const other = await authSessions.createRoot(REALM)
    const last = await authSessions.addTab(REALM, other.id, { clientId: 'app' })
    expect(whats(await noted(() => authSessions.removeTab(REALM, other.id, last?.tab.tabId ?? '')))).toEqual([
      `auth-session rauth:${REALM}:${other.id}`,
    ])
    const third = await authSessions.createRoot(REALM)
    expect(whats(await noted(() => authSessions.removeByRealm(REALM)))).toEqual([
      `auth-session rauth:${REALM}:${third.id}`,
    ])
  })

  test('action-token', async () => {
    const { actionTokens } = state
    const token = (how: string) => `action-token ${how}ao:${REALM}:code:k`
    const steps: [() => unknown, string[]][] = [
      [() => actionTokens.put(REALM, 'code', 'k', { lifespanMs: MINUTE, family: 'f' }), [token('f')]],
      [() => actionTokens.replace(REALM, 'code', 'k', { a: 'b' }), [token('f')]],
      [() => actionTokens.consume(REALM, 'code', 'k'), [token('f')]],
      [() => actionTokens.consume(REALM, 'code', 'k'), []],
      [() => actionTokens.remove(REALM, 'code', 'k'), [token('r')]],
      [() => actionTokens.remove(REALM, 'code', 'k'), []],
      [() => actionTokens.put(REALM, 'code', 'k', { lifespanMs: MINUTE, subject: 'ada' }), [token('f')]],
      [() => actionTokens.listBySubject(REALM, 'ada'), []],
      [() => actionTokens.take(REALM, 'code', 'k'), [token('r')]],
      [() => actionTokens.take(REALM, 'code', 'k'), []],
      [() => actionTokens.countUse(REALM, 'otp', 'k', { windowMs: MINUTE }), []],
      [() => actionTokens.revoke(REALM, 'jti', MINUTE), [`action-token-revocation fav:${REALM}:jti`]],
      [() => actionTokens.revoke(REALM, 'jti', MINUTE), []],
    ]
    for (const [step, expected] of steps) expect(whats(await noted(step))).toEqual(expected)
    await actionTokens.put(REALM, 'code', 'k', { lifespanMs: MINUTE, family: 'g' })
    await actionTokens.consume(REALM, 'code', 'k')
    const forgets = { refuse: false, consumed: 'remove' } as const
    expect(whats(await noted(() => actionTokens.revokeFamily(REALM, 'g', forgets)))).toEqual([token('r')])
    await actionTokens.put(REALM, 'code', 'k', { lifespanMs: MINUTE, family: 'f' })
    expect(whats(await noted(() => actionTokens.revokeFamily(REALM, 'f'))).sort()).toEqual([
      token('r'),
      // A family is refused in every partition.
      `action-token-revocation fax:${REALM}:f`,
      `action-token-revocation fax:${REALM}:f`,
    ])
    expect(whats(await noted(() => actionTokens.removeByRealm(REALM))).sort()).toEqual([
      `action-token-revocation rav:${REALM}:jti`,
      `action-token-revocation rax:${REALM}`,
      `action-token-revocation rax:${REALM}`,
    ])
  })

  test('web-session', async () => {
    const { webSessions } = state
    // What was ended under an id stays refused.
    const id = randomUUID()
    const note = (how: string, of = id) => `web-session ${how}wo:${REALM}:${of}`
    const session = { data: { n: 1 }, lifespanMs: MINUTE, userId: 'ada', labels: { l: 'v' }, alias: 'x' }
    const steps: [() => unknown, string[]][] = [
      [() => webSessions.save(REALM, id, session), [note('f')]],
      [() => webSessions.save(REALM, id, session), [note('f')]],
      [() => webSessions.save(REALM, id, { ...session, ifVersion: 1 }), []],
      [() => webSessions.update(REALM, id, { set: { m: 1 } }), [note('f')]],
      [() => webSessions.update(REALM, id, { unset: ['m'] }), [note('f')]],
      [() => webSessions.update(REALM, id, { userId: null }), [note('f')]],
      [() => webSessions.update(REALM, id, { userId: 'ada' }), [note('f')]],
      [() => webSessions.update(REALM, id, { lifespanMs: 2 * MINUTE }), [note('t')]],
      [() => webSessions.update(REALM, id, { userId: 'ada' }), [note('t')]],
      [() => webSessions.update(REALM, id, { set: { m: 1 }, generation: 'none' }), []],
      [() => webSessions.save(REALM, id, { ...session, generation: 'b' }), [note('r'), note('f')]],
      [() => webSessions.save(REALM, id, session), []],
      [() => webSessions.get(REALM, id), []],
      [() => webSessions.find(REALM, 'x'), []],
      [() => webSessions.remove(REALM, id, { generation: 'none' }), []],
      [() => webSessions.remove(REALM, id), [note('r')]],
      [() => webSessions.remove(REALM, id), []],
      [() => webSessions.save(REALM, id, { ...session, generation: 'c' }), [note('f')]],
      [
        () =>
          webSessions.save(REALM, id, { ...session, expiresAt: 1, lifespanMs: undefined, generation: 'c' }),
        [note('r')],
      ],
      [() => webSessions.save(REALM, id, { ...session, generation: 'd' }), [note('f')]],
      [() => webSessions.update(REALM, id, { expiresAt: clock.now() }), [note('r')]],
      [() => webSessions.save(REALM, id, { ...session, generation: 'e' }), [note('f')]],
      [() => webSessions.removeByLabel(REALM, 'l', 'v'), [note('r')]],
      [() => webSessions.removeByLabel(REALM, 'l', 'v'), []],
      [() => webSessions.save(REALM, id, { ...session, generation: 'f' }), [note('f')]],
      [() => webSessions.removeByRealm(REALM), [note('r')]],
      [() => webSessions.removeByRealm(REALM), []],
    ]
    for (const [step, expected] of steps) expect(whats(await noted(step))).toEqual(expected)
    await webSessions.save(REALM, id, { ...session, generation: 'g' })
    // Sign-ins of a user are refused in every partition.
    const fences = Array(2).fill(`web-session-fence fwf:${REALM}:ada`)
    const ended = await noted(() => webSessions.removeByUser(REALM, 'ada'))
    expect(whats(ended).sort()).toEqual([...fences, note('r')].sort())
    expect(whats(await noted(() => webSessions.removeByUser(REALM, 'ada')))).toEqual(fences)
  })

  test('login-failure', async () => {
    const { loginFailures } = state
    const user = (how: string) => `login-failure ${how}lf:${REALM}:ada`
    const steps: [() => unknown, string[]][] = [
      [() => loginFailures.recordFailure(REALM, 'ada', {}), [user('f')]],
      [() => loginFailures.recordSuccess(REALM, 'ada'), [user('r')]],
      [() => loginFailures.recordSuccess(REALM, 'ada'), []],
      [() => loginFailures.recordFailure(REALM, 'ada', {}), [user('f')]],
      [() => loginFailures.clear(REALM, 'ada'), [user('r')]],
      [() => loginFailures.clear(REALM, 'ada'), []],
      [() => loginFailures.recordFailure(REALM, 'ada', {}), [user('f')]],
      [() => loginFailures.removeByRealm(REALM), [user('r')]],
    ]
    for (const [step, expected] of steps) expect(whats(await noted(step))).toEqual(expected)
  })

  test('what is no record is not noted', async () => {
    const { realmCache, cluster } = state
    const region = realmCache.region('realms', { secondLevelTtlMs: MINUTE })
    const notes = await noted(async () => {
      await region.get('acme', () => 'old', { tags: ['t'] })
      await region.invalidate('acme')
      await cluster.withLock('l', { leaseMs: 1_000 }, async () => 1)
    })
    expect(notes).toEqual([])
  })
})

describeWith(redis, 'a node that is killed between a change and the telling', () => {
  const raw = openRedis()
  afterAll(() => raw.disconnect())
  const program = fileURLToPath(new URL('./fixtures/killed-consumer.ts', import.meta.url))

  test('loses no ending: another node tells it', { timeout: 60_000 }, async () => {
    const prefix = `killed-${randomUUID()}`
    onTestFinished(async () => {
      const keys = await raw.keys(`${prefix}:*`)
      if (keys.length > 0) await raw.del(...keys)
    })
    const child = startChild(program, [redisUrl(), prefix])
    const [, ...ended] = (await child.next()).split(' ')
    expect(ended).toHaveLength(3)
    child.signal('SIGKILL')
    await child.ended

    const state = await createAuthState({
      provider: 'redis',
      redis: {
        url: redisUrl(),
        prefix,
        partitions: 2,
        changes: {
          consumers: [{ name: 'delivery', kinds: ['user-session'], notes: 'endings', details: true }],
        },
      },
      logger: new RecordingLogger(),
    })
    onTestFinished(() => state.close())
    const connection: RedisConnection = state.get(redisConnectionSpi)
    const heard: ChangeNote[] = []
    await new Promise<void>((resolve) => {
      connection.readChanges(
        'delivery',
        {
          onNotes: (notes) => {
            heard.push(...notes)
            if (new Set(heard.map(({ key }) => key[2])).size === 3) resolve()
          },
        },
        { pollMs: 1, leaseMs: 30 },
      )
    })
    expect(new Set(heard.map(({ key }) => key[2]))).toEqual(new Set(ended))
    for (const { how, ended: what } of heard) {
      expect(how).toBe('removal')
      expect(what).toMatchObject({
        userId: 'ada',
        reason: 'removed',
        clients: [{ clientId: 'shop', nodeHost: 'n1', applicationSessionId: 's-1' }],
      })
    }
  })
})
