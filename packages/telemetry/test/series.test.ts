import { expect, test } from 'vitest'
import { MOST_SERIES, OTHER } from '../src/index.js'
import { Series } from '../src/series.js'

test('what is alike has one object, and what is beyond the bound has one name', () => {
  const series = new Series('authstate.answers')
  const one = { spi: 'a', verb: 'b', answer: 'used' }
  expect(series.of(one)).toBe(series.of({ answer: 'used', verb: 'b', spi: 'a' }))
  const all = new Set(
    Array.from({ length: 2 * MOST_SERIES }, (_, n) =>
      series.of({ spi: 'a', verb: `verb ${n}`, answer: 'used' }),
    ),
  )
  all.add(series.of(one))
  expect(all.size).toBe(MOST_SERIES)
  expect(series.of({ spi: 'a', verb: 'one more', answer: 'used' })).toEqual({
    spi: OTHER,
    verb: OTHER,
    answer: OTHER,
  })
  expect(series.of(one)).toEqual(one)
})
