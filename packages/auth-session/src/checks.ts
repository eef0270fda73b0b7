import {
  assertKnown,
  assertName,
  assertNames,
  assertNotesPatch,
  assertOneOf,
  assertPastInstant,
  assertText,
  type Clock,
  type Known,
} from '@authstate/spi'
import type { AuthSessionConfig } from './config.js'
import type { AuthSessionTabPatch, ExecutionStatus, NewAuthSessionTab } from './contract.js'
import { MAPS, mergeTabData, notesBytesOf, type TabData, type TabDataPatch } from './rules.js'

/** Most names in a tab's list of client scopes or required actions. */
const MAX_LIST_LENGTH = 200
const MAX_REDIRECT_URI_BYTES = 8192

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
  const bytes = notesBytesOf(data)
  if (bytes > config.maxNotesBytes) throw tooManyNotes(bytes, config)
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

/** What a caller gets whose tab would have too much in its maps. */
export function tooManyNotes(bytes: number, config: AuthSessionConfig): RangeError {
  return new RangeError(
    `"notes" of a tab must have at most ${config.maxNotesBytes} bytes of UTF-8 in all, got ${bytes}`,
  )
}
