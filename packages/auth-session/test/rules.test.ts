import { resolveRealm } from '@authstate/spi'
import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { EXECUTION_STATUSES } from '../src/checks.js'
import { authSessionConfig } from '../src/index.js'
import { afterFinish, loginLifespanMs, mergeTabData, newTabId, type TabData, tabOf } from '../src/rules.js'

const S = 1000
const realmWith = (code: number, action: number, login: number, sso = {}) =>
  resolveRealm({
    accessCodeLifespanMs: code,
    accessCodeLifespanUserActionMs: action,
    accessCodeLifespanLoginMs: login,
    ...sso,
  })

describe('the life of a root [B3]', () => {
  test.each([
    [60, 300, 1800, 1800],
    [10, 40, 30, 40],
    [50, 40, 30, 50],
    [0, -5, 600, 600],
  ])('code %i, action %i, login %i: %i seconds', (code, action, login, lifespan) => {
    expect(loginLifespanMs(realmWith(code * S, action * S, login * S))).toBe(lifespan * S)
  })

  test('after one tab has signed in: 60 seconds are left', () => {
    const realm = realmWith(60 * S, 300 * S, 1800 * S)
    const now = 1_700_000_000_000
    expect(afterFinish(realm, now)).toEqual({ updatedAt: now - 1800 * S + 60 * S, ends: false })
    expect(afterFinish(realm, now).updatedAt + loginLifespanMs(realm)).toBe(now + 60 * S)
  })

  test('the root ends when idle and max are both shorter than a login may take', () => {
    const ends = (idle: number, max: number) =>
      afterFinish(
        realmWith(60 * S, 300 * S, 1800 * S, {
          ssoSessionIdleTimeoutMs: idle * S,
          ssoSessionMaxLifespanMs: max * S,
        }),
        0,
      ).ends
    expect([ends(1799, 1799), ends(1800, 1799), ends(1799, 1800), ends(1800, 1800)]).toEqual([
      true,
      false,
      false,
      false,
    ])
  })
})

test('execution statuses have the numbers that Keycloak gives them [§4.1]', () => {
  expect(EXECUTION_STATUSES.indexOf('FAILED')).toBe(0)
  expect(EXECUTION_STATUSES.indexOf('CHALLENGED')).toBe(5)
  expect(EXECUTION_STATUSES.indexOf('EVALUATED_FALSE')).toBe(7)
  expect(EXECUTION_STATUSES).toHaveLength(8)
})

test('ids of tabs have 64 bits and differ', () => {
  const ids = Array.from({ length: 1000 }, newTabId)
  expect(new Set(ids).size).toBe(1000)
  for (const id of ids) expect(id).toMatch(/^[\w-]{11}$/)
})

test('a limit of tabs of 0 or less is 300 [§4.4]', () => {
  for (const maxTabs of [undefined, 0, -1]) expect(v.parse(authSessionConfig, { maxTabs }).maxTabs).toBe(300)
  expect(v.parse(authSessionConfig, { maxTabs: 5 }).maxTabs).toBe(5)
  for (const maxTabs of [1.5, '5', 1_001]) expect(() => v.parse(authSessionConfig, { maxTabs })).toThrow()
})

describe('merging', () => {
  const notes = fc.dictionary(fc.constantFrom('a', 'b', 'constructor', '0'), fc.string())
  const notesPatch = fc.dictionary(fc.constantFrom('a', 'b', 'constructor', '0'), fc.option(fc.string()))
  const data = fc.record({ userId: fc.string(), authNotes: notes, clientNotes: notes }, { requiredKeys: [] })
  const patch = fc.record(
    { userId: fc.option(fc.string()), authNotes: fc.option(notesPatch), clientNotes: notesPatch },
    { requiredKeys: [] },
  )
  const merged = (before: TabData, ...patches: object[]) => patches.reduce<TabData>(mergeTabData, before)

  test('twice is once', () => {
    fc.assert(
      fc.property(data, patch, (before, item) => {
        expect(merged(before, item, item)).toEqual(merged(before, item))
      }),
    )
  })

  test('patches of different names may come in any order', () => {
    fc.assert(
      fc.property(data, fc.string(), fc.string(), (before, x, y) => {
        const [item, other] = [{ authNotes: { a: x } }, { authNotes: { b: y }, userId: x }]
        expect(merged(before, item, other)).toEqual(merged(before, other, item))
      }),
    )
  })

  test('leaves what it was given as it was, and no empty map', () => {
    fc.assert(
      fc.property(data, patch, (before, item) => {
        const copy = structuredClone([before, item])
        const after = merged(before, item)
        expect([before, item]).toEqual(copy)
        for (const [field, value] of Object.entries(item)) {
          if (value === null || (typeof value === 'object' && Object.keys(value).length > 0)) {
            expect(Object.keys(after[field as 'authNotes'] ?? { x: '' }).length).toBeGreaterThan(0)
          }
        }
      }),
    )
  })

  test('what is absent is empty for the caller', () => {
    const tab = tabOf({ tabId: 't', clientId: 'c', createdAt: 1 }, {})
    expect([tab.clientScopes, tab.authNotes, 'userId' in tab]).toEqual([[], {}, false])
  })
})
