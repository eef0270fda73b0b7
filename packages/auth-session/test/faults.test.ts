import {
  FakeClock,
  faultyClient,
  observeClient,
  openInspector,
  RecordingLogger,
} from '@authstate/conformance'
import { type RedisClient, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import type { ProviderContext } from '@authstate/spi'
import { afterAll, afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { type AuthSessionProvider, authSessionSpi } from '../src/index.js'
import { rootVersions } from '../src/redis/stored-roots.js'
import { redisAuthSessions } from '../src/redis.js'
import * as scripts from '../src/scripts.js'

const lost = new Error('Connection is closed.')
const readOnly = new Error("READONLY You can't write against a read only replica.")
const HALF_HOUR_MS = 1_800_000
const GRACE_MS = 60_000

describeWith(redis, 'auth-session faults', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())

  let prefix: string
  let logger: RecordingLogger
  let healthy: AuthSessionProvider
  const opened: { close(): Promise<void> }[] = []
  const clock = new FakeClock()

  async function open(over: RedisClient, redisOptions: object = {}): Promise<AuthSessionProvider> {
    const registry = createProviderRegistry({
      factories: [redisAuthSessions(), redisConnection()],
      config: {
        redis: { client: over, prefix, commandTimeoutMs: 5_000, ...redisOptions },
        spi: { 'auth-session': { provider: 'redis' } },
      },
      clock,
      logger,
    })
    opened.push(registry)
    await registry.start()
    return registry.get(authSessionSpi)
  }

  const keysOf = async (kind: string) =>
    (await (await openInspector(client)).keys(prefix)).filter((key) => key.includes(`:${kind}:`))

  async function rootWithTab(): Promise<{ rootId: string; tabId: string; key: string }> {
    const { id } = await healthy.createRoot('realm')
    const added = await healthy.addTab('realm', id, { clientId: 'c', authNotes: { n: '1' } })
    return { rootId: id, tabId: added?.tab.tabId ?? '', key: (await keysOf('auth'))[0] ?? '' }
  }

  beforeEach(async (context) => {
    prefix = `faults-${process.pid}-${context.task.id}`
    logger = new RecordingLogger()
    healthy = await open(client)
  })
  afterEach(async () => {
    for (const registry of opened.splice(0)) await registry.close()
    await (await openInspector(client)).clear(prefix)
  })

  test.each([
    ['refused by a replica', { when: 'before', error: readOnly }, 'no', true],
    ['lost before it was sent', { when: 'before', error: lost }, 'unknown', true],
    ['applied, and its reply lost', { when: 'after', error: lost }, 'unknown', false],
  ] as const)('promote %s: nobody gets the tab twice', async (_, fault, applied, stillThere) => {
    const { rootId, tabId } = await rootWithTab()
    const faulty = faultyClient(client)
    const provider = await open(faulty.client)
    faulty.arm(scripts.promoteTab, fault)
    await expect(provider.promote('realm', rootId, tabId)).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      applied,
    })
    expect((await provider.promote('realm', rootId, tabId)) !== undefined).toBe(stillThere)
    expect(await healthy.promote('realm', rootId, tabId)).toBeUndefined()
  })

  test('a removal whose reply was lost stays done, and a repeated update brings nothing back', async () => {
    const { rootId, tabId } = await rootWithTab()
    const faulty = faultyClient(client)
    const provider = await open(faulty.client)
    faulty.arm(scripts.removeTab, { when: 'after', error: lost })
    await expect(provider.removeTab('realm', rootId, tabId)).rejects.toMatchObject({ applied: 'unknown' })
    expect(await provider.removeTab('realm', rootId, tabId)).toEqual({ removed: false, rootRemoved: false })
    expect(await healthy.updateTab('realm', rootId, tabId, { action: 'x' })).toBeUndefined()
    expect(await healthy.getRoot('realm', rootId)).toBeUndefined()
  })

  test('an update that comes late, after the root was removed, is dropped', async () => {
    const { rootId, tabId } = await rootWithTab()
    const faulty = faultyClient(client)
    const provider = await open(faulty.client)
    let release = () => {}
    faulty.arm(scripts.updateTab, {
      when: 'delay',
      until: new Promise<void>((resolve) => (release = resolve)),
    })
    const late = provider.updateTab('realm', rootId, tabId, { authNotes: { n: '2' } })
    await healthy.removeRoot('realm', rootId)
    release()
    expect(await late).toBeUndefined()
    expect(await keysOf('auth')).toEqual([])
  })

  test('an update whose reply was lost may be repeated', async () => {
    const { rootId, tabId } = await rootWithTab()
    const faulty = faultyClient(client)
    const provider = await open(faulty.client)
    faulty.arm(scripts.updateTab, { when: 'after', error: lost })
    const patch = { authNotes: { n: null, m: '2' } }
    await expect(provider.updateTab('realm', rootId, tabId, patch)).rejects.toMatchObject({
      applied: 'unknown',
    })
    const stored = await healthy.getTab('realm', rootId, 'c', tabId)
    expect(stored?.authNotes).toEqual({ m: '2' })
    expect(await provider.updateTab('realm', rootId, tabId, patch)).toEqual(stored)
  })

  test('a flushed script cache is filled again', async () => {
    const { rootId, tabId } = await rootWithTab()
    await client.script('FLUSH')
    expect(await healthy.promote('realm', rootId, tabId)).toBeDefined()
  })

  test('a key of another type is ERR_STORE_CORRUPT and stays as it is', async () => {
    const { rootId, tabId, key } = await rootWithTab()
    await client.set(key, 'foreign')
    const corrupt = { code: 'ERR_STORE_CORRUPT' }
    await expect(healthy.getRoot('realm', rootId)).rejects.toMatchObject(corrupt)
    await expect(healthy.updateTab('realm', rootId, tabId, {})).rejects.toMatchObject(corrupt)
    await expect(healthy.addTab('realm', rootId, { clientId: 'c' })).rejects.toMatchObject(corrupt)
    await expect(healthy.getOrCreateRoot('realm', rootId)).rejects.toMatchObject(corrupt)
    expect(await client.get(key)).toBe('foreign')
    await client.del(key)
  })

  test('a root of a later format is absent, left alone, and said once', async () => {
    const { rootId, tabId, key } = await rootWithTab()
    await client.hset(key, { _v: '2' })
    const before = await client.hgetall(key)
    expect(await healthy.getRoot('realm', rootId)).toBeUndefined()
    expect(await healthy.getRoot('realm', rootId)).toBeUndefined()
    expect(await healthy.getTab('realm', rootId, 'c', tabId)).toBeUndefined()
    expect(await healthy.addTab('realm', rootId, { clientId: 'c' })).toBeUndefined()
    expect(await healthy.updateTab('realm', rootId, tabId, { action: 'x' })).toBeUndefined()
    expect(await healthy.promote('realm', rootId, tabId)).toBeUndefined()
    expect(await healthy.removeRoot('realm', rootId)).toBe(false)
    const fresh = await healthy.getOrCreateRoot('realm', rootId)
    expect(fresh.id).not.toBe(rootId)
    expect(await client.hgetall(key)).toEqual(before)
    expect(logger.entries.filter(({ message }) => message.includes('cannot be read'))).toHaveLength(1)
  })

  test('a tab of a root of a later format is said once, too', async () => {
    const { rootId, tabId, key } = await rootWithTab()
    await client.hset(key, { _v: '2' })
    expect(await healthy.getTab('realm', rootId, 'c', tabId)).toBeUndefined()
    expect(await healthy.getTab('realm', rootId, 'c', tabId)).toBeUndefined()
    expect(logger.entries.filter(({ message }) => message.includes('cannot be read'))).toHaveLength(1)
  })

  test('a root of an older format is read as if it were of now, with its tabs', async () => {
    const { rootId, tabId, key } = await rootWithTab()
    const [root, tab] = [
      await healthy.getRoot('realm', rootId),
      await healthy.getTab('realm', rootId, 'c', tabId),
    ]
    expect(tab).toMatchObject({ tabId })
    // As if an earlier version had kept the time of creation in another field.
    rootVersions.upcasters.set('0', ({ created = '', ...fields }) => ({ ...fields, _v: '1', c: created }))
    onTestFinished(() => void rootVersions.upcasters.delete('0'))
    await client.hset(key, { _v: '0', created: `${root?.createdAt}` })
    await client.hdel(key, 'c')
    expect(await healthy.getRoot('realm', rootId)).toEqual(root)
    expect(await healthy.getTab('realm', rootId, 'c', tabId)).toEqual(tab)
    expect(logger.entries.filter(({ message }) => message.includes('cannot be read'))).toEqual([])
  })

  test.each([
    ['data that is no JSON', (tabId: string) => ({ [`d:${tabId}`]: '{' })],
    ['data of another shape', (tabId: string) => ({ [`d:${tabId}`]: '[]' })],
    ['a head of another shape', (tabId: string) => ({ [`t:${tabId}`]: 'c' })],
  ])('a tab with %s is absent, its neighbours are not', async (_, damage) => {
    const { rootId, tabId, key } = await rootWithTab()
    const other = (await healthy.addTab('realm', rootId, { clientId: 'c' }))?.tab.tabId ?? ''
    await client.hset(key, damage(tabId))
    expect(await healthy.getTab('realm', rootId, 'c', tabId)).toBeUndefined()
    expect(await healthy.updateTab('realm', rootId, tabId, { action: 'x' })).toBeUndefined()
    expect(await healthy.promote('realm', rootId, tabId)).toBeUndefined()
    expect([...((await healthy.getRoot('realm', rootId))?.tabs.keys() ?? [])]).toEqual([other])
    expect(await healthy.removeTab('realm', rootId, tabId)).toEqual({ removed: true, rootRemoved: false })
    expect(logger.entries.filter(({ message }) => message.includes('cannot be read'))).toHaveLength(1)
  })

  test('a root with times that are no numbers is absent', async () => {
    const { rootId, key } = await rootWithTab()
    await client.hset(key, { x: 'soon' })
    expect(await healthy.getRoot('realm', rootId)).toBeUndefined()
    expect(await healthy.addTab('realm', rootId, { clientId: 'c' })).toBeUndefined()
  })

  test('an id of a partition that this deployment does not have is unknown', async () => {
    prefix += '-few'
    const few = await open(client, { partitions: 4 })
    expect(await few.getRoot('realm', `${'A'.repeat(22)}04`)).toBeUndefined()
    expect((await few.getOrCreateRoot('realm', `${'A'.repeat(22)}04`)).id).toMatch(/0[0-3]$/)
    expect((await few.getOrCreateRoot('realm', `${'A'.repeat(22)}03`)).id).toBe(`${'A'.repeat(22)}03`)
  })

  test('keys live a minute longer than what they hold, and follow a longer life', async () => {
    const { rootId, key } = await rootWithTab()
    const [index = ''] = await keysOf('auth-realm')
    for (const name of [key, index]) {
      const ttl = await client.pttl(name)
      expect(ttl).toBeLessThanOrEqual(HALF_HOUR_MS + GRACE_MS)
      expect(ttl).toBeGreaterThan(HALF_HOUR_MS + GRACE_MS - 10_000)
    }
    await healthy.touchRoot('realm', rootId, clock.now() + HALF_HOUR_MS)
    for (const name of [key, index]) expect(await client.pttl(name)).toBeGreaterThan(2 * HALF_HOUR_MS)
    await healthy.touchRoot('realm', rootId, clock.now())
    expect(await client.pttl(key)).toBeLessThanOrEqual(HALF_HOUR_MS + GRACE_MS)
    expect(await client.pttl(index)).toBeGreaterThan(2 * HALF_HOUR_MS)
  })

  test('entries of the index whose time has passed go with later writes', async () => {
    prefix += '-one'
    const item = await open(client, { partitions: 1 })
    for (let n = 0; n < 25; n++) await item.createRoot('realm')
    const [index = ''] = await keysOf('auth-realm')
    expect(await client.zcard(index)).toBe(25)
    clock.advance(HALF_HOUR_MS)
    for (const left of [16, 7, 3]) {
      await item.createRoot('realm')
      expect(await client.zcard(index)).toBe(left)
    }
  })

  test('a root that cannot be read although it was just made is an error, not one try after the other', async () => {
    const factory = redisAuthSessions()
    const lifeless = {
      accessCodeLifespanMs: 0,
      accessCodeLifespanLoginMs: 0,
      accessCodeLifespanUserActionMs: 0,
    }
    const registry = createProviderRegistry({
      factories: [
        {
          ...factory,
          create: (context: ProviderContext, config: never) =>
            factory.create(Object.create(context, { realm: { value: () => lifeless } }), config),
        },
        redisConnection(),
      ],
      config: { redis: { client, prefix }, spi: { 'auth-session': { provider: 'redis' } } },
      clock,
    })
    opened.push(registry)
    await registry.start()
    const provider = registry.get(authSessionSpi)
    await expect(provider.createRoot('realm')).rejects.toMatchObject({ code: 'ERR_STORE_CORRUPT' })
    await expect(provider.getOrCreateRoot('realm', `${'A'.repeat(22)}00`)).rejects.toMatchObject({
      code: 'ERR_STORE_CORRUPT',
    })
  })

  test('a realm is removed a hundred roots per step, to the last', async () => {
    prefix += '-one'
    const observed = observeClient(client)
    const item = await open(observed.client, { partitions: 1 })
    await Promise.all(Array.from({ length: 250 }, () => item.createRoot('realm')))
    expect(await item.removeByRealm('another')).toBe(0)
    // The server has the script now.
    const before = observed.commands()
    expect(await item.removeByRealm('realm')).toBe(250)
    expect(observed.commands() - before).toBe(3)
    expect(await keysOf('auth')).toEqual([])
  })
})
