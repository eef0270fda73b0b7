// What another version, or somebody else, may have left in a record.
import { FakeClock, openInspector, RecordingLogger } from '@authstate/conformance'
import { redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { overDamage } from '../../../tools/testing/damage.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import {
  type LoginFailure,
  type LoginFailureOutcome,
  type LoginFailureProvider,
  loginFailureSpi,
} from '../src/index.js'
import { redisLoginFailures } from '../src/redis.js'

const LAYOUTS = [
  [1, ['_v', 'x', 'n', 't', 'o', 'l', 'u', 'p', 'w', 'i']],
  [2, ['_v', 's', 'i']],
] as const

for (const [layout, fields] of LAYOUTS)
  describeWith(redis, `a stored record of layout ${layout}`, () => {
    const client = openRedis()
    const prefix = `login-failure-fuzz-${process.pid}-${layout}`
    const clock = new FakeClock()
    const registry = createProviderRegistry({
      factories: [redisLoginFailures(), redisConnection()],
      config: {
        redis: { client, prefix, layout },
        spi: { 'login-failure': { provider: 'redis', redis: { failPolicy: 'closed', guardWaitMs: 1 } } },
      },
      realms: () => ({ bruteForce: { enabled: true, failureFactor: 3 } }),
      clock,
      logger: new RecordingLogger(),
    })
    let failures: LoginFailureProvider
    let key = ''
    let intact: Record<string, string> = {}
    beforeAll(async () => {
      await registry.start()
      failures = registry.get(loginFailureSpi)
    })
    beforeEach(async () => {
      await failures.clear('realm', 'alice')
      for (let n = 0; n < 3; n++) {
        await failures.recordFailure('realm', 'alice', {
          ip: '192.0.2.1',
          category: n === 0 ? 'otp' : 'password',
        })
        clock.advance(2_000)
      }
      key = (await (await openInspector(client)).keys(prefix)).find((item) => item.includes(':lf:')) ?? ''
      intact = await client.hgetall(key)
    })
    afterAll(async () => {
      await registry.close()
      await (await openInspector(client)).clear(prefix)
      client.disconnect()
    })

    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('', '0', '1', '2', '-1', '1.5', '1e3', 'NaN', 'inf', '0x10', ' 7', '9'.repeat(400)),
      fc.constantFrom(
        '2 1 1',
        '2 8000000000000 1 1',
        `2 ${'9'.repeat(20)} -1 1`,
        '1 2 0 3 failures',
        '0 0 0 0 ',
      ),
    )

    function expectWhole(found: LoginFailure | LoginFailureOutcome | undefined): void {
      for (const value of Object.values(found ?? {})) {
        if (typeof value === 'number') expect(value).toBeGreaterThanOrEqual(0)
      }
    }

    const verbs: readonly [string, () => Promise<unknown>][] = [
      ['get', async () => expectWhole(await failures.get('realm', 'alice'))],
      ['check', () => failures.check('realm', 'alice')],
      [
        'recordFailure',
        async () => expectWhole(await failures.recordFailure('realm', 'alice', { ip: '192.0.2.1' })),
      ],
      ['recordSuccess', () => failures.recordSuccess('realm', 'alice')],
      ['guard', () => failures.guard('realm', 'alice', {}, async () => false)],
      ['recompute', () => failures.recompute('realm')],
      ['clear', () => failures.clear('realm', 'alice')],
      ['removeByRealm', () => failures.removeByRealm('realm')],
    ]

    test.each(verbs)('%s: whole or absent, whatever a field holds', async (_, verb) => {
      expect(fields).toEqual(expect.arrayContaining(Object.keys(intact)))
      const damage = fc.tuple(fc.constantFrom(...fields), text).map(([field, value]) => ({ [field]: value }))
      await overDamage(client, key, intact, damage, verb)
    })
  })
