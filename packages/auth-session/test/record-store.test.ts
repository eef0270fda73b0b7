// A store as its author would write it: records as text in a table, one transaction after the other, each of which takes time.
import { memoryTarget, runSuite } from '@authstate/conformance'
import type { ProviderFactory } from '@authstate/spi'
import { describe, expect, test } from 'vitest'
import { authSessionSuite } from '../src/conformance.js'
import {
  type AuthSessionConfig,
  AuthSessions,
  authSessionConfig,
  RecordStore,
  type RootName,
  type RootRecord,
  type RootRecords,
  type StepResult,
} from '../src/for-stores.js'
import { type AuthSessionProvider, authSessionSpi } from '../src/index.js'

class Table implements RootRecords {
  readonly #rows = new Map<string, string>()
  #last: Promise<unknown> = Promise.resolve()

  read(root: RootName): Promise<RootRecord | undefined> {
    return this.#transaction(() => this.#row(root))
  }

  change<T>(root: RootName, step: (record: RootRecord | undefined) => StepResult<T>): Promise<T> {
    return this.#transaction(() => {
      const { record, answer } = step(this.#row(root))
      if (record === undefined) this.#rows.delete(keyOf(root))
      else this.#rows.set(keyOf(root), JSON.stringify(record))
      return answer
    })
  }

  count(realmId: string, now: number): Promise<number> {
    return this.#transaction(() => {
      const records = [...this.#rows.values()].map((row) => JSON.parse(row) as RootRecord)
      return records.filter((record) => record.realmId === realmId && record.expiresAt > now).length
    })
  }

  removeByRealm(realmId: string): Promise<RootRecord[]> {
    return this.#transaction(() => {
      const records = [...this.#rows.values()].map((row) => JSON.parse(row) as RootRecord)
      const removed = records.filter((record) => record.realmId === realmId)
      for (const record of removed) this.#rows.delete(keyOf(record))
      return removed
    })
  }

  #row(root: RootName): RootRecord | undefined {
    const row = this.#rows.get(keyOf(root))
    return row === undefined ? undefined : (JSON.parse(row) as RootRecord)
  }

  #transaction<T>(work: () => T): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }
}

const keyOf = ({ realmId, id }: RootName): string => JSON.stringify([realmId, id])

function tableAuthSessions(): ProviderFactory<AuthSessionProvider, AuthSessionConfig> {
  return {
    spi: authSessionSpi,
    id: 'table',
    config: authSessionConfig,
    create: (context, config) => new AuthSessions(context, config, new RecordStore(new Table())),
  }
}

runSuite(authSessionSuite, memoryTarget(authSessionSpi, [tableAuthSessions()]), { describe, test })

test('a step that fails leaves what was there', async () => {
  const table = new Table()
  const store = new RecordStore(table)
  const root = { realmId: 'realm', id: 'root' }
  const life = { now: 1_000, lifespanMs: 500 }
  await store.getOrCreate(root, life)
  await store.addTab(root, { tabId: 'tab', clientId: 'c', data: { authNotes: { n: 'a' } } }, 3, life)
  const options = { renews: true, maxNotesBytes: 3 }
  const patch = { authNotes: { n: 'abc' } }
  expect(await store.patchTab(root, 'tab', patch, options, { now: 1_400, lifespanMs: 500 })).toEqual({
    outcome: 'too-large',
    bytes: 4,
  })
  const stored = await store.load(root, 1_499)
  expect([stored?.updatedAt, stored?.tabs.get('tab')?.authNotes]).toEqual([1_000, { n: 'a' }])
  expect(await store.load(root, 1_500)).toBeUndefined()
})
