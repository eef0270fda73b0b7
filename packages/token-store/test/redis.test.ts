import { openInspector } from '@authstate/conformance'
import { afterAll, describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { describeContract } from './contract.js'
import { Application, Gate } from './support.js'

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
    '46: four nodes and fifty requests each make one call: %s store',
    async (kind) => {
      const over = { kind, redis: { client, prefix: `${prefix}-${opened++}` } }
      const [app, other] = [await Application.open(over), await Application.open(over)]
      const browser = await app.login()
      app.clock.advance(60_000)
      other.clock.advance(60_000)
      const gate = new Gate()
      app.op.gate = gate
      other.op.gate = gate
      const storm = Array.from({ length: 200 }, (_, n) =>
        (n % 4 < 2 ? app : other).token(browser.copy(), n % 2),
      )
      await gate.arrival
      gate.open()
      const outcomes = await Promise.all(storm)
      expect(
        new Set(outcomes.map((outcome) => ('token' in outcome ? outcome.token : outcome.outcome))).size,
      ).toBe(1)
      expect(outcomes[0]?.outcome).toBe('token')
      expect(app.op.asked.length + other.op.asked.length).toBe(1)
    },
  )

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
