import { FakeClock } from '@authstate/conformance'
import { expect, test } from 'vitest'
import { lifeUntil } from '../src/index.js'

test('lifeUntil says what is left by the clock of the host, in every form of a date', () => {
  const clock = new FakeClock()
  const at = clock.now() + 60_000
  for (const expires of [at, new Date(at), new Date(at).toISOString()])
    expect(lifeUntil(expires, clock)).toEqual({ lifespanMs: 60_000 })
  clock.advance(59_999.5)
  expect(lifeUntil(at, clock)).toEqual({ lifespanMs: 1 })
  for (const ms of [0.5, 1, 1_000_000]) {
    clock.advance(ms)
    expect(lifeUntil(at, clock)).toEqual({ expiresAt: 0 })
  }
})

test('lifeUntil goes by the clock of the host unless another is given', () => {
  const { lifespanMs = 0 } = lifeUntil(new Date(Date.now() + 60_000))
  expect(lifespanMs).toBeGreaterThan(0)
  expect(lifespanMs).toBeLessThanOrEqual(60_000)
  expect(lifeUntil(0)).toEqual({ expiresAt: 0 })
})

test.each([['no date'], [Number.NaN], [new Date(Number.NaN)], [null], [undefined]])(
  'lifeUntil refuses %s by name',
  (expires) => {
    expect(() => lifeUntil(expires as never)).toThrow(new TypeError('"expires" must be a date'))
  },
)
