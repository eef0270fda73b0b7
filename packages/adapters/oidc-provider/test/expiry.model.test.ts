// What was stored and never ended goes by itself. `npm run test:long` stores 10 000 of each and waits until Redis has let go of them.
import { openInspector } from '@authstate/conformance'
import type { RedisClient } from '@authstate/redis'
import { expect, onTestFinished, test } from 'vitest'
import { describeWith, redis } from '../../../../tools/testing/capabilities.js'
import { openForHistories } from '../../../../tools/testing/redis-targets.js'
import { open, session } from './contract.js'
import { openState } from './support.js'

const isLong = process.env['MODEL_RUNS'] !== undefined
const COUNT = isLong ? 10_000 : 200
/** Seconds. */
const LIFE = 1
/** How long records are kept behind their end, and Redis may be late, ms. */
const GRACE_MS = 150_000

describeWith(redis, 'in Redis', () => {
  test(`${COUNT} sessions, grants and codes that ended leave no key`, async () => {
    const client = openForHistories() as RedisClient & { disconnect(): void }
    const prefix = `oidc-expiry-${process.pid}`
    const inspector = await openInspector(client)
    onTestFinished(async () => {
      await inspector.clear(prefix)
      client.disconnect()
    })
    const state = await openState({ over: { client, prefix }, webSession: { tombstoneMs: 1_000 } })
    const adapter = open(state)
    const before = new Set(await inspector.keys(prefix))
    const left = async () =>
      (await inspector.keys(prefix)).filter((key) => !before.has(key) && !isOfNode(key))
    for (let from = 0; from < COUNT; from += 100) {
      const ids = Array.from({ length: 100 }, (_, n) => `${from + n}`)
      await Promise.all(
        ids.flatMap((id) => [
          adapter('Session').upsert(id, session(id, `uid-${id}`, `account-${id}`), LIFE),
          adapter('Grant').upsert(id, { jti: id, accountId: `account-${id}` }, LIFE),
          adapter('AuthorizationCode').upsert(id, { jti: id, grantId: id, accountId: `account-${id}` }, LIFE),
          adapter('DeviceCode').upsert(id, { jti: id, userCode: id }, LIFE),
        ]),
      )
      await Promise.all(ids.map((id) => adapter('AuthorizationCode').consume(id)))
      await Promise.all(ids.filter((_, n) => n % 2 === 0).map((id) => adapter('Session').destroy(id)))
    }
    const keys = await left()
    expect(keys.length).toBeGreaterThan(COUNT * 3)
    if (isLong) return void (await expect.poll(left, { timeout: 2 * GRACE_MS, interval: 1_000 }).toEqual([]))
    for (const key of keys) {
      const { ttlMs } = await inspector.read(key)
      expect([key, ttlMs > 0 && ttlMs <= LIFE * 1_000 + GRACE_MS]).toEqual([key, true])
    }
  })
})

/** What a node keeps for as long as it runs. */
const isOfNode = (key: string): boolean => /clock|cluster/.test(key)
