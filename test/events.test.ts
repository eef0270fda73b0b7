import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { AuthSessionEvents } from '../packages/auth-session/src/index.js'
import type { LoginFailureEvents } from '../packages/login-failure/src/index.js'
import type { RealmCacheEvent } from '../packages/realm-cache/src/index.js'
import type { UserSessionEvent, UserSessionEvents } from '../packages/user-session/src/index.js'

/** Names of events with those of their fields: the type check fails where one is missing or too many. */
type Told<Events> = { readonly [Name in keyof Events]: Readonly<Record<keyof Events[Name], true>> }

/** Events that are told apart by `type`. */
type ByType<Event extends { readonly type: string }> = {
  readonly [Type in Event['type']]: Extract<Event, { readonly type: Type }>
}

const realm = { realmId: true } as const
const root = { ...realm, type: true, rootId: true } as const
const failure = { ...realm, type: true, subject: true, at: true, numFailures: true } as const
const ofSession = {
  ...realm,
  type: true,
  sessionId: true,
  offline: true,
  userId: true,
  at: true,
  reason: true,
} as const
const session = { ...ofSession, clientIds: true, notes: true } as const

const authSession: Told<AuthSessionEvents> = {
  created: root,
  removed: { ...root, reason: true },
  'tab-added': { ...root, tabId: true },
  'tab-removed': { ...root, tabId: true, reason: true },
  promoted: { ...root, tabId: true },
}
const loginFailure: Told<LoginFailureEvents> = {
  'temporary-lock': { ...failure, until: true, reason: true },
  'permanent-lock': { ...failure, reason: true },
  unlock: { ...failure, cause: true },
  'success-after-failures': failure,
}
const realmCache: Told<ByType<RealmCacheEvent>> = {
  invalidated: { type: true, region: true, by: true, entries: true },
  cleared: { type: true, region: true, by: true },
  distrusted: { type: true, reason: true },
  trusted: { type: true, afterMs: true },
}
const userSession: Told<
  Record<UserSessionEvent['type'], Required<UserSessionEvent>> & Pick<UserSessionEvents, 'client-removed'>
> = {
  created: session,
  removed: session,
  expired: session,
  'client-removed': { ...ofSession, clientId: true },
}

const page = readFileSync('docs/events.md', 'utf8')

/** The rows of the table under a heading: an event, and its fields. */
function tableUnder(heading: string): [string, string[]][] {
  const [, section = ''] = page.split(`\n## ${heading}\n`)
  const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `([\w-]+)` \|.*\| (.*?) \|$/gm)]
  let fields: string[] = []
  return rows.map(([, name = '', cell = '']) => {
    if (cell !== 'the same') fields = [...cell.matchAll(/`(\w+)`/g)].map(([, field = '']) => field)
    return [name, fields.toSorted()]
  })
}

test.each([
  ['user-session', userSession],
  ['auth-session', authSession],
  ['login-failure', loginFailure],
  ['realm-cache', realmCache],
])('docs/events.md lists the events of %s with their fields', (spi, told) => {
  const expected = Object.entries(told).map(([name, fields]) => [name, Object.keys(fields).toSorted()])
  expect(tableUnder(spi)).toEqual(expected)
})
