import assert from 'node:assert/strict'
import type { AuthSessionProvider, AuthSessionTab, NewAuthSessionTab, RootAuthSession } from '../contract.js'

export const MINUTE_MS = 60_000

/** How long a login may take where the realm says nothing: Keycloak's half hour. */
export const LIFESPAN_MS = 30 * MINUTE_MS

/** How often a race is run. */
export const ROUNDS = 50

/** An id of the right shape that nobody has. */
export const STRANGER = `${'A'.repeat(22)}00`

/** Names that would collide, or break a key, if they were put together carelessly. */
export const AWKWARD = ['a:b', '{a}', '%3a', ':', 'a b', '🔑', '__proto__', 'constructor', 'x'.repeat(512)]

/** A root of the realm `r` with tabs, in the order given. */
export async function rootWith(
  provider: AuthSessionProvider,
  ...tabs: NewAuthSessionTab[]
): Promise<{ root: RootAuthSession; tabs: AuthSessionTab[] }> {
  const { id } = await provider.createRoot('r')
  const added: AuthSessionTab[] = []
  for (const tab of tabs) {
    const answer = (await provider.addTab('r', id, tab)) ?? assert.fail('the root is gone')
    added.push(answer.tab)
  }
  const root = (await provider.getRoot('r', id)) ?? assert.fail('the root is gone')
  return { root, tabs: added }
}

export const first = <T>(items: readonly T[]): T => items[0] ?? assert.fail('nothing there')

/** `maxNotesBytes` of the suite. */
export const NOTES_CEILING = 4_096
