// What one site wrote is waited for at another, without any verb that waits.
import { expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { inStep, isState, openSite, openTwo, REALM, signIn } from './support.js'

const WAIT_MS = 60_000

describeWith(redis, 'a barrier', () => {
  test('scenario 1: a login at one site is found at the other behind it, each time', async () => {
    const { a, b } = await openTwo()
    for (let turn = 0; turn < 10; turn++) {
      const made = await Promise.all([signIn(a), signIn(a, 'bob'), signIn(a, 'carol')])
      expect(await b.sites.barrier(await a.sites.token(), { waitMs: WAIT_MS })).toBe(true)
      for (const { id, expiresAt } of made)
        expect(await b.users.get(REALM, id)).toMatchObject({ id, expiresAt })
    }
    const { id } = await signIn(b)
    await b.users.remove(REALM, id)
    expect(await a.sites.barrier(await b.sites.token(), { waitMs: WAIT_MS })).toBe(true)
    expect(await a.users.get(REALM, id)).toBeUndefined()
  })

  test('is true at once at the site itself, and for a token that has nothing to wait for', async () => {
    const { a, b, toB } = await openTwo()
    expect(await a.sites.token()).toBe('a')
    expect(await b.sites.barrier('a', { waitMs: 0 })).toBe(true)
    toB.cut()
    await signIn(a)
    const token = await a.sites.token()
    expect(token).toMatch(/^a~[0-9a-z]+\.[0-9a-z]+\.[0-9a-z]+$/)
    expect(await a.sites.barrier(token, { waitMs: 0 })).toBe(true)
  })

  test('is false where the way is cut, and true once it is back, though nothing else changes', async () => {
    const { a, b, toB } = await openTwo()
    toB.cut()
    const { id } = await signIn(a)
    await a.sites.caughtUp()
    const token = await a.sites.token()
    expect(await b.sites.barrier(token, { waitMs: 30 })).toBe(false)
    expect(await b.users.get(REALM, id)).toBeUndefined()
    toB.heal()
    expect(await b.sites.barrier(token, { waitMs: WAIT_MS })).toBe(true)
    expect(await b.users.get(REALM, id)).toBeDefined()
    await inStep(a)
    expect(await a.sites.token()).toBe('a')
  })

  test('is true for what another node told, of whatever partition', async () => {
    const { a, b, prefixA, prefixB } = await openTwo()
    const second = await openSite({ name: 'a', prefix: prefixA, others: { b: { prefix: prefixB } } })
    await isState(second, 'b', 'online')
    const made = await Promise.all(['alice', 'bob', 'carol', 'dan'].map((name) => signIn(second, name)))
    expect(await b.sites.barrier(await second.sites.token(), { waitMs: WAIT_MS })).toBe(true)
    for (const { id } of made) expect(await b.users.get(REALM, id)).toBeDefined()
    // Of what another node wrote this one says nothing.
    expect(await a.sites.token()).toBe('a')
  })

  test('ends with its node', async () => {
    const { a, b, toB } = await openTwo()
    toB.cut()
    await signIn(a)
    const waiting = b.sites.barrier(await a.sites.token(), { waitMs: WAIT_MS })
    await b.sites.close()
    expect(await waiting).toBe(false)
  })

  test('refuses by name what no site gave', async () => {
    const { b } = await openTwo()
    const misuse: readonly (readonly [token: unknown, options: object, message: string | RegExp])[] = [
      [undefined, {}, '"token" must be a text that token() of a site returned'],
      ['', {}, '"token" must be a text that token() of a site returned'],
      ['a~1.x', {}, '"token" must be a text that token() of a site returned'],
      ['a~1.1.1;', {}, '"token" must be a text that token() of a site returned'],
      ['porto', {}, '"token" is of the site "porto", which is not configured here. Known: "b", "a"'],
      ['a~9.1.1', {}, '"token" names the partition 9; this site has 2'],
      ['a', { waitMs: 60_001 }, '"options.waitMs" must be a whole number from 0 to 60000'],
      ['a', { waitms: 1 }, `"options" has no property 'waitms'. Known: 'waitMs'`],
    ]
    for (const [token, options, message] of misuse)
      await expect(b.sites.barrier(token as string, options)).rejects.toThrow(message)
  })
})
