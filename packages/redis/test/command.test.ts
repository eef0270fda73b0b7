import { AsyncLocalStorage } from 'node:async_hooks'
import { tracingChannel } from 'node:diagnostics_channel'
import { createProviderRegistry } from '@authstate/registry'
import { expect, onTestFinished, test, vi } from 'vitest'
import { cluster, clusterNodes, describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import {
  COMMAND_CHANNEL,
  defineScript,
  type RedisCommand,
  redisConnection,
  redisConnectionSpi,
} from '../src/index.js'
import { CANARY, everyCommand } from './canaries.js'
import { everythingIn, failureOf, freshPrefix, open, unseenScript } from './support.js'

const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
const channels = tracingChannel<unknown, RedisCommand>(COMMAND_CHANNEL)
const around = new AsyncLocalStorage<string>()

/** The events of the commands of one operation, each with what its message held then. */
function listen(operation: string, onStart: (command: RedisCommand) => void = () => {}) {
  const heard: [string, RedisCommand][] = []
  const subscribers = Object.fromEntries(
    EVENTS.map((event) => [
      event,
      (command: RedisCommand) => {
        if (!command.operation.startsWith(operation)) return
        heard.push([event, { ...command }])
        if (event === 'start') onStart(command)
      },
    ]),
  )
  channels.subscribe(subscribers as never)
  onTestFinished(() => void channels.unsubscribe(subscribers as never))
  return heard
}

const names = (heard: [string, RedisCommand][]): string[] => heard.map(([event]) => event)
const last = (heard: [string, RedisCommand][]): RedisCommand | undefined => heard.at(-1)?.[1]

test('the name of the channel', () => {
  expect(COMMAND_CHANNEL).toBe('authstate:command')
})

describeWith(redis, 'commands, on their channel', () => {
  const { hostname, port } = new URL(redis.available ? redisUrl() : 'redis://localhost:6379')
  const target = `${hostname}:${port || 6379}`

  test('a read: what, for whom, where, for how long', async () => {
    const connection = await open({ url: redisUrl(), prefix: freshPrefix() })
    const heard = listen('test.')
    await connection.hgetall('test.read', connection.keys.key(0, 'h'))
    expect(names(heard)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
    expect(heard[0]?.[1]).toEqual({ operation: 'test.read', command: 'HGETALL', target })
    expect(last(heard)).toEqual({
      operation: 'test.read',
      command: 'HGETALL',
      target,
      durationMs: expect.any(Number),
      outcome: 'ok',
    })
  })

  test('a script by its hash, and by its source where Redis did not have it', async () => {
    const connection = await open({ url: redisUrl(), prefix: freshPrefix() })
    const script = unseenScript()
    const heard = listen('test.unseen')
    const key = connection.keys.key(0, 'k')
    await connection.run(script, { key }, { value: 1 })
    expect(names(heard)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
    expect(heard[0]?.[1]).toMatchObject({ command: 'EVALSHA', attempt: 'sha', change: 'none' })
    expect(last(heard)).toMatchObject({ command: 'EVAL', attempt: 'source', outcome: 'ok' })
    await connection.run(script, { key }, { value: 2 })
    expect(last(heard)).toMatchObject({ command: 'EVALSHA', attempt: 'sha', outcome: 'ok' })
  })

  test('one that Redis refuses: the code, and no word of what it said', async () => {
    const connection = await open({ url: redisUrl(), prefix: freshPrefix() })
    const heard = listen('test.')
    const key = connection.keys.key(0, 'text', CANARY)
    const set = defineScript({
      name: 'test.set',
      lua: "return redis.call('SET', KEYS[1], ARGV[1], 'PX', 5000)",
      record: 'test',
      change: 'full',
      keys: ['key'],
      args: ['value'],
      decode: String,
    })
    await connection.run(set, { key }, { value: CANARY })
    heard.length = 0
    await failureOf(connection.hgetall('test.read', key))
    expect(names(heard)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    expect(last(heard)).toMatchObject({ outcome: 'ERR_STORE_CORRUPT', replyCode: 'WRONGTYPE' })
    const broken = defineScript({ ...set, name: 'test.broken', lua: 'return nil .. KEYS[1]' })
    await failureOf(connection.run(broken, { key }, { value: CANARY }))
    expect(last(heard)).toMatchObject({ outcome: 'ERR_STORE_UNAVAILABLE' })
    expect(last(heard)).not.toHaveProperty('replyCode')
    expect(everythingIn(heard)).not.toContain(CANARY)
  })

  test('every kind of command, well and badly: nothing of keys, arguments or replies', async () => {
    const connection = await open({ url: redisUrl(), prefix: freshPrefix() })
    const heard = listen('')
    const { replies } = await everyCommand(connection)
    await connection.checkHealth()
    expect(everythingIn(replies)).toContain(CANARY)
    const commands = new Set(heard.map(([, { command }]) => command))
    for (const command of ['EVALSHA', 'EVAL', 'HGETALL', 'HVALS', 'HMGET', 'GET', 'ZCOUNT', 'PING'] as const)
      expect(commands).toContain(command)
    expect(everythingIn(heard)).not.toContain(CANARY)
  })

  test('of a registry: the node that it described', async () => {
    const registry = createProviderRegistry({
      factories: [redisConnection()],
      config: { redis: { url: redisUrl(), prefix: freshPrefix() } },
    })
    await registry.start()
    onTestFinished(() => registry.close())
    const heard = listen('test.')
    const connection = registry.get(redisConnectionSpi)
    await connection.hgetall('test.read', connection.keys.key(0, 'h'))
    expect(last(heard)?.node).toBe(registry.describe().node)
  })

  test('what a subscriber of the start puts around a command is around the sending, of the source as well', async () => {
    const { client, seen } = spiedClient()
    const connection = await open({ client: client as never, prefix: freshPrefix() })
    listen('test.', (command) => {
      command.around = (run) => around.run(command.operation, run)
    })
    const key = connection.keys.key(0, 'k')
    seen.length = 0
    await connection.run(unseenScript(), { key }, { value: 1 })
    await connection.hgetall('test.read', key)
    expect(seen).toEqual(['evalsha in test.unseen', 'eval in test.unseen', 'hgetall in test.read'])
    expect(around.getStore()).toBeUndefined()
  })

  test('while nobody listens nothing is told, and no time is taken', async () => {
    const connection = await open({ url: redisUrl(), prefix: freshPrefix() })
    const spies = EVENTS.flatMap((event) => [
      vi.spyOn(channels[event], 'publish'),
      vi.spyOn(channels[event], 'runStores'),
    ])
    onTestFinished(() => void vi.restoreAllMocks())
    await connection.hgetall('test.read', connection.keys.key(0, 'h'))
    await connection.run(unseenScript(), { key: connection.keys.key(0, 'k') }, { value: 1 })
    for (const spy of spies) expect(spy).not.toHaveBeenCalled()
  })

  describeWith(cluster, 'of a Cluster', () => {
    test('have the Cluster as their target', async () => {
      const connection = await open({ nodes: clusterNodes(), prefix: freshPrefix() })
      const heard = listen('test.')
      await connection.hgetall('test.read', connection.keys.key(0, 'h'))
      expect(last(heard)).toMatchObject({ target: 'cluster', outcome: 'ok' })
    })
  })
})

/** A client that notes what was around each command as it was sent. */
function spiedClient() {
  const client = openRedis()
  onTestFinished(() => client.disconnect())
  const seen: string[] = []
  const send = client.sendCommand.bind(client)
  client.sendCommand = (command, ...rest) => {
    seen.push(`${command.name} in ${around.getStore() ?? 'nothing'}`)
    return send(command, ...rest)
  }
  return { client, seen }
}
