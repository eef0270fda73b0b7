import assert from 'node:assert/strict'
import { refusesMisspelling, type SuiteBuilder, taker } from '@authstate/conformance'
import type { NewWebSession, WebSessionPatch, WebSessionProvider } from '../contract.js'
import { LIFE_MS, read, saved } from './fixture.js'

/** Properties that nobody reads. */
export function misspelling({ basic }: SuiteBuilder<WebSessionProvider>): void {
  basic(
    'arguments: a misspelt property is refused by name, and nothing is written',
    'issue: bad input',
    async ({ provider }) => {
      await saved(provider, 's')
      const before = await read(provider, 's')
      const more = {
        userId: 'u',
        authenticatedAt: 1,
        labels: {},
        alias: 'a',
        generation: 'g',
        mustExist: false,
        ifVersion: 1,
      }
      const page = { limit: 1, cursor: 'c' }
      const patch = { set: {}, unset: [], userId: 'u', authenticatedAt: 1, generation: 'g', ifVersion: 1 }
      type ForSpan = Extract<NewWebSession, { lifespanMs: number }>
      type ForInstant = Extract<NewWebSession, { expiresAt: number }>
      await refusesMisspelling<WebSessionProvider>({
        save: [
          taker<ForSpan>({ ...more, data: {}, lifespanMs: LIFE_MS }, (given) =>
            provider.save('r', 's', given),
          ),
          taker<ForInstant>({ ...more, data: {}, expiresAt: LIFE_MS }, (given) =>
            provider.save('r', 's', given),
          ),
        ],
        update: [
          taker<WebSessionPatch>({ ...patch, lifespanMs: LIFE_MS, expiresAt: LIFE_MS }, (given) =>
            provider.update('r', 's', given),
          ),
        ],
        remove: [taker({ generation: 'g' }, (given) => provider.remove('r', 's', given))],
        list: [taker(page, (given) => provider.list('r', given))],
        listByUser: [taker(page, (given) => provider.listByUser('r', 'u', given))],
        listByLabel: [taker(page, (given) => provider.listByLabel('r', 'l', 'v', given))],
        removeByUser: [taker({ except: 's' }, (given) => provider.removeByUser('r', 'u', given))],
        get: [],
        find: [],
        count: [],
        removeByLabel: [],
        removeByRealm: [],
        on: [],
      })
      assert.deepEqual(await read(provider, 's'), before)
    },
  )
}
