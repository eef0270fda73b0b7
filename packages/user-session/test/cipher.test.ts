import { ConfigurationError, type Keyring } from '@authstate/spi'
import type { Sealed } from '@authstate/spi/sealing'
import { expect, test } from 'vitest'
import { NotesCipher } from '../src/redis/cipher.js'

const place = { realmId: 'acme', sessionId: 'vJt0sZ3cH1yQm8XbW2kLd00a' }
const old: Keyring = { current: 'k1', keys: { k1: 'a secret of the first half of the year' } }
const seal = (cipher: NotesCipher, note: string, name = 'n', at: object = {}) =>
  cipher.seal(note, name, { ...place, ...at }) as Sealed

test('switched off, notes are written plainly and encrypted ones can still be read', () => {
  const before = seal(new NotesCipher(old, true), 'secret')
  const cipher = new NotesCipher(old, false)
  expect(cipher.open(before, 'n', place)).toBe('secret')
  expect(cipher.seal('plain', 'n', place)).toBe('plain')
  expect(() => new NotesCipher(undefined, false).open(before, 'n', place)).toThrow()
})

test('a note cannot be moved or renamed', () => {
  const cipher = new NotesCipher(old, true)
  const [keyId, sealed] = seal(cipher, 'secret', 'n', { clientId: 'app' })
  for (const [name, at] of [
    ['m', { clientId: 'app' }],
    ['n', { clientId: 'other' }],
    ['n', {}],
    ['n', { clientId: 'app', sessionId: 'x' }],
    ['n', { clientId: 'app', realmId: 'x' }],
  ] as const) {
    expect(() => cipher.open([keyId, sealed], name, { ...place, ...at })).toThrow()
  }
})

test('without a keyring there is nothing to encrypt with', () => {
  expect(() => new NotesCipher(undefined, true)).toThrow(ConfigurationError)
})
