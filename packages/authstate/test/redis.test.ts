import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { openInspector } from '@authstate/conformance'
import { afterEach, expect, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { createdSession } from '../../user-session/src/conformance/fixture.js'
import { type AuthState, ConfigurationError, createAuthState, StoreUnavailableError } from '../src/index.js'

const keyring = { current: 'a', keys: { a: 'x'.repeat(32) } }

describeWith(redis, 'in Redis', () => {
  const prefix = `test-${randomUUID()}`

  afterEach(async () => {
    const client = openRedis()
    const inspector = await openInspector(client)
    await inspector.clear(prefix)
    inspector.close()
    client.disconnect()
  })

  const start = (name: string): Promise<AuthState> =>
    createAuthState({ provider: 'redis', redis: { url: redisUrl(), prefix }, node: { name }, keyring })

  test('one word switches all', async () => {
    await using state = await start('a')
    const { redis: connection, ...spis } = state.describe().spis
    expect(connection?.started).toBe(true)
    for (const [name, { selected, known }] of Object.entries(spis))
      expect([name, selected]).toEqual([name, known.includes('redis') ? 'redis' : 'memory'])
    const health = await state.health()
    expect(health).toMatchObject({ ok: true })
    expect(health.providers.map(({ spi }) => spi).sort()).toEqual([...Object.keys(spis), 'redis'].sort())
  })

  test('two nodes share what is in it', async () => {
    await using a = await start('a')
    await using b = await start('b')
    const { id } = await a.userSessions
      .create('r', { userId: 'u', loginUsername: 'ada' })
      .then(createdSession)
    expect(await b.userSessions.get('r', id)).toMatchObject({ userId: 'u' })
    await a.actionTokens.put('r', 'code', 'k', { lifespanMs: 60_000 })
    expect(await b.actionTokens.consume('r', 'code', 'k')).toMatchObject({ outcome: 'consumed' })
    const root = await a.authSessions.createRoot('r')
    expect(await b.authSessions.getRoot('r', root.id)).toMatchObject({ id: root.id })
    expect(b.stickySessions.verify(a.stickySessions.sign(id))).toMatchObject({ id })
    expect(await b.userSessions.remove('r', id)).toBe(true)
    expect(await a.userSessions.get('r', id)).toBeUndefined()
  })

  test('one SPI alone can be in it', async () => {
    await using state = await createAuthState({
      redis: { url: redisUrl(), prefix },
      spi: { 'action-token': { provider: 'redis', maxLifespanMs: '1h' } },
    })
    const { spis } = state.describe()
    expect(spis['action-token']).toMatchObject({
      selected: 'redis',
      properties: { maxLifespanMs: { value: 3_600_000, origin: 'config' } },
    })
    expect(spis['user-session']?.selected).toBe('memory')
  })

  test('variables alone can say so', async () => {
    const env = {
      AUTHSTATE_PROVIDER: 'redis',
      AUTHSTATE_REDIS__URL: redisUrl(),
      AUTHSTATE_REDIS__PREFIX: prefix,
    }
    await using state = await createAuthState({ env, keyring })
    expect(state.describe().spis['login-failure']?.selected).toBe('redis')
  })

  test('a client of the application is used and stays open', async () => {
    const client = openRedis()
    try {
      const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
      const state = await createAuthState({
        provider: 'redis',
        redis: { client, prefix },
        keyring,
        logger: quiet,
      })
      await state.actionTokens.put('r', 'code', 'k', { lifespanMs: 1_000 })
      await state.close()
      expect(await client.ping()).toBe('PONG')
    } finally {
      client.disconnect()
    }
  })

  test('another number of partitions is refused', async () => {
    await using _ = await start('a')
    const other = createAuthState({
      provider: 'redis',
      redis: { url: redisUrl(), prefix, partitions: 8 },
      keyring,
    })
    await expect(other).rejects.toThrow(ConfigurationError)
    await expect(other).rejects.toThrow(/redis\.partitions: .*8.*16/)
  })
})

test('a Redis that is not there: an error that names host and port, and no password', async () => {
  const redis = { url: 'redis://someone:hidden-password@127.0.0.1:1', connectTimeoutMs: 300 }
  const error: unknown = await createAuthState({ provider: 'redis', redis, keyring }).catch(
    (reason) => reason,
  )
  expect(error).toBeInstanceOf(StoreUnavailableError)
  expect((error as Error).message).toMatch(/127\.0\.0\.1:1\b/)
  expect(JSON.stringify([error, (error as Error).message, String((error as Error).cause)])).not.toContain(
    'hidden',
  )
})

test('a Redis that accepts and never answers: the same, within the deadline', async () => {
  const server = createServer((socket) => socket.on('error', () => {}))
  const sockets = new Set<{ destroy(): void }>()
  server.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as { port: number }
  try {
    const redis = { url: `redis://127.0.0.1:${port}`, connectTimeoutMs: 300 }
    await expect(createAuthState({ provider: 'redis', redis, keyring })).rejects.toThrow(`127.0.0.1:${port}`)
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
})
