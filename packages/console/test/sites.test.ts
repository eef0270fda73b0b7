// The screen of several sites, over what nodes of a site keep in its Redis.
import { randomUUID } from 'node:crypto'
import { createAuthState } from 'authstate'
import { expect, onTestFinished, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { createConsole } from '../src/index.js'
import { CHIEF, keyring, ORIGIN, silent } from './support.js'

describeWith(redis, 'the screen of sites', () => {
  test('shows links and pushes of this site, and says so where there is none', async () => {
    const prefix = `console-${randomUUID()}`
    const raw = openRedis()
    const state = await createAuthState({ provider: 'redis', redis: { url: redisUrl(), prefix }, keyring })
    const console = createConsole({ state, authorize: () => CHIEF, realms: [], keyring, logger: silent })
    onTestFinished(async () => {
      await console.close()
      await state.close()
      await raw.unlink(...(await raw.keys(`${prefix}:*`)))
      raw.disconnect()
    })
    const page = async () => (await console(new Request(`${ORIGIN}/sites`))).text()
    expect(await page()).toContain('not kept in step with another site')
    await raw.hset(`${prefix}:site`, { site: 'lisbon', epoch: 'x', others: 'oslo,porto' })
    const push = { id: 'ab', from: 'lisbon', to: 'oslo', spi: 'all', mode: 'full', status: 'paused' }
    const figures = { total: 16, done: 3, scanned: 51_200, askedAt: state.clock.now() }
    await raw.hset(`${prefix}:{00}:xp:ab`, { ...push, error: '<b>away</b>', ...figures })
    await raw.zadd(`${prefix}:{00}:xp`, 1, 'ab')
    const text = await page()
    for (const shown of ['lisbon', 'oslo', 'porto', '3 of 16', 'paused: &lt;b&gt;away', '51'])
      expect(text).toContain(shown)
    const data = await (await console(new Request(`${ORIGIN}/api/v1/sites`))).json()
    expect(data).toMatchObject({ data: { site: 'lisbon', pushes: [{ id: 'ab', status: 'paused' }] } })
  })
})
