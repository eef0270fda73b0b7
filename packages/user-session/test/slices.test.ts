// In memory no verb holds the event loop for as long as there are sessions: what is counted here are the turns of others.

import { FakeClock } from '@authstate/conformance'
import { createProviderRegistry } from '@authstate/registry'
import { SLICE } from '@authstate/spi/internal'
import { expect, test, vi } from 'vitest'
import { turnsOfOthers } from '../../../tools/testing/turns-of-others.js'
import { createdSession } from '../src/conformance/fixture.js'
import { memoryUserSessions, type UserSessionProvider, userSessionSpi } from '../src/index.js'
import { SortedSessions } from '../src/memory/sorted.js'
import type { StoredSession } from '../src/stored.js'

const SESSIONS = 2_000
const client = { clientId: 'app' }

const verbs: Record<string, (provider: UserSessionProvider, clock: FakeClock) => Promise<unknown>> = {
  removeByUser: (provider) => provider.removeByUser('r', 'alice'),
  removeByClient: (provider) => provider.removeByClient('r', 'app'),
  removeByRealm: (provider) => provider.removeByRealm('r'),
  sweep: (provider, clock) => {
    clock.advance(3_600_000)
    return provider.sweep()
  },
}

test.each(Object.keys(verbs))('%s of thousands lets others have turns', async (verb) => {
  const clock = new FakeClock()
  const registry = createProviderRegistry({
    factories: [memoryUserSessions()],
    config: { spi: { 'user-session': { sweepIntervalMs: 0 } } },
    clock,
  })
  await registry.start()
  const provider = registry.get(userSessionSpi)
  for (let n = 0; n < SESSIONS; n++) {
    await provider.create('r', { userId: 'alice', loginUsername: 'alice', client }).then(createdSession)
  }
  const { answer, turns } = await turnsOfOthers(async () => verbs[verb]?.(provider, clock))
  expect(answer).toBe(SESSIONS)
  expect(turns).toBeGreaterThanOrEqual(SESSIONS / SLICE - 1)
  await registry.close()
})

test.each([
  ['no limit', {}, 0],
  ['a limit of offline sessions', { maxOfflineSessionsPerUser: 3 }, 0],
  ['a limit of sessions', { maxSessionsPerUser: 100 }, 2],
])(
  'with %s a login lists the sessions of its user as often as that asks for',
  async (_, properties, lists) => {
    const registry = createProviderRegistry({
      factories: [memoryUserSessions()],
      config: { spi: { 'user-session': { sweepIntervalMs: 0, ...properties } } },
      clock: new FakeClock(),
    })
    await registry.start()
    const provider = registry.get(userSessionSpi)
    const looks = vi.spyOn(SortedSessions.prototype, 'after')
    try {
      await provider.create('r', { userId: 'alice', loginUsername: 'alice', client }).then(createdSession)
      // Online and offline.
      expect(looks).toHaveBeenCalledTimes(lists)
    } finally {
      looks.mockRestore()
      await registry.close()
    }
  },
)

test('a listing of many is looked at in few steps, and is as a sorted list', () => {
  const listing = new SortedSessions()
  const entries = Array.from({ length: 20_000 }, (_, n) => ({
    score: (n * 7_919) % 5_003,
    id: String(n).padStart(5, '0'),
    session: { id: String(n) } as StoredSession,
  }))
  for (const entry of entries) listing.add(entry)
  for (const entry of entries.filter((_, n) => n % 3 === 0)) listing.delete(entry)
  const expected = entries
    .filter((_, n) => n % 3 !== 0)
    .sort((a, b) => a.score - b.score || (a.id < b.id ? -1 : 1))
  expect(listing.behind({ score: 0, id: '' }, 20_000)).toEqual(expected)
  const middle = expected[7_000] as (typeof expected)[number]
  expect(listing.behind(middle, 100)).toEqual(expected.slice(7_001, 7_101))
  for (const now of [-1, 0, 2_500, 5_002]) {
    const after = expected.filter(({ score }) => score > now)
    expect(listing.countAfter(now)).toBe(after.length)
    expect([...listing.after(now)]).toEqual(after.map(({ session }) => session))
  }
  expect(listing.over(10, 30)).toEqual(
    expected
      .filter(({ score }) => score <= 10)
      .slice(0, 30)
      .map(({ session }) => session),
  )
})

test('a walk looks at no session before it comes to it, and sees what was there when it began', () => {
  const listing = new SortedSessions()
  let looks = 0
  const entries = Array.from({ length: 20_000 }, (_, n) => ({
    score: n,
    id: String(n).padStart(5, '0'),
    get session() {
      looks += 1
      return { id: String(n) } as StoredSession
    },
  }))
  for (const entry of entries) listing.add(entry)
  const walk = listing.after(99)
  expect(looks).toBe(0)
  const seen: string[] = []
  for (const { id } of walk) {
    seen.push(id)
    const at = Number(id)
    // What is walked goes, what is ahead goes and comes back elsewhere, and others come.
    listing.delete(entries[at] as (typeof entries)[number])
    if (at % 1_000 === 0) {
      const ahead = entries[at + 500] as (typeof entries)[number]
      listing.delete(ahead)
      listing.add({ score: 50, id: ahead.id, session: { id: 'moved' } as StoredSession })
      listing.add({ score: at + 300.5, id: `new${at}`, session: { id: 'new' } as StoredSession })
    }
    expect(looks).toBe(seen.length)
  }
  expect(seen).toEqual(entries.slice(100).map((_, n) => String(n + 100)))
  expect([...listing.after(99)].map(({ id }) => id)).toEqual(Array.from({ length: 19 }, () => 'new'))
  expect(listing.countAfter(0)).toBe(99 + 19 + 19)
})
