// The work channel while every node tells what it adds: events are told at once, and the stream has what was not heard.
import { RecordingLogger } from '@authstate/conformance'
import { type RedisOptions, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { start, type Topology } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { eventually } from '../src/conformance/fixture.js'
import { type ClusterProvider, clusterSpi, type GapReason } from '../src/index.js'
import { decodeTold } from '../src/redis/listening.js'
import { redisCluster } from '../src/redis.js'

const PASSWORD = 'a-long-password'
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)
/** An event as a node called a would send it. */
const wire = (n: number) => JSON.stringify({ v: 1, t: 'atopic', e: String(n), c: 'all', n: 'a' })

function hear(provider: ClusterProvider) {
  const numbers: number[] = []
  const gaps: GapReason[] = []
  const onGap = (reason: GapReason) => void gaps.push(reason)
  provider.subscribe<number>('topic', (n) => void numbers.push(n), { onGap })
  return { numbers, gaps }
}

/** Nodes on servers of this file, which say how they are asked. */
function openNodes() {
  const opened: ReturnType<typeof createProviderRegistry>[] = []
  return {
    async node(redis: RedisOptions, properties: object = {}) {
      const logger = new RecordingLogger()
      const registry = createProviderRegistry({
        factories: [redisCluster(), redisConnection()],
        config: {
          redis: { prefix: 'world', ...redis },
          spi: {
            cluster: { provider: 'redis', redis: { readWaitMs: 100, heartbeatMs: 100, ...properties } },
          },
        },
        logger,
      })
      opened.push(registry)
      await registry.start()
      return { registry, provider: registry.get(clusterSpi), logger }
    },
    close: async () => void (await Promise.all(opened.splice(0).map((registry) => registry.close()))),
  }
}

describe('what is told', () => {
  test('is an event behind another one; anything else is a reason to read', () => {
    const text = '{"e":"two words\nand a line"}'
    expect(decodeTold(`0-0 1-1 01HF 7 ${text}`)).toEqual({
      before: '0-0',
      id: '1-1',
      sender: '01HF',
      number: '7',
      text,
    })
    for (const other of ['', '0-0', '0-0 1-1 01HF seven {}', 'x']) expect(decodeTold(other)).toBeUndefined()
  })
})

describeWith(serverBinary, 'on one server', () => {
  let server: Topology
  let admin: Redis
  const nodes = openNodes()
  beforeAll(async () => {
    server = await start('single')
    admin = new Redis({ port: server.basePort })
  })
  beforeEach(async () => {
    await admin.call('ACL', 'SETUSER', 'node', 'reset', 'on', `>${PASSWORD}`, '~*', '&*', '+@all')
  })
  afterEach(async () => {
    await nodes.close()
    await admin.config('SET', 'client-output-buffer-limit', 'pubsub 33554432 8388608 60')
    await admin.flushall()
  })
  afterAll(async () => {
    admin.disconnect()
    await server.stop()
  })
  const asNode = () => ({
    url: `redis://127.0.0.1:${server.basePort}`,
    username: 'node',
    password: PASSWORD,
  })
  const open = async (count: number, properties: object = {}) => {
    const all = []
    for (let n = 0; n < count; n++) all.push(await nodes.node(asNode(), properties))
    return all
  }
  const lines = async () => String(await admin.client('LIST')).split('\n')
  const listeners = async () => (await lines()).filter((line) => / sub=1 /.test(line))
  /** Questions that wait in Redis for the next event. */
  const waiting = async () => (await lines()).filter((line) => /flags=\S*b\S* .*cmd=xread/.test(line))
  const reads = async () =>
    Number(/cmdstat_xread:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0)
  const key = async (kind: string) => (await admin.keys(`world:*:${kind}`))[0] as string
  /** Resolves when all of these nodes listen and none waits for an answer of the stream. */
  const listening = (count: number) =>
    eventually(async () => {
      expect(await listeners()).toHaveLength(count)
      expect(await waiting()).toEqual([])
    })

  test('an event is heard as it is told, and the stream is read as seldom as if nothing were sent', async () => {
    const [a, b] = await open(2, { readWaitMs: 1_000 })
    const heard = [a, b].map((node) => hear((node as typeof a & object).provider))
    await listening(2)
    const before = await reads()
    for (const n of upTo(100)) await a?.provider.publish('topic', n)
    for (const { numbers, gaps } of heard) {
      await eventually(() => expect(numbers).toEqual(upTo(100)))
      expect(gaps).toEqual([])
    }
    // Each event was a question of each node before.
    expect((await reads()) - before).toBeLessThan(100)
  })

  test('50 listeners and their readers cut off under load: nothing is lost, nothing comes twice, in order', {
    timeout: 60_000,
  }, async () => {
    const [a, b] = await open(2)
    const heard = [a, b].map((node) => hear((node as typeof a & object).provider))
    await listening(2)
    let sent = 0
    let killed = 0
    while (killed < 50) {
      const batch = upTo(3).map(() => a?.provider.publish('topic', sent++))
      const found = await listeners()
      for (const line of found) {
        await admin.client('KILL', 'ID', /\bid=(\d+)/.exec(line)?.[1] ?? '').catch(() => {})
      }
      if (sent % 7 === 0) {
        for (const line of (await lines()).filter((text) => text.includes('cmd=xread')))
          await admin.client('KILL', 'ID', /\bid=(\d+)/.exec(line)?.[1] ?? '').catch(() => {})
      }
      killed += found.length
      await Promise.all(batch)
    }
    for (const { numbers, gaps } of heard) {
      await eventually(() => expect(numbers).toHaveLength(sent))
      expect(numbers).toEqual(upTo(sent))
      expect(gaps).toEqual([])
    }
    // Nothing is left of those that were replaced: three connections of each node.
    await eventually(async () =>
      expect((await lines()).filter((line) => line.includes('user=node'))).toHaveLength(6),
    )
    await listening(2)
  })

  test('a listener that Redis drops for its output buffer: what it did not hear is read', async () => {
    const [a, b] = await open(2)
    const { numbers, gaps } = hear((b as NonNullable<typeof b>).provider)
    await listening(2)
    await admin.config('SET', 'client-output-buffer-limit', 'pubsub 1 0 0')
    for (const n of upTo(20)) await a?.provider.publish('topic', n)
    await eventually(() => expect(numbers).toEqual(upTo(20)))
    expect(gaps).toEqual([])
    await admin.config('SET', 'client-output-buffer-limit', 'pubsub 33554432 8388608 60')
    await listening(2)
  })

  test('an event that comes before a subscription is confirmed is heard', async () => {
    const [a] = await open(1)
    for (const round of upTo(10)) {
      const b = await nodes.node(asNode())
      const { numbers, gaps } = hear(b.provider)
      const sending = upTo(5).map((n) => a?.provider.publish('topic', round * 10 + n))
      await Promise.all(sending)
      await eventually(() => expect(numbers).toEqual(upTo(5).map((n) => round * 10 + n)))
      expect(gaps).toEqual([])
      await b.registry.close()
    }
  })

  test('what was added and not told is read: before the next one that is told, and where none comes', async () => {
    const [a, b] = await open(2)
    const { numbers, gaps } = hear((b as NonNullable<typeof b>).provider)
    await listening(2)
    const sender = 'an-older-version'
    const events = await key('ce')
    await admin.xadd(events, '*', 's', sender, 'n', 1, 'e', wire(100))
    await a?.provider.publish('topic', 0)
    await eventually(() => expect(numbers).toEqual([100, 0]))
    await admin.xadd(events, '*', 's', sender, 'n', 2, 'e', wire(101))
    await eventually(() => expect(numbers).toEqual([100, 0, 101]))
    expect(gaps).toEqual([])
  })

  test('what is told twice, or late, is heard once', async () => {
    const [a, b] = await open(2)
    const { numbers, gaps } = hear((b as NonNullable<typeof b>).provider)
    await listening(2)
    const told: string[] = []
    const spy = new Redis({ port: server.basePort })
    onTestFinished(() => spy.disconnect())
    const events = await key('ce')
    await spy.subscribe(events)
    spy.on('message', (_, text: string) => void told.push(text))
    for (const n of upTo(5)) await a?.provider.publish('topic', n)
    await eventually(() => expect(told.length).toBeGreaterThanOrEqual(5))
    spy.disconnect()
    for (const text of [...told, ...told.reverse()]) await admin.publish(events, text)
    await a?.provider.publish('topic', 5)
    await eventually(() => expect(numbers).toEqual(upTo(6)))
    expect(gaps).toEqual([])
  })

  test('without the right to listen, or to tell, the stream is read as ever, and that is said once', async () => {
    await admin.call('ACL', 'SETUSER', 'node', 'resetchannels')
    const [a, b] = await open(2)
    const { numbers, gaps } = hear((b as NonNullable<typeof b>).provider)
    const said = (text: string) => (a?.logger.entries ?? []).filter(({ message }) => message.includes(text))
    await eventually(() => expect(said('may not listen')).toHaveLength(1))
    for (const n of upTo(20)) await a?.provider.publish('topic', n)
    await eventually(() => expect(numbers).toEqual(upTo(20)))
    expect(gaps).toEqual([])
    expect(said('may not listen')).toHaveLength(1)
    expect(said('does not let this node tell listeners')).toHaveLength(1)
    expect(await listeners()).toEqual([])
    expect((await a?.registry.health())?.ok).toBe(true)
    // One that may listen reads as well, as long as others do not tell.
    await admin.call('ACL', 'SETUSER', 'node', 'allchannels', '-publish')
    const c = await nodes.node(asNode())
    const late = hear(c.provider)
    await eventually(async () => expect(await listeners()).toHaveLength(1))
    await eventually(async () => expect((await waiting()).length).toBe(3))
    await a?.provider.publish('topic', 20)
    await eventually(() => expect(late.numbers).toEqual([20]))
  })

  test('close ends both connections', async () => {
    await open(2)
    await listening(2)
    await nodes.close()
    await eventually(async () => {
      expect(await listeners()).toEqual([])
      expect((await lines()).filter((line) => line.includes('user=node'))).toEqual([])
    })
  })
})

describeWith(serverBinary, 'on a Cluster', () => {
  test('the channel is that of a slot, told to who asked its server, and found again where the slot went', async () => {
    const server = await start('cluster', { replicas: 0 })
    const nodes = openNodes()
    try {
      const redis = { nodes: server.nodes.map(({ port }) => `127.0.0.1:${port}`) }
      const [a, b] = [await nodes.node(redis), await nodes.node(redis)]
      const { numbers, gaps } = hear(b.provider)
      const clients = server.nodes.map(({ port }) => new Redis({ port }))
      const told = async () => {
        const counts = await Promise.all(
          clients.map(async (client) => {
            const [channel] = (await client.call('PUBSUB', 'SHARDCHANNELS')) as string[]
            if (channel === undefined) return 0
            return Number(((await client.call('PUBSUB', 'SHARDNUMSUB', channel)) as string[])[1])
          }),
        )
        return counts.reduce((sum, count) => sum + count, 0)
      }
      await eventually(async () => expect(await told()).toBe(2))
      for (const n of upTo(20)) await a.provider.publish('topic', n)
      await eventually(() => expect(numbers).toEqual(upTo(20)))
      expect(gaps).toEqual([])
      for (const client of clients) client.disconnect()
    } finally {
      await nodes.close()
      await server.stop()
    }
  }, 60_000)
})
