import { type Answer, isExpired, jsonMap } from '@authstate/spi'
import { inSlices, mapAnswer } from '@authstate/spi/internal'
import type { AuthSessionTab, RootSummary } from './contract.js'
import { mergeTabData, notesBytesOf, type TabData, type TabDataPatch, type TabHead, tabOf } from './rules.js'
import type {
  AuthSessionStore,
  PatchOptions,
  PatchOutcome,
  RemovalOutcome,
  RootLife,
  RootName,
  TabDraft,
  TabRest,
} from './store.js'

/** A root as one record, of JSON values. A step may change it. */
export interface RootRecord {
  readonly realmId: string
  readonly id: string
  readonly createdAt: number
  updatedAt: number
  expiresAt: number
  /** In the order in which they were added. */
  tabs: TabRecord[]
}

/** A tab as it is stored. */
export interface TabRecord {
  head: TabHead
  data: TabData
}

/** What a step makes of the record that it was given. */
export interface StepResult<T> {
  /** What is kept from now on: `undefined` for nothing. */
  readonly record: RootRecord | undefined
  readonly answer: T
}

/**
 * Where records are kept that are read and written whole, such as a table: what {@link RecordStore} needs. Each method is one
 * atomic step, such as a transaction.
 */
export interface RootRecords {
  /** The record of a root, living or not. */
  read(root: RootName): Answer<RootRecord | undefined>
  /** Gives `step` what is there, keeps what it makes of it, and answers what it answers. `step` calls nothing and cannot fail. */
  change<T>(root: RootName, step: (record: RootRecord | undefined) => StepResult<T>): Answer<T>
  /** How many records of a realm end after `now`. */
  count(realmId: string, now: number): Answer<number>
  /** Removes every record of a realm; answers what was removed. */
  removeByRealm(realmId: string): Answer<Iterable<EndOfRoot>>
  /** Called after something was added: records that end at `now` or before may be forgotten. */
  forget?(now: number): void
  /** Ends what was opened for the records. */
  close?(): void | Promise<void>
}

/** When a root ends. */
export type EndOfRoot = Pick<RootRecord, 'id' | 'expiresAt'>

/** A store over records that are read and written whole: the domain is here, and {@link RootRecords} keeps them. */
export class RecordStore implements AuthSessionStore {
  /** There is nothing to spread over. */
  readonly partitions = 1
  readonly #records: RootRecords

  constructor(records: RootRecords) {
    this.#records = records
  }

  load(root: RootName, now: number) {
    return mapAnswer(this.#records.read(root), (found) => {
      const record = living(found, now)
      return record && { ...summaryOf(record), tabs: tabsOf(record) }
    })
  }

  loadTab(root: RootName, tabId: string, now: number) {
    return mapAnswer(this.#records.read(root), (found) => {
      const tab = tabIn(living(found, now), tabId)
      return tab && tabOf(tab.head, tab.data)
    })
  }

  getOrCreate(root: RootName, { now, lifespanMs }: RootLife) {
    const answer = this.#change(root, now, (found) => {
      if (found !== undefined) return { record: found, answer: { created: false, root: summaryOf(found) } }
      const { realmId, id } = root
      // Named one by one: a spread that grows costs five times as much, and more memory.
      const record = { realmId, id, createdAt: now, updatedAt: now, expiresAt: now + lifespanMs, tabs: [] }
      return { record, answer: { created: true, root: summaryOf(record) } }
    })
    return this.#forget(now, answer)
  }

  restart(root: RootName, life: RootLife) {
    return this.#change(root, life.now, (record) => {
      if (record === undefined) return GONE
      record.tabs = []
      count(record, life.now, life)
      return { record, answer: summaryOf(record) }
    })
  }

  touch(root: RootName, at: number, life: RootLife) {
    return this.#change<RootSummary | 'removed' | undefined>(root, life.now, (record) => {
      if (record === undefined) return GONE
      count(record, at, life)
      if (isExpired(record.expiresAt, life.now)) return { record: undefined, answer: 'removed' }
      return { record, answer: summaryOf(record) }
    })
  }

  remove(root: RootName, now: number) {
    return this.#change(root, now, (record) => ({ record: undefined, answer: record !== undefined }))
  }

  addTab(root: RootName, { tabId, clientId, data }: TabDraft, maxTabs: number, life: RootLife) {
    const added = this.#change(root, life.now, (record) => {
      if (record === undefined) return GONE
      // One goes, even where the limit was lowered since.
      const evicted = record.tabs.length >= maxTabs ? oldestFirst(record)[0] : undefined
      if (evicted !== undefined) record.tabs.splice(record.tabs.indexOf(evicted), 1)
      record.tabs.push({ head: { tabId, clientId, createdAt: life.now }, data })
      count(record, life.now, life)
      const answer = { root: summaryOf(record), ...(evicted && { evicted: evicted.head.tabId }) }
      return { record, answer }
    })
    return this.#forget(life.now, added)
  }

  patchTab(
    root: RootName,
    tabId: string,
    patch: TabDataPatch,
    { renews, maxNotesBytes }: PatchOptions,
    life: RootLife,
  ) {
    return this.#change<PatchOutcome>(root, life.now, (record) => {
      const tab = tabIn(record, tabId)
      if (record === undefined || tab === undefined) return { record, answer: undefined }
      const updatedAt = renews ? life.now : record.updatedAt
      // A root without life left goes, whatever the patch holds.
      if (isExpired(updatedAt + life.lifespanMs, life.now)) {
        return { record: undefined, answer: { outcome: 'root-removed' } }
      }
      const data = mergeTabData(tab.data, patch)
      const bytes = notesBytesOf(data)
      if (bytes > maxNotesBytes) return { record, answer: { outcome: 'too-large', bytes } }
      tab.data = data
      count(record, updatedAt, life)
      return { record, answer: { outcome: 'patched', tab: tabOf(tab.head, data) } }
    })
  }

  removeTab(root: RootName, tabId: string, { updatedAt, ends }: TabRest, life: RootLife) {
    return this.#change<RemovalOutcome>(root, life.now, (record) => {
      const tab = tabIn(record, tabId)
      if (record === undefined || tab === undefined) return { record, answer: undefined }
      record.tabs.splice(record.tabs.indexOf(tab), 1)
      if (record.tabs.length === 0) return { record: undefined, answer: 'last-tab' }
      if (ends) return { record: undefined, answer: 'ended' }
      count(record, updatedAt, life)
      return { record, answer: 'kept' }
    })
  }

  promote(root: RootName, tabId: string, now: number) {
    return this.#change(root, now, (record) => {
      const tab = tabIn(record, tabId)
      if (tab === undefined || tab.head.promotedAt !== undefined) return { record, answer: undefined }
      tab.head = { ...tab.head, promotedAt: now }
      return { record, answer: tabOf(tab.head, tab.data) }
    })
  }

  count(realmId: string, now: number) {
    return this.#records.count(realmId, now)
  }

  async removeByRealm(realmId: string, now: number, onRemoved: (rootId: string) => void) {
    await inSlices(await this.#records.removeByRealm(realmId), ({ id, expiresAt }) => {
      if (!isExpired(expiresAt, now)) onRemoved(id)
    })
  }

  async close() {
    await this.#records.close?.()
  }

  /** A step on a living root, or on none. */
  #change<T>(
    root: RootName,
    now: number,
    step: (record: RootRecord | undefined) => StepResult<T>,
  ): Answer<T> {
    return this.#records.change(root, (record) => step(living(record, now)))
  }

  #forget<T>(now: number, answer: Answer<T>): Answer<T> {
    return mapAnswer(answer, (value) => {
      this.#records.forget?.(now)
      return value
    })
  }
}

/** The root does not exist; an ended one is removed. */
const GONE = Object.freeze({ record: undefined, answer: undefined })

function living(record: RootRecord | undefined, now: number): RootRecord | undefined {
  return record === undefined || isExpired(record.expiresAt, now) ? undefined : record
}

function tabIn(record: RootRecord | undefined, tabId: string): TabRecord | undefined {
  return record?.tabs.find(({ head }) => head.tabId === tabId)
}

/** Counts a life from an instant. */
function count(record: RootRecord, updatedAt: number, { lifespanMs }: RootLife): void {
  record.updatedAt = updatedAt
  record.expiresAt = updatedAt + lifespanMs
}

function summaryOf({ id, realmId, createdAt, updatedAt, expiresAt }: RootRecord): RootSummary {
  return { id, realmId, createdAt, updatedAt, expiresAt }
}

function tabsOf(record: RootRecord): ReadonlyMap<string, AuthSessionTab> {
  return jsonMap(oldestFirst(record).map(({ head, data }) => [head.tabId, tabOf(head, data)] as const))
}

/** Of tabs of one instant the first added comes first. */
function oldestFirst({ tabs }: RootRecord): TabRecord[] {
  return [...tabs].sort((a, b) => a.head.createdAt - b.head.createdAt)
}
