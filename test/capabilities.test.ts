import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import {
  cluster,
  clusterNodes,
  describeWith,
  redis,
  redisUrl,
  serverBinary,
} from '../tools/testing/capabilities.js'

describeWith(redis, 'the standalone server', () => {
  test('answers', async () => {
    const client = new Redis(redisUrl())
    expect(await client.ping()).toBe('PONG')
    client.disconnect()
  })
})

describeWith(cluster, 'the cluster', () => {
  test('has every slot served', async () => {
    const [node] = clusterNodes()
    const client = new Redis({ ...node })
    expect(await client.cluster('INFO')).toContain('cluster_state:ok')
    client.disconnect()
  })
})

describeWith(serverBinary, 'a server program', () => {
  test('is a path', () => expect(process.env['AUTHSTATE_TEST_REDIS_BINARY']).toMatch(/^\//))
})
