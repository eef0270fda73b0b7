import { isExpired } from '@authstate/spi'
import fc from 'fast-check'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { encodeData, expiryOf } from '../src/checks.js'
import { actionTokenConfig } from '../src/config.js'
import { decodeData } from '../src/rules.js'

const config = v.parse(actionTokenConfig, {})

test('defaults', () => {
  expect(config).toEqual({ maxLifespanMs: 2_592_000_000, readGraceMs: 0, maxDataBytes: 65_536 })
})

test('spans may be text in a configuration', () => {
  expect(v.parse(actionTokenConfig, { maxLifespanMs: '12h', readGraceMs: '30s' })).toMatchObject({
    maxLifespanMs: 43_200_000,
    readGraceMs: 30_000,
  })
})

test.each([{ maxLifespanMs: 0 }, { readGraceMs: -1 }, { maxDataBytes: 1.5 }, { maxLifespan: 1 }])(
  '%o is refused',
  (wrong) => {
    expect(v.safeParse(actionTokenConfig, wrong).success).toBe(false)
  },
)

test('what lives for n ms is alive for n ms, and not one more', () => {
  const expiresAt = expiryOf(1_000, 5_000, config)
  expect(isExpired(expiresAt, 5_999)).toBe(false)
  expect(isExpired(expiresAt, 6_000)).toBe(true)
})

test('whatever JSON can hold comes back, or is refused as a TypeError or RangeError', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
      try {
        expect(decodeData(encodeData(data, 65_536))).toEqual(JSON.parse(JSON.stringify(data)))
      } catch (error) {
        expect(error instanceof TypeError || error instanceof RangeError, String(error)).toBe(true)
      }
    }),
  )
})
