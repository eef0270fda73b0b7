import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { start, type Topology, until } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import type { RedisClient, RedisOptions } from '../src/index.js'
import { failureOf, freshPrefix, open } from './support.js'

describeWith(serverBinary, 'a reader', () => {
  let single: Topology
  let cluster: Topology
  let admins: Redis[] = []
  beforeAll(async () => {
    ;[single, cluster] = await Promise.all([start('single'), start('cluster', { replicas: 0 })])
    admins = [...single.nodes, ...cluster.nodes].map(({ port }) => new Redis({ port }))
  })
  afterAll(async () => {
    for (const item of admins) item.disconnect()
    await Promise.all([single.stop(), cluster.stop()])
  })
  const url = () => `redis://127.0.0.1:${single.basePort}`
  const nodes = () => cluster.startupNodes
  const given = (client: RedisClient): RedisOptions => {
    onTestFinished(() => client.disconnect())
    return { client }
  }

  describe.each<[string, () => RedisOptions]>([
    ['that we make', () => ({ url: url() })],
    ['of a Cluster that we make', () => ({ nodes: nodes() })],
    ['of a given client, whatever its options', () => given(new Redis(url()))],
    ['of a given client with RESP3 replies', () => given(new Redis(url(), { replyMapping: 'resp3' }))],
    ['of a given client of ioredis 5', () => given(new Redis5(url()))],
    ['of a given Cluster', () => given(new Cluster(nodes()))],
    [
      'of a given Cluster with RESP3 replies',
      () => given(new Cluster(nodes(), { redisOptions: { replyMapping: 'resp3' } })),
    ],
    ['of a given Cluster of ioredis 5', () => given(new Cluster5(nodes()))],
  ])('%s', (_, options) => {
    const openReader = async () => {
      const connection = await open({ ...options(), prefix: freshPrefix() })
      const stream = connection.keys.key(3, 'stream')
      return { connection, stream, reader: (await connection.openReader()) as Redis }
    }

    test('waits for data, beside the commands of the connection', async () => {
      const { connection, stream, reader } = await openReader()
      const waiting = reader.xread('BLOCK', 0, 'STREAMS', stream, '0')
      await connection.checkHealth()
      const writer = (await connection.openReader()) as Redis
      const id = await writer.xadd(stream, '*', 'name', 'value')
      expect(await waiting).toEqual([[stream, [[id, ['name', 'value']]]]])
    })

    test('says at once that its connection was lost, and finds another', async () => {
      const { stream, reader } = await openReader()
      await reader.exists(stream)
      const waiting = failureOf(reader.xread('BLOCK', 0, 'STREAMS', stream, '0'))
      // The command must have arrived: nothing else of this client shows that it waits.
      await until('the reader to wait', async () => {
        const infos = await Promise.all(admins.map((item) => item.info('clients')))
        return infos.some((info) => /blocked_clients:[1-9]/.test(info))
      })
      const begun = performance.now()
      for (const item of admins) await item.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      expect(await waiting).toBeInstanceOf(Error)
      expect(performance.now() - begun).toBeLessThan(2_000)
      expect(await until('a connection', () => reader.xadd(stream, '*', 'a', 'b').catch(() => ''))).toMatch(
        /-/,
      )
    })
  })
})
