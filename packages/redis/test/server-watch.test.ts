import { RecordingLogger } from '@authstate/conformance'
import { ConfigurationError } from '@authstate/spi'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { start, type Topology } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { connect } from '../src/index.js'
import { count, failureOf, freshPrefix, open } from './support.js'

describeWith(serverBinary, 'what becomes of a server', () => {
  let server: Topology
  let admin: Redis
  const url = () => `redis://127.0.0.1:${server.basePort}`
  const config = (name: string, value: string) => admin.config('SET', name, value)

  beforeAll(async () => {
    server = await start('single')
    admin = new Redis(server.basePort, '127.0.0.1')
  })
  afterEach(async () => {
    await config('maxmemory-policy', 'noeviction')
    await config('maxmemory', '0')
    await config('min-replicas-to-write', '0')
  })
  afterAll(async () => {
    admin.disconnect()
    await server.stop()
  })

  describe('the layout', () => {
    test('is claimed again at once by running nodes when the data is gone', async () => {
      const prefix = freshPrefix()
      const running = await open({ url: url(), prefix })
      await admin.flushall()
      await running.checkHealth()
      expect(await admin.hgetall(`${prefix}:layout`)).toEqual({ partitions: '16', _v: '2' })
      const error = await failureOf(connect({ url: url(), prefix, partitions: 64 }))
      expect(error).toBeInstanceOf(ConfigurationError)
      expect((error as Error).message).toContain('configured with 64')
    })

    test('is claimed again without anybody asking', async () => {
      const prefix = freshPrefix()
      await open({ url: url(), prefix })
      await admin.flushall()
      await expect.poll(() => admin.hget(`${prefix}:layout`, 'partitions'), { timeout: 30_000 }).toBe('16')
    })

    test('is claimed again on the next connection', async () => {
      const prefix = freshPrefix()
      await open({ url: url(), prefix })
      await admin.flushall()
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await expect.poll(() => admin.hget(`${prefix}:layout`, 'partitions')).toBe('16')
    })

    test('of another node stops a running one, with both numbers, until it is right again', async () => {
      const prefix = freshPrefix()
      const logger = new RecordingLogger()
      const running = await open({ url: url(), prefix }, logger)
      const key = running.keys.key(0, 'n', 'x')
      const run = () => running.run(count, { counter: key }, { by: 1 })
      await run()
      await admin.hset(`${prefix}:layout`, { partitions: 64 })
      const unhealthy = await failureOf(running.checkHealth())
      expect(unhealthy).toBeInstanceOf(ConfigurationError)
      for (const error of [
        unhealthy,
        await failureOf(run()),
        await failureOf(running.get('test.get', key)),
      ]) {
        expect(error).toBeInstanceOf(ConfigurationError)
        expect((error as Error).message).toMatch(/configured with 16, .* has 64/)
      }
      expect(await admin.get(key)).toBe('1')
      expect(logger.entries.filter(({ level }) => level === 'error')).toHaveLength(1)
      await admin.hset(`${prefix}:layout`, { partitions: 16 })
      await running.checkHealth()
      expect(await run()).toBe(2)
    })
  })

  describe('checkHealth says that writes are refused, and why', () => {
    test('a full server', async () => {
      const connection = await open({ url: url(), prefix: freshPrefix() })
      await connection.checkHealth()
      await config('maxmemory', '1')
      await expect(connection.checkHealth()).rejects.toMatchObject({
        code: 'ERR_STORE_UNAVAILABLE',
        applied: 'no',
        message: expect.stringMatching(/refuses writes: OOM, it has reached its maxmemory/),
      })
      await config('maxmemory', '0')
      await connection.checkHealth()
    })

    test('too few replicas', async () => {
      const connection = await open({ url: url(), prefix: freshPrefix() })
      await config('min-replicas-to-write', '1')
      await expect(connection.checkHealth()).rejects.toThrow(/NOREPLICAS, .*min-replicas-to-write/)
    })

    test('a replica, over a client of the application', async () => {
      const client = new Redis(server.basePort, '127.0.0.1', { autoResendUnfulfilledCommands: false })
      onTestFinished(() => client.disconnect())
      const connection = await open({ client, prefix: freshPrefix() })
      onTestFinished(async () => void (await admin.replicaof('NO', 'ONE')))
      await admin.replicaof('127.0.0.1', '1')
      await expect(connection.checkHealth()).rejects.toThrow(/READONLY, it is a replica/)
    })

    test('a user who may not write', async () => {
      const rule = ['reset', 'on', '>secret', '~*', '+@all']
      await admin.call('ACL', 'SETUSER', 'limited', ...rule)
      onTestFinished(async () => void (await admin.call('ACL', 'DELUSER', 'limited')))
      const prefix = freshPrefix()
      const connection = await open({ url: url(), username: 'limited', password: 'secret', prefix })
      await admin.call('ACL', 'SETUSER', 'limited', '-zadd')
      await expect(connection.checkHealth()).rejects.toThrow(/NOPERM, its user lacks a right/)
    })

    test('a verb that was refused for want of a right, until it is done', async () => {
      await admin.call('ACL', 'SETUSER', 'limited', 'reset', 'on', '>secret', '~*', '+@all', '-incrby')
      onTestFinished(async () => void (await admin.call('ACL', 'DELUSER', 'limited')))
      const prefix = freshPrefix()
      const connection = await open({ url: url(), username: 'limited', password: 'secret', prefix })
      const run = () => connection.run(count, { counter: connection.keys.key(0, 'n', 'x') }, { by: 1 })
      await connection.checkHealth()
      await failureOf(run())
      await expect(connection.checkHealth()).rejects.toThrow(/refuses test\.count: NOPERM/)
      await admin.call('ACL', 'SETUSER', 'limited', '+incrby')
      expect(await run()).toBe(1)
      await connection.checkHealth()
    })

    test('and writes nothing', async () => {
      const prefix = freshPrefix()
      const connection = await open({ url: url(), prefix })
      const before = await admin.keys(`${prefix}:*`)
      await connection.checkHealth()
      expect(await admin.keys(`${prefix}:*`)).toEqual(before)
    })
  })

  describe('a server that evicts', () => {
    test('is told of in the log at the start, and by the warnings of health()', async () => {
      await config('maxmemory-policy', 'volatile-lru')
      const logger = new RecordingLogger()
      const connection = await open({ url: url(), prefix: freshPrefix() }, logger)
      const warned = logger.entries.filter(({ level }) => level === 'warn')
      expect(warned.map(({ fields }) => fields)).toEqual([{ policy: 'volatile-lru' }])
      expect(connection.warnings()).toEqual([expect.stringContaining('maxmemory-policy volatile-lru')])
      await config('maxmemory-policy', 'noeviction')
      await connection.checkHealth()
      expect(connection.warnings()).toEqual([])
    })

    test('is told of when it begins to evict later', async () => {
      const logger = new RecordingLogger()
      const connection = await open({ url: url(), prefix: freshPrefix() }, logger)
      expect(connection.warnings()).toEqual([])
      expect(connection.mayEvict).toBe(false)
      await config('maxmemory-policy', 'allkeys-lru')
      await connection.checkHealth()
      expect(connection.warnings()).toHaveLength(1)
      expect(connection.mayEvict).toBe(true)
      // What went meanwhile is missing also when the policy is mended.
      await config('maxmemory-policy', 'noeviction')
      await connection.checkHealth()
      expect(connection.warnings()).toEqual([])
      expect(connection.mayEvict).toBe(true)
      expect(logger.entries.filter(({ level }) => level === 'warn')).toHaveLength(1)
    })

    test('stops a start that is strict', async () => {
      await config('maxmemory-policy', 'volatile-ttl')
      const error = await failureOf(connect({ url: url(), prefix: freshPrefix(), strict: true }))
      expect(error).toBeInstanceOf(ConfigurationError)
      expect((error as Error).message).toMatch(/^redis\.strict: .*volatile-ttl.*noeviction/)
      await config('maxmemory-policy', 'noeviction')
      await open({ url: url(), prefix: freshPrefix(), strict: true })
    })

    test('cannot be told by a user without INFO: only a strict start minds', async () => {
      await admin.call('ACL', 'SETUSER', 'limited', 'reset', 'on', '>secret', '~*', '+@all', '-info')
      onTestFinished(async () => void (await admin.call('ACL', 'DELUSER', 'limited')))
      const options = { url: url(), username: 'limited', password: 'secret', prefix: freshPrefix() }
      const ioredis = { enableReadyCheck: false }
      await open({ ...options, ioredis })
      const error = await failureOf(connect({ ...options, ioredis, strict: true }))
      expect((error as Error).message).toMatch(/^redis\.strict: .*could not be read/)
    })
  })
})
