// The trail: what became of records, from the outbox of changes to a sink.
import { type AuthStateConfig, createAuthState } from 'authstate'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { startChild } from '../../../tools/testing/child.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { type AuditLine, type AuditProvider, auditSpi, fileAudit, functionAudit } from '../src/index.js'
import { redisAudit } from '../src/redis.js'
import { folder, freshPrefix, keyring, linesOf, opened, until } from './support.js'

const consumers = [{ name: 'audit', details: true }]
const CANARIES = [
  'ada@example.org',
  'note-canary-4711',
  'token-canary-4711',
  '203.0.113.99',
  'family-canary-1',
]

/** A state whose trail has begun. */
async function trailed(providers: AuthStateConfig['providers'], audit: object = {}, more: object = {}) {
  const world = await opened({
    provider: 'redis',
    redis: { url: redisUrl(), prefix: freshPrefix(), partitions: 2, changes: { consumers }, ...more },
    providers,
    audit: { consumer: 'audit', ...audit },
  } as never)
  await until(async () => (world.state.stats()['audit'] as { written: number }).written >= 2)
  return world
}

async function login(state: Awaited<ReturnType<typeof trailed>>['state'], userId = 'ada@example.org') {
  const created = await state.userSessions.create('acme', {
    userId,
    loginUsername: userId,
    ipAddress: '203.0.113.99',
    notes: { secret: 'note-canary-4711' },
    client: { clientId: 'shop', notes: { secret: 'note-canary-4711' } },
  })
  if (created.outcome !== 'created') throw new Error(created.outcome)
  return created.session.id
}

const eventsOf = (lines: readonly AuditLine[]) => lines.map(({ event }) => event)

describeWith(redis, 'the trail', () => {
  const raw = openRedis()
  afterAll(() => raw.disconnect())

  test('tells of sessions, tokens and lock-outs in order, and holds no id, token, note or address', async () => {
    const { state, audit } = await trailed([redisAudit()])
    const ids = [await login(state)]
    const [id = ''] = ids
    await state.userSessions.update('acme', id, { notes: { other: 'note-canary-4711' } })
    await state.userSessions.removeClientSession('acme', id, 'shop')
    await state.userSessions.remove('acme', id)
    const token = { lifespanMs: 60_000, subject: 'ada@example.org', family: 'family-canary-1' }
    await state.actionTokens.put('acme', 'code', 'token-canary-4711', token)
    await state.actionTokens.consume('acme', 'code', 'token-canary-4711')
    await state.actionTokens.revokeFamily('acme', 'family-canary-1')
    await state
      .realm('acme')
      .webSessions.save('web-session-canary-4712', { data: { cart: 'note-canary-4711' }, lifespanMs: 60_000 })
    await state.realm('acme').webSessions.remove('web-session-canary-4712')
    for (let n = 0; n < 4; n++)
      await state.loginFailures.recordFailure('acme', 'ada@example.org', { ip: '203.0.113.99' })
    await state.loginFailures.clear('acme', 'ada@example.org')
    const nameOf = (record: Parameters<AuditProvider['nameOf']>[1]) => audit.nameOf('acme', record)
    const of = async (name: string) =>
      (await linesOf(audit)).filter(({ records }) => records[0]?.name === name)
    const session = nameOf({ kind: 'user-session', id })
    const lines = await until(async () => {
      const found = await of(session)
      return found.at(-1)?.event === 'session.ended' && found
    })
    expect([...new Set(eventsOf(lines))]).toEqual(
      expect.arrayContaining(['session.changed', 'session.clients-ended', 'session.ended']),
    )
    const user = nameOf({ kind: 'user', id: 'ada@example.org' })
    expect(lines.at(-1)).toMatchObject({
      realm: 'acme',
      reason: 'removed',
      records: [
        { kind: 'user-session', name: session },
        { kind: 'user', name: user },
      ],
    })
    await until(async () => (await of(user)).at(-1)?.event === 'login-failures.cleared')
    const used = nameOf({ kind: 'token', id: ['code', 'token-canary-4711'] })
    await until(async () => eventsOf(await of(used)).includes('token.consumed'))
    await until(async () =>
      eventsOf(await of(nameOf({ kind: 'token-family', id: 'family-canary-1' }))).includes(
        'token-family.revoked',
      ),
    )
    const web = nameOf({ kind: 'web-session', id: 'web-session-canary-4712' })
    await until(async () => eventsOf(await of(web)).includes('web-session.ended'))
    const text = JSON.stringify(await linesOf(audit))
    for (const canary of [...CANARIES, ...ids, 'web-session-canary']) expect(text).not.toContain(canary)
  })

  test('a session that is read in time is told to have started, with its user, once', async () => {
    const lines: AuditLine[] = []
    const { state, audit } = await trailed([functionAudit((more) => lines.push(...more))])
    const id = await login(state)
    const name = audit.nameOf('acme', { kind: 'user-session', id })
    const of = () => lines.filter(({ records }) => records[0]?.name === name)
    await until(async () => of().length === 1)
    expect(of()).toMatchObject([
      {
        event: 'session.started',
        records: [{}, { kind: 'user', name: audit.nameOf('acme', { kind: 'user', id: 'ada@example.org' }) }],
        details: { clients: ['shop'] },
      },
    ])
    await state.userSessions.refresh('acme', id)
    await state.userSessions.update('acme', id, { notes: { other: '1' } })
    await until(async () => of().length === 2)
    expect(eventsOf(of())).toEqual(['session.started', 'session.changed'])
  })

  test('a sink that throws is told the same lines again, and nothing is lost', async () => {
    const lines: AuditLine[] = []
    let fails = 0
    const { state, audit, logger } = await trailed([
      functionAudit((more) => {
        if (more.some(({ event }) => event.startsWith('session.')) && fails++ < 2) throw new Error('id-4711')
        lines.push(...more)
      }),
    ])
    const ids: string[] = []
    for (let n = 0; n < 5; n++) {
      const id = await login(state, `u-${n}`)
      ids.push(audit.nameOf('acme', { kind: 'user-session', id }))
      await state.userSessions.remove('acme', id)
    }
    await until(async () =>
      ids.every((name) =>
        lines.some(({ event, records }) => event === 'session.ended' && records[0]?.name === name),
      ),
    )
    expect(fails).toBeGreaterThan(1)
    expect(JSON.stringify(logger.entries)).not.toContain('id-4711')
  })

  test('a gap of the outbox is a line', async () => {
    const { state, audit } = await trailed([redisAudit()], {}, { commandTimeoutMs: '2s' })
    const keys = await raw.keys('*:xn')
    const prefix = keys.find((key) =>
      key.includes(state.describe().spis['redis']?.properties['prefix']?.value as string),
    )
    expect(prefix).toBeDefined()
    // Redis loses the outbox of a partition: the last note that the trail had is gone with it.
    await login(state)
    await until(async () => (await linesOf(audit)).some(({ event }) => event.startsWith('session')))
    await raw.del(...keys.filter((key) => key.split('{')[0] === prefix?.split('{')[0]))
    const lines = await until(async () => {
      const gaps = (await linesOf(audit)).filter(({ event }) => event === 'trail.gap')
      return gaps.length > 0 && gaps
    })
    expect(lines[0]).toMatchObject({
      reason: 'lost',
      records: [],
      details: { partition: expect.any(Number) },
    })
    expect((state.stats()['audit'] as { gaps: number }).gaps).toBeGreaterThan(0)
  })

  test('a node that is killed between the end of a session and its line loses no line', async () => {
    const prefix = freshPrefix()
    const url = redisUrl()
    onTestFinished(async () => {
      const keys = await raw.keys(`${prefix}:*`)
      if (keys.length > 0) await raw.del(...keys)
    })
    const child = startChild(new URL('./fixtures/killed.ts', import.meta.url).pathname, [url, prefix])
    const [, ...ids] = (await child.next()).split(' ')
    child.signal('SIGKILL')
    await child.ended
    // Another node would wait for ten seconds; whoever looks that the lease is over need not.
    const leases = await raw.keys(`${prefix}:*:xl:*`)
    if (leases.length > 0) await raw.del(...leases)
    const directory = await folder()
    const state = await createAuthState({
      provider: 'redis',
      redis: { url, prefix, partitions: 2, changes: { consumers } },
      keyring,
      providers: [fileAudit()],
      spi: { audit: { directory, consumer: 'audit', sync: false } } as object,
    })
    onTestFinished(() => state.close())
    const audit = state.get(auditSpi)
    for (const id of ids) {
      const name = audit.nameOf('acme', { kind: 'user-session', id })
      await until(async () =>
        (await linesOf(audit)).some(
          ({ event, records }) => event === 'session.ended' && records[0]?.name === name,
        ),
      )
    }
    expect(ids).toHaveLength(3)
  })

  test('without a consumer that is recorded, without Redis, or without a keyring, it does not start', async () => {
    const section = { url: redisUrl(), prefix: freshPrefix() }
    const starting = opened({
      provider: 'redis',
      redis: section,
      providers: [redisAudit()],
      audit: { consumer: 'audit' },
    })
    await expect(starting).rejects.toThrow(/no consumer "audit" is recorded/)
    const inMemory = opened({ providers: [functionAudit(() => {})], audit: { consumer: 'audit' } })
    await expect(inMemory).rejects.toThrow(/audit\.consumer: nothing here is on Redis/)
    const keyless = createAuthState({ providers: [functionAudit(() => {})] })
    await expect(keyless).rejects.toThrow(/audit: records are named by a hash/)
  })
})
