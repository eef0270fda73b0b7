import { randomBytes } from 'node:crypto'
import { ConfigurationError, type Keyring } from '@authstate/spi'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NotesCipher, type SealedNote } from '../src/redis/cipher.js'

const place = { realmId: 'acme', sessionId: 'vJt0sZ3cH1yQm8XbW2kLd00a' }
const old: Keyring = { current: 'k1', keys: { k1: 'a secret of the first half of the year' } }
const rotated: Keyring = { current: 'k2', keys: { ...old.keys, k2: randomBytes(32) } }
const seal = (cipher: NotesCipher, note: string, name = 'n', at: object = {}) =>
  cipher.seal(note, name, { ...place, ...at }) as SealedNote

test('what is sealed comes back, looks different each time, and grows by what is said', () => {
  const cipher = new NotesCipher(old, true)
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (note) => {
      const [keyId, sealed] = seal(cipher, note)
      expect(cipher.open([keyId, sealed], 'n', place)).toBe(note)
      expect(keyId).toBe('k1')
      expect(Math.floor((sealed.length * 3) / 4) - 28).toBe(Buffer.byteLength(note))
      expect(seal(cipher, note)[1]).not.toBe(sealed)
    }),
  )
})

test('keys rotate: the new one writes, the old one still reads, until it is gone', () => {
  const before = seal(new NotesCipher(old, true), 'secret')
  const cipher = new NotesCipher(rotated, true)
  expect(cipher.open(before, 'n', place)).toBe('secret')
  expect(seal(cipher, 'secret')[0]).toBe('k2')
  const alone = new NotesCipher({ current: 'k2', keys: { k2: rotated.keys['k2'] as Uint8Array } }, true)
  expect(() => alone.open(before, 'n', place)).toThrow()
})

test('switched off, notes are written plainly and encrypted ones can still be read', () => {
  const before = seal(new NotesCipher(old, true), 'secret')
  const cipher = new NotesCipher(old, false)
  expect(cipher.open(before, 'n', place)).toBe('secret')
  expect(cipher.seal('plain', 'n', place)).toBe('plain')
  expect(() => new NotesCipher(undefined, false).open(before, 'n', place)).toThrow()
})

test('a note can not be moved, renamed or changed', () => {
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
  for (let index = 0; index < sealed.length - 1; index++) {
    const changed = `${sealed.slice(0, index)}${sealed[index] === 'A' ? 'B' : 'A'}${sealed.slice(index + 1)}`
    expect(() => cipher.open([keyId, changed], 'n', { ...place, clientId: 'app' })).toThrow()
  }
  expect(() => cipher.open([keyId, ''], 'n', place)).toThrow()
})

test('without a keyring there is nothing to encrypt with', () => {
  expect(() => new NotesCipher(undefined, true)).toThrow(ConfigurationError)
})
