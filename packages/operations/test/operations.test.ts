import { randomUUID } from 'node:crypto'
import { type AuthState, type AuthStateConfig, createAuthState } from 'authstate'
import { FakeClock } from 'authstate/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { createdSession } from '../../user-session/src/conformance/fixture.js'
import { createOperations, type SessionRow } from '../src/index.js'

const HOUR = 3_600_000
const keyring = { current: 'a', keys: { a: 'a secret of these tests, 32 bytes or more' } }
const realms = () => ({ bruteForce: { enabled: true, failureFactor: 3 } })

/** A realm with sessions of two users, and the operations on it. */
async function opened(config: AuthStateConfig) {
  const clock = new FakeClock()
  const state = await createAuthState({ ...config, clock, keyring, realms })
  const realmId = `acme-${randomUUID()}`
  const acme = state.realm(realmId)
  const ids: string[] = []
  for (const userId of ['ada', 'bob']) {
    for (const clientId of ['portal', 'mail']) {
      const client = { clientId, notes: { secret: 'of a client' } }
      const created = await acme.userSessions.create({
        userId,
        loginUsername: `${userId}@example.org`,
        ipAddress: '203.0.113.7',
        notes: { 'a-note': 'a value' },
        client,
      })
      ids.push(createdSession(created).id)
      clock.advance(1)
    }
    await acme.userSessions.createOffline(ids.at(-1) ?? '')
    await acme.webSessions.save(`web-of-${userId}-0123456789`, {
      data: { cart: 1 },
      userId,
      lifespanMs: HOUR,
    })
    ids.push(`web-of-${userId}-0123456789`)
  }
  const operations = createOperations({ state, keyring, realms: [realmId] })
  const rows = async (filter = {}) => (await operations.sessions.list(realmId, filter)).items
  return { clock, state, realmId, acme, ids, operations, rows }
}

const kindsOf = (rows: readonly SessionRow[]) => rows.map(({ kind, userId }) => `${kind} ${userId}`).sort()
const referenceOf = (row: SessionRow | undefined) => row?.reference ?? ''

function suite(configOf: () => AuthStateConfig) {
  const within = async (work: (world: Awaited<ReturnType<typeof opened>>) => Promise<void>) => {
    const world = await opened(configOf())
    try {
      await work(world)
    } finally {
      await world.state.removeRealm(world.realmId)
      await world.state.close()
    }
  }

  test('sessions of every kind are listed, without an id in any row', () =>
    within(async ({ rows, ids, operations, realmId }) => {
      const all = await rows()
      expect(kindsOf(all)).toEqual(
        ['ada', 'bob']
          .flatMap((user) => [`offline ${user}`, `online ${user}`, `online ${user}`, `web ${user}`])
          .sort(),
      )
      expect(all[0]).toMatchObject({
        username: 'ada@example.org',
        ipAddress: '203.0.113.7',
        clientIds: ['portal'],
      })
      const shown = await Promise.all(all.map((row) => operations.sessions.show(realmId, referenceOf(row))))
      const text = JSON.stringify([all, shown, await operations.sessions.list(realmId, { limit: 1 })])
      for (const id of ids) expect(text).not.toContain(id)
      expect(text).not.toContain('a value')
      expect(text).not.toContain('of a client')
      expect(shown[0]).toMatchObject({ noteNames: ['a-note'], clients: [{ clientId: 'portal' }] })
    }))

  test('pages go over all kinds: none is missed, none comes twice', () =>
    within(async ({ operations, realmId, rows }) => {
      for (const limit of [1, 2, 3, 4, 5, 8, 100]) {
        const seen: SessionRow[] = []
        let cursor: string | undefined
        do {
          const page = await operations.sessions.list(realmId, { limit, cursor })
          expect(page.items.length).toBeLessThanOrEqual(limit)
          seen.push(...page.items)
          cursor = page.cursor
        } while (cursor !== undefined)
        expect(kindsOf(seen)).toEqual(kindsOf(await rows()))
      }
    }))

  test('a list is narrowed by user, client and kind', () =>
    within(async ({ rows }) => {
      expect(kindsOf(await rows({ userId: 'ada' }))).toEqual([
        'offline ada',
        'online ada',
        'online ada',
        'web ada',
      ])
      expect(kindsOf(await rows({ clientId: 'mail' }))).toEqual([
        'offline ada',
        'offline bob',
        'online ada',
        'online bob',
      ])
      expect(kindsOf(await rows({ kinds: ['web'], userId: 'bob' }))).toEqual(['web bob'])
    }))

  test('sessions end by reference, each once', () =>
    within(async ({ operations, realmId, rows }) => {
      const references = (await rows({ userId: 'ada' })).map(referenceOf)
      const ended = await Promise.all([1, 2, 3].map(() => operations.sessions.end(realmId, { references })))
      expect(ended.map((of) => of.ended).reduce((a, b) => a + b)).toBe(4)
      expect(kindsOf(await rows())).toEqual(['offline bob', 'online bob', 'online bob', 'web bob'])
      expect(await operations.sessions.show(realmId, references[0] ?? '')).toBeUndefined()
    }))

  test('a user is signed out but for one session, of whichever kind', () =>
    within(async ({ operations, realmId, rows }) => {
      const [web] = await rows({ userId: 'ada', kinds: ['web'] })
      const except = referenceOf(web)
      expect(await operations.sessions.end(realmId, { userId: 'ada', except })).toEqual({
        ended: 3,
        unknown: 0,
      })
      expect(kindsOf(await rows({ userId: 'ada' }))).toEqual(['web ada'])
      const [online] = await rows({ userId: 'bob', kinds: ['online'] })
      await operations.sessions.end(realmId, { userId: 'bob', except: referenceOf(online) })
      expect((await rows({ userId: 'bob' })).filter(({ kind }) => kind === 'online')).toHaveLength(1)
      expect(kindsOf(await rows({ userId: 'bob', kinds: ['web'] }))).toEqual([])
    }))

  test('a foreign session as the one that stays ends nothing', () =>
    within(async ({ operations, realmId, rows }) => {
      await expect(operations.sessions.end(realmId, { userId: 'ada', except: 'a.b' })).rejects.toThrow(
        'target.except',
      )
      expect(await rows({ userId: 'ada' })).toHaveLength(4)
    }))

  test('references that are forged, old, of another realm or of another keyring name nothing', () =>
    within(async ({ operations, realmId, rows, clock, state }) => {
      const [row] = await rows()
      const reference = referenceOf(row)
      const foreign = createOperations({ state, keyring: { current: 'a', keys: { a: 'x'.repeat(32) } } })
      const [of] = (await foreign.sessions.list(realmId)).items
      const bad = [`${reference}x`, reference.slice(0, -2), 'a', 'a.b', '.', 'b.c.d', referenceOf(of)]
      expect(await operations.sessions.end(realmId, { references: bad })).toEqual({
        ended: 0,
        unknown: bad.length,
      })
      expect(await operations.sessions.end(`${realmId}-2`, { references: [reference] })).toEqual({
        ended: 0,
        unknown: 1,
      })
      expect(await operations.sessions.show(`${realmId}-2`, reference)).toBeUndefined()
      clock.advance(12 * HOUR)
      expect(await operations.sessions.show(realmId, reference)).toBeUndefined()
      expect(await operations.sessions.end(realmId, { references: [reference] })).toEqual({
        ended: 0,
        unknown: 1,
      })
    }))

  test('sessions of a client end, and the user sessions stay', () =>
    within(async ({ operations, realmId, rows }) => {
      expect(await operations.sessions.countByClient(realmId)).toEqual([
        { clientId: 'mail', online: 2, offline: 2 },
        { clientId: 'portal', online: 2, offline: 0 },
      ])
      expect(await operations.sessions.end(realmId, { clientId: 'mail' })).toEqual({ ended: 4, unknown: 0 })
      expect(await operations.sessions.countByClient(realmId)).toEqual([
        { clientId: 'portal', online: 2, offline: 0 },
      ])
      expect(await rows()).toHaveLength(8)
    }))

  test('a realm is counted and emptied, and its neighbour stays', () =>
    within(async ({ operations, realmId, state }) => {
      const other = state.realm(`${realmId}-2`)
      await other.userSessions.create({ userId: 'ada', loginUsername: 'ada' })
      expect(await operations.sessions.count(realmId)).toEqual({ online: 4, offline: 2, web: 2 })
      expect(await operations.sessions.end(realmId, { all: true })).toEqual({ ended: 8, unknown: 0 })
      expect(await operations.sessions.count(realmId)).toEqual({ online: 0, offline: 0, web: 0 })
      expect(await operations.sessions.count(`${realmId}-2`)).toEqual({ online: 1, offline: 0, web: 0 })
      await operations.removeRealm(`${realmId}-2`)
      expect(await operations.sessions.count(`${realmId}-2`)).toEqual({ online: 0, offline: 0, web: 0 })
    }))

  test('a lock-out is explained and cleared', () =>
    within(async ({ operations, realmId, acme, clock }) => {
      for (let n = 0; n < 3; n++) {
        await acme.loginFailures.recordFailure('ada')
        clock.advance(2_000)
      }
      const view = await operations.failures.show(realmId, { userId: 'ada' })
      expect(view).toMatchObject({ record: { numFailures: 3 }, explanation: { locked: true } })
      expect(await operations.failures.clear(realmId, { userId: 'ada' })).toBe(true)
      expect(await operations.failures.clear(realmId, { userId: 'ada' })).toBe(false)
      expect(await operations.failures.show(realmId, { userId: 'ada' })).toMatchObject({
        explanation: { locked: false },
      })
      await acme.loginFailures.recordFailure('bob')
      expect(await operations.failures.clearAll(realmId)).toBe(1)
      expect(await operations.failures.show(realmId, { ip: '203.0.113.7' })).toEqual({})
    }))

  test('who is locked out is listed, a page at a time', () =>
    within(async ({ operations, realmId, acme, clock }) => {
      expect(await operations.failures.locked(realmId)).toEqual({ items: [] })
      for (const user of ['ada', 'bob', 'carol']) {
        const times = user === 'bob' ? 2 : 3
        for (let n = 0; n < times; n++) {
          clock.advance(2_000)
          await acme.loginFailures.recordFailure(user)
        }
      }
      const { items, cursor } = await operations.failures.locked(realmId, { limit: 1 })
      expect(items).toMatchObject([
        { subject: { rule: 'user', userId: 'ada' }, permanent: false, numFailures: 3 },
      ])
      const rest = await operations.failures.locked(realmId, { cursor })
      expect(rest.items).toMatchObject([{ subject: { userId: 'carol' } }])
      await operations.failures.clear(realmId, { userId: 'ada' })
      expect((await operations.failures.locked(realmId)).items).toHaveLength(1)
      await expect(operations.failures.locked(realmId, { limt: 1 } as never)).rejects.toThrow(
        "Did you mean 'limit'",
      )
    }))

  test('logins under way are counted', () =>
    within(async ({ operations, realmId, acme }) => {
      expect(await operations.sessions.countLogins(realmId)).toBe(0)
      await acme.authSessions.createRoot()
      expect(await operations.sessions.countLogins(realmId)).toBe(1)
    }))

  test('tokens about somebody are listed without their keys, and withdrawn by reference', () =>
    within(async ({ operations, realmId, acme, rows }) => {
      const about = { lifespanMs: HOUR, subject: 'ada', data: { scope: 'a value' } }
      await acme.actionTokens.put('code', 'key-of-a-code', { ...about, family: 'grant' })
      await acme.actionTokens.put('link', 'key-of-a-link', about)
      await acme.actionTokens.put('link', 'key-of-bob', { ...about, subject: 'bob' })
      await acme.actionTokens.consume('code', 'key-of-a-code')
      const all = await operations.tokens.list(realmId, 'ada', { consumed: true })
      expect(all.items.map(({ kind, isOfFamily }) => [kind, isOfFamily]).sort()).toEqual([
        ['code', true],
        ['link', false],
      ])
      expect(JSON.stringify(all)).not.toMatch(/key-of|a value|grant/)
      const [link] = (await operations.tokens.list(realmId, 'ada')).items
      const reference = link?.reference ?? ''
      const [session] = await rows()
      const foreign = [referenceOf(session), 'a.b', `${reference}x`]
      expect(await operations.tokens.remove(`${realmId}-2`, [reference])).toEqual({ removed: 0, unknown: 1 })
      expect(await operations.tokens.remove(realmId, foreign)).toEqual({ removed: 0, unknown: 3 })
      expect(await operations.sessions.end(realmId, { references: [reference] })).toEqual({
        ended: 0,
        unknown: 1,
      })
      expect(await operations.tokens.remove(realmId, [reference, reference])).toEqual({
        removed: 1,
        unknown: 0,
      })
      expect(await operations.tokens.remove(realmId, [reference])).toEqual({ removed: 0, unknown: 1 })
      expect(await acme.actionTokens.get('link', 'key-of-a-link')).toBeUndefined()
      expect(await acme.actionTokens.get('link', 'key-of-bob')).toBeDefined()
      await expect(operations.tokens.remove(realmId, [])).rejects.toThrow('references')
    }))

  test('tokens of a family and of a subject are withdrawn', () =>
    within(async ({ operations, realmId, acme }) => {
      const token = { lifespanMs: HOUR, family: 'grant', subject: 'ada' }
      await acme.actionTokens.put('code', 'one', token)
      await acme.actionTokens.put('link', 'two', { lifespanMs: HOUR, subject: 'ada' })
      expect(await operations.tokens.revokeFamily(realmId, 'grant')).toBe(1)
      expect(await operations.tokens.removeBySubject(realmId, 'ada')).toBe(1)
      await acme.actionTokens.revoke('jti', HOUR)
      expect(await operations.tokens.isRevoked(realmId, 'jti')).toBe(true)
    }))

  test('caches are counted and cleared, nodes are named', () =>
    within(async ({ operations, state }) => {
      const region = state.realmCache.region('users')
      await region.get('ada', () => 1)
      await region.get('ada', () => 2)
      expect(operations.caches.stats()).toMatchObject({ users: { size: 1, hits: 1, misses: 1 } })
      await expect(operations.caches.clear('user')).rejects.toThrow("Known: 'users'")
      await operations.caches.clear('users')
      expect(operations.caches.stats()).toMatchObject({ users: { size: 0 } })
      await region.get('ada', () => 3)
      await operations.caches.clearAll()
      expect(operations.caches.stats()).toMatchObject({ users: { size: 0 } })
      const { nodes } = await operations.cluster.nodes()
      expect(nodes.filter(({ isThis }) => isThis)).toHaveLength(1)
    }))
}

describe('in memory', () => suite(() => ({})))

describeWith(redis, 'on Redis', () => {
  suite(() => ({ provider: 'redis', redis: { url: redisUrl(), prefix: `operations-${randomUUID()}` } }))

  test('caches of every node are asked; who does not answer is named', async () => {
    const prefix = `operations-${randomUUID()}`
    const open = async (name: string, config: AuthStateConfig = {}) => {
      const spi = { ...config.spi, 'user-session': { enabled: false } } as const
      const state = await createAuthState({
        provider: 'redis',
        redis: { url: redisUrl(), prefix },
        node: { name },
        ...config,
        spi,
      })
      onTestFinished(() => state.close())
      return state
    }
    const [a, b, mute] = await Promise.all([
      open('a'),
      open('b'),
      open('mute', { spi: { 'realm-cache': { provider: 'memory' } } }),
    ])
    const { caches } = createOperations({ state: a as AuthState })
    for (const name of ['users', 'clients']) await b?.realmCache.region(name).get('ada', () => 1)
    await a?.realmCache.region('users').get('ada', () => 1)
    const asked = await caches.statsOfNodes({ waitMs: 500 })
    expect(asked.silent).toEqual(['mute'])
    expect(
      asked.nodes.map(({ node, isThis, regions }) => [node, isThis, Object.keys(regions).sort()]),
    ).toEqual([
      ['a', true, ['users']],
      ['b', false, ['clients', 'users']],
    ])
    expect(asked.nodes[1]?.regions['users']).toMatchObject({ size: 1, misses: 1, hits: 0 })
    await mute?.close()
    // With everybody there nobody waits for the time to pass.
    expect(await caches.statsOfNodes({ waitMs: 60_000 })).toMatchObject({ silent: [] })
    await expect(caches.statsOfNodes({ waitMs: 0 })).rejects.toThrow('options.waitMs')
    await expect(caches.statsOfNodes({ wait: 1 } as never)).rejects.toThrow("Did you mean 'waitMs'")
  })
})

describe('without a keyring', () => {
  const plain = async (work: (state: AuthState) => Promise<void>) => {
    const state = await createAuthState()
    await state.userSessions.create('acme', { userId: 'ada', loginUsername: 'ada' })
    await work(state)
    await state.close()
  }

  test('sessions are listed, and none can be named', () =>
    plain(async (state) => {
      const operations = createOperations({ state })
      expect(operations.hasReferences).toBe(false)
      const { items } = await operations.sessions.list('acme')
      expect(items).toHaveLength(1)
      expect(items[0]).not.toHaveProperty('reference')
      await expect(operations.sessions.show('acme', 'a.b')).rejects.toThrow('keyring')
      await expect(operations.sessions.end('acme', { references: ['a.b'] })).rejects.toThrow('keyring')
      expect(await operations.sessions.end('acme', { userId: 'ada' })).toEqual({ ended: 1, unknown: 0 })
    }))

  test.each([
    ['no target', {}],
    ['two targets', { userId: 'ada', all: true }],
    ['all that is not true', { all: false }],
    ['an exception to a realm', { all: true, except: 'a.b' }],
    ['a misspelt target', { user: 'ada' }],
    ['no object', 'all'],
    ['no references', { references: [] }],
    ['too many references', { references: Array.from({ length: 101 }, (_, n) => `a.${n}`) }],
  ])('%s ends nothing', (_, target) =>
    plain(async (state) => {
      const operations = createOperations({ state, keyring })
      await expect(operations.sessions.end('acme', target as never)).rejects.toThrow(/"target/)
      expect(await operations.sessions.count('acme')).toEqual({ online: 1, offline: 0, web: 0 })
    }),
  )

  test.each([
    [{ limit: 0 }, 'limit'],
    [{ limit: 101 }, 'limit'],
    [{ cursor: 'x' }, 'cursor'],
    [{ cursor: '9.' }, 'cursor'],
    [{ user: 'ada' }, "Did you mean 'userId'"],
    [{ userId: 'a', clientId: 'b' }, 'not both'],
    [{ kinds: ['onlin'] }, 'filter.kinds'],
    [{ kinds: [] }, 'filter.kinds'],
  ])('a filter %j is refused', (filter, message) =>
    plain(async (state) => {
      await expect(createOperations({ state }).sessions.list('acme', filter as never)).rejects.toThrow(
        message,
      )
    }),
  )

  test('a cursor of another listing is refused', () =>
    plain(async (state) => {
      const { sessions } = createOperations({ state })
      await state.userSessions.create('acme', { userId: 'bob', loginUsername: 'bob' })
      const { cursor } = await sessions.list('acme', { limit: 1 })
      await expect(sessions.list('acme', { cursor, kinds: ['web'] })).rejects.toThrow('cursor')
    }))

  test('services that are switched off are not asked', async () => {
    const state = await createAuthState({ spi: { 'web-session': { enabled: false } } })
    await state.userSessions.create('acme', { userId: 'ada', loginUsername: 'ada' })
    const { sessions } = createOperations({ state })
    expect((await sessions.list('acme')).items).toHaveLength(1)
    expect(await sessions.end('acme', { all: true })).toEqual({ ended: 1, unknown: 0 })
    await state.close()
  })

  test('realms are those that were named', async () => {
    const state = await createAuthState()
    expect(await createOperations({ state }).realms()).toEqual([])
    expect(await createOperations({ state, realms: async () => ['acme'] }).realms()).toEqual(['acme'])
    expect(() => createOperations({ state, realm: [] } as never)).toThrow("Did you mean 'realms'")
    expect(() => createOperations({} as never)).toThrow('options.state')
    await state.close()
  })
})
