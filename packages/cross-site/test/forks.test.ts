// One refresh token that was exchanged at two sites.
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { inStep, openTwo, REALM, signIn, type TestSite } from './support.js'

/** A token, and when it was issued. */
interface Token {
  readonly id: string
  readonly issuedAt: number
}

const present = async ({ users, connection }: TestSite, sessionId: string, token: Token, maxReuse = 0) => {
  const next = { id: randomUUID(), issuedAt: connection.clock.now() }
  const rotated = await users.rotateRefreshToken(REALM, sessionId, {
    clientId: 'shop',
    family: 'f',
    presented: token.id,
    issuedAt: token.issuedAt,
    next: next.id,
    maxReuse,
  })
  return { outcome: rotated.outcome, next }
}

/** Exchanges one token at both sites of two that have lost each other. */
async function fork({ isFirst, maxReuse }: { readonly isFirst: boolean; readonly maxReuse: number }) {
  const { a, b, toA, toB } = await openTwo()
  const heard: unknown[] = []
  for (const { sites } of [a, b]) sites.on('rotation-fork', (event) => heard.push(event))
  const { id } = await signIn(a)
  await inStep(a)
  let token: Token = { id: 't1', issuedAt: a.connection.clock.now() }
  if (!isFirst) {
    token = (await present(a, id, token, maxReuse)).next
    await inStep(a)
  }
  toA.cut()
  toB.cut()
  const [atA, atB] = [await present(a, id, token, maxReuse), await present(b, id, token, maxReuse)]
  expect([atA.outcome, atB.outcome]).toEqual(['rotated', 'rotated'])
  toA.heal()
  toB.heal()
  await inStep(a, b, a)
  return { a, b, id, token, heard, nextOfA: atA.next, nextOfB: atB.next }
}

describeWith(redis, 'a refresh token that two sites exchanged', () => {
  test.each([true, false])(
    'scenario 11: ends its client session at both, and is told, where it may be used once (the first of its family: %s)',
    async (isFirst) => {
      const { a, b, id, heard, nextOfA, nextOfB } = await fork({ isFirst, maxReuse: 0 })
      const event = { type: 'rotation-fork', realmId: REALM, sessionId: id, offline: false, clientId: 'shop' }
      expect(heard.length).toBeGreaterThanOrEqual(1)
      expect(new Set(heard.map((one) => JSON.stringify(one))).size).toBe(1)
      expect(heard[0]).toEqual(event)
      for (const site of [a, b]) {
        expect((await site.users.get(REALM, id))?.clients.size).toBe(0)
        for (const next of [nextOfA, nextOfB]) expect((await present(site, id, next)).outcome).toBe('gone')
        // Who signs in again begins anew, and what was exchanged twice stays unusable.
      }
      await a.users.putClientSession(REALM, id, { clientId: 'shop' })
      await inStep(a)
      expect((await present(b, id, nextOfB)).outcome).toBe('stale')
      expect((await b.users.get(REALM, id))?.clients.size).toBe(1)
    },
  )

  test('scenario 12: lets both successors be exchanged once, where it may be used twice; then there is one chain', async () => {
    const { a, b, id, token, heard, nextOfA, nextOfB } = await fork({ isFirst: true, maxReuse: 1 })
    expect(heard).toEqual([])
    const [fromA, fromB] = [await present(a, id, nextOfA, 1), await present(a, id, nextOfB, 1)]
    expect([fromA.outcome, fromB.outcome]).toEqual(['rotated', 'rotated'])
    await inStep(a, b)
    // The chain that was used last is the one.
    expect((await present(b, id, fromB.next, 1)).outcome).toBe('rotated')
    await inStep(b, a)
    expect((await present(a, id, token, 1)).outcome).toBe('stale')
    await inStep(a)
    for (const { users } of [a, b]) expect((await users.get(REALM, id))?.clients.size).toBe(0)
  })

  test('counts uses of both sites: a third one ends the client session', async () => {
    const { a, b, id, token } = await fork({ isFirst: true, maxReuse: 1 })
    expect((await present(b, id, token, 1)).outcome).toBe('reused')
    await inStep(b)
    for (const { users } of [a, b]) expect((await users.get(REALM, id))?.clients.size).toBe(0)
  })

  test('is answered as reused by a verb that waits for the site that exchanged it before', async () => {
    const config = { spi: { 'user-session': { strategy: 'sync' as const, timeoutMs: 10_000 } } }
    const { a, b, toA } = await openTwo({ config })
    const { id } = await signIn(a)
    const token: Token = { id: 't1', issuedAt: a.connection.clock.now() }
    await b.sites.takeOffline('a')
    toA.cut()
    expect((await present(b, id, token)).outcome).toBe('rotated')
    expect((await present(a, id, token)).outcome).toBe('reused')
    for (const { users } of [a, b]) expect((await users.get(REALM, id))?.clients.size).toBe(0)
  })
})
