import { defineSpi, type Provider } from '@authstate/spi'
import { describe, expect, test } from 'vitest'
import { closeInTurn, closeTimeoutOf } from '../src/closing.js'
import { createProviderRegistry } from '../src/index.js'

describe('closing', () => {
  const never = new Promise<void>(() => {})

  test('goes on without a provider that never ends, and says which', async () => {
    const closed: string[] = []
    const says = (name: string): Provider => ({ close: async () => void closed.push(name) })
    const result = await closeInTurn(
      [
        ['a', says('a')],
        ['b', { close: () => never }],
        ['c', {}],
        ['d', says('d')],
      ],
      1,
    )
    expect(closed).toEqual(['a', 'd'])
    expect(result).toEqual({ failures: [], late: ['b'] })
  })

  test('a provider that fails, at once or later, is named with its error', async () => {
    const [first, second] = [new Error('first'), new Error('second')]
    const result = await closeInTurn(
      [
        [
          'a',
          {
            close: () => {
              throw first
            },
          },
        ],
        ['b', { close: () => Promise.reject(second) }],
      ],
      1_000,
    )
    expect(result.failures).toEqual([
      { spi: 'a', error: first },
      { spi: 'b', error: second },
    ])
  })

  test('a registry ends in time, and warns', async () => {
    const warned: unknown[] = []
    const quiet = () => {}
    const registry = createProviderRegistry({
      factories: [{ spi: defineSpi('stuck'), id: 'stuck', create: () => ({ close: () => never }) }],
      config: { spi: { stuck: { provider: 'stuck' } } },
      logger: { debug: quiet, info: quiet, warn: (fields) => warned.push(fields), error: quiet },
      closeTimeoutMs: '1ms',
    })
    await registry.start()
    await registry.close()
    expect(warned).toEqual([{ spis: ['stuck'], closeTimeoutMs: 1 }])
  })

  test.each([-1, 0.5, 600_001, 'soon', Number.NaN])('%j is no time-out', (given) => {
    expect(() => closeTimeoutOf(given)).toThrow('"closeTimeoutMs" must be whole milliseconds')
  })

  test.each([
    [undefined, 5_000],
    [0, 0],
    ['2s', 2_000],
  ] as const)('%j is %i ms', (given, ms) => expect(closeTimeoutOf(given)).toBe(ms))
})
