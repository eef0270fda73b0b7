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
    ['an address with a port', '10.0.0.1', '203.0.113.7:4711', undefined],
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
  })
})

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
