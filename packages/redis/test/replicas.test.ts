import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, start, type Topology } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { connect, defineScript } from '../src/index.js'
import { count, failureOf, freshPrefix, open } from './support.js'

/** As `count`, of times only. */
const touch = defineScript({ ...count, name: 'test.touch', change: 'touch' })
const look = defineScript({
  ...count,
  name: 'test.look',
  lua: "return redis.call('GET', KEYS[1])",
  change: 'none',
})

/** A replica that has just copied everything confirms nothing for a second. */
async function confirm(port: number, replicas: number): Promise<void> {
  const master = new Redis({ port })
  await master.publish('any', 'write')
  expect(await master.wait(replicas, 10_000)).toBe(replicas)
  master.disconnect()
}

const tooFew = (confirmed: number, wanted: number) => ({
  code: 'ERR_STORE_UNAVAILABLE',
  applied: 'unknown',
  message: `test.count: Redis did it, but ${confirmed} of ${wanted} replicas confirmed it within 100 ms`,
})

describeWith(serverBinary, 'minReplicas', () => {
  let item: Topology
  let cluster: Topology
  beforeAll(async () => {
    ;[item, cluster] = await Promise.all([start('replica'), start('cluster', { masters: 3, replicas: 1 })])
    await Promise.all([confirm(item.basePort, 2), cluster.replicasListed()])
  })
  afterAll(() => Promise.all([item.stop(), cluster.stop()]))
  const url = () => `redis://${item.host}:${item.basePort}`

  test('an answer means that so many replicas have it', async () => {
    const connection = await open({ url: url(), prefix: freshPrefix(), minReplicas: 2 })
    const counter = connection.keys.key(0, 'n')
    for (let n = 1; n <= 50; n++) {
      expect(await connection.run(count, { counter }, { by: 1 })).toBe(n)
      for (const { port } of item.nodes.slice(1)) expect(await ask(port, ['GET', counter])).toBe(String(n))
    }
  })

  test('a replica is silent: the caller is told, the master has it, and what waits for none goes on', async () => {
    const prefix = freshPrefix()
    const [two, enough] = await Promise.all([
      open({ url: url(), prefix, minReplicas: 2 }),
      open({ url: url(), prefix, minReplicas: 1 }),
    ])
    const counter = two.keys.key(0, 'n')
    expect(await two.run(count, { counter }, { by: 1 })).toBe(1)
    item.nodes[1]?.pause()
    try {
      expect(await failureOf(two.run(count, { counter }, { by: 1 }))).toMatchObject(tooFew(1, 2))
      expect(await two.run(look, { counter }, { by: 0 })).toBe(2)
      expect(await two.run(touch, { counter }, { by: 1 })).toBe(3)
      expect(await enough.run(count, { counter }, { by: 1 })).toBe(4)
    } finally {
      item.nodes[1]?.resume()
    }
    expect(await two.run(count, { counter }, { by: 1 })).toBe(5)
    expect(two.stats()).toMatchObject({ failed: 1, pending: 0 })
  })

  test('a node starts while a replica is silent', async () => {
    item.nodes[1]?.pause()
    try {
      const connection = await open({ url: url(), prefix: freshPrefix(), minReplicas: 2 })
      const counter = connection.keys.key(0, 'n')
      expect(await connection.run(look, { counter }, { by: 0 })).toBe(0)
    } finally {
      item.nodes[1]?.resume()
    }
  })

  test('the writes of one tick are confirmed together, and a script that is not known yet is', async () => {
    const connection = await open({ url: url(), prefix: freshPrefix(), minReplicas: 2 })
    const waits = async () =>
      Number(/cmdstat_wait:calls=(\d+)/.exec(await ask(item.basePort, ['INFO', 'commandstats']))?.[1] ?? 0)
    await ask(item.basePort, ['SCRIPT', 'FLUSH'])
    const counter = connection.keys.key(0, 'n')
    expect(await connection.run(count, { counter }, { by: 1 })).toBe(1)
    const before = await waits()
    const together = Array.from({ length: 40 }, () => connection.run(count, { counter }, { by: 1 }))
    expect((await Promise.all(together)).at(-1)).toBe(41)
    expect((await waits()) - before).toBe(1)
  })

  test('a script that fails tells why', async () => {
    const connection = await open({ url: url(), prefix: freshPrefix(), minReplicas: 2 })
    const counter = connection.keys.key(0, 'n')
    await ask(item.basePort, ['RPUSH', counter, 'foreign'])
    expect(await failureOf(connection.run(count, { counter }, { by: 1 }))).toMatchObject({
      code: 'ERR_STORE_CORRUPT',
    })
  })

  test('on a Cluster each write is confirmed by replicas of its own master', async () => {
    const connection = await open({
      nodes: [...cluster.startupNodes],
      prefix: freshPrefix(),
      minReplicas: 1,
      partitions: 12,
    })
    const counters = connection.keys.all.map((partition) => connection.keys.key(partition, 'n'))
    const write = async () => {
      const all = counters.map((counter) => connection.run(count, { counter }, { by: 1 }))
      return (await Promise.allSettled(all)).map(({ status }) => status)
    }
    expect(new Set(await write())).toEqual(new Set(['fulfilled']))
    const [silent] = cluster.nodes.slice(3)
    const info = await ask(silent?.port as number, ['INFO', 'replication'])
    const master = Number(/master_port:(\d+)/.exec(info)?.[1])
    silent?.pause()
    try {
      const settled = await write()
      for (const [n, counter] of counters.entries()) {
        const isThere = await ask(master, ['GET', counter]).then(
          (value) => value,
          () => 'moved',
        )
        expect([counter, settled[n]]).toEqual([counter, isThere === 'moved' ? 'fulfilled' : 'rejected'])
        if (isThere !== 'moved') expect(isThere).toBe('2')
      }
      expect(new Set(settled)).toEqual(new Set(['fulfilled', 'rejected']))
    } finally {
      silent?.resume()
    }
  })
})

describe('what cannot work', () => {
  test.each([
    [{ minReplicas: -1 }, 'redis.minReplicas'],
    [{ minReplicas: 1.5 }, 'redis.minReplicas'],
    [
      { minReplicas: 1, replicaTimeoutMs: 500, commandTimeoutMs: 500 },
      'redis.replicaTimeoutMs: must be below commandTimeoutMs, which is 500',
    ],
  ])('%o', async (options, message) => {
    await expect(connect({ url: 'redis://127.0.0.1:1', ...options })).rejects.toThrow(message)
  })
})
