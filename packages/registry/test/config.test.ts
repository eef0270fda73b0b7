import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { RegistryConfig } from '../src/index.js'
import { factory, logins, mistakesOf, redis, started, users } from './support.js'

const schema = z.strictObject({
  url: z.string().optional(),
  partitions: z.number().default(16),
  tls: z.strictObject({ ca: z.string(), cert: z.string().optional() }).optional(),
})
const memory = factory(users, 'memory', { config: z.strictObject({ limit: z.number().optional() }) })
const remote = factory(users, 'redis', { config: schema })
const connection = factory(redis, 'redis', { config: schema })
const factories = [memory, remote, connection, factory(logins, 'memory')]

async function configOf(config: RegistryConfig | string) {
  const registry = await started({ factories, config })
  return registry.get(users).config
}

describe('configuration', () => {
  test('reads an object or the JSON of one', async () => {
    const config = { spi: { 'user-session': { provider: 'redis', partitions: 64 } } }
    expect(await configOf(config)).toEqual({ partitions: 64 })
    expect(await configOf(JSON.stringify(config))).toEqual({ partitions: 64 })
  })

  test('JSON that is none, or no object, is an error that does not quote it', async () => {
    expect(await mistakesOf({ factories, config: '{"redis": hunter2' })).toBe(
      'config: the text is not valid JSON',
    )
    for (const config of ['[]', '7', '"hunter2"', 'null']) {
      expect(await mistakesOf({ factories, config })).toBe('config: expected an object or the JSON of one')
    }
  })

  test('takes an SPI directly at the top, as under spi', async () => {
    const registry = await started({ factories, config: { redis: { partitions: 2 } } })
    expect(registry.get(redis).config).toEqual({ partitions: 2 })
  })

  test('merges both ways of naming an SPI, and refuses the same property in both', async () => {
    const registry = await started({
      factories,
      config: { redis: { url: 'a' }, spi: { redis: { partitions: 2 } } },
    })
    expect(registry.get(redis).config).toEqual({ url: 'a', partitions: 2 })
    expect(
      await mistakesOf({ factories, config: { redis: { url: 'a' }, spi: { redis: { url: 'b' } } } }),
    ).toBe('redis.url and spi.redis.url say the same thing: give one of them')
    const twice = { redis: { provider: 'redis' }, spi: { redis: { provider: 'redis' } } }
    expect(await mistakesOf({ factories, config: twice })).toBe(
      'redis.provider and spi.redis.provider say the same thing: give one of them',
    )
  })

  test("a provider's own section goes with the section of its SPI, and refuses the same property in both", async () => {
    const merged = { 'user-session': { provider: 'redis', url: 'a', redis: { partitions: 2 } } }
    expect(await configOf(merged)).toEqual({ url: 'a', partitions: 2 })
    expect(
      await mistakesOf({
        factories,
        config: { 'user-session': { provider: 'redis', url: 'a', redis: { url: 'b' } } },
      }),
    ).toBe('user-session.url and user-session.redis.url say the same thing: give one of them')
  })

  test('the section of a provider that is not selected is checked and not used', async () => {
    const config = { 'user-session': { provider: 'memory', limit: 3, redis: { partitions: 2 } } }
    expect(await configOf(config)).toEqual({ limit: 3 })
    const wrong = { 'user-session': { provider: 'memory', redis: { partitions: 'two', urll: 'x' } } }
    const message = await mistakesOf({ factories, config: wrong })
    expect(message).toContain('user-session.redis.partitions: expected number')
    expect(message).toContain(
      "user-session.redis.urll: user-session (provider 'redis') has no property 'urll'.",
    )
  })

  test('the section of a provider must be an object', async () => {
    expect(
      await mistakesOf({ factories, config: { 'user-session': { provider: 'memory', redis: 'x' } } }),
    ).toBe("user-session.redis: expected an object, the properties of the provider 'redis'")
  })

  test('a section of a disabled SPI is checked, without asking for what is missing', async () => {
    const strict = factory(users, 'redis', {
      config: z.strictObject({ url: z.string(), partitions: z.number() }),
    })
    const registry = await started({
      factories: [strict],
      config: { 'user-session': { enabled: false, partitions: 3 } },
    })
    expect(registry.find(users)).toBeUndefined()
    expect(
      await mistakesOf({
        factories: [strict],
        config: { 'user-session': { enabled: false, partitions: 'x' } },
      }),
    ).toBe('user-session.partitions: expected number')
  })

  test('unknown names are listed with the nearest known one', async () => {
    expect(await mistakesOf({ factories, config: { spi: { 'user-sesion': {} } } })).toBe(
      "spi.user-sesion: no SPI has the name 'user-sesion'. Known: 'user-session', 'redis', 'login-failure'. Did you mean 'user-session'?",
    )
    expect(await mistakesOf({ factories, config: { providers: 'redis' } })).toBe(
      "providers: no SPI has the name 'providers'. Known: 'provider', 'spi', 'user-session', 'redis', 'login-failure'. Did you mean 'provider'?",
    )
    expect(await mistakesOf({ factories, config: { redis: { partition: 4 } } })).toBe(
      "redis.partition: redis (provider 'redis') has no property 'partition'. Known: 'url', 'partitions', 'tls'. Did you mean 'partitions'?",
    )
    expect(await mistakesOf({ factories, config: { redis: { tls: { ca: 'x', crt: 'y' } } } })).toContain(
      "redis.tls.crt: redis (provider 'redis') has no property 'crt'. Known: 'ca', 'cert'. Did you mean 'cert'?",
    )
  })

  test('no nearest name is offered where none is near', async () => {
    const message = await mistakesOf({ factories, config: { redis: { whatever: 4 } } })
    expect(message).toContain("Known: 'url', 'partitions', 'tls'.")
    expect(message).not.toContain('Did you mean')
  })

  test('a provider without a schema takes no properties', async () => {
    expect(await mistakesOf({ factories, config: { 'login-failure': { x: 1 } } })).toBe(
      "login-failure.x: login-failure (provider 'memory') has no property 'x'. None is known.",
    )
  })

  test('properties of an SPI of which nothing is selected are an error', async () => {
    expect(await mistakesOf({ factories: [memory, remote], config: { 'user-session': { limit: 1 } } })).toBe(
      "user-session.limit: no provider of 'user-session' is selected that could have this property",
    )
  })

  test('several mistakes are reported together', async () => {
    const config = { nonsense: {}, provider: 'xyz', redis: { partitions: 'x', url: 7 } }
    const message = await mistakesOf({ factories, config })
    expect(message.split('\n')).toEqual([
      '4 mistakes in the configuration:',
      expect.stringContaining('- nonsense: no SPI has the name'),
      expect.stringContaining('- provider: no SPI has a provider with this id'),
      '- redis.url: expected string',
      '- redis.partitions: expected number',
    ])
  })

  test('sections and ids of the wrong type are named', async () => {
    const wrong = (value: unknown) => mistakesOf({ factories, config: value as RegistryConfig })
    expect(await wrong({ spi: [] })).toBe('spi: expected an object')
    expect(await wrong({ spi: { redis: 'redis://hunter2' } })).toBe('spi.redis: expected an object')
    expect(await wrong({ redis: null })).toBe('redis: expected an object')
    expect(await wrong({ provider: 7 })).toContain('provider: expected the id of a provider.')
    expect(await wrong({ redis: { provider: {} } })).toContain(
      'redis.provider: expected the id of a provider.',
    )
    expect(await wrong(new Map())).toBe('config: expected an object or the JSON of one')
  })

  test('what is undefined is as if it were not there', async () => {
    const config = {
      provider: undefined,
      spi: { redis: undefined, 'user-session': { provider: 'redis', enabled: undefined } },
    }
    expect(await configOf({ ...config, redis: { url: undefined } } as RegistryConfig)).toEqual({
      partitions: 16,
    })
  })

  test.each(['__proto__', 'constructor', 'prototype'])('%s is an unknown name everywhere', async (name) => {
    const places = ['{"N":{}}', '{"spi":{"N":{}}}', '{"redis":{"N":1}}', '{"redis":{"redis":{"N":1}}}']
    for (const json of places) {
      expect(await mistakesOf({ factories, config: json.replace('N', name) })).toContain(name)
    }
    expect(await mistakesOf({ factories, config: JSON.stringify({ provider: name }) })).toContain(
      'provider: no SPI has',
    )
    expect(
      await mistakesOf({ factories, env: { [`AUTHSTATE_REDIS__${name.toUpperCase()}`]: 'x' } }),
    ).toContain('AUTHSTATE_REDIS__')
    const loose = factory(redis, 'redis', { config: z.looseObject({}) })
    for (const json of ['{"redis":{"N":{"x":1}}}', '{"redis":{"redis":{"N":{"x":1}}}}']) {
      expect(await mistakesOf({ factories: [loose], config: json.replace('N', name) })).toContain(
        `'${name}' is unknown, and no name that can be given`,
      )
    }
    expect(Object.keys(Object.prototype)).toEqual([])
  })
})
