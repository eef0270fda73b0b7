import * as v from 'valibot'
import { expect, test } from 'vitest'
import { realmCacheConfig } from '../src/config.js'
import { regionSettings } from '../src/region-settings.js'
import { Revisions } from '../src/revisions.js'
import { expiryOf, mayStore } from '../src/rules.js'

test.each([
  ['r missing', undefined, 5, 5, false],
  ['r > s: changed after the transaction began', 6, 6, 5, false],
  ['r = o', 5, 5, 5, true],
  ['r > o: changed after the read', 5, 4, 5, false],
  ['r < o', 3, 4, 5, true],
])('B7: %s', (_, revision, loaded, started, stored) => {
  expect(mayStore({ revision, loaded, started })).toBe(stored)
})

test('defaults by region, then code, then the configuration', () => {
  expect(regionSettings('users', {}, undefined)).toMatchObject({
    maxEntries: 10_000,
    maxIdleMs: 0,
    enabled: true,
  })
  expect(regionSettings('keys', {}, undefined)).toMatchObject({ maxEntries: 1_000, maxIdleMs: 3_600_000 })
  expect(regionSettings('keys', { maxEntries: 5 }, { maxIdleMs: 1 })).toMatchObject({
    maxEntries: 5,
    maxIdleMs: 1,
  })
  expect(regionSettings('__proto__', {}, undefined).maxEntries).toBe(10_000)
  expect(v.parse(realmCacheConfig, { regions: { keys: { ttlMs: '5m' } } }).regions['keys']).toEqual({
    ttlMs: 300_000,
  })
})

test.each([
  { regions: { a: { maxEntries: 0 } } },
  { regions: { a: { size: 1 } } },
  { sweepEveryMs: 0 },
  { region: {} },
])('%o is refused', (wrong) => {
  expect(v.safeParse(realmCacheConfig, wrong).success).toBe(false)
})

test('a life is cut short at random, never lengthened and never to nothing', () => {
  expect(expiryOf(0, 0.5, 100, 0.9)).toBe(Number.POSITIVE_INFINITY)
  expect(expiryOf(1_000, 0, 100, 0.9)).toBe(1_100)
  expect(expiryOf(1_000, 0.5, 100, 0)).toBe(1_100)
  expect(expiryOf(1_000, 0.5, 100, 1)).toBe(600)
  expect(expiryOf(1, 0.5, 100, 1)).toBe(101)
})

test('a revision that was forgotten counts as late as the latest that was forgotten', () => {
  const revisions = new Revisions(2)
  revisions.raise('a')
  const before = revisions.of('never')
  revisions.raise('b')
  revisions.raise('c')
  expect(before).toBe(0)
  expect([revisions.of('a'), revisions.of('b'), revisions.of('c'), revisions.of('never')]).toEqual([
    1, 2, 3, 1,
  ])
  revisions.raiseAll()
  expect([revisions.of('c'), revisions.of('never'), revisions.current]).toEqual([4, 4, 4])
})
