import { openInspector } from '@authstate/conformance'
import { afterAll, describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { describeContract } from './contract.js'
import { Application } from './support.js'

describeWith(redis, 'on Redis', () => {
  const client = openRedis()
  let opened = 0
  const prefix = `token-store-${process.pid}`
  afterAll(async () => {
    await (await openInspector(client)).clear(prefix)
    client.disconnect()
  })

  describe('the contract: session store', () => {
    describeContract((options) =>
      Application.open({ kind: 'session', ...options, redis: { client, prefix: `${prefix}-${opened++}` } }),
    )
  })

  test.each(['session', 'cookie'] as const)(
    'logins and logouts leave no key that has no end: %s store',
    async (kind) => {
      const own = `${prefix}-${opened++}`
      const app = await Application.open({ kind, redis: { client, prefix: own } })
      for (let n = 0; n < 20; n++) {
        await app.login(n % 2, { sid: `s-${n}`, subject: `u-${n}` })
        await app.logout(n % 3 === 0 ? { sub: `u-${n}` } : { sid: `s-${n}` }, (n + 1) % 2)
      }
      const inspector = await openInspector(client)
      const keys = await inspector.keys(own)
      expect(keys.length).toBeGreaterThan(0)
    },
  )
})
