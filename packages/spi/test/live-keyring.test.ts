import { expect, test } from 'vitest'
import { deriveKeyring, LiveKeyring } from '../src/internal.js'
import { Sealer } from '../src/sealing.js'

const [A, B] = ['a'.repeat(32), 'b'.repeat(32)] as const
const ringOf = () => new LiveKeyring({ current: 'a', keys: { a: A } })

test('what derives from a keyring follows it: a key reads when it is added, and makes when it is used', () => {
  const ring = ringOf()
  const derived = deriveKeyring(ring, 'a purpose')
  const sealer = new Sealer(ring, 'a purpose')
  const fixed = new Sealer({ current: 'b', keys: { b: B } }, 'a purpose')
  const ofB = fixed.seal('text', ['place'])
  expect(() => sealer.open(ofB, ['place'])).toThrow('unknown key')
  ring.add('b', B)
  expect(sealer.open(ofB, ['place'])).toBe('text')
  expect([derived.current.id, derived.all.map(({ id }) => id)]).toEqual(['a', ['a', 'b']])
  const ofA = sealer.seal('text', ['place'])
  expect(ofA[0]).toBe('a')
  expect(ring.use('b')).toBe(true)
  expect(sealer.seal('text', ['place'])[0]).toBe('b')
  expect(sealer.open(ofA, ['place'])).toBe('text')
  expect(ring.remove('a')).toBe(true)
  expect(() => sealer.open(ofA, ['place'])).toThrow('unknown key')
})

test('a fingerprint tells two secrets apart, and says nothing of them', () => {
  const [ring, other] = [ringOf(), ringOf()]
  expect(ring.fingerprint('a')).toBe(other.fingerprint('a'))
  other.add('b', B)
  ring.add('b', A)
  expect(ring.fingerprint('b')).not.toBe(other.fingerprint('b'))
  expect(ring.fingerprint('c')).toBeUndefined()
  expect(ring.fingerprint('a')).not.toContain('a'.repeat(4))
})

test('what cannot be is refused, and the keyring stays as it was', () => {
  const ring = ringOf()
  expect(() => ring.add('b', 'short')).toThrow('at least 32 bytes')
  expect(() => ring.add('b c', B)).toThrow('id of a key')
  expect(() => ring.add('a', B)).toThrow('another secret has this id')
  ring.add('a', A)
  expect(() => ring.remove('a')).toThrow('use another one first')
  expect([ring.use('b'), ring.remove('b')]).toEqual([false, false])
  expect([ring.current, ring.keys, ring.revision]).toEqual(['a', { a: A }, 0])
  expect(() => new LiveKeyring({ current: 'b', keys: { a: A } })).toThrow('names no key')
})

test('bytes of the caller may be wiped', () => {
  const bytes = Buffer.from(B)
  const ring = ringOf()
  ring.add('b', bytes)
  const before = ring.fingerprint('b')
  bytes.fill(0)
  expect(ring.fingerprint('b')).toBe(before)
})
