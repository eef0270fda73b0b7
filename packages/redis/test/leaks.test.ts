import { AsyncLocalStorage } from 'node:async_hooks'
import { channel, subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { RecordingLogger } from '@authstate/conformance'
import { CALL_CHANNEL, createProviderRegistry } from '@authstate/registry'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { cluster, clusterNodes, describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { openCluster } from '../../../tools/testing/redis-targets.js'
import { actionTokenSpi } from '../../action-token/src/index.js'
import { redisActionTokens } from '../../action-token/src/redis.js'
import { type RedisClient, type RedisOptions, redisConnection } from '../src/index.js'
import { CANARY, everyCommand } from './canaries.js'
import { everythingIn, freshPrefix, open } from './support.js'

const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
const names = EVENTS.map((event) => `tracing:ioredis:command:${event}`)
const commands = tracingChannel('ioredis:command')

/** Listens to everything ioredis tells, and keeps both what it saw at the moment and what it was handed. */
class Listener {
  readonly messages: { command?: string; args?: string[] }[] = []
  readonly seen: string[] = []
  readonly #hear = (message: unknown) => {
    this.messages.push(message as object)
    this.seen.push(everythingIn(message))
  }
  readonly #store = new AsyncLocalStorage()

  start(): void {
    for (const name of names) subscribe(name, this.#hear)
    channel(names[0] as string).bindStore(this.#store as never, (message: unknown) => {
      this.#hear(message)
      return message as never
    })
  }

  stop(): void {
    for (const name of names) unsubscribe(name, this.#hear)
    channel(names[0] as string).unbindStore(this.#store as never)
  }

  of(command: string): { command?: string; args?: string[] }[] {
    return this.messages.filter((message) => message.command === command)
  }
}

const given = (client: RedisClient): RedisClient => {
  onTestFinished(() => client.disconnect())
  return client
}
const off = { autoResendUnfulfilledCommands: false }

describe("ioredis' tracing channel", () => {
  let listener: Listener
  beforeEach(() => {
    listener = new Listener()
  })
  afterEach(() => listener.stop())

  const stores: [string, typeof redis, () => RedisOptions][] = [
    ['made', redis, () => ({ url: redisUrl() })],
    ['given, ioredis 6', redis, () => ({ client: given(new Redis(redisUrl(), off)) })],
    ['given, ioredis 5', redis, () => ({ client: given(new Redis5(redisUrl(), off)) })],
    [
      'with keyPrefix',
      redis,
      () => ({ client: given(new Redis(redisUrl(), { ...off, keyPrefix: 'app:' })) }),
    ],
    [
      'with auto-pipelining',
      redis,
      () => ({ client: given(new Redis(redisUrl(), { ...off, enableAutoPipelining: true })) }),
    ],
    ['made, a Cluster', cluster, () => ({ nodes: clusterNodes() })],
    ['given, a Cluster', cluster, () => ({ client: given(openCluster()) })],
  ]

  for (const [name, needs, options] of stores) {
    describeWith(needs, name, () => {
      test.each([
        ['that was there before', true],
        ['that comes later', false],
      ])('a listener %s hears of our commands and reads nothing in them', async (_, before) => {
        if (before) listener.start()
        const logger = new RecordingLogger()
        const connection = await open({ ...options(), prefix: `${freshPrefix()}` }, logger)
        if (!before) listener.start()
        const { replies, errors } = await everyCommand(connection)
        listener.stop()

        expect(everythingIn(replies)).toContain(CANARY)
        for (const command of ['evalsha', 'eval', 'hgetall', 'hvals', 'hmget', 'get', 'zcount']) {
          expect(listener.of(command).length, command).toBeGreaterThan(2)
        }
        expect(listener.of('evalsha')[0]?.args).toEqual([expect.stringMatching(/^[0-9a-f]{40}$/), '?'])
        expect(listener.of('hmget')[0]?.args).toEqual(['?'])
        expect(listener.seen.join('\n')).not.toContain(CANARY)
        expect(everythingIn(...listener.messages)).not.toContain(CANARY)
        expect(errors.length).toBeGreaterThan(2)
        expect(everythingIn(errors, logger.entries)).not.toContain(CANARY)
      })
    })
  }

  describeWith(redis, 'of an application', () => {
    test('tells what it told before of commands that are not ours', async () => {
      const client = given(new Redis(redisUrl(), off)) as Redis
      const connection = await open({ client, prefix: freshPrefix() })
      listener.start()
      await client.get('shop:visible')
      await client.hgetall('shop:also-visible')
      await client.eval('return ARGV[1]', 1, 'shop:key', 'shown')
      await everyCommand(connection)
      listener.stop()
      const heard = listener.messages.flatMap(({ args }) => args ?? [])
      expect(heard).toEqual(expect.arrayContaining(['shop:visible', 'shop:key', 'shown']))
      expect(everythingIn(...listener.of('get'))).toContain('shop:visible')
    })

    test('has no listener because of us: it costs nothing while nobody listens', async () => {
      const connection = await open({ url: redisUrl(), prefix: freshPrefix() })
      await everyCommand(connection)
      expect(commands.hasSubscribers).toBe(false)
      listener.start()
      await everyCommand(connection)
      listener.stop()
      expect(commands.hasSubscribers).toBe(false)
      expect(names.some((name) => channel(name).hasSubscribers)).toBe(false)
    })

    test('is left alone once the last connection over a client is closed', async () => {
      const client = given(new Redis(redisUrl(), off)) as Redis
      const prefix = freshPrefix()
      const [item, two] = [await open({ client, prefix }), await open({ client, prefix: freshPrefix() })]
      await two.close()
      listener.start()
      await item.hgetall('test.read', item.keys.key(0, 'h', CANARY))
      expect(listener.seen.join('\n')).not.toContain(CANARY)
      await item.close()
      await client.hmget(`${prefix}:visible-again`, 'a')
      listener.stop()
      expect(listener.seen.join('\n')).toContain('visible-again')
    })

    test('hears of a reader, and reads nothing in it', async () => {
      const connection = await open({ url: redisUrl(), prefix: freshPrefix() })
      const reader = (await connection.openReader()) as Redis
      listener.start()
      const stream = connection.keys.shared('stream', CANARY)
      await reader.xadd(stream, '*', 'event', CANARY)
      await reader.pexpire(stream, 5_000)
      const entries = await reader.xread('COUNT', 1, 'STREAMS', stream, '0')
      await reader.call('XREAD', 'COUNT', '1', 'STREAMS', stream, '0')
      listener.stop()
      expect(everythingIn(entries)).toContain(CANARY)
      expect(listener.of('xread').length).toBeGreaterThan(2)
      expect(listener.seen.join('\n')).not.toContain(CANARY)
    })
  })
})

describeWith(redis, 'a provider', () => {
  test('leaks no id, token or note: not on a channel, in a log, in an error', async () => {
    const listener = new Listener()
    const calls: unknown[] = []
    const hear = (call: unknown) => void calls.push(call)
    subscribe(CALL_CHANNEL, hear)
    listener.start()
    onTestFinished(() => {
      listener.stop()
      unsubscribe(CALL_CHANNEL, hear)
    })
    const logger = new RecordingLogger()
    const client = given(new Redis(redisUrl(), off)) as Redis
    const prefix = freshPrefix()
    const registry = createProviderRegistry({
      factories: [redisConnection(), redisActionTokens()],
      config: { redis: { client, prefix }, spi: { 'action-token': { provider: 'redis' } } },
      logger,
    })
    await registry.start()
    onTestFinished(() => registry.close())
    const tokens = registry.get(actionTokenSpi)
    const id = (what: string) => `${CANARY}-${what}`
    await tokens.put(id('realm'), 'code', id('key'), {
      lifespanMs: 5_000,
      data: { note: id('note') },
      family: id('family'),
      subject: id('subject'),
    })
    const found = await tokens.get(id('realm'), 'code', id('key'))
    expect(everythingIn(found)).toContain(CANARY)
    await tokens.consume(id('realm'), 'code', id('key'))
    await tokens.revokeFamily(id('realm'), id('family'))
    listener.stop()
    const [key = ''] = await client.keys(`${prefix}:*:ao:*`)
    await client.multi().del(key).hset(key, { foreign: '1' }).pexpire(key, 5_000).exec()
    listener.start()
    const errors = await Promise.all(
      [tokens.consume(id('realm'), 'code', id('key')), tokens.get(id('realm'), 'code', id('key'))].map(
        (call) => call.catch((error: unknown) => error),
      ),
    )
    for (const error of errors) expect(error).toMatchObject({ code: 'ERR_STORE_CORRUPT' })
    expect(listener.seen.length).toBeGreaterThan(20)
    expect(calls.length).toBeGreaterThan(4)
    expect(everythingIn(errors, calls, logger.entries)).not.toContain(CANARY)
    expect(listener.seen.join('\n')).not.toContain(CANARY)
  })
})
