import { fileURLToPath } from 'node:url'
import { checkKeySpace, faultyClient, openInspector } from '@authstate/conformance'
import { type RedisClient, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cluster, describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { startChild } from '../../../tools/testing/child.js'
import { openCluster, openRedis } from '../../../tools/testing/redis-targets.js'
import { webSessionKeySpace } from '../src/conformance.js'
import { type WebSessionProvider, webSessionSpi } from '../src/index.js'
import { redisWebSessions } from '../src/redis.js'
import * as scripts from '../src/scripts.js'

const worker = fileURLToPath(new URL('./worker.ts', import.meta.url))
const session = { data: { n: 1 }, lifespanMs: 600_000, userId: 'u' }

interface Node {
  readonly client: RedisClient
  readonly provider: WebSessionProvider
  close(): Promise<void>
}

async function nodeOver(client: RedisClient, prefix: string): Promise<Node> {
  const registry = createProviderRegistry({
    factories: [redisWebSessions(), redisConnection()],
    config: {
      redis: { client, prefix, commandTimeoutMs: 60_000 },
      spi: { 'web-session': { provider: 'redis' } },
    },
  })
  await registry.start()
  return { client, provider: registry.get(webSessionSpi), close: () => registry.close() }
}

function define(open: () => RedisClient): { prefix: () => string; nodes: () => readonly [Node, Node] } {
  let prefix = ''
  let nodes: [Node, Node]
  beforeEach(async ({ task }) => {
    prefix = `races-${process.pid}-${task.id}`
    nodes = [await nodeOver(open(), prefix), await nodeOver(open(), prefix)]
  })
  afterEach(async () => {
    const [{ client, provider }] = nodes
    const inspector = await openInspector(client)
    const now = provider.clock?.now() ?? 0
    await checkKeySpace(inspector, prefix, webSessionKeySpace, now).finally(() => inspector.clear(prefix))
    for (const node of nodes) {
      await node.close()
      node.client.disconnect()
    }
  })

  test('1 000 slow sign-ins against removeByUser leave none alive, and later ones stand', {
    timeout: 120_000,
  }, async () => {
    const [{ provider }, { provider: other }] = nodes
    const authenticatedAt = provider.clock?.now() ?? 0
    const outcomes: string[] = []
    const slow = Array.from({ length: 1_000 }, async (_, n) => {
      if (n === 500) await other.removeByUser('r', 'u')
      const node = n % 2 === 0 ? provider : other
      outcomes.push((await node.save('r', `s${n}`, { ...session, authenticatedAt })).outcome)
    })
    await Promise.all(slow)
    expect(outcomes).toHaveLength(1_000)
    expect(outcomes).toContain('stored')
    expect(outcomes).toContain('refused')
    expect((await provider.listByUser('r', 'u')).items).toEqual([])
    expect(await provider.count('r')).toBe(0)
    const begun = other.clock?.now() ?? 0
    expect(await provider.save('r', 'later', session)).toMatchObject({ outcome: 'stored' })
    expect(await other.save('r', 'later too', { ...session, authenticatedAt: begun })).toMatchObject({
      outcome: 'stored',
    })
    expect(await provider.count('r')).toBe(2)
  })

  return { prefix: () => prefix, nodes: () => nodes }
}

describeWith(redis, 'races on one Redis', () => {
  const { prefix, nodes } = define(openRedis)

  test.each(['save', 'point'])(
    'a process that is killed before its %s leaves nothing that cannot be right',
    { timeout: 120_000 },
    async (heldBack) => {
      const [{ provider }] = nodes()
      const child = startChild(worker, [prefix(), heldBack, redisUrl()])
      expect(await child.next()).toBe('between')
      child.signal('SIGKILL')
      await child.ended
      const isStored = heldBack === 'point'
      expect((await provider.get('r', 's')) !== undefined).toBe(isStored)
      expect((await provider.listByUser('r', 'u')).items).toHaveLength(isStored ? 2 : 1)
      // The pointer is lost or names nobody: the session of before is found, never one that is not there.
      expect((await provider.find('r', 'x'))?.id).toBe('before')
      await provider.save('r', 's', { ...session, alias: 'x' })
      expect((await provider.find('r', 'x'))?.id).toBe('s')
      expect(await provider.removeByUser('r', 'u')).toBe(2)
      expect(await provider.find('r', 'x')).toBeUndefined()
    },
  )

  test.each([
    ['save', scripts.save, (node: WebSessionProvider) => node.save('r', 's', session)],
    ['update', scripts.update, (node: WebSessionProvider) => node.update('r', 's', { set: { a: 1 } })],
    ['remove', scripts.remove, (node: WebSessionProvider) => node.remove('r', 's')],
  ] as const)('%s whose reply was lost may be repeated', async (verb, script, call) => {
    const [{ client, provider }] = nodes()
    await provider.save('r', 's', session)
    const faulty = faultyClient(client)
    const node = await nodeOver(faulty.client, prefix())
    faulty.arm(script, { when: 'after', error: new Error('Connection is closed.') })
    await expect(call(node.provider)).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      applied: 'unknown',
    })
    await call(node.provider)
    expect(await provider.count('r')).toBe(verb === 'remove' ? 0 : 1)
    expect((await provider.get('r', 's'))?.data).toEqual(
      verb === 'remove' ? undefined : { n: 1, ...(verb === 'update' && { a: 1 }) },
    )
    await node.close()
  })

  test('a touch sends no data', async () => {
    const [{ client, provider }] = nodes()
    await provider.save('r', 's', { ...session, data: { big: 'x'.repeat(100_000) } })
    const before = await bytesSent(client)
    await provider.update('r', 's', { lifespanMs: 600_000 })
    expect((await bytesSent(client)) - before).toBeLessThan(5_000)
  })
})

describeWith(cluster, 'races on a Cluster', () => {
  define(openCluster)
})

/** Bytes that the server has read, from whomever: few enough beside 100 000. */
async function bytesSent(client: RedisClient): Promise<number> {
  const info = String(await (client as unknown as { info(section: string): Promise<string> }).info('stats'))
  return Number(/total_net_input_bytes:(\d+)/.exec(info)?.[1])
}
