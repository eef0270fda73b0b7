import { expect, test } from 'vitest'
import { createIdMinter, partitionOf, randomId } from '../src/index.js'
import { ID_LENGTH, markIn, mintMarkedKey } from '../src/internal.js'

test('an id has 24 characters: random, site, partition', () => {
  const mint = createIdMinter('B')
  for (let partition = 0; partition < 256; partition++) {
    const id = mint(partition)
    expect(id).toHaveLength(ID_LENGTH)
    expect(id).toMatch(/^[\w-]{21}B[0-9a-f]{2}$/)
    expect(partitionOf(id)).toBe(partition)
  }
})

test('the site character is 0 without a site, one of the alphabet and always the same for a long name', () => {
  expect(createIdMinter()(1).charAt(21)).toBe('0')
  const character = createIdMinter('frankfurt')(1).charAt(21)
  expect(character).toMatch(/^[1-9A-Za-z]$/)
  expect(createIdMinter('frankfurt')(2).charAt(21)).toBe(character)
})

test('ids do not repeat, not over the end of the pool either', () => {
  const ids = new Set(Array.from({ length: 20_000 }, () => randomId()))
  expect(ids.size).toBe(20_000)
  for (const id of ids) if (!/^[\w-]{21}$/.test(id)) throw new Error('not 21 characters of base64url')
})

test('every character of an id varies', () => {
  const ids = Array.from({ length: 2_000 }, () => randomId())
  for (let position = 0; position < 21; position++) {
    expect(new Set(ids.map((id) => id.charAt(position))).size).toBe(64)
  }
})

test.each([
  '',
  'x',
  'g'.repeat(24),
  `${'a'.repeat(22)}0G`,
  `${'a'.repeat(22)}FF`,
  `${'a'.repeat(23)}00`,
  `${'ä'.repeat(22)}00`,
])('what we cannot have minted has no partition: %s', (id) => {
  expect(partitionOf(id)).toBeUndefined()
})

test.each([
  [mintMarkedKey('0'), '0'],
  [mintMarkedKey('Z'), 'Z'],
  ['SplxlOBeZQQYbYS6WxSbIA', undefined],
  ['123e4567-e89b-42d3-a456-426614174000', undefined],
  [`${'x'.repeat(21)}.é`, undefined],
  [`x${mintMarkedKey('a')}`, undefined],
  [createIdMinter('a')(3), undefined],
])('the mark in the key %s is %s', (key, mark) => {
  expect(markIn(key)).toBe(mark)
})
