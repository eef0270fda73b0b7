import { type AnyProviderFactory, defineService, defineSpi, ProviderClosedError } from '@authstate/spi'
import { expect, test } from 'vitest'
import { createProviderRegistry } from '../src/index.js'

interface Counting {
  stats(): { readonly counted: number }
}
const counting = defineSpi<Counting>('counting')
const silent = defineSpi('silent')
const summed = defineSpi<Counting>('summed')

const factoryOf = (spi: typeof counting | typeof silent, provider: object): AnyProviderFactory => ({
  spi,
  id: 'memory',
  create: () => provider,
})

const factories = [
  factoryOf(counting, { stats: () => ({ counted: 3 }) }),
  factoryOf(silent, {}),
  factoryOf(summed, { stats: () => ({ counted: 4 }) }),
]
const services = [
  defineService({
    name: 'summed',
    spi: summed,
    stores: {},
    stats: (provider) => ({ said: provider.stats().counted }),
  }),
]

test('stats() has what each provider counts, and what its service makes of it', async () => {
  const registry = createProviderRegistry({ factories, services })
  await registry.start()
  expect(registry.stats()).toEqual({ counting: { counted: 3 }, summed: { said: 4 } })
  await registry.close()
})

test('to ask for them is no call of a provider', async () => {
  const calls: unknown[] = []
  const registry = createProviderRegistry({ factories, services, instrument: (call) => calls.push(call) })
  await registry.start()
  registry.stats()
  expect(calls).toEqual([])
  await registry.close()
})

test('there are none before the start and after the end', async () => {
  const registry = createProviderRegistry({ factories, services })
  expect(() => registry.stats()).toThrow('the registry has not been started')
  await registry.start()
  await registry.close()
  expect(() => registry.stats()).toThrow(ProviderClosedError)
})
