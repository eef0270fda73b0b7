import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Keyring } from '../src/index.js'
import { Sealer } from '../src/sealing.js'

const place = ['acme', 'alice']
const old: Keyring = { current: 'k1', keys: { k1: 'a secret of the first half of the year' } }
const rotated: Keyring = { current: 'k2', keys: { ...old.keys, k2: randomBytes(32) } }

test('what is sealed comes back, looks different each time, and grows by what is said', () => {
  const sealer = new Sealer(old, 'a test')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const [keyId, sealed] = sealer.seal(text, place)
      expect(sealer.open([keyId, sealed], place)).toBe(text)
      expect(keyId).toBe('k1')
      expect(Math.floor((sealed.length * 3) / 4) - 28).toBe(Buffer.byteLength(text))
      expect(sealer.seal(text, place)[1]).not.toBe(sealed)
    }),
  )
})

test('keys rotate: the new one writes, the old one still reads, until it is gone', () => {
  const before = new Sealer(old, 'a test').seal('secret', place)
  const sealer = new Sealer(rotated, 'a test')
  expect(sealer.open(before, place)).toBe('secret')
  expect(sealer.seal('secret', place)[0]).toBe('k2')
  const alone = new Sealer({ current: 'k2', keys: { k2: rotated.keys['k2'] as Uint8Array } }, 'a test')
  expect(() => alone.open(before, place)).toThrow('unknown key')
})

test('it cannot be moved, read for another purpose, or changed', () => {
  const sealer = new Sealer(old, 'a test')
  const [keyId, sealed] = sealer.seal('secret', place)
  for (const other of [['acme'], ['acme', 'bob'], ['acme', 'alice', ''], ['acmealice']]) {
    expect(() => sealer.open([keyId, sealed], other)).toThrow()
  }
  expect(() => new Sealer(old, 'another').open([keyId, sealed], place)).toThrow()
  for (let index = 0; index < sealed.length - 1; index++) {
    const changed = `${sealed.slice(0, index)}${sealed[index] === 'A' ? 'B' : 'A'}${sealed.slice(index + 1)}`
    expect(() => sealer.open([keyId, changed], place)).toThrow()
  }
  expect(() => sealer.open([keyId, ''], place)).toThrow()
})
