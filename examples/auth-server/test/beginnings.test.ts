import { FakeClock } from '@authstate/conformance'
import { expect, test } from 'vitest'
import { Beginnings } from '../src/beginnings.js'
import { authorizePath, shop, TestServer } from './support.js'

test('an address may begin so many logins and leaves nothing with one more; another address begins its own', async () => {
  let address: string | undefined = '192.0.2.1'
  await using server = await TestServer.start({}, { loginsPerAddress: 3, ipAddress: () => address })
  const begin = () => server.node.request(authorizePath(shop))
  let stored = 0
  server.before.set('authSessions.addTab', () => {
    stored += 1
  })
  for (let n = 0; n < 3; n++) expect((await begin()).status).toBe(303)
  server.clock.advance(60_000)
  const refused = await begin()
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, String(29 * 60)])
  expect(stored).toBe(3)
  address = '192.0.2.2'
  expect((await begin()).status).toBe(303)
  address = '192.0.2.1'
  server.clock.advance(29 * 60_000)
  expect((await begin()).status).toBe(303)
})

test('who is signed in goes on: single sign-on leaves nothing behind', async () => {
  await using server = await TestServer.start({}, { loginsPerAddress: 1 })
  const browser = server.browser()
  await browser.signIn()
  for (let n = 0; n < 5; n++) expect((await browser.begin()).location).toContain('code=')
})

test('a network of IPv6 is one address, however it is spelled, and one of IPv4 is one each', () => {
  const beginnings = new Beginnings(new FakeClock(), 1)
  const refuses = (address: string | undefined) => beginnings.add(address) > 0
  expect(['2001:db8::1', '2001:0db8:0:0:1::2', '2001:db8:0:0:ffff:1:2:3'].map(refuses)).toEqual([
    false,
    true,
    true,
  ])
  expect(
    ['2001:db8:0:1::1', '::1', '192.0.2.1', '192.0.2.2', '::ffff:192.0.2.3', '::ffff:192.0.2.4'].map(refuses),
  ).toEqual(Array(6).fill(false))
  expect([undefined, undefined].map(refuses)).toEqual([false, true])
})

test('what is remembered of addresses is bounded', () => {
  const beginnings = new Beginnings(new FakeClock(), 1)
  for (let n = 0; n <= 50_000; n++) beginnings.add(`address ${n}`)
  expect(beginnings.add('address 50000')).toBeGreaterThan(0)
  expect(beginnings.add('address 0')).toBe(0)
})
