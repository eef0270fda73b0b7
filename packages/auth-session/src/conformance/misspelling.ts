import assert from 'node:assert/strict'
import { refusesMisspelling, type SuiteBuilder, taker } from '@authstate/conformance'
import type { AuthSessionProvider, AuthSessionTabPatch, NewAuthSessionTab } from '../contract.js'
import { first, rootWith } from './fixture.js'

const PATCH = {
  userId: 'u',
  authenticatedAt: 1,
  redirectUri: 'r',
  action: 'a',
  protocol: 'p',
  clientScopes: [],
  requiredActions: [],
  executionStatus: {},
  clientNotes: {},
  authNotes: {},
  userSessionNotes: {},
} as const

/** Properties that nobody reads. */
export function misspelling({ basic }: SuiteBuilder<AuthSessionProvider>): void {
  basic(
    'arguments: a misspelt property is refused by name, and nothing is written',
    'issue: bad input',
    async ({ provider }) => {
      const { root, tabs } = await rootWith(provider, { clientId: 'c' })
      const { tabId } = first(tabs)
      const before = await provider.getRoot('r', root.id)
      await refusesMisspelling<AuthSessionProvider>({
        addTab: [
          taker<NewAuthSessionTab>({ ...PATCH, clientId: 'c' }, (tab) => provider.addTab('r', root.id, tab)),
        ],
        updateTab: [
          taker<AuthSessionTabPatch>(PATCH, (patch) => provider.updateTab('r', root.id, tabId, patch)),
        ],
        createRoot: [],
        getRoot: [],
        getOrCreateRoot: [],
        restartRoot: [],
        touchRoot: [],
        removeRoot: [],
        getTab: [],
        restartTab: [],
        removeTab: [],
        finishTab: [],
        promote: [],
        count: [],
        removeByRealm: [],
        on: [],
      })
      assert.deepEqual(await provider.getRoot('r', root.id), before)
    },
  )

  basic(
    'realm settings: a misspelt one is refused by the first verb that reads them',
    'issue: bad input',
    async ({ provider, setRealm }) => {
      setRealm('r', { accessCodeLifespanLogin: 1 } as never)
      await assert.rejects(provider.createRoot('r'), {
        name: 'TypeError',
        message: /'accessCodeLifespanLogin'.*'accessCodeLifespanLoginMs'/,
      })
    },
  )
}
