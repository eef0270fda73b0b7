import { defineSpi, type Provider, type ProviderFactory, type Spi } from '@authstate/spi'
import { expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { createProviderRegistry } from '../src/index.js'

interface Clocks extends Provider {
  ring(times: number): Promise<string>
}
const clockSpi: Spi<Clocks> = defineSpi<Clocks>('clocks')
const schema = z.object({ bells: z.number().default(1) })
const clocks: ProviderFactory<Clocks, z.output<typeof schema>> = {
  spi: clockSpi,
  id: 'memory',
  config: schema,
  create: (context, config) => {
    expectTypeOf(config.bells).toBeNumber()
    expectTypeOf(context.clock.now()).toBeNumber()
    return { ring: async (times) => 'ding '.repeat(times * config.bells) }
  },
}

test('get and find are typed by the token', async () => {
  const registry = createProviderRegistry({ factories: [clocks] })
  await registry.start()
  expectTypeOf(registry.get(clockSpi)).toEqualTypeOf<Clocks>()
  expectTypeOf(registry.find(clockSpi)).toEqualTypeOf<Clocks | undefined>()
  expect(await registry.get(clockSpi).ring(2)).toBe('ding ding ')
})

test('wrong calls do not compile', () => {
  const wrong = (): void => {
    const registry = createProviderRegistry({ factories: [clocks] })
    // @ts-expect-error a name is not a token
    registry.get('clocks')
    // @ts-expect-error the method takes a number
    registry.get(clockSpi).ring('twice')
    // @ts-expect-error there is no such method
    registry.get(clockSpi).wring(1)
    // @ts-expect-error find may answer undefined
    registry.find(clockSpi).ring(1)
    // @ts-expect-error factories are needed
    createProviderRegistry({})
    // @ts-expect-error an option that is none
    createProviderRegistry({ factories: [], factory: [] })
    // @ts-expect-error the id for all is text
    createProviderRegistry({ factories: [], config: { provider: 7 } })
    // @ts-expect-error enabled is a truth value
    createProviderRegistry({ factories: [], config: { spi: { clocks: { enabled: 'no' } } } })
  }
  expect(wrong).toBeTypeOf('function')
})

test('a factory must create what its token names', () => {
  // @ts-expect-error no ring
  const wrong: ProviderFactory<Clocks> = { spi: clockSpi, id: 'x', create: () => ({}) }
  expect(wrong.id).toBe('x')
})
