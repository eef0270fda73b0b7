import assert from 'node:assert/strict'
import type { Stage } from '@authstate/conformance'
import type { BruteForceSettings, Page } from '@authstate/spi'
import type { FailureOptions, LockedOut, LoginFailureOutcome, LoginFailureProvider } from '../contract.js'

/** What a case gets. */
export type LoginFailureStage = Stage<LoginFailureProvider>

/** How many calls race, and how often a race is run. */
export const RACERS = 50
export const ROUNDS = 50

export const SECOND = 1_000

/** Settings of Keycloak's own tests: the second failure locks for 20 s. */
export const TEST_REALM: BruteForceSettings = {
  enabled: true,
  strategy: 'MULTIPLE',
  failureFactor: 2,
  waitIncrementMs: 20 * SECOND,
  maxFailureWaitMs: 100 * SECOND,
  maxDeltaTimeMs: 60 * SECOND,
  maxSecondaryAuthFailures: 10,
}

/** Protects the realm `'realm'`, or another. */
export function protect(
  stage: LoginFailureStage,
  settings: BruteForceSettings = {},
  realmId = 'realm',
): void {
  stage.setRealm(realmId, { bruteForce: { ...TEST_REALM, ...settings } })
}

/** Records failures of alice one after the other; answers what the last one led to. */
export async function fail(
  provider: LoginFailureProvider,
  times = 1,
  options: FailureOptions = {},
  userId = 'alice',
): Promise<LoginFailureOutcome> {
  let outcome = await provider.recordFailure('realm', userId, options)
  for (let n = 1; n < times; n++) outcome = await provider.recordFailure('realm', userId, options)
  return outcome
}

/** Asserts that alice is locked for a time that ends `ms` from now, and not a millisecond later. */
export async function assertLockedFor({ provider, clock }: LoginFailureStage, ms: number): Promise<void> {
  const lock = await provider.check('realm', 'alice')
  assert.ok(lock.locked, 'locked')
  assert.equal(lock.permanent, false)
  assert.equal((lock.until ?? 0) - clock.now(), ms)
}

export async function assertNotLocked({ provider }: LoginFailureStage, userId = 'alice'): Promise<void> {
  assert.deepEqual(await provider.check('realm', userId), { locked: false })
}

export async function assertLockedForGood({ provider }: LoginFailureStage): Promise<void> {
  const lock = await provider.check('realm', 'alice')
  assert.ok(lock.locked && lock.permanent, 'locked for good')
  assert.equal(lock.until, undefined)
}

export async function countOf(provider: LoginFailureProvider, userId = 'alice'): Promise<number> {
  return (await provider.get('realm', userId))?.numFailures ?? 0
}

/** More than any case locks. */
const MOST_LISTED = 200

/** Everybody who is listed as locked, a page of so many at a time. */
export async function allLocked(
  provider: LoginFailureProvider,
  realmId = 'realm',
  limit = 7,
): Promise<LockedOut[]> {
  const locked: LockedOut[] = []
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const page: Page<LockedOut> = await provider.listLocked(realmId, {
      limit,
      ...(cursor !== undefined && { cursor }),
    })
    assert.ok(page.items.length <= limit)
    locked.push(...page.items)
    assert.ok(locked.length <= MOST_LISTED, 'the listing goes on and on')
    cursor = page.cursor
  }
  return locked
}

/** The users among them. */
export async function usersLocked(provider: LoginFailureProvider, realmId = 'realm'): Promise<string[]> {
  const locked = await allLocked(provider, realmId)
  return locked.flatMap(({ subject }) => (subject.rule === 'user' ? [subject.userId] : []))
}
