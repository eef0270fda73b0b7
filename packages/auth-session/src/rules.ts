import { randomBytes } from 'node:crypto'
import type { Realm } from '@authstate/spi'
import type { AuthSessionTab, PromotedTab } from './contract.js'

/** What can change in a tab. A field that would be empty is absent: this is what a store keeps. */
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

/** The fields of a tab that are maps of text by name. */
export const MAPS = ['executionStatus', 'clientNotes', 'authNotes', 'userSessionNotes'] as const

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

/** Bytes of UTF-8 in the names and values of a tab's maps. */
export function notesBytesOf(data: TabData): number {
  let bytes = 0
  for (const field of MAPS) {
    for (const [name, text] of Object.entries(data[field] ?? {})) {
      bytes += Buffer.byteLength(name) + Buffer.byteLength(text)
    }
  }
  return bytes
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
