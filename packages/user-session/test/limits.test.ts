import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Limits, makeRoom, type Newcomer, type Rival } from '../src/limits.js'

const rival = fc.record<Rival>({
  id: fc.string({ minLength: 1, maxLength: 3 }),
  offline: fc.boolean(),
  startedAt: fc.nat(20),
  lastRefreshAt: fc.nat(20),
  atClient: fc.boolean(),
})
const rivals = fc.uniqueArray(rival, { selector: ({ id, offline }) => `${id} ${offline}`, maxLength: 12 })
const allowed = fc.nat(6)
const limits = fc.record<Limits>({
  perUser: allowed,
  perClient: allowed,
  offline: allowed,
  total: allowed,
  policy: fc.constantFrom('reject', 'end-oldest', 'end-least-recently-used'),
})
const newcomer = fc.record<Newcomer>({
  id: fc.constant('new'),
  adds: fc.constantFrom('online', 'offline', 'client'),
  bringsClient: fc.boolean(),
})

/** How many of some sessions each limit counts, and how many it allows. */
function counted(sessions: readonly Rival[], { adds, bringsClient }: Newcomer, limit: Limits) {
  const item = (applies: boolean, most: number, counts: (rival: Rival) => boolean) =>
    applies && most > 0 ? [{ most, count: sessions.filter(counts).length }] : []
  return [
    ...item(
      bringsClient && adds !== 'offline',
      limit.perClient,
      ({ offline, atClient }) => !offline && atClient,
    ),
    ...item(adds === 'online', limit.perUser, ({ offline }) => !offline),
    ...item(adds === 'offline', limit.offline, ({ offline }) => offline),
    ...item(adds !== 'client', limit.total, () => true),
  ]
}

test('afterwards every limit holds, and nothing ends that need not', () => {
  fc.assert(
    fc.property(rivals, newcomer, limits, (all, added, limit) => {
      const room = makeRoom(all, added, limit)
      const isFull = counted(all, added, limit).some(({ count, most }) => count + 1 > most)
      if ('refused' in room) {
        expect(limit.policy).toBe('reject')
        expect(isFull).toBe(true)
        return
      }
      const left = (except: Rival | undefined) =>
        all.filter((item) => item === except || !room.ends.includes(item))
      for (const { count, most } of counted(left(undefined), added, limit))
        expect(count + 1).toBeLessThanOrEqual(most)
      for (const item of room.ends) {
        expect(counted(left(item), added, limit).some(({ count, most }) => count + 1 > most)).toBe(true)
      }
      expect(room.ends.length > 0).toBe(isFull)
    }),
  )
})

test('by one limit those end that began, or were used, the longest ago', () => {
  fc.assert(
    fc.property(rivals, fc.integer({ min: 1, max: 12 }), fc.boolean(), (all, total, isOldest) => {
      const policy = isOldest ? 'end-oldest' : 'end-least-recently-used'
      const added = { id: 'new', adds: 'online', bringsClient: false } as const
      const room = makeRoom(all, added, { perUser: 0, perClient: 0, offline: 0, total, policy })
      const ends = 'ends' in room ? room.ends : []
      const left = all.filter((item) => !ends.includes(item))
      expect(left.length + 1).toBe(Math.min(all.length + 1, total))
      const age = (item: Rival) => (isOldest ? item.startedAt : item.lastRefreshAt)
      for (const item of ends) for (const other of left) expect(age(item)).toBeLessThanOrEqual(age(other))
    }),
  )
})

test('the session that an offline one is copied from does not end for it', () => {
  const online = { id: 'a', offline: false, startedAt: 0, lastRefreshAt: 0, atClient: false }
  const limit = { perUser: 0, perClient: 0, offline: 0, total: 1, policy: 'end-oldest' } as const
  const added = { id: 'a', adds: 'offline', bringsClient: false } as const
  expect(makeRoom([online], added, limit)).toEqual({ refused: 'total-limit' })
  const other = { ...online, id: 'b', startedAt: 1 }
  expect(makeRoom([online, other], added, { ...limit, total: 2 })).toEqual({ ends: [other] })
})
