import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isAllowed, isPublic, parseEgressRule } from '../src/addresses.js'
import { hostOf, hostPattern, isHostPattern, parseAddress } from '../src/hosts.js'

const read = (text: string) => {
  const address = parseAddress(text)
  if (address === undefined) throw new Error(`${text} is no address`)
  return address
}

describe('addresses', () => {
  test.each(['8.8.8.8', '93.184.216.34', '2606:4700::1111', '2a00:1450:4001::1', '::ffff:8.8.8.8'])(
    '%s is public',
    (text) => expect(isPublic(read(text))).toBe(true),
  )

  test.each([
    '127.1',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '2130706433',
    '1.2.3',
    '1.2.3.4.5',
    '::1%lo',
    '[::1]',
    '',
    'a',
  ])('%j is none', (text) => expect(parseAddress(text)).toBeUndefined())

  test('IPv4 in every form of IPv6 is as public as IPv4', () => {
    const octet = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(octet, octet, octet, octet, (a, b, c, d) => {
        const plain = read(`${a}.${b}.${c}.${d}`)
        const hex = [(a << 8) | b, (c << 8) | d].map((part) => part.toString(16)).join(':')
        expect(isPublic(read(`::ffff:${hex}`))).toBe(isPublic(plain))
        for (const form of [`::${hex}`, `64:ff9b::${hex}`, `2002:${hex}::`, `::ffff:0:${hex}`])
          expect([form, isPublic(read(form))]).toEqual([form, false])
      }),
    )
  })
})

describe('rules', () => {
  const policy = (rules: string[], ports: [number, number][] = [[443, 443]]) => ({
    rules: rules.map(parseEgressRule),
    ports,
    key: '',
  })

  test.each([
    ['10.20.0.0/16', '10.20.7.7', 443, true],
    ['10.20.0.0/16', '10.21.0.1', 443, false],
    ['10.20.0.0/16', '10.20.7.7', 80, false],
    ['10.20.0.0/16:80', '10.20.7.7', 80, true],
    ['10.20.0.0/16:80', '10.20.7.7', 443, false],
    ['10.0.0.7', '10.0.0.7', 443, true],
    ['10.0.0.7', '10.0.0.8', 443, false],
    ['10.0.0.7:8443', '10.0.0.7', 8443, true],
    ['fd00:1::/32', 'fd00:1::7', 443, true],
    ['fd00:1::/32', 'fd00:2::7', 443, false],
    ['[fd00:1::]/32:80', 'fd00:1::7', 80, true],
    ['[fd00:1::7]:80', 'fd00:1::7', 80, true],
    ['[fd00:1::7]:80', 'fd00:1::7', 443, false],
    ['::ffff:10.0.0.7', '10.0.0.7', 443, true],
    ['::ffff:10.0.0.0/104', '10.1.2.3', 443, true],
    ['::ffff:10.0.0.0/104', '192.168.0.1', 443, false],
    ['[::ffff:10.0.0.0]/112:80', '10.0.2.3', 80, true],
    ['169.254.0.0/16', '169.254.169.254', 443, false],
    ['169.254.169.254', '169.254.169.254', 443, true],
    ['fd00::/8', 'fd00:ec2::254', 443, false],
    ['fd00:ec2::254', 'fd00:ec2::254', 443, true],
    ['100.64.0.0/10', '100.100.100.200', 443, false],
    ['8.8.8.8:53', '8.8.8.8', 53, true],
    ['168.63.0.0/16', '168.63.129.16', 443, false],
    ['168.63.129.16', '168.63.129.16', 443, true],
    ['169.254.0.0/16', '169.254.42.42', 443, false],
    ['169.254.0.0/16', '169.254.0.23', 443, false],
    ['fd00::/8', 'fd00:42::42', 443, false],
    ['10.0.0.0/8', '8.8.8.8', 443, true],
  ])('%s: %s port %i is allowed: %s', (rule, address, port, allowed) =>
    expect(isAllowed(read(address), port, policy([rule]))).toBe(allowed),
  )

  test.each(['0.0.0.0/0', '0.0.0.0/1', '10.0.0.0/7', '::/0', '2000::/3', 'fc00::/6'])(
    '%s would switch the guard off',
    (rule) => expect(() => parseEgressRule(rule)).toThrow(/must not be larger/),
  )

  test.each([
    '',
    'a',
    '10',
    '10.0.0',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.1:',
    '10.0.0.1:0',
    '10.0.0.1:65536',
    '10.0.0.1:80:80',
    'fd00::1:',
    '[fd00::1',
    '::1%lo',
    '10.0.0.0/8/8',
    '::ffff:10.0.0.0/8',
    '::ffff:10.0.0.0/24',
    '::ffff:10.0.0.0/129',
    ' 10.0.0.1',
    'localhost',
    '*',
  ])('%j is none', (rule) => expect(() => parseEgressRule(rule)).toThrow(TypeError))
})

describe('hosts', () => {
  test.each([
    ['https://App.Example.com/', 'app.example.com'],
    ['https://bücher.example/', 'xn--bcher-kva.example'],
    ['https://127.1/', '127.0.0.1'],
    ['https://[::FFFF:8.8.8.8]/', '8.8.8.8'],
    ['https://[2001:DB8::1]/', '2001:db8::1'],
    ['https://a_b.example/', 'a_b.example'],
    ['https://localhost/', 'localhost'],
  ])('%s is %s', (url, host) => expect(hostOf(new URL(url))?.text).toBe(host))

  test.each([
    'https://a.example./',
    'https://a..example/',
    'https://-a.example/',
    'https://a!b/',
    `https://${'a'.repeat(64)}/`,
  ])('%s is none', (url) => expect(hostOf(new URL(url))).toBeUndefined())

  test.each([
    ['app-*.int.example.com', 'app-1.int.example.com', true],
    ['app-*.int.example.com', 'app-1.x.int.example.com', false],
    ['app-*.int.example.com', 'app-1.int.example.com.evil.org', false],
    ['APP-*.int.example.com', 'app-1.int.example.com', true],
    ['*.example.com', 'example.com', false],
    ['a.example.com', 'axexample.com', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['::1', '::1', true],
  ])('the pattern %s matches %s: %s', (pattern, host, matches) => {
    expect(isHostPattern(pattern)).toBe(true)
    expect(hostPattern(pattern)(host)).toBe(matches)
  })

  test('junk is neither a host nor an error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        if (!URL.canParse(`http://${text}/`)) return
        const host = hostOf(new URL(`http://${text}/`))
        if (host !== undefined && host.address === undefined)
          expect(host.text).toMatch(/^[a-z0-9_.-]{1,253}$/)
      }),
    )
  })
})
