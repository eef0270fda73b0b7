import type { AnyProviderFactory } from '@authstate/spi'
import { describe, expect, test } from 'vitest'
import { createProviderRegistry, type RegistryConfig } from '../src/index.js'
import { factory, logins, mistakesOf, redis, started, users } from './support.js'

const both = [factory(users, 'memory'), factory(users, 'redis')]

async function selected(
  factories: readonly AnyProviderFactory[],
  config?: RegistryConfig,
  env?: Record<string, string>,
) {
  const registry = await started({ factories, config, env })
  const { selected, reason } = registry.describe().spis['user-session'] ?? {}
  expect(registry.find(users)?.id).toBe(selected)
  return { selected, reason }
}

describe('selection', () => {
  test('a configured id that exists wins over everything else', async () => {
    const factories = [
      factory(users, 'memory', { order: 9 }),
      factory(users, 'redis'),
      factory(users, 'default'),
    ]
    const config = { provider: 'default', spi: { 'user-session': { provider: 'redis' } } }
    expect(await selected(factories, config)).toEqual({ selected: 'redis', reason: 'configured' })
  })

  test('a configured id that nobody has stops the start, names the place and the nearest id', async () => {
    const message = await mistakesOf({
      factories: both,
      config: { spi: { 'user-session': { provider: 'reids' } } },
    })
    expect(message).toBe(
      "spi.user-session.provider: 'user-session' has no provider with this id. Known: 'memory', 'redis'. Did you mean 'redis'?",
    )
  })

  test('an id for all is used where a factory has it, the other SPIs fall through', async () => {
    const factories = [...both, factory(logins, 'memory')]
    const registry = await started({ factories, config: { provider: 'redis' } })
    expect(registry.get(users).id).toBe('redis')
    expect(registry.get(logins).id).toBe('memory')
    expect(registry.describe().spis).toMatchObject({
      'user-session': { reason: 'configured for all' },
      'login-failure': { reason: 'only one' },
    })
  })

  test('an id for all wins over the highest order', async () => {
    const factories = [factory(users, 'memory', { order: 9 }), factory(users, 'redis')]
    expect(await selected(factories, { provider: 'redis' })).toMatchObject({ selected: 'redis' })
  })

  test('an id for all that no SPI knows stops the start', async () => {
    const message = await mistakesOf({ factories: both, config: { provider: 'redi' } })
    expect(message).toBe(
      "provider: no SPI has a provider with this id. Known: 'memory', 'redis'. Did you mean 'redis'?",
    )
  })

  test('the only factory is used, whatever its order', async () => {
    expect(await selected([factory(users, 'x', { order: -1 })])).toEqual({
      selected: 'x',
      reason: 'only one',
    })
  })

  test('the highest order above 0 is used', async () => {
    const factories = [
      factory(users, 'a', { order: 1 }),
      factory(users, 'b', { order: 7 }),
      factory(users, 'c', { order: 3 }),
      factory(users, 'default'),
    ]
    expect(await selected(factories)).toEqual({ selected: 'b', reason: 'highest order' })
  })

  test('an order of 0 or below does not count', async () => {
    const factories = [factory(users, 'a', { order: 0 }), factory(users, 'default', { order: -5 })]
    expect(await selected(factories)).toEqual({ selected: 'default', reason: 'named default' })
  })

  test('with several and no rule that decides nobody provides the SPI', async () => {
    expect(await selected(both)).toEqual({ selected: undefined, reason: 'nothing' })
  })

  test('enabled: false beats everything', async () => {
    const config = { provider: 'memory', spi: { 'user-session': { provider: 'redis', enabled: false } } }
    expect(await selected(both, config)).toEqual({ selected: undefined, reason: 'disabled' })
    expect(
      await selected([factory(users, 'only', { order: 5 })], { 'user-session': { enabled: false } }),
    ).toEqual({
      selected: undefined,
      reason: 'disabled',
    })
  })

  test('enabled must be true or false', async () => {
    const message = await mistakesOf({
      factories: both,
      config: { spi: { 'user-session': { enabled: 'no' as unknown as boolean } } },
    })
    expect(message).toBe('spi.user-session.enabled: expected true or false')
  })

  test('of two factories with the same id the later one stays', async () => {
    const later = factory(users, 'memory', { create: () => ({ id: 'later' }) })
    const registry = await started({ factories: [factory(users, 'memory'), later] })
    expect(registry.get(users).id).toBe('later')
    expect(registry.describe().spis['user-session']?.known).toEqual(['memory'])
  })
})

describe('providers on demand', () => {
  const connection = factory(redis, 'redis', { onDemand: true })
  const isStarted = async (factories: readonly AnyProviderFactory[], config?: RegistryConfig) => {
    const registry = await started({ factories, config })
    return registry.find(redis) !== undefined
  }

  test('are not started by themselves', async () => {
    expect(await isStarted([connection, factory(users, 'memory')])).toBe(false)
    const registry = await started({ factories: [connection] })
    expect(registry.describe().spis['redis']).toMatchObject({ selected: 'redis', started: false })
  })

  test('are started when a selected provider depends on them, not when one only uses them', async () => {
    expect(await isStarted([connection, factory(users, 'redis', { dependsOn: [redis] })])).toBe(true)
    expect(await isStarted([connection, factory(users, 'redis', { uses: [redis] })])).toBe(false)
  })

  test('are not started for a provider that is not selected', async () => {
    const factories = [
      connection,
      factory(users, 'memory', { order: 1 }),
      factory(users, 'redis', { dependsOn: [redis] }),
    ]
    expect(await isStarted(factories)).toBe(false)
    expect(await isStarted(factories, { provider: 'redis' })).toBe(true)
  })

  test('are started when their section says something', async () => {
    expect(await isStarted([connection], { spi: { redis: {} } })).toBe(false)
    expect(await isStarted([connection], { spi: { redis: { provider: 'redis' } } })).toBe(true)
    const registry = await started({ factories: [connection], env: { AUTHSTATE_REDIS__ENABLED: 'true' } })
    expect(registry.find(redis)).toBeDefined()
  })

  test('start what they depend on in turn', async () => {
    const chained = factory(logins, 'chained', { onDemand: true, dependsOn: [redis] })
    expect(await isStarted([connection, chained])).toBe(false)
    expect(await isStarted([connection, chained, factory(users, 'x', { dependsOn: [logins] })])).toBe(true)
  })
})

describe('dependencies', () => {
  test('a dependency that nobody provides says who needs what, and why it is missing', async () => {
    const needy = factory(users, 'redis', { dependsOn: [redis] })
    expect(await mistakesOf({ factories: [needy] })).toBe(
      "user-session (provider 'redis') needs 'redis', which no factory provides",
    )
    const connection = factory(redis, 'redis')
    expect(await mistakesOf({ factories: [needy, connection], config: { redis: { enabled: false } } })).toBe(
      "user-session (provider 'redis') needs 'redis', which is disabled",
    )
    expect(await mistakesOf({ factories: [needy, connection, factory(redis, 'other')] })).toBe(
      "user-session (provider 'redis') needs 'redis', of which no provider is selected: name one of 'redis', 'other'",
    )
  })

  test('a cycle names its chain', async () => {
    const factories = [
      factory(users, 'x', { dependsOn: [logins] }),
      factory(logins, 'x', { uses: [redis] }),
      factory(redis, 'x', { dependsOn: [users] }),
    ]
    expect(await mistakesOf({ factories })).toContain(
      'user-session -> login-failure -> redis -> user-session',
    )
    expect(await mistakesOf({ factories: [factory(users, 'x', { dependsOn: [users] })] })).toContain(
      'user-session -> user-session',
    )
  })

  test('a cycle among providers that are not selected is none', async () => {
    const registry = createProviderRegistry({
      factories: [factory(users, 'memory', { order: 1 }), factory(users, 'x', { dependsOn: [users] })],
    })
    await expect(registry.start()).resolves.toBeUndefined()
  })

  test('a dependency and a used provider start first, a missing used one is left out', async () => {
    const order: string[] = []
    const noting = (spi: typeof users, extras: object) => {
      const create = () => {
        order.push(spi.name)
        return {}
      }
      return factory(spi, 'x', { ...extras, create })
    }
    await started({
      factories: [
        noting(users, { dependsOn: [logins] }),
        noting(logins, { uses: [redis] }),
        noting(redis, {}),
      ],
    })
    expect(order).toEqual(['redis', 'login-failure', 'user-session'])
    const alone = await started({ factories: [factory(logins, 'x', { uses: [redis] })] })
    expect(alone.get(logins).context.find(redis)).toBeUndefined()
  })
})
