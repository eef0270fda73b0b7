// npm run test:browser: a Redis that is frozen, one that is full and one that evicts, on the pages of the console: the cause is seen, and what
// can still be done can be done. Needs redis-server; AUTHSTATE_CHROMIUM is the browser.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createConsole } from '@authstate/console'
import { toNode } from '@authstate/console/node'
import { createAuthState } from 'authstate'
import { examine } from 'authstate/redis/doctor'
import { chromium, type Page } from 'playwright-core'
import { ask, start } from '../../../tools/servers/topology.mjs'

const SEEN_MS = 30_000
const keyring = { current: 'a', keys: { a: 'a secret of these faults, 32 bytes or more' } }
const logger = { debug() {}, info() {}, warn() {}, error() {} }

const server = await start('single')
const set = (name: string, value: string) => ask(server.basePort, ['CONFIG', 'SET', name, value])
const redis = { url: `redis://127.0.0.1:${server.basePort}`, commandTimeoutMs: 500, connectTimeoutMs: 1_000 }
const state = await createAuthState({ provider: 'redis', redis, keyring, logger })
const ops = createConsole({
  state,
  keyring,
  realms: ['acme'],
  readOnly: false,
  authorize: () => ({ id: 'ada', can: { read: true, endSessions: true } }),
  doctor: () => examine(redis, { probes: 5 }),
  logger,
})
const web = createServer(toNode(ops)).listen(0, '127.0.0.1')
await once(web, 'listening')
const origin = `http://127.0.0.1:${(web.address() as AddressInfo).port}`
const browser = await chromium.launch({
  executablePath: process.env['AUTHSTATE_CHROMIUM'] ?? 'chromium',
  args: ['--no-sandbox'],
})

const shows = (page: Page, text: RegExp) => page.getByText(text).first().waitFor({ timeout: SEEN_MS })

/** Loads a page until it says something: the doctor is asked again after half a minute at most. */
async function comesToShow(page: Page, path: string, text: RegExp): Promise<void> {
  const until = Date.now() + 3 * SEEN_MS
  for (;;) {
    await page.goto(origin + path)
    if (text.test((await page.locator('main').textContent()) ?? '')) return
    assert.ok(Date.now() < until, `${path} does not say ${text}: ${await page.locator('main').textContent()}`)
    await page.waitForTimeout(1_000)
  }
}

try {
  for (const userId of ['ada', 'bob', 'eve']) {
    await state
      .realm('acme')
      .userSessions.create({ userId, loginUsername: userId, client: { clientId: 'portal' } })
  }
  const page = await browser.newPage()

  await set('maxmemory', '500mb')
  await set('maxmemory-policy', 'volatile-lru')
  await comesToShow(page, '/redis?again=1', /FAIL\s*eviction\.policy/)
  const main = await page.locator('main').textContent()
  assert.match(main ?? '', /set maxmemory-policy to noeviction/)
  await comesToShow(page, '/', /What is wrong[\s\S]*evict/)
  console.log(
    'browser: a Redis that evicts is seen, with what an eviction takes away and how to set it right',
  )

  await set('maxmemory-policy', 'noeviction')
  await set('maxmemory', '1')
  await comesToShow(page, '/redis', /no: .*(full|memory|OOM)/i)
  await comesToShow(page, '/', /What is wrong[\s\S]*(full|memory)/i)
  await page.goto(`${origin}/sessions?realm=acme`)
  assert.equal(await page.locator('tbody tr').count(), 3)
  await page.locator('input[name=refs]').first().check()
  await page.getByRole('button', { name: 'End the chosen sessions' }).click()
  await shows(page, /1 session ended\./)
  console.log('browser: a Redis that is full is seen, and a session can be ended on it')
  await set('maxmemory', '0')

  await page.goto(`${origin}/sessions?realm=acme`)
  const button = page.getByRole('button', { name: 'End the chosen sessions' })
  assert.ok(await button.isEnabled())
  server.nodes[0]?.pause()
  await page.locator('#away').waitFor({ timeout: SEEN_MS })
  assert.ok(await button.isDisabled())
  assert.equal(await page.locator('tbody tr').count(), 2)
  const loaded = await page.reload()
  assert.equal(loaded?.status(), 200)
  assert.match(
    (await page.locator('#away').textContent()) ?? '',
    /The store does not answer: [\s\S]*What is shown is what was known/,
  )
  assert.equal(await page.locator('tbody tr').count(), 2)
  await comesToShow(page, '/redis?again=1', /Redis could not be examined[\s\S]*no: [\s\S]*(Redis|redis)/)
  await comesToShow(page, '/', /The store does not answer/)
  server.nodes[0]?.resume()
  await comesToShow(page, '/sessions?realm=acme', /^(?![\s\S]*does not answer)[\s\S]*portal/)
  assert.ok(await page.getByRole('button', { name: 'End the chosen sessions' }).isEnabled())
  console.log('browser: a Redis that is frozen is seen, with the last data and their age, and comes back')
} finally {
  await browser.close()
  await ops.close()
  web.closeAllConnections()
  web.close()
  server.nodes[0]?.resume()
  await state.close()
  await server.stop()
}
