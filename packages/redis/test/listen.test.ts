import { EventEmitter } from 'node:events'
import { RecordingLogger } from '@authstate/conformance'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test, vi } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import type { RedisClient, RedisConnection, RedisOptions } from '../src/index.js'
import { listen } from '../src/listen.js'
import { count, failureOf, freshPrefix, open } from './support.js'

test('a client gets one listener per event, and none once nobody listens', () => {
  const client = new EventEmitter()
  const heard: string[] = []
  const stops = ['a', 'b'].map((name) =>
    listen(client as unknown as RedisClient, 'ready', () => heard.push(name)),
  )
  expect(client.listenerCount('ready')).toBe(1)
  client.emit('ready')
  stops[0]?.()
  stops[0]?.()
  client.emit('ready')
  expect(heard).toEqual(['a', 'b', 'b'])
  stops[1]?.()
  expect(client.eventNames()).toEqual([])
  listen(client as unknown as RedisClient, 'ready', () => heard.push('c'))
  client.emit('ready')
  expect(heard.at(-1)).toBe('c')
})

describeWith(redis, 'many connections over one client', () => {
  test('Node has nothing to warn of', async () => {
    const client = new Redis(redisUrl(), { autoResendUnfulfilledCommands: false })
    onTestFinished(() => client.disconnect())
    const warned: string[] = []
    const hear = ({ name }: Error) => void warned.push(name)
    process.on('warning', hear)
    onTestFinished(() => void process.off('warning', hear))
    // Before it is connected: all wait for it at once.
    const options = { client, prefix: freshPrefix(), batchWrites: true }
    const connections = await Promise.all(Array.from({ length: 30 }, () => open(options)))
    await Promise.all(connections.map((item) => item.checkHealth()))
    await new Promise((resolve) => setImmediate(resolve))
    expect(warned).toEqual([])
    await Promise.all(connections.map((item) => item.close()))
    expect(Object.getOwnPropertyNames(client)).not.toContain('sendCommand')
  })

  test('a second copy of the library shares what the first put on it, in whatever order they end', async () => {
    vi.resetModules()
    const copy = (await import('../src/index.js')) as {
      connect(options: RedisOptions, by: object): Promise<RedisConnection>
    }
    const { defineScript } = await import('../src/script.js')
    const theirs = defineScript({ ...count, lua: `${count.lua} -- ${freshPrefix()}` })
    for (const endsFirst of ['ours', 'theirs']) {
      const client = new Redis(redisUrl(), { autoResendUnfulfilledCommands: false })
      onTestFinished(() => client.disconnect())
      await client.ping()
      const before = Object.getOwnPropertyNames(client)
      const item = await open({ client, prefix: freshPrefix(), batchWrites: true })
      const other = await copy.connect(
        { client, prefix: freshPrefix(), batchWrites: true },
        { logger: new RecordingLogger() },
      )
      const [first, second] = endsFirst === 'ours' ? [item, other] : [other, item]
      await first.close()
      // Still hidden, by whichever copy stands before the client.
      const seen: unknown[] = []
      const real = Redis.prototype.sendCommand
      const spy = vi.spyOn(Redis.prototype, 'sendCommand').mockImplementation(function (
        this: Redis,
        command,
        stream,
      ) {
        seen.push(command.args)
        return real.call(this, command, stream)
      })
      const counter = second.keys.key(0, 's3cret')
      expect(await second.run(theirs, { counter }, { by: 1 })).toBe(1)
      spy.mockRestore()
      expect(seen).not.toEqual([])
      expect(JSON.stringify(seen)).not.toContain('s3cret')
      await second.close()
      expect(Object.getOwnPropertyNames(client)).toEqual(before)
      expect(await failureOf(second.checkHealth())).toMatchObject({ code: 'ERR_PROVIDER_CLOSED' })
    }
  })
})
