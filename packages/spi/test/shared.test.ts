import { describe, expect, test } from 'vitest'
import { isExpired, Lifecycle, ProviderClosedError, UnreadableCounter } from '../src/index.js'

describe('a lifecycle', () => {
  test('is open until it closes, and names its owner in the error', () => {
    const lifecycle = new Lifecycle('user-session')
    expect(lifecycle.isClosed).toBe(false)
    lifecycle.assertOpen()
    lifecycle.close()
    lifecycle.close()
    expect(lifecycle.isClosed).toBe(true)
    expect(() => lifecycle.assertOpen()).toThrow(ProviderClosedError)
    expect(() => lifecycle.assertOpen()).toThrow('user-session: the provider is closed')
    expect(lifecycle.closedError()).toBeInstanceOf(ProviderClosedError)
  })
})

describe('a counter of what cannot be read', () => {
  test('counts each and logs the first', () => {
    const logged: unknown[] = []
    const log = (fields: object, message: string) => void logged.push([fields, message])
    const counter = new UnreadableCounter(
      { debug: log, info: log, warn: log, error: log },
      'user-session',
      'a stored session',
    )
    expect([counter.count(), counter.count(), counter.count()]).toEqual([undefined, undefined, undefined])
    expect(counter.total).toBe(3)
    expect(logged).toEqual([
      [
        { spi: 'user-session' },
        'a stored session cannot be read and counts as absent; later ones are counted only',
      ],
    ])
  })
})

test('what ends is gone at its end, not a millisecond later', () => {
  expect([isExpired(10, 9), isExpired(10, 10), isExpired(10, 11)]).toEqual([false, true, true])
})
