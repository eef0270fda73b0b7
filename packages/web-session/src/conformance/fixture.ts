import assert from 'node:assert/strict'
import type { Page, PageOptions } from '@authstate/spi'
import type { NewWebSession, SessionData, WebSession, WebSessionProvider } from '../contract.js'

export const MINUTE_MS = 60_000

/** The life of a session of these cases. */
export const LIFE_MS = 30 * MINUTE_MS

/** `tombstoneMs` of the suite: more than a life, so that it is seen to count. */
export const TOMBSTONE_MS = 60 * MINUTE_MS

/** `maxLifespanMs` of the suite. */
export const CEILING_MS = 100 * MINUTE_MS

/** `maxDataBytes` of the suite. */
export const DATA_CEILING = 4_096

/** How often a race is run. */
export const ROUNDS = 30

/** A session of half an hour. */
export const session = (fields: Partial<Omit<NewWebSession, 'lifespanMs' | 'expiresAt'>> = {}) =>
  ({ data: { n: 1 }, lifespanMs: LIFE_MS, ...fields }) satisfies NewWebSession

/** Saves, and throws unless that stored something. */
export async function saved(
  provider: WebSessionProvider,
  id: string,
  fields: Parameters<typeof session>[0] = {},
  realmId = 'r',
): Promise<void> {
  assert.equal((await provider.save(realmId, id, session(fields))).outcome, 'stored')
}

/** What a save comes to. */
export async function outcomeOf(
  provider: WebSessionProvider,
  id: string,
  fields: Parameters<typeof session>[0] = {},
): Promise<string> {
  return (await provider.save('r', id, session(fields))).outcome
}

export async function read(provider: WebSessionProvider, id: string): Promise<WebSession> {
  return (await provider.get('r', id)) ?? assert.fail('the session is gone')
}

export async function dataOf(provider: WebSessionProvider, id: string): Promise<SessionData | undefined> {
  return (await provider.get('r', id))?.data
}

/** The ids on every page of a listing, sorted. */
export async function allIds(
  list: (page: PageOptions) => Promise<Page<WebSession>>,
  limit = 100,
): Promise<string[]> {
  const ids: string[] = []
  for (let cursor: string | undefined, more = true; more; ) {
    const page: Page<WebSession> = await list({ limit, ...(cursor !== undefined && { cursor }) })
    assert.ok(page.items.length <= limit)
    ids.push(...page.items.map(({ id }) => id))
    cursor = page.cursor
    more = cursor !== undefined
  }
  return ids.sort()
}

export const idsOfUser = (provider: WebSessionProvider, userId: string): Promise<string[]> =>
  allIds((page) => provider.listByUser('r', userId, page))
