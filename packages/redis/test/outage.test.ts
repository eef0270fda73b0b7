import { EventEmitter } from 'node:events'
import { RecordingLogger } from '@authstate/conformance'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { start, type Topology, until } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import type { RedisClient, RedisOptions } from '../src/index.js'
import { sayOutagesOnce } from '../src/outages.js'
import { count, failureOf, freshPrefix, open } from './support.js'

/** What a promise gives within a few turns of the event loop; waiting for a connection or for a timer takes hundreds. */
async function atOnce<T>(promise: Promise<T>): Promise<T> {
  const turns = async () => {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
    throw new Error('it waited')
  }
  return Promise.race([promise, turns()])
}

test('hundreds of errors are one warning, and one line once it is over', () => {
  const logger = new RecordingLogger()
  const client = new EventEmitter()
  const stop = sayOutagesOnce(client as unknown as RedisClient, logger)
  client.emit('ready')
  for (const outage of [300, 1]) {
    for (let error = 0; error < outage; error++)
      client.emit('error', new Error('READONLY You are not the master'))
    client.emit('ready')
    client.emit('ready')
  }
  expect(logger.entries.map(({ level, fields }) => [level, fields])).toEqual([
    ['warn', { reason: 'READONLY' }],
    ['info', { errors: 300 }],
    ['warn', { reason: 'READONLY' }],
    ['info', { errors: 1 }],
  ])
  client.emit('end')
  expect(logger.entries.at(-1)).toMatchObject({
    level: 'error',
    message: expect.stringContaining('has ended'),
  })
  stop()
  expect(client.eventNames()).toEqual([])
})

const off = { autoResendUnfulfilledCommands: false }

describeWith(serverBinary, 'while Redis is away', () => {
  let server: Topology
  beforeAll(async () => {
    server = await start('single')
  })
  afterAll(() => server.stop())
  const url = () => `redis://127.0.0.1:${server.basePort}`
  const given = (client: RedisClient): RedisClient => {
    onTestFinished(() => client.disconnect())
    return client
  }
  async function restart(): Promise<void> {
    const [node] = server.nodes
    if (node === undefined) return
    node.dead = false
    await node.start()
  }

  test.each<[string, () => RedisOptions]>([
    ['made', () => ({ url: url() })],
    ['given, with its queue on, ioredis 6', () => ({ client: given(new Redis(url())) })],
    ['given, with its queue on, ioredis 5', () => ({ client: given(new Redis5(url())) })],
    ['given, with its queue off', () => ({ client: given(new Redis(url(), { enableOfflineQueue: false })) })],
  ])('%s client: every call fails at once and nothing was applied; then all goes on', async (_, options) => {
    const logger = new RecordingLogger()
    const connection = await open({ ...options(), prefix: freshPrefix() }, logger)
    logger.entries.length = 0
    const counter = connection.keys.key(0, 'n')
    const add = () => connection.run(count, { counter }, { by: 1 })
    expect(await add()).toBe(1)

    await server.nodes[0]?.stop({ crash: true })
    await until('the client to notice', () =>
      connection.checkHealth().then(
        () => false,
        () => true,
      ),
    )
    for (let round = 0; round < 40; round++) {
      const calls = [add(), connection.checkHealth(), connection.hgetall('test.read', 'h')]
      const errors = await atOnce(Promise.all(calls.map(failureOf)))
      for (const error of errors)
        expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', applied: 'no' })
      expect(String(errors[0])).toContain('test.count: there is no connection to Redis')
      // ioredis's pace, by the host's clock: calls meet a client that waits and one that connects.
      await new Promise((resolve) => setTimeout(resolve, 10))
    }

    await restart()
    expect(await until('a connection', () => add().catch(() => undefined))).toBe(1)
    expect(await add()).toBe(2)
    await until('the log', () => logger.entries.length > 1)
    expect(logger.entries).toEqual([
      { level: 'warn', fields: { reason: 'ECONNREFUSED' }, message: expect.stringContaining('failed') },
      { level: 'info', fields: { errors: expect.any(Number) }, message: expect.stringContaining('again') },
    ])
  })

  test('commands in flight when the connection breaks fail then, not at their deadline', async () => {
    const connection = await open({ url: url(), commandTimeoutMs: 20_000 })
    server.nodes[0]?.pause()
    const inFlight = failureOf(connection.checkHealth())
    await server.nodes[0]?.stop({ crash: true })
    expect(await inFlight).toMatchObject({ applied: 'unknown' })
    await restart()
  })

  test.each<[string, () => RedisOptions]>([
    ['made', () => ({ url: url() })],
    ['given, ioredis 6', () => ({ client: given(new Redis(url(), off)) })],
    ['given, ioredis 5', () => ({ client: given(new Redis5(url(), off)) })],
  ])(
    '%s client: a server that turned into a replica refuses, and is left for another connection',
    async (_, options) => {
      const connection = await open({ ...options(), prefix: freshPrefix() })
      const admin = new Redis(url())
      onTestFinished(() => admin.disconnect())
      const add = () => connection.run(count, { counter: connection.keys.key(1, 'n') }, { by: 1 })
      await add()
      const connectedBefore = await connections(admin)
      await admin.replicaof('127.0.0.1', '1')
      const error = await failureOf(add())
      expect(error).toMatchObject({ applied: 'no' })
      expect(String(error)).toContain('Redis refused the command (READONLY)')
      // The address of a service leads to the next master from the next connection on.
      await until('another connection', async () => (await connections(admin)) > connectedBefore)
      await admin.replicaof('NO', 'ONE')
      await until('a connection', () => add().catch(() => undefined))
    },
  )

  test('a given client that never connects again is not ended by it', async () => {
    const logger = new RecordingLogger()
    const client = given(new Redis(url(), { ...off, retryStrategy: null as never }))
    const connection = await open({ client, prefix: freshPrefix() }, logger)
    const warnings = logger.entries.filter(({ level }) => level === 'warn')
    expect(warnings.map(({ fields }) => fields)).toEqual([{ option: 'retryStrategy' }])
    const admin = new Redis(url())
    onTestFinished(() => admin.disconnect())
    await admin.replicaof('127.0.0.1', '1')
    const add = () => connection.run(count, { counter: connection.keys.key(1, 'n') }, { by: 1 })
    expect(await failureOf(add())).toMatchObject({ applied: 'no' })
    await admin.replicaof('NO', 'ONE')
    expect(await add()).toBeGreaterThan(0)
  })
})

/** How many connections a server has taken so far. */
async function connections(admin: Redis): Promise<number> {
  return Number(/total_connections_received:(\d+)/.exec(await admin.info('stats'))?.[1])
}
