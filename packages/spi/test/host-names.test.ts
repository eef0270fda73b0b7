import { describe, expect, test } from 'vitest'
import { hostPattern, isHostName, isHostPattern } from '../src/internal.js'

describe('host names', () => {
  test.each(['a', 'a.b', 'app-1.int.example.com', 'xn--bcher-kva.example', 'a_b', '1.2.3.4', 'a'.repeat(63)])(
    '%s is one',
    (text) => expect(isHostName(text)).toBe(true),
  )

  test.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    '-a',
    'a-',
    'A',
    'a b',
    'a/b',
    'a:80',
    'a@b',
    'a%00',
    'ü',
    '[::1]',
    'a'.repeat(64),
    'a.'.repeat(127),
  ])('%j is none', (text) => expect(isHostName(text)).toBe(false))
})

describe('patterns', () => {
  test.each([
    ['app-*.int.example.com', 'app-1.int.example.com', true],
    ['app-*.int.example.com', 'app-.int.example.com', true],
    ['app-*.int.example.com', 'app-1.x.int.example.com', false],
    ['app-*.int.example.com', 'app-1.int.example.com.evil.org', false],
    ['APP-*.int.example.com', 'app-1.INT.example.com', true],
    ['*.example.com', 'example.com', false],
    ['a.example.com', 'axexample.com', false],
    ['*', 'localhost', true],
    ['*', 'a.b', false],
  ])('%s matches %s: %s', (pattern, host, matches) => {
    expect(isHostPattern(pattern)).toBe(true)
    expect(hostPattern(pattern)(host)).toBe(matches)
  })

  test.each(['', 'a b', '*.', 'a..b', '(a)', 'https://a', 'a:80', '[a]', 'a|b'])('%j is none', (text) =>
    expect(isHostPattern(text)).toBe(false),
  )
})
