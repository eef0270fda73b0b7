// The screen of several sites, over what nodes of a site keep in its Redis.
import { randomUUID } from 'node:crypto'
import { createAuthState } from 'authstate'
import { expect, onTestFinished, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { createConsole, type Operator } from '../src/index.js'
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

  test('takes a site offline, brings it back, pushes to it and controls a push, for an operator with the right', async () => {
    const prefix = `console-${randomUUID()}`
    const raw = openRedis()
    const state = await createAuthState({ provider: 'redis', redis: { url: redisUrl(), prefix }, keyring })
    let operator: Operator = CHIEF
    const console = createConsole({
      state,
      authorize: () => operator,
      realms: [],
      keyring,
      readOnly: false,
      logger: silent,
    })
    onTestFinished(async () => {
      await console.close()
      await state.close()
      await raw.unlink(...(await raw.keys(`${prefix}:*`)))
      raw.disconnect()
    })
    await raw.hset(`${prefix}:site`, { site: 'lisbon', epoch: 'x', others: 'oslo,porto' })
    const { token } = await (await console(new Request(`${ORIGIN}/api/v1/me`))).json()
    const post = async (action: string, fields: object) => {
      const headers = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' }
      const body = JSON.stringify({ token, ...fields })
      const answer = await console(
        new Request(`${ORIGIN}/api/v1/${action}`, { method: 'POST', headers, body }),
      )
      return { status: answer.status, ...(await answer.json()) }
    }
    const seen = async () => {
      const { data } = await (await console(new Request(`${ORIGIN}/api/v1/sites`))).json()
      return { links: data.links, pushes: data.pushes }
    }
    const before = await seen()

    expect(await post('sites/offline', { site: 'oslo', typed: 'Oslo' })).toMatchObject({ status: 400 })
    expect(await post('sites/offline', { site: 'bergen', typed: 'bergen' })).toMatchObject({
      status: 400,
      detail: 'Nothing was done: no link leads to a site of that name.',
    })
    operator = { ...CHIEF, can: { ...CHIEF.can, manageSites: false } }
    expect(await post('sites/push', { site: 'oslo' })).toMatchObject({ status: 403 })
    expect(await (await console(new Request(`${ORIGIN}/sites`))).text()).not.toContain('data-does')
    operator = CHIEF
    expect(await seen(), 'nothing was done').toEqual(before)

    expect(await post('sites/offline', { site: 'oslo', typed: 'oslo' })).toMatchObject({
      status: 200,
      text: 'Nodes send oslo nothing more within a heartbeat.',
    })
    const away = (await seen()).links.filter(({ state }: { state: string }) => state === 'offline')
    expect(away).toMatchObject([{ to: 'oslo', reason: 'manual' }])
    await post('sites/online', { site: 'oslo' })
    expect((await seen()).links).not.toContainEqual(expect.objectContaining({ reason: 'manual' }))

    const pushed = await post('sites/push', { site: 'porto' })
    expect((await seen()).pushes).toMatchObject([{ id: pushed.data.push, to: 'porto', status: 'queued' }])
    const paused = await post('sites/pushes/control', { push: pushed.data.push, do: 'pause' })
    expect(paused).toMatchObject({ text: 'The push to porto is paused.', data: { status: 'paused' } })
    const page = await (await console(new Request(`${ORIGIN}/sites`))).text()
    for (const button of ['Resume', 'Cancel', 'Take offline', 'Push to']) expect(page).toContain(button)
    await post('sites/pushes/control', { push: pushed.data.push, do: 'cancel' })
    expect((await seen()).pushes).toMatchObject([{ status: 'cancelled' }])
    expect(await post('sites/pushes/control', { push: 'no such', do: 'cancel' })).toMatchObject({
      status: 400,
    })
    expect(await post('sites/pushes/control', { push: pushed.data.push, do: 'repeat' })).toMatchObject({
      status: 400,
      detail: 'Nothing was done: a push takes pause, resume, cancel.',
    })
  })
})
