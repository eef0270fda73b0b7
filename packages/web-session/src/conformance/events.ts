import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { WebSessionProvider } from '../contract.js'
import { LIFE_MS, saved, session } from './fixture.js'

/** What listeners are told. */
export function events(add: SuiteBuilder<WebSessionProvider>): void {
  add.basic('on: each change is told once, with its reason', 'contract', async ({ provider, clock }) => {
    const heard: string[] = []
    const stop = provider.on('*', ({ type, realmId, sessionId, userId = '-', ...rest }) => {
      heard.push([type, realmId, sessionId, userId, ...('reason' in rest ? [rest.reason] : [])].join(' '))
    })
    const expectTold = (...wanted: string[]) => assert.deepEqual(heard.splice(0).sort(), wanted.sort())

    await saved(provider, 's')
    expectTold('created r s -')
    await saved(provider, 's', { userId: 'u' })
    await provider.update('r', 's', { set: { a: 1 } })
    await provider.update('r', 's', { lifespanMs: LIFE_MS })
    await provider.get('r', 's')
    expectTold()
    await provider.remove('r', 's')
    await provider.remove('r', 's')
    expectTold('removed r s u removed')
    await provider.save('r', 's', session({ userId: 'w' }))
    await provider.update('r', 's', { set: { a: 1 } })
    await provider.update('r', 'unknown', { set: { a: 1 } })
    expectTold('refused r s w ended', 'refused r s - ended')

    await saved(provider, 'g', { generation: 'a', userId: 'u' })
    await saved(provider, 'g', { generation: 'b', userId: 'w' })
    expectTold('created r g u', 'removed r g u replaced', 'created r g w')
    await provider.save('r', 'g', { data: {}, expiresAt: 1, generation: 'b' })
    expectTold('removed r g w removed')
    await saved(provider, 'h')
    await provider.update('r', 'h', { expiresAt: clock.now() })
    expectTold('created r h -', 'removed r h - removed')

    const authenticatedAt = clock.now()
    clock.advance(1)
    for (const id of ['a', 'b', 'c']) await saved(provider, id, { userId: 'u', labels: { l: id } })
    expectTold('created r a u', 'created r b u', 'created r c u')
    await provider.removeByLabel('r', 'l', 'a')
    expectTold('removed r a u label')
    await provider.removeByUser('r', 'u', { except: 'c' })
    expectTold('removed r b u user')
    await provider.save('r', 'late', session({ userId: 'u', authenticatedAt }))
    expectTold('refused r late u user')
    await provider.removeByRealm('r')
    expectTold('removed r c u realm')
    await saved(provider, 'gone', { userId: 'x' })
    clock.advance(LIFE_MS)
    await provider.remove('r', 'gone')
    await provider.removeByUser('r', 'x')
    expectTold('created r gone x')
    stop()
    await saved(provider, 'quiet')
    expectTold()
  })

  add.basic('on: a listener that fails harms nobody', 'contract', async ({ provider, logger }) => {
    let heard = 0
    provider.on('created', () => {
      throw new Error('mine')
    })
    provider.on('created', async () => {
      throw new Error('mine as well')
    })
    provider.on('created', () => {
      heard += 1
    })
    await saved(provider, 'session-of-somebody')
    assert.equal(heard, 1)
    assert.doesNotMatch(JSON.stringify(logger.entries), /mine|session-of-somebody/)
  })
}
