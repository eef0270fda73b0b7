import { FakeClock, faultyClient, openInspector, RecordingLogger } from '@authstate/conformance'
import { type RedisClient, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { afterAll, afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { type ActionTokenProvider, actionTokenSpi } from '../src/index.js'
import { tokenVersions } from '../src/redis/token-text.js'
import { redisActionTokens } from '../src/redis.js'
import * as scripts from '../src/scripts.js'

const lost = new Error('Connection is closed.')
const readOnly = new Error("READONLY You can't write against a read only replica.")
const outOfMemory = new Error("OOM command not allowed when used memory > 'maxmemory'.")
const token = { lifespanMs: 60_000, data: { n: 1 } }

describeWith(redis, 'action-token faults', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())

  let prefix: string
  let logger: RecordingLogger
  let healthy: ActionTokenProvider
  const opened: { close(): Promise<void> }[] = []
  const clock = new FakeClock()

  async function keyOfToken(): Promise<string> {
    const keys = await (await openInspector(client)).keys(prefix)
    const [key = ''] = keys.filter((item) => item.includes(':ao:'))
    return key
  }

  async function open(over: RedisClient, commandTimeoutMs = 5_000): Promise<ActionTokenProvider> {
    const registry = createProviderRegistry({
      factories: [redisActionTokens(), redisConnection()],
      config: {
        redis: { client: over, prefix, commandTimeoutMs },
        spi: { 'action-token': { provider: 'redis' } },
      },
      clock,
      logger,
    })
    opened.push(registry)
    await registry.start()
    return registry.get(actionTokenSpi)
  }

  beforeEach(async (context) => {
    prefix = `faults-${process.pid}-${context.task.id}`
    logger = new RecordingLogger()
    healthy = await open(client)
  })
  afterEach(async () => {
    for (const item of opened.splice(0)) await item.close()
    await (await openInspector(client)).clear(prefix)
  })

  test.each([
    ['refused by a replica', { when: 'before', error: readOnly }, 'no', 'consumed'],
    ['refused for want of memory', { when: 'before', error: outOfMemory }, 'no', 'consumed'],
    ['lost before it was sent', { when: 'before', error: lost }, 'unknown', 'consumed'],
    ['applied, and its reply lost', { when: 'after', error: lost }, 'unknown', 'used'],
  ] as const)(
    'consume %s: the caller is told, the store holds what was applied',
    async (_, fault, applied, later) => {
      await healthy.put('realm', 'code', 'k', token)
      const faulty = faultyClient(client)
      const provider = await open(faulty.client)
      faulty.arm(scripts.consume, fault)
      await expect(provider.consume('realm', 'code', 'k')).rejects.toMatchObject({
        code: 'ERR_STORE_UNAVAILABLE',
        applied,
      })
      expect((await healthy.consume('realm', 'code', 'k')).outcome).toBe(later)
    },
  )

  test('consume with an attempt: a lost reply does not cost the caller its code', async () => {
    await healthy.put('realm', 'code', 'k', token)
    const faulty = faultyClient(client)
    const provider = await open(faulty.client)
    faulty.arm(scripts.consume, { when: 'after', error: lost })
    await expect(provider.consume('realm', 'code', 'k', { attempt: 'a' })).rejects.toMatchObject({
      applied: 'unknown',
    })
    expect((await provider.consume('realm', 'code', 'k', { attempt: 'a' })).outcome).toBe('consumed')
    expect((await healthy.consume('realm', 'code', 'k', { attempt: 'b' })).outcome).toBe('used')
  })

  test('put, its reply lost: repeating it stores the same', async () => {
    const faulty = faultyClient(client)
    const provider = await open(faulty.client)
    faulty.arm(scripts.put, { when: 'after', error: lost })
    await expect(provider.put('realm', 'code', 'k', token)).rejects.toMatchObject({ applied: 'unknown' })
    const stored = await healthy.get('realm', 'code', 'k')
    expect(stored?.data).toEqual({ n: 1 })
    expect(await provider.put('realm', 'code', 'k', token)).toBe('stored')
    expect(await healthy.get('realm', 'code', 'k')).toEqual(stored)
  })

  test('revokeFamily, its reply lost in one partition: repeating it withdraws what is left', async () => {
    for (let n = 0; n < 40; n++) await healthy.put('realm', 'rt', `k${n}`, { ...token, family: 'grant' })
    const faulty = faultyClient(client)
    const provider = await open(faulty.client)
    faulty.arm(scripts.withdraw, { when: 'before', error: lost })
    await expect(provider.revokeFamily('realm', 'grant')).rejects.toMatchObject({ applied: 'unknown' })
    await provider.revokeFamily('realm', 'grant')
    for (let n = 0; n < 40; n++)
      expect((await healthy.consume('realm', 'rt', `k${n}`)).outcome).toBe('unknown')
  })

  test('no answer: an error within the deadline, and the write may be applied', async () => {
    const faulty = faultyClient(client)
    const provider = await open(faulty.client, 50)
    faulty.arm(scripts.put, { when: 'drop' })
    await expect(provider.put('realm', 'code', 'k', token)).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      applied: 'unknown',
      message: 'action-token.put: Redis gave no answer within 50 ms',
    })
    expect(await healthy.has('realm', 'code', 'k')).toBe(true)
  })

  test('a flushed script cache is filled again', async () => {
    await client.script('FLUSH')
    expect(await healthy.put('realm', 'code', 'k', token)).toBe('stored')
    expect((await healthy.consume('realm', 'code', 'k')).outcome).toBe('consumed')
  })

  test('a key of another type is ERR_STORE_CORRUPT and stays as it is', async () => {
    await healthy.put('realm', 'code', 'k', token)
    const key = await keyOfToken()
    await client.del(key)
    await client.hset(key, { foreign: '1' })
    await expect(healthy.put('realm', 'code', 'k', token)).rejects.toMatchObject({
      code: 'ERR_STORE_CORRUPT',
    })
    await expect(healthy.consume('realm', 'code', 'k')).rejects.toMatchObject({ code: 'ERR_STORE_CORRUPT' })
    await expect(healthy.get('realm', 'code', 'k')).rejects.toMatchObject({ code: 'ERR_STORE_CORRUPT' })
    expect(await client.hgetall(key)).toEqual({ foreign: '1' })
    await client.del(key)
  })

  test.each([
    ['data that is no JSON', '1:1700000060000:::{'],
    ['a format from the future', '2:1700000060000:::{}'],
    ['a token cut short', '1:1700000060000::'],
    ['a mark cut short', '1:1700000060000:::1700000000000:{}'],
    ['no text at all', ''],
  ])('%s is absent, said once', async (_, damaged) => {
    await healthy.put('realm', 'code', 'k', token)
    const key = await keyOfToken()
    await client.set(key, damaged, 'KEEPTTL')
    expect(await healthy.get('realm', 'code', 'k')).toBeUndefined()
    expect(await healthy.has('realm', 'code', 'k')).toBe(false)
    expect(await healthy.consume('realm', 'code', 'k')).toEqual({ outcome: 'unknown' })
    expect(logger.entries.filter(({ message }) => message.includes('cannot be read'))).toHaveLength(1)
  })

  test('a token of an older format is read as if it were of now', async () => {
    await healthy.put('realm', 'code', 'k', { ...token, data: { a: 'b' } })
    const stored = await healthy.get('realm', 'code', 'k')
    expect(stored).toMatchObject({ data: { a: 'b' } })
    const key = await keyOfToken()
    // As if an earlier version had written the data first.
    tokenVersions.upcasters.set('0', (text) => text.replace(/^0:({.*}):(.*)$/s, '1:$2$1'))
    onTestFinished(() => void tokenVersions.upcasters.delete('0'))
    const text = (await client.get(key)) ?? ''
    await client.set(key, text.replace(/^1:([^{]*)({.*})$/s, '0:$2:$1'), 'KEEPTTL')
    expect(await client.get(key)).toMatch(/^0:\{/)
    expect(await healthy.get('realm', 'code', 'k')).toEqual(stored)
    expect(logger.entries.filter(({ message }) => message.includes('cannot be read'))).toEqual([])
  })

  test('what another version stored falls with its family, and does not count', async () => {
    await healthy.put('realm', 'rt', 'k', { ...token, family: 'grant' })
    const key = await keyOfToken()
    const older = key.replace(':ao:', ':at:')
    const index = `${key.slice(0, key.indexOf(':ao:'))}:af:realm:grant`
    await client.hset(older, { _v: '1', d: '{}', x: '1700000060000' })
    await client.zadd(index, 1_700_000_060_000, older.slice(older.indexOf('at:')))
    await client.set(key, '2:1700000060000:grant::{}', 'KEEPTTL')
    expect(await healthy.revokeFamily('realm', 'grant')).toBe(0)
    expect(await client.exists(key, older, index)).toBe(0)
  })

  test('what another version stored goes with its realm', async () => {
    await healthy.put('realm', 'rt', 'k', token)
    const key = await keyOfToken()
    const older = key.replace(':ao:', ':at:')
    const index = `${key.slice(0, key.indexOf(':ao:'))}:ar:realm`
    await client.hset(older, { _v: '1', d: '{}', x: '1700000060000' })
    await client.zadd(index, 1_700_000_060_000, older.slice(older.indexOf('at:')))
    expect(await healthy.removeByRealm('realm')).toBe(1)
    expect(await client.exists(key, older, index)).toBe(0)
  })

  test('a family that another version has refused stays refused, until then', async () => {
    await healthy.put('realm', 'rt', 'k', { ...token, family: 'a:b' })
    const head = (await keyOfToken()).replace(/:ao:.*/, '')
    const older = `${head}:ax:realm:a%3ab`
    await client.hset(older, { x: String(clock.now() + 60_000) })
    await client.zadd(`${head}:ar:realm`, clock.now() + 60_000, 'ax:realm:a%3ab')
    expect(await healthy.put('realm', 'rt', 'k', { ...token, family: 'a:b' })).toBe('refused')
    await client.hset(older, { x: String(clock.now()) })
    expect(await healthy.put('realm', 'rt', 'k', { ...token, family: 'a:b' })).toBe('stored')
    expect(await healthy.removeByRealm('realm')).toBe(1)
    expect(await client.exists(older)).toBe(0)
  })

  test('what a revoked family leaves: one key a realm and partition, however many fall, and nothing that has ended', async () => {
    const families = 100
    for (let n = 0; n < families; n++) {
      await healthy.revokeFamily('realm', `grant-${n}`, { lifespanMs: 60_000 })
    }
    const inspector = await openInspector(client)
    const left = await inspector.keys(prefix)
    expect(left.filter((key) => key.includes(':ax:'))).toHaveLength(16)
    expect(left).toHaveLength(17)
    const [key = ''] = left.filter((item) => item.includes(':ax:'))
    expect((await inspector.read(key)).members.size).toBe(families)
    expect((await inspector.read(key)).ttlMs).toBeLessThanOrEqual(120_000)
    clock.advance(60_000)
    for (let n = 0; n < 10; n++) await healthy.revokeFamily('realm', `later-${n}`, { lifespanMs: 60_000 })
    expect((await inspector.read(key)).members.size).toBe(10)
  })

  test('signed tokens without a keyring are a configuration error, not a token nobody can verify', async () => {
    await expect(
      healthy.issueActionToken('realm', { userId: 'u', actionId: 'a', lifespanMs: 1 }),
    ).rejects.toMatchObject({ code: 'ERR_PROVIDER_CONFIGURATION' })
  })
})
