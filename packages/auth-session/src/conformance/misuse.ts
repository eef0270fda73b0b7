import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { AuthSessionProvider, AuthSessionTabPatch } from '../contract.js'
import { AWKWARD, first, NOTES_CEILING, rootWith, STRANGER } from './fixture.js'

/** Wrong arguments, awkward ones, ceilings, and use after close. */
export function misuse({ basic, cluster }: SuiteBuilder<AuthSessionProvider>): void {
  const rejects = (
    call: () => Promise<unknown>,
    type: typeof TypeError | typeof RangeError,
    named: string,
  ): Promise<void> =>
    assert.rejects(call, (error: Error) => {
      assert.ok(error instanceof type, `${error.name} for ${named}: ${error.message}`)
      assert.ok(error.message.includes(`"${named}`), `${error.message} does not name "${named}"`)
      return true
    })

  basic('arguments: wrong ones are refused by name', 'issue: bad input', async ({ provider }) => {
    const { root, tabs } = await rootWith(provider, { clientId: 'c' })
    const { tabId } = first(tabs)
    const bad = ['', 1, null, undefined, {}, 'a\ud800', 'x'.repeat(513), '🔑'.repeat(129)] as string[]
    for (const wrong of bad) {
      await rejects(() => provider.createRoot(wrong), TypeError, 'realmId')
      await rejects(() => provider.getRoot(wrong, root.id), TypeError, 'realmId')
      await rejects(() => provider.getOrCreateRoot(wrong, root.id), TypeError, 'realmId')
      await rejects(() => provider.removeByRealm(wrong), TypeError, 'realmId')
      await rejects(() => provider.count(wrong), TypeError, 'realmId')
      await rejects(() => provider.getRoot('r', wrong), TypeError, 'rootId')
      await rejects(() => provider.restartRoot('r', wrong), TypeError, 'rootId')
      await rejects(() => provider.touchRoot('r', wrong), TypeError, 'rootId')
      await rejects(() => provider.removeRoot('r', wrong), TypeError, 'rootId')
      await rejects(() => provider.addTab('r', wrong, { clientId: 'c' }), TypeError, 'rootId')
      await rejects(() => provider.addTab('r', root.id, { clientId: wrong }), TypeError, 'clientId')
      await rejects(() => provider.getTab('r', root.id, wrong, tabId), TypeError, 'clientId')
      await rejects(() => provider.getTab('r', root.id, 'c', wrong), TypeError, 'tabId')
      await rejects(() => provider.updateTab('r', root.id, wrong, {}), TypeError, 'tabId')
      await rejects(() => provider.restartTab('r', root.id, wrong), TypeError, 'tabId')
      await rejects(() => provider.removeTab('r', root.id, wrong), TypeError, 'tabId')
      await rejects(() => provider.finishTab('r', root.id, wrong), TypeError, 'tabId')
      await rejects(() => provider.promote('r', root.id, wrong), TypeError, 'tabId')
      // What a browser sent is no misuse as long as it is text.
      if (typeof wrong === 'string' || wrong === undefined) continue
      await rejects(() => provider.getOrCreateRoot('r', wrong), TypeError, 'rootId')
    }
    for (const at of [-1, 1.5, Number.POSITIVE_INFINITY]) {
      await rejects(() => provider.touchRoot('r', root.id, at), RangeError, 'at')
    }
    for (const at of [Number.NaN, '1', null] as unknown as number[]) {
      await rejects(() => provider.touchRoot('r', root.id, at), TypeError, 'at')
    }
    const listen = provider.on.bind(provider) as (event: unknown, listener: unknown) => unknown
    assert.throws(() => listen('no such event', () => {}), {
      name: 'TypeError',
      message: /"event".*'created'/,
    })
    assert.throws(() => listen('created', 'x'), { name: 'TypeError', message: /"listener"/ })
    assert.deepEqual(await provider.getRoot('r', root.id), root)
  })

  basic(
    'tabs: wrong fields are refused by name, nothing is written',
    'issue: bad input',
    async ({ provider, clock }) => {
      const { root, tabs } = await rootWith(provider, { clientId: 'c' })
      const { tabId } = first(tabs)
      const proto = JSON.parse('{"__proto__": "x"}') as Record<string, string>
      const wrong: [fields: object, named: string][] = [
        [{ userId: '' }, 'userId'],
        [{ userId: 7 }, 'userId'],
        [{ action: 'x'.repeat(513) }, 'action'],
        [{ protocol: 'a\ud800' }, 'protocol'],
        [{ redirectUri: 'x'.repeat(8193) }, 'redirectUri'],
        [{ redirectUri: {} }, 'redirectUri'],
        [{ clientScopes: 'email' }, 'clientScopes'],
        [{ clientScopes: ['email', ''] }, 'clientScopes[1]'],
        [{ requiredActions: [null] }, 'requiredActions[0]'],
        [{ executionStatus: { e: 'DONE' } }, 'executionStatus'],
        [{ executionStatus: { e: 1 } }, 'executionStatus'],
        [{ executionStatus: ['SUCCESS'] }, 'executionStatus'],
        [{ clientNotes: [] }, 'clientNotes'],
        [{ clientNotes: 'x' }, 'clientNotes'],
        [{ clientNotes: { '': 'x' } }, 'clientNotes'],
        [{ authNotes: { n: 1 } }, 'authNotes'],
        [{ authNotes: { n: undefined } }, 'authNotes'],
        [{ authNotes: { n: 'a\udc00' } }, 'authNotes'],
        [{ authNotes: { ['n'.repeat(513)]: 'x' } }, 'authNotes'],
        [{ userSessionNotes: proto }, 'userSessionNotes'],
      ]
      for (const [fields, named] of wrong) {
        await rejects(() => provider.addTab('r', root.id, { clientId: 'c', ...fields }), TypeError, named)
        await rejects(() => provider.updateTab('r', root.id, tabId, fields), TypeError, named)
      }
      for (const [authenticatedAt, kind] of [
        [clock.now() + 1, RangeError],
        [-1, RangeError],
        [0.5, RangeError],
        [String(clock.now()), TypeError],
      ] as const) {
        const fields = { authenticatedAt } as object
        await rejects(
          () => provider.addTab('r', root.id, { clientId: 'c', ...fields }),
          kind,
          'authenticatedAt',
        )
        await rejects(() => provider.updateTab('r', root.id, tabId, fields), kind, 'authenticatedAt')
      }
      for (const tab of [null, undefined, 'c', []] as never[]) {
        await rejects(() => provider.addTab('r', root.id, tab), TypeError, 'tab')
        await rejects(() => provider.updateTab('r', root.id, tabId, tab), TypeError, 'patch')
      }
      const misspelt = { clientId: 'c', authNote: {} }
      await rejects(() => provider.addTab('r', root.id, misspelt), TypeError, 'tab')
      await rejects(() => provider.updateTab('r', root.id, tabId, misspelt as never), TypeError, 'patch')
      await rejects(
        () => provider.addTab('r', root.id, { clientId: 'c', userId: null } as never),
        TypeError,
        'userId',
      )
      for (const field of ['clientScopes', 'requiredActions']) {
        const names = Array.from({ length: 201 }, (_, n) => `n${n}`)
        await rejects(() => provider.updateTab('r', root.id, tabId, { [field]: names }), RangeError, field)
      }
      assert.deepEqual(await provider.getRoot('r', root.id), root)
    },
  )

  basic(
    'notes: a ceiling for all of a tab together, held in the step',
    'issue: bad input',
    async ({ provider }) => {
      const half = 'é'.repeat(NOTES_CEILING / 4 - 1)
      const { root, tabs } = await rootWith(provider, { clientId: 'c', clientNotes: { c1: half } })
      const { tabId } = first(tabs)
      const patch = (fields: AuthSessionTabPatch) => provider.updateTab('r', root.id, tabId, fields)
      await rejects(() => patch({ authNotes: { big: 'x'.repeat(1_000_000) } }), RangeError, 'authNotes')
      const full = await patch({ authNotes: { a1: half } })
      assert.equal(full?.authNotes['a1'], half)
      await rejects(() => patch({ userSessionNotes: { u: '' } }), RangeError, 'notes')
      await rejects(() => patch({ executionStatus: { e: 'SUCCESS' } }), RangeError, 'notes')
      assert.deepEqual(await provider.getTab('r', root.id, 'c', tabId), full)
      const swapped = await patch({ authNotes: { a1: null, a2: half } })
      assert.deepEqual(swapped?.authNotes, { a2: half })
      const tooMuch = { clientId: 'c', clientNotes: { c1: half }, authNotes: { a1: `${half}x` } }
      await rejects(() => provider.addTab('r', root.id, tooMuch), RangeError, 'notes')
      assert.equal((await provider.getRoot('r', root.id))?.tabs.size, 1)
    },
  )

  basic('messages: never an id, a name or a value', '§19.44', async ({ provider }) => {
    const secret = 'canary-7f3a'
    const { root, tabs } = await rootWith(provider, { clientId: 'c' })
    const { tabId } = first(tabs)
    const failing = [
      () => provider.getRoot('r', `${secret}${'x'.repeat(512)}`),
      () => provider.updateTab('r', root.id, tabId, { authNotes: { [secret]: 1 as unknown as string } }),
      () => provider.updateTab('r', root.id, tabId, { executionStatus: { [secret]: secret as never } }),
      () => provider.updateTab('r', root.id, tabId, { authNotes: { [secret]: secret.repeat(1000) } }),
      () => provider.updateTab('r', root.id, tabId, { [secret]: 'x' } as never),
    ]
    for (const call of failing) {
      await assert.rejects(call, (error: Error) => {
        assert.doesNotMatch(error.message, new RegExp(`${secret}|${root.id}|${tabId}`))
        return true
      })
    }
  })

  basic('names: any text keeps to itself', 'contract', async ({ provider }) => {
    const roots = new Map<string, string>()
    for (const realmId of AWKWARD) {
      const { id } = await provider.createRoot(realmId)
      roots.set(realmId, id)
      for (const name of AWKWARD.filter((awkward) => awkward !== '__proto__')) {
        const added = await provider.addTab(realmId, id, { clientId: name, authNotes: { [name]: name } })
        const tab = await provider.getTab(realmId, id, name, added?.tab.tabId ?? '')
        assert.deepEqual(tab?.authNotes, { [name]: name })
      }
      assert.equal(await provider.getTab(realmId, id, 'a:b', '__proto__'), undefined)
    }
    for (const [realmId, id] of roots) {
      for (const other of AWKWARD) {
        assert.equal((await provider.getRoot(other, id)) !== undefined, other === realmId)
      }
    }
    assert.equal(await provider.removeByRealm('{a}'), 1)
    assert.notEqual(await provider.getRoot('a:b', roots.get('a:b') ?? STRANGER), undefined)
  })

  basic('records: what was returned or given is not the stored one', 'contract', async ({ provider }) => {
    const given = { clientId: 'c', authNotes: { n: 'v' }, clientScopes: ['s'] }
    const { root, tabs } = await rootWith(provider, given)
    const tab = first(tabs)
    given.authNotes.n = 'changed'
    given.clientScopes.push('more')
    ;(tab.authNotes as Record<string, string>)['n'] = 'changed'
    ;(tab.clientScopes as string[]).push('more')
    const stored = await provider.getTab('r', root.id, 'c', tab.tabId)
    assert.deepEqual([stored?.authNotes, stored?.clientScopes], [{ n: 'v' }, ['s']])
    const read = (await provider.getRoot('r', root.id)) ?? assert.fail()
    ;(read.tabs as Map<string, unknown>).clear()
    assert.equal((await provider.getRoot('r', root.id))?.tabs.size, 1)
  })

  basic('close: later calls fail, closing again does nothing', 'contract', async ({ provider }) => {
    const { root, tabs } = await rootWith(provider, { clientId: 'c' })
    const { tabId } = first(tabs)
    await provider.close?.()
    await provider.close?.()
    const calls: (() => Promise<unknown>)[] = [
      () => provider.createRoot('r'),
      () => provider.getRoot('r', root.id),
      () => provider.addTab('r', root.id, { clientId: 'c' }),
      () => provider.updateTab('r', root.id, tabId, {}),
      () => provider.removeTab('r', root.id, tabId),
      () => provider.finishTab('r', root.id, tabId),
      () => provider.promote('r', root.id, tabId),
      () => provider.removeByRealm('r'),
      async () => provider.on('created', () => {}),
    ]
    for (const call of calls) await assert.rejects(call, { code: 'ERR_PROVIDER_CLOSED' })
  })

  cluster('verbs on one root: one command each', 'D1', async ({ provider, commands }) => {
    if (commands === undefined) return
    const { root, tabs } = await rootWith(provider, ...['a', 'b', 'c', 'd'].map((clientId) => ({ clientId })))
    const [a = '', b = '', c = ''] = tabs.map((tab) => tab.tabId)
    const verbs: Readonly<Record<string, () => Promise<unknown>>> = {
      createRoot: () => provider.createRoot('r'),
      getRoot: () => provider.getRoot('r', root.id),
      getOrCreateRoot: () => provider.getOrCreateRoot('r', root.id),
      addTab: () => provider.addTab('r', root.id, { clientId: 'e' }),
      getTab: () => provider.getTab('r', root.id, 'a', a),
      updateTab: () => provider.updateTab('r', root.id, a, { authNotes: { n: 'v' } }),
      restartTab: () => provider.restartTab('r', root.id, a),
      promote: () => provider.promote('r', root.id, b),
      finishTab: () => provider.finishTab('r', root.id, b),
      removeTab: () => provider.removeTab('r', root.id, c),
      touchRoot: () => provider.touchRoot('r', root.id),
      restartRoot: () => provider.restartRoot('r', root.id),
      removeRoot: () => provider.removeRoot('r', root.id),
    }
    for (const [verb, call] of Object.entries(verbs)) {
      await call()
      // The first call may have sent the source of its script.
      const before = commands()
      await call()
      assert.equal(commands() - before, 1, verb)
    }
    const before = commands()
    assert.equal(await provider.getRoot('r', 'not an id of ours'), undefined)
    assert.equal(commands(), before, 'an id that nobody minted is not asked for')
  })
}
