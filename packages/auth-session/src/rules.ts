import { randomBytes } from 'node:crypto'
import {
  assertKnown,
  assertName,
  assertNames,
  assertNotesPatch,
  assertOneOf,
  assertPastInstant,
  assertText,
  type Clock,
  DEFAULT_MAX_NOTES_BYTES,
  type Known,
  type Realm,
} from '@authstate/spi'
import * as v from 'valibot'
import type {
  AuthSessionTab,
  AuthSessionTabPatch,
  ExecutionStatus,
  NewAuthSessionTab,
  PromotedTab,
} from './contract.js'

/** Most names in a tab's list of client scopes or required actions. */
const MAX_LIST_LENGTH = 200
const MAX_REDIRECT_URI_BYTES = 8192
const DEFAULT_MAX_TABS = 300

/** In Keycloak's order, which is its numbering from 0. */
export const EXECUTION_STATUSES: readonly ExecutionStatus[] = Object.freeze([
  'FAILED',
  'SUCCESS',
  'SETUP_REQUIRED',
  'ATTEMPTED',
  'SKIPPED',
  'CHALLENGED',
  'EVALUATED_TRUE',
  'EVALUATED_FALSE',
])

/** Properties of both providers. */
export const authSessionConfig = v.strictObject({
  /** Most tabs of one root; 0 or less is the default. */
  maxTabs: v.optional(
    v.pipe(
      v.number(),
      v.safeInteger('must be a whole number'),
      v.maxValue(1_000),
      v.transform((limit) => (limit > 0 ? limit : DEFAULT_MAX_TABS)),
    ),
    DEFAULT_MAX_TABS,
  ),
  /** Most bytes of UTF-8 in the notes and execution statuses of one tab, names and values together. */
  maxNotesBytes: v.optional(
    v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(1), v.maxValue(16 * 1024 * 1024)),
    DEFAULT_MAX_NOTES_BYTES,
  ),
})

/** Properties of a provider, with defaults filled in. */
export type AuthSessionConfig = v.InferOutput<typeof authSessionConfig>

/** What can change in a tab. A field that would be empty is absent: what both stores keep. */
export type TabData = Partial<Omit<AuthSessionTab, 'tabId' | 'clientId' | 'createdAt' | 'promotedAt'>>

/** A checked patch of {@link TabData}: `null` removes. */
export type TabDataPatch = { readonly [F in keyof TabData]: unknown }

/** What never changes in a tab, and when it was handed over. */
export type TabHead = Pick<AuthSessionTab, 'tabId' | 'clientId' | 'createdAt' | 'promotedAt'>

/** What a tab goes back to: only what the client asked for stays. */
export const RESTARTED: TabDataPatch = Object.freeze({
  userId: null,
  authenticatedAt: null,
  action: null,
  requiredActions: null,
  executionStatus: null,
  authNotes: null,
  userSessionNotes: null,
})

const PATCH: Known<AuthSessionTabPatch> = {
  userId: true,
  authenticatedAt: true,
  redirectUri: true,
  action: true,
  protocol: true,
  clientScopes: true,
  requiredActions: true,
  executionStatus: true,
  clientNotes: true,
  authNotes: true,
  userSessionNotes: true,
}
const NEW_TAB: Known<NewAuthSessionTab> = { ...PATCH, clientId: true }

const MAPS = ['executionStatus', 'clientNotes', 'authNotes', 'userSessionNotes'] as const
const INSTANT = 'authenticatedAt'
const LISTS = ['clientScopes', 'requiredActions'] as const
const TEXTS: Readonly<Record<string, (value: unknown, name: string) => void>> = {
  userId: assertName,
  action: assertName,
  protocol: assertName,
  redirectUri: (value, name) => assertText(value, name, MAX_REDIRECT_URI_BYTES),
}

/** Every verb on one root starts here. */
export function checkIds(realmId: unknown, rootId: unknown): void {
  assertName(realmId, 'realmId')
  assertName(rootId, 'rootId')
}

/** Every verb on one tab starts here. */
export function checkTabIds(realmId: unknown, rootId: unknown, tabId: unknown): void {
  checkIds(realmId, rootId)
  assertName(tabId, 'tabId')
}

/** Checks what a tab shall begin with. */
export function checkNewTab(
  tab: unknown,
  config: AuthSessionConfig,
  clock: Clock,
): { clientId: string; data: TabData } {
  assertKnown(tab, 'tab', NEW_TAB)
  const { clientId, ...rest } = tab
  assertName(clientId, 'clientId')
  for (const [field, value] of Object.entries(rest)) {
    if (value === null) throw new TypeError(`"${field}" must not be null`)
  }
  const data = mergeTabData({}, checkFields(rest, config, clock))
  assertNotesFit(data, config)
  return { clientId, data }
}

/** Checks a patch; lists come out without repetition, and `null` where they are empty. */
export function checkTabPatch(patch: unknown, config: AuthSessionConfig, clock: Clock): TabDataPatch {
  assertKnown(patch, 'patch', PATCH)
  return checkFields(patch, config, clock)
}

function checkFields(
  fields: Readonly<Record<string, unknown>>,
  config: AuthSessionConfig,
  clock: Clock,
): TabDataPatch {
  const checked: Record<string, unknown> = {}
  for (const [field, value] of Object.entries(fields)) {
    const isList = LISTS.some((name) => name === field)
    const isMap = MAPS.some((name) => name === field)
    if (value === undefined) continue
    checked[field] = value === null ? null : isList ? checkList(value, field) : value
    if (value === null || isList) continue
    if (isMap) checkMap(value, field, config)
    else if (field === INSTANT) assertPastInstant(value, field, clock)
    else TEXTS[field]?.(value, field)
  }
  return checked
}

function checkList(value: unknown, field: string): readonly string[] | null {
  assertNames(value, field)
  const names = [...new Set(value)]
  if (names.length > MAX_LIST_LENGTH)
    throw new RangeError(`"${field}" must have at most ${MAX_LIST_LENGTH} names`)
  return names.length > 0 ? names : null
}

function checkMap(value: unknown, field: string, config: AuthSessionConfig): void {
  assertNotesPatch(value, field, config.maxNotesBytes)
  if (field !== 'executionStatus') return
  for (const status of Object.values(value)) {
    if (status !== null) assertOneOf(status, 'executionStatus: a status', EXECUTION_STATUSES)
  }
}

/** What data becomes by a checked patch: maps merge name by name, the rest is replaced. @see RFC 7396 */
export function mergeTabData(data: TabData, patch: TabDataPatch): TabData {
  const merged: Record<string, unknown> = { ...data }
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete merged[field]
    else if (!MAPS.some((name) => name === field)) merged[field] = value
    else {
      const map: Record<string, unknown> = { ...data[field as (typeof MAPS)[number]], ...(value as object) }
      for (const name of Object.keys(map)) if (map[name] === null) delete map[name]
      if (Object.keys(map).length > 0) merged[field] = map
      else delete merged[field]
    }
  }
  return merged
}

/** @throws {RangeError} the maps of a tab are over the ceiling together */
export function assertNotesFit(data: TabData, config: AuthSessionConfig): void {
  let bytes = 0
  for (const field of MAPS) {
    for (const [name, text] of Object.entries(data[field] ?? {})) {
      bytes += Buffer.byteLength(name) + Buffer.byteLength(text)
    }
  }
  if (bytes > config.maxNotesBytes) throw tooManyNotes(bytes, config)
}

export function tooManyNotes(bytes: number, config: AuthSessionConfig): RangeError {
  return new RangeError(
    `"notes" of a tab must have at most ${config.maxNotesBytes} bytes of UTF-8 in all, got ${bytes}`,
  )
}

/** 11 characters of base64url: 64 random bits. */
export function newTabId(): string {
  return randomBytes(8).toString('base64url')
}

/** The tab that a caller gets: copies of everything, with what is absent empty. */
export function tabOf(head: TabHead, data: TabData): AuthSessionTab {
  return {
    ...head,
    ...data,
    clientScopes: [...(data.clientScopes ?? [])],
    requiredActions: [...(data.requiredActions ?? [])],
    executionStatus: { ...data.executionStatus },
    clientNotes: { ...data.clientNotes },
    authNotes: { ...data.authNotes },
    userSessionNotes: { ...data.userSessionNotes },
  }
}

/** What a promotion hands over. */
export function promoted(tab: AuthSessionTab): PromotedTab {
  return { tab, authenticatedAt: tab.authenticatedAt ?? tab.createdAt }
}

/** How long a login may take in a realm: the longest of its three lifespans. */
export function loginLifespanMs(realm: Realm): number {
  return Math.max(
    realm.accessCodeLifespanLoginMs,
    realm.accessCodeLifespanUserActionMs,
    realm.accessCodeLifespanMs,
  )
}

/** What becomes of the rest when one of several tabs has signed in. */
export function afterFinish(
  realm: Realm,
  now: number,
): { readonly updatedAt: number; readonly ends: boolean } {
  const lifespanMs = loginLifespanMs(realm)
  return {
    updatedAt: now - lifespanMs + realm.accessCodeLifespanMs,
    ends: realm.ssoSessionIdleTimeoutMs < lifespanMs && realm.ssoSessionMaxLifespanMs < lifespanMs,
  }
}
