import { openInspector, redisTarget, runSuite } from '@authstate/conformance'
import { afterAll, describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { createdSession, sessionOf } from '../src/conformance/fixture.js'
import { userSessionKeySpace, userSessionSuite } from '../src/conformance.js'
import { userSessionSpi } from '../src/index.js'
import { redisUserSessions } from '../src/redis.js'
import { openNode } from './support.js'

describeWith(redis, 'with encrypted notes', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())

  runSuite(
    { ...userSessionSuite, properties: { ...userSessionSuite.properties, encryptNotes: true } },
    redisTarget({
      name: 'redis, encrypted',
      spi: userSessionSpi,
      factories: [redisUserSessions()],
      keySpace: userSessionKeySpace,
      client: () => client,
    }),
    { describe, test },
  )

  test('no note is in Redis in the clear, also after it was merged and copied', async () => {
    const prefix = `encrypted-${process.pid}`
    const keyring = { current: 'k1', keys: { k1: 'a secret that is long enough for anybody' } }
    await using node = await openNode({ client, prefix, keyring, properties: { encryptNotes: true } })
    const notes = { a: 'canary-1' }
    const { id } = await node
      .create('realm', {
        userId: 'alice',
        loginUsername: 'alice',
        notes,
        client: { clientId: 'app', notes },
      })
      .then(createdSession)
    await node.update('realm', id, { notes: { b: 'canary-2' } })
    await node.updateClientSession('realm', id, { clientId: 'app', notes: { b: 'canary-3' } })
    await node.createOffline('realm', id).then(sessionOf)
    const inspector = await openInspector(client)
    const hashes = (await inspector.keys(prefix)).filter((key) => /:[uo]s:/.test(key))
    const stored = JSON.stringify(await Promise.all(hashes.map((key) => inspector.hash(key))))
    await inspector.clear(prefix)
    expect(hashes).toHaveLength(2)
    expect(stored).not.toContain('canary')
  })
})
