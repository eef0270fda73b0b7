import { type AnyProviderFactory, ConfigurationError, defineService, defineSpi } from '@authstate/spi'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { createProviderRegistry } from '../src/index.js'
import { factory, logins, mistakesOf, type Probe, redis, users } from './support.js'

type Loaded = string[]

/** A service of which each store notes that it was loaded. */
function service(
  spi: typeof users,
  ids: readonly string[],
  loaded: Loaded,
  extras: Parameters<typeof factory>[2] & { keys?: Record<string, string> } = {},
) {
  const { keys = {}, ...rest } = extras
  const stores = Object.fromEntries(
    ids.map((id) => [
      id,
      async () => {
        loaded.push(`${spi.name}/${id}`)
        return factory(spi, id, rest)
      },
    ]),
  )
  return defineService({ name: spi.name, spi, stores, onDemand: rest.onDemand ?? false, keys })
}

test('only the stores that are selected are loaded, once', async () => {
  const loaded: Loaded = []
  const services = [service(users, ['memory', 'redis'], loaded), service(logins, ['memory', 'redis'], loaded)]
  const registry = createProviderRegistry({
    services,
    factories: [],
    config: { provider: 'memory', spi: { 'login-failure': { provider: 'redis' } } },
  })
  expect(loaded).toEqual([])
  await registry.prepare()
  await registry.start()
  expect(loaded.sort()).toEqual(['login-failure/redis', 'user-session/memory'])
  expect((registry.get(users) as Probe).id).toBe('memory')
  expect(registry.describe().spis['user-session']).toMatchObject({ known: ['memory', 'redis'] })
  await registry.close()
})

test('what a selected store depends on is loaded, too, and started only then', async () => {
  const loaded: Loaded = []
  const services = [
    service(users, ['redis'], loaded, { dependsOn: [redis] }),
    service(logins, ['redis'], loaded, { dependsOn: [redis] }),
    service(redis, ['default'], loaded, { onDemand: true }),
  ]
  const registry = createProviderRegistry({ services, factories: [] })
  await registry.start()
  expect(loaded).toEqual(['user-session/redis', 'login-failure/redis', 'redis/default'])
  await registry.close()

  const idle: Loaded = []
  const alone = createProviderRegistry({
    services: [service(redis, ['default'], idle, { onDemand: true })],
    factories: [],
  })
  await alone.start()
  expect(idle).toEqual([])
  await alone.close()
})

test('a loader that answers no factory stops the start', async () => {
  const stores = { memory: async () => undefined as unknown as AnyProviderFactory }
  const services = [defineService({ name: users.name, spi: users, stores })]
  const registry = createProviderRegistry({ services, factories: [], config: { provider: 'memory' } })
  await expect(registry.start()).rejects.toThrow(
    "the store 'memory' of user-session must load the provider of that name",
  )
})

test('a store that is given properties is loaded, so that they are checked, whoever is selected', async () => {
  const loaded: Loaded = []
  const config = z.strictObject({ limit: z.number().optional() })
  const message = await mistakesOf({
    services: [service(users, ['memory', 'redis'], loaded, { config })],
    factories: [],
    config: { provider: 'memory', spi: { 'user-session': { redis: { limitt: 1 } } } },
  })
  expect(message).toContain('limitt')
  expect(loaded.sort()).toEqual(['user-session/memory', 'user-session/redis'])
})

test('a factory with the id of a store takes its place, and the store is not loaded', async () => {
  const loaded: Loaded = []
  const given = factory(users, 'memory', { create: () => ({ id: 'given' }) as Probe })
  const registry = createProviderRegistry({
    services: [service(users, ['memory'], loaded)],
    factories: [given],
  })
  await registry.start()
  expect((registry.get(users) as Probe).id).toBe('given')
  expect(loaded).toEqual([])
  await registry.close()
})

test('a store that loads the provider of another name stops the start', async () => {
  const stores = { memory: async () => factory(users, 'redis') }
  const services = [defineService({ name: 'user-session', spi: users, stores })]
  const registry = createProviderRegistry({ services, factories: [] })
  await expect(registry.start()).rejects.toThrow(
    "the store 'memory' of user-session must load the provider of that name",
  )
})

test('a module that cannot be loaded stops the start with its own error', async () => {
  const error = new Error('Cannot find module')
  const stores = { memory: () => Promise.reject(error) }
  const services = [defineService({ name: 'user-session', spi: users, stores })]
  const registry = createProviderRegistry({ services, factories: [] })
  await expect(registry.start()).rejects.toBe(error)
})

test('a provider that was written for another version of its SPI stops the start, and says both', () => {
  const [v1, v2] = [defineSpi<Probe>('user-session'), defineSpi<Probe>('user-session', { version: 2 })]
  const services = [defineService({ name: 'user-session', spi: v2, stores: {} })]
  const old: AnyProviderFactory = factory(v1, 'mine')
  const start = () => createProviderRegistry({ services, factories: [old] })
  expect(start).toThrow(ConfigurationError)
  expect(start).toThrow(
    "user-session (provider 'mine') was written for version 1 of this SPI, and this is version 2",
  )
})

test('two services with one kind of keys are refused, and both are named', () => {
  const services = [
    service(users, ['memory'], [], { keys: { us: 'a session' } }),
    service(logins, ['memory'], [], { keys: { us: 'a failure' } }),
  ]
  expect(() => createProviderRegistry({ services, factories: [] })).toThrow(
    "'user-session' and 'login-failure' both have keys of the kind 'us'",
  )
})
