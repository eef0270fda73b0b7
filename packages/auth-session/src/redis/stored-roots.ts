import { isExpired, jsonMap, type Logger, RecordVersions, UnreadableCounter } from '@authstate/spi'
import { type AuthSessionTab, authSessionSpi, type RootAuthSession, type RootSummary } from '../contract.js'
import { type TabData, tabOf } from '../rules.js'
import type { RootName } from '../store.js'

type Fields = Readonly<Record<string, string>>

/** Of a root's hash, tabs included. */
export const rootVersions = new RecordVersions<Fields>({ current: '1', versionOf: ({ _v }) => _v })
const INSTANT = /^\d+$/
const HEAD = /^(\d+) (\d+) (\d+) (.+)$/s

/** When a root was created, updated and expires, as it is stored. */
export type StoredTimes = readonly [createdAt: string, updatedAt: string, expiresAt: string]

/** Reads what is stored. What this version cannot read is absent, counted, and said once. */
export class StoredRoots {
  readonly #unreadable: UnreadableCounter

  constructor(logger: Logger) {
    this.#unreadable = new UnreadableCounter(logger, authSessionSpi.name, 'a stored session')
  }

  get unreadable(): number {
    return this.#unreadable.total
  }

  /** A root from the fields of its hash; `undefined` when there is none or it has expired. */
  root(name: RootName, stored: Fields, now: number): RootAuthSession | undefined {
    if (stored['_v'] === undefined) return undefined
    const fields = rootVersions.upcast(stored)
    if (fields === undefined) return this.#unreadable.count()
    const { c = '', u = '', x = '' } = fields
    const summary = this.summary(name, [c, u, x], now)
    if (summary === undefined) return undefined
    const found: { readonly tab: AuthSessionTab; readonly serial: number }[] = []
    for (const [field, head] of Object.entries(fields)) {
      if (!field.startsWith('t:')) continue
      const tabId = field.slice(2)
      const tab = this.tab(tabId, head, fields[`d:${tabId}`] ?? '')
      if (tab !== undefined) found.push({ tab, serial: Number(HEAD.exec(head)?.[2]) })
    }
    found.sort((a, b) => a.tab.createdAt - b.tab.createdAt || a.serial - b.serial)
    const tabs = jsonMap(found.map(({ tab }) => [tab.tabId, tab] as const))
    return { ...summary, tabs }
  }

  /** A root from its times; `undefined` when it has expired. */
  summary({ realmId, id }: RootName, times: StoredTimes, now: number): RootSummary | undefined {
    if (!times.every((time) => INSTANT.test(time))) return this.#unreadable.count()
    const [createdAt, updatedAt, expiresAt] = times.map(Number) as [number, number, number]
    return isExpired(expiresAt, now) ? undefined : { id, realmId, createdAt, updatedAt, expiresAt }
  }

  tab(tabId: string, head: string, data: string): AuthSessionTab | undefined {
    const [, createdAt, , promotedAt, clientId] = HEAD.exec(head) ?? []
    const decoded = decodeData(data)
    if (clientId === undefined || decoded === undefined) return this.#unreadable.count()
    return tabOf(
      {
        tabId,
        clientId,
        createdAt: Number(createdAt),
        ...(promotedAt !== '0' && { promotedAt: Number(promotedAt) }),
      },
      decoded,
    )
  }
}

function decodeData(text: string): TabData | undefined {
  try {
    const data: unknown = JSON.parse(text)
    return isObject(data) &&
      FIELDS.every(([name, isSound]) => data[name] === undefined || isSound(data[name]))
      ? (data as TabData)
      : undefined
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown) => typeof value === 'string'
const isInstant = (value: unknown) => Number.isSafeInteger(value)
const isList = (value: unknown) => Array.isArray(value) && value.every(isText)
const isNotes = (value: unknown) => isObject(value) && Object.values(value).every(isText)

/** What the fields of a tab must be, where they are there. */
const FIELDS: readonly (readonly [name: keyof TabData, isSound: (value: unknown) => boolean])[] = [
  ['userId', isText],
  ['authenticatedAt', isInstant],
  ['redirectUri', isText],
  ['action', isText],
  ['protocol', isText],
  ['clientScopes', isList],
  ['requiredActions', isList],
  ['executionStatus', isNotes],
  ['clientNotes', isNotes],
  ['authNotes', isNotes],
  ['userSessionNotes', isNotes],
]
