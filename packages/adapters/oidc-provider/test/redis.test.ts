import { faultyClient, openInspector } from '@authstate/conformance'
import type { RedisClient } from '@authstate/redis'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { cluster, describeWith, redis } from '../../../../tools/testing/capabilities.js'
import { openCluster, openRedis } from '../../../../tools/testing/redis-targets.js'
import { describeAdapter, open, session } from './contract.js'
import { openState } from './support.js'

function describeOnRedis(openClient: () => RedisClient & { disconnect(): void }): void {
  const client = openClient()
  let prefix = ''
  beforeEach(({ task }) => {
    prefix = `oidc-${process.pid}-${task.id}`
  })
  afterEach(async () => (await openInspector(client)).clear(prefix))
  afterAll(() => client.disconnect())
  describeAdapter(() => openState({ over: { client, prefix } }))

  test('a Redis that does not answer is an error of the request, and nothing is taken for gone', async () => {
    const adapter = open(await openState({ over: { client, prefix } }))
    await adapter('Session').upsert('id', session('id', 'uid'), 60)
    const faulty = faultyClient(client)
    const away = open(await openState({ over: { client: faulty.client, prefix } }))
    faulty.arm('get', { when: 'before', error: new Error('Connection is closed.') })
    await expect(away('Session').find('id')).rejects.toThrow(/StoreUnavailable|did not answer|Redis/)
    expect(await away('Session').find('id')).toBeDefined()
  })

  test('no key names what a client or a browser holds', async () => {
    const adapter = open(await openState({ over: { client, prefix } }))
    await adapter('Session').upsert('secret-1', session('secret-1', 'secret-2', 'ada'), 60)
    await adapter('DeviceCode').upsert('secret-3', { userCode: 'secret-4', grantId: 'g' }, 60)
    const keys = await (await openInspector(client)).keys(prefix)
    expect(keys.length).toBeGreaterThan(3)
    expect(keys.filter((key) => key.includes('secret'))).toEqual([])
  })
}

describeWith(redis, 'an adapter on Redis', () => describeOnRedis(openRedis))
describeWith(cluster, 'an adapter on a Cluster', () => describeOnRedis(openCluster))
