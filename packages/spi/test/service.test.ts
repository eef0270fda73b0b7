import { expect, test } from 'vitest'
import { defineService, defineSpi, type Provider, type ProviderFactory } from '../src/index.js'

interface Greetings extends Provider {
  greet(realmId: string, name: string): Promise<string>
}
const greetingsSpi = defineSpi<Greetings>('greetings', { version: 3 })
const factory: ProviderFactory<Greetings> = {
  spi: greetingsSpi,
  id: 'memory',
  create: () => ({ greet: async (_, name) => `Hello ${name}` }),
}
const stores = { memory: async () => factory }

test('a description has the version of its SPI, and defaults for what is left out', () => {
  const service = defineService({ name: 'greetings', spi: greetingsSpi, stores })
  expect(service).toMatchObject({ name: 'greetings', version: 3, onDemand: false, events: [], keys: {} })
  expect(service).toMatchObject({ realm: { verbs: [] }, user: {} })
  expect('member' in service).toBe(false)
})

test('an SPI without a version has version 1', () => {
  const spi = defineSpi<Greetings>('greetings')
  expect(defineService({ name: 'greetings', spi, stores }).version).toBe(1)
})

test('a verb that the contract does not have does not compile', () => {
  const service = defineService({
    name: 'greetings',
    member: 'greetings',
    spi: greetingsSpi,
    stores,
    // @ts-expect-error the contract has no such verb
    realm: { verbs: ['greet', 'shout'] },
  })
  expect(service.realm.verbs).toHaveLength(2)
})

test.each([
  ['another name than its SPI', { name: 'others' }, '"definition.name" must be the name of "definition.spi"'],
  ['a store that cannot be called', { stores: { memory: factory } }, '"definition.stores.memory"'],
  ['an option that nobody knows', { event: [] }, 'event'],
  ['a misspelt verb of a realm', { realm: { removed: async () => {} } }, "Did you mean 'remove'"],
  ['a misspelt verb of a user', { user: { forgets: async () => {} } }, "Did you mean 'forget'"],
  ['a version that is no number', { spi: { name: 'greetings', version: '3' } }, '"definition.spi.version"'],
])('%s is refused', (_, wrong, message) => {
  const definition = { name: 'greetings', spi: greetingsSpi, stores, ...wrong }
  expect(() => defineService(definition as never)).toThrow(message)
})
