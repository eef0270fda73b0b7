import { expect, test } from 'vitest'
import { ConfigurationError } from '../src/index.js'
import { deriveKeyring } from '../src/internal.js'

const secret = (letter: string) => letter.repeat(32)
const keyring = { current: 'b', keys: { a: secret('a'), b: secret('b') } }

test('the same purpose gives every node the same key, another purpose another one', () => {
  const derived = deriveKeyring(keyring, 'one')
  expect(deriveKeyring({ ...keyring }, 'one').current).toEqual(derived.current)
  expect(derived.current.id).toBe('b')
  expect(derived.current.secret).toHaveLength(64)
  expect(deriveKeyring(keyring, 'two').current.secret).not.toEqual(derived.current.secret)
})

test('a rotated key can still be found', () => {
  const before = deriveKeyring({ ...keyring, current: 'a' }, 'one').current
  expect(deriveKeyring(keyring, 'one').find('a')).toEqual(before)
  expect(deriveKeyring(keyring, 'one').find('c')).toBeUndefined()
})

test('text and the bytes of its UTF-8 are the same secret', () => {
  const bytes = { current: 'b', keys: { b: Buffer.from(secret('b')) } }
  expect(deriveKeyring(bytes, 'one').current).toEqual(deriveKeyring(keyring, 'one').current)
})

test.each([
  [
    'a current key that is not there',
    { current: 'c', keys: keyring.keys },
    /keyring\.current: names no key; known: a, b/,
  ],
  [
    'a short secret',
    { current: 'a', keys: { a: 'hunter2' } },
    /keyring\.keys\.a: a secret must have at least 32 bytes/,
  ],
  ['an id with a dot', { current: 'a.b', keys: { 'a.b': secret('a') } }, /the id of a key/],
])('%s is refused without the secret', (_, wrong, message) => {
  const build = () => deriveKeyring(wrong, 'one')
  expect(build).toThrow(ConfigurationError)
  expect(build).toThrow(message)
  expect(build).not.toThrow(/hunter2/)
})
