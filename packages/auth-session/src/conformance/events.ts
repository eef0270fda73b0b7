import assert from 'node:assert/strict'
import { logsErrors, type SuiteBuilder } from '@authstate/conformance'
import type { AuthSessionEvents, AuthSessionProvider } from '../contract.js'

/** What listeners are told. */
export function events({ basic }: SuiteBuilder<AuthSessionProvider>): void {
  basic('on: each change is told once, with its reason', '§4', async ({ setRealm, withProperties }) => {
    const heard: string[] = []
    const events = ['created', 'removed', 'tab-added', 'tab-removed', 'promoted'] as const
    const node = await withProperties({ maxTabs: 1 })
    const stops = events.map((event) =>
      node.on(event, (what: AuthSessionEvents[typeof event]) => {
        heard.push([event, what.realmId, ...('reason' in what ? [what.reason] : [])].join(' '))
      }),
    )
    const expectTold = (...wanted: string[]) => assert.deepEqual(heard.splice(0), wanted)

    const { id } = await node.createRoot('r')
    await node.getOrCreateRoot('r', id)
    expectTold('created r')
    await node.addTab('r', id, { clientId: 'c' })
    const { tabId } = ((await node.addTab('r', id, { clientId: 'c' })) ?? assert.fail()).tab
    expectTold('tab-added r', 'tab-removed r evicted', 'tab-added r')
    await node.promote('r', id, tabId)
    await node.promote('r', id, tabId)
    expectTold('promoted r')
    await node.finishTab('r', id, tabId)
    expectTold('tab-removed r finished', 'removed r last-tab')
    await node.removeTab('r', id, tabId)
    await node.removeRoot('r', id)
    expectTold()
    await node.removeRoot('r', (await node.createRoot('r')).id)
    expectTold('created r', 'removed r removed')
    await node.createRoot('r')
    await node.removeByRealm('r')
    expectTold('created r', 'removed r realm')

    setRealm('r', { ssoSessionIdleTimeoutMs: 1000, ssoSessionMaxLifespanMs: 1000 })
    const wide = await withProperties({ maxTabs: 2 })
    wide.on('removed', ({ reason }) => heard.push(reason))
    const other = await wide.createRoot('r')
    await wide.addTab('r', other.id, { clientId: 'c' })
    const last = (await wide.addTab('r', other.id, { clientId: 'c' })) ?? assert.fail()
    await wide.finishTab('r', other.id, last.tab.tabId)
    expectTold('finished')

    for (const stop of stops) stop()
    await node.createRoot('r')
    expectTold()
  })

  basic('on: with "*", all of them, each with its type', 'contract', async ({ provider }) => {
    const heard: string[] = []
    const stop = provider.on('*', ({ type, rootId }) => heard.push(`${type} ${rootId}`))
    const { id } = await provider.createRoot('r')
    await provider.addTab('r', id, { clientId: 'c' })
    await provider.removeRoot('r', id)
    stop()
    await provider.createRoot('r')
    assert.deepEqual(heard, [`created ${id}`, `tab-added ${id}`, `removed ${id}`])
  })

  basic('on: a listener that fails harms nobody', '§4', async ({ provider, logger }) => {
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
    const root = await provider.createRoot('r')
    assert.equal(heard, 1)
    await logsErrors(logger, 2)
    assert.doesNotMatch(JSON.stringify(logger.entries), new RegExp(`mine|${root.id}`))
  })
}
