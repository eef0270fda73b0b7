/// <reference path="./proxy-addr.d.ts" />
import fc from 'fast-check'
import proxyaddr from 'proxy-addr'
import { describe, expect, test } from 'vitest'
import { networkOf, parseIp } from '../src/address.js'
import { clientAddressReader } from '../src/index.js'

describe('clientAddressReader', () => {
  const read = clientAddressReader(['loopback', '10.0.0.0/8', '2001:db8:ffff::/48'])

  test.each([
    ['no proxy', '203.0.113.7', undefined, '203.0.113.7'],
    ['a client that pretends', '203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['one proxy', '10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['two proxies', '10.0.0.1', '203.0.113.7, 10.9.9.9', '203.0.113.7'],
    ['a client that pretends, behind a proxy', '10.0.0.1', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
    ['IPv4 within IPv6', '::ffff:10.0.0.1', '::ffff:203.0.113.7', '203.0.113.7'],
    ['IPv6', '2001:db8:ffff::1', '2001:DB8::7', '2001:db8::7'],
    ['rubbish from a proxy', '10.0.0.1', 'unknown', undefined],
    ['an address with a port', '10.0.0.1', '203.0.113.7:4711', '203.0.113.7'],
    ['IPv6 with a port', '10.0.0.1', '[2001:db8::7]:4711', '2001:db8::7'],
    ['a proxy with a port', '10.0.0.1', '203.0.113.7, 10.9.9.9:80', '203.0.113.7'],
    ['nothing between two commas', '10.0.0.1', '203.0.113.7,, 10.9.9.9,', '203.0.113.7'],
    ['more proxies than anybody has', '10.0.0.1', `203.0.113.7${', 10.9.9.9'.repeat(32)}`, undefined],
    ['a proxy in a form that others read differently', '10.0.0.1', '203.0.113.7, 012.0.0.1', undefined],
    ['only proxies', '10.0.0.1', '10.0.0.2', '10.0.0.2'],
    ['no connection', undefined, '203.0.113.7', undefined],
  ])('%s', (_, remoteAddress, forwardedFor, expected) => {
    expect(read({ remoteAddress, forwardedFor })).toBe(expected)
  })

  test('without trusted proxies the header is not looked at', () => {
    expect(clientAddressReader([])({ remoteAddress: '127.0.0.1', forwardedFor: '203.0.113.7' })).toBe(
      '127.0.0.1',
    )
  })

  test('a list entry that is none is a TypeError', () => {
    expect(() => clientAddressReader(['10.0.0.0/33'])).toThrow(TypeError)
    expect(() => clientAddressReader(['proxy.example'])).toThrow(TypeError)
    for (const entry of [
      '10.0.0.0/0',
      '10.0.0.0/255.0.255.0',
      '10.0.0.0/',
      '::1/129',
      '::1/255.0.0.0',
      '::ffff:10.0.0.1/95',
      '::ffff:10.0.0.0/8',
      '::ffff:0:0/96',
    ]) {
      expect(() => clientAddressReader(['loopback', entry]), entry).toThrow('"trustedProxies[1]" must ')
    }
  })

  test('trusts whom proxy-addr trusts, which Express asks', () => {
    const byte = fc.nat(3).map((n) => [0, 10, 127, 255][n])
    const ipv4 = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join('.'))
    const word = fc.constantFrom('0', '1', 'fe80', 'fc00', '2001', 'ffff')
    const ipv6 = fc.array(word, { minLength: 8, maxLength: 8 }).map((words) => words.join(':'))
    const mapped = ipv4.map((text) => `::ffff:${text}`)
    const address = fc.oneof(ipv4, ipv6, mapped, fc.constantFrom('::1'))
    // A port is read here, and makes an address none there.
    const junk = fc.constantFrom('unknown', '', '127.1', '"::1"')
    const entry = fc.oneof(
      fc.constantFrom('loopback', 'linklocal', 'uniquelocal', '10.0.0.0/255.0.0.0', '::ffff:a00:0/104'),
      address,
      fc.tuple(ipv4, fc.integer({ min: 1, max: 32 })).map((parts) => parts.join('/')),
      fc.tuple(ipv6, fc.integer({ min: 1, max: 128 })).map((parts) => parts.join('/')),
      fc.tuple(mapped, fc.integer({ min: 97, max: 128 })).map((parts) => parts.join('/')),
    )
    const header = fc.array(fc.oneof(address, address, junk), { maxLength: 4 })
    const separator = fc.constantFrom(',', ', ', ' ,  ')
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 3 }),
        address,
        header,
        separator,
        (trusted, remoteAddress, forwarded, by) => {
          const forwardedFor = forwarded.join(by)
          const request = { socket: { remoteAddress }, headers: { 'x-forwarded-for': forwardedFor } }
          const theirs = proxyaddr(request, proxyaddr.compile(trusted))
          expect(clientAddressReader(trusted)({ remoteAddress, forwardedFor })).toBe(ipOrNothing(theirs))
        },
      ),
      { numRuns: 3_000 },
    )
  })
})

function ipOrNothing(text: string): string | undefined {
  try {
    return parseIp(text).toString()
  } catch {
    return undefined
  }
}

describe('networkOf', () => {
  test.each([
    ['203.0.113.77', 32, '203.0.113.77/32'],
    ['203.0.113.77', 24, '203.0.113.0/24'],
    ['203.0.113.77', 9, '203.0.0.0/9'],
  ])('%s by %i bits', (ip, ipv4Prefix, expected) => {
    expect(networkOf(parseIp(ip), { ipv4Prefix, ipv6Prefix: 64 })).toBe(expected)
  })
  test.each([
    ['2001:db8:1:2:3:4:5:6', 64, '2001:db8:1:2::/64'],
    ['2001:db8:1:2:3:4:5:6', 56, '2001:db8:1::/56'],
    ['2001:db8:1:2:3:4:5:6', 128, '2001:db8:1:2:3:4:5:6/128'],
    ['::1', 64, '::/64'],
  ])('%s by %i bits', (ip, ipv6Prefix, expected) => {
    expect(networkOf(parseIp(ip), { ipv4Prefix: 32, ipv6Prefix })).toBe(expected)
  })
})
