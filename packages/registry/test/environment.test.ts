import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { RegistryConfig } from '../src/index.js'
import { factory, logins, mistakesOf, redis, started, users } from './support.js'

const schema = z.strictObject({
  url: z.string().optional(),
  password: z.string().optional(),
  partitions: z.number().default(16),
  sweepIntervalMs: z.number().optional(),
  caURL: z.string().optional(),
  nodes: z.array(z.strictObject({ host: z.string(), port: z.number() })).optional(),
  tls: z.strictObject({ ca: z.string().optional(), rejectUnauthorized: z.boolean().optional() }).optional(),
  mode: z.union([z.literal('auto'), z.number()]).optional(),
})
const factories = [
  factory(users, 'memory', { config: z.strictObject({ limit: z.number().optional() }), order: 1 }),
  factory(users, 'redis', { config: schema }),
  factory(redis, 'redis', { config: schema }),
  factory(logins, 'rate-limited', { config: z.strictObject({ x: z.string().optional() }) }),
]

async function redisConfig(env: Record<string, string | undefined>, config?: RegistryConfig) {
  const registry = await started({ factories, env, config })
  return registry.get(redis).config
}
const mistakes = (env: Record<string, string>, config?: RegistryConfig) =>
  mistakesOf({ factories, env, config })

describe('environment', () => {
  test('names a provider, for one SPI and for all', async () => {
    const registry = await started({ factories, env: { AUTHSTATE_SPI__USER_SESSION__PROVIDER: 'redis' } })
    expect(registry.get(users).id).toBe('redis')
    const all = await started({ factories, env: { AUTHSTATE_PROVIDER: 'Redis' } })
    expect(all.get(users).id).toBe('redis')
    expect(await mistakes({ AUTHSTATE_PROVIDER: 'reddis' })).toMatch(
      /^AUTHSTATE_PROVIDER: no SPI.*mean 'redis'\?$/,
    )
  })

  test('gives properties in camelCase, with or without SPI__, and in sections of providers', async () => {
    expect(await redisConfig({ AUTHSTATE_REDIS__PARTITIONS: '64' })).toEqual({ partitions: 64 })
    expect(await redisConfig({ AUTHSTATE_SPI__REDIS__SWEEP_INTERVAL_MS: '5' })).toMatchObject({
      sweepIntervalMs: 5,
    })
    expect(await redisConfig({ AUTHSTATE_REDIS__CA_URL: 'x' })).toMatchObject({ caURL: 'x' })
    const registry = await started({
      factories,
      env: { AUTHSTATE_PROVIDER: 'redis', AUTHSTATE_SPI__USER_SESSION__REDIS__SWEEP_INTERVAL_MS: '7' },
    })
    expect(registry.get(users).config).toEqual({ partitions: 16, sweepIntervalMs: 7 })
    expect(registry.get(redis).config).toEqual({ partitions: 16 })
  })

  test('finds SPIs and ids without regard to case, - and _', async () => {
    for (const name of [
      'LOGIN_FAILURE__RATE_LIMITED__X',
      'login-failure__rate-limited__x',
      'LoginFailure__RATELIMITED__X',
    ]) {
      const registry = await started({ factories, env: { [`AUTHSTATE_${name}`]: 'y' } })
      expect(registry.get(logins).config).toEqual({ x: 'y' })
    }
  })

  test('reaches into properties', async () => {
    expect(
      await redisConfig({
        AUTHSTATE_REDIS__TLS__CA: 'x',
        AUTHSTATE_REDIS__TLS__REJECT_UNAUTHORIZED: 'false',
      }),
    ).toEqual({ partitions: 16, tls: { ca: 'x', rejectUnauthorized: false } })
  })

  test('a value that starts like JSON is JSON', async () => {
    const nodes = [{ host: 'a', port: 1 }]
    expect(await redisConfig({ AUTHSTATE_REDIS__NODES: JSON.stringify(nodes) })).toMatchObject({ nodes })
    expect(await redisConfig({ AUTHSTATE_REDIS: '{"url":"x","partitions":4}' })).toEqual({
      url: 'x',
      partitions: 4,
    })
    expect(await redisConfig({ AUTHSTATE_REDIS__REDIS: '{"url":"x"}' })).toMatchObject({ url: 'x' })
    expect(await mistakes({ AUTHSTATE_REDIS__NODES: '[hunter2' })).toBe(
      'AUTHSTATE_REDIS__NODES: starts like JSON and is not valid JSON',
    )
    expect(await mistakes({ AUTHSTATE_REDIS: 'redis://x' })).toBe(
      "AUTHSTATE_REDIS: expected a JSON object, the section of 'redis'",
    )
    expect(await mistakes({ AUTHSTATE_REDIS: '{"urk":"x"}' })).toMatch(
      /^AUTHSTATE_REDIS\.urk: .*mean 'url'\?$/,
    )
  })

  test('text becomes a number or a truth value only where the schema wants one', async () => {
    const env = {
      AUTHSTATE_REDIS__PASSWORD: '12345',
      AUTHSTATE_REDIS__URL: 'true',
      AUTHSTATE_REDIS__PARTITIONS: ' 8 ',
    }
    expect(await redisConfig(env)).toEqual({ password: '12345', url: 'true', partitions: 8 })
    expect(await redisConfig({ AUTHSTATE_REDIS__MODE: '3' })).toMatchObject({ mode: 3 })
    expect(await redisConfig({ AUTHSTATE_REDIS__MODE: 'auto' })).toMatchObject({ mode: 'auto' })
    for (const text of ['eight', '', ' ', '0x10', 'Infinity', '1e999', '8 8', 'NaN']) {
      expect(await mistakes({ AUTHSTATE_REDIS__PARTITIONS: text })).toBe(
        'AUTHSTATE_REDIS__PARTITIONS: expected number',
      )
    }
  })

  test('a text that the schema refuses for another reason is not reported as the number it looks like', async () => {
    const strict = factory(redis, 'redis', { config: z.strictObject({ password: z.string().min(8) }) })
    const message = await mistakesOf({ factories: [strict], env: { AUTHSTATE_REDIS__PASSWORD: '12345' } })
    expect(message).toBe('AUTHSTATE_REDIS__PASSWORD: Too small: expected string to have >=8 characters')
  })

  test('text within the configuration object stays text', async () => {
    expect(await mistakesOf({ factories, config: { redis: { partitions: '8' } } })).toBe(
      'redis.partitions: expected number',
    )
  })

  test('wins over the configuration, property by property', async () => {
    const config = {
      provider: 'memory',
      redis: { url: 'config', partitions: 4, tls: { ca: 'config', rejectUnauthorized: true } },
      'user-session': { provider: 'memory', enabled: false },
    }
    expect(
      await redisConfig({ AUTHSTATE_REDIS__TLS__CA: 'env', AUTHSTATE_REDIS__URL: 'env' }, config),
    ).toEqual({
      url: 'env',
      partitions: 4,
      tls: { ca: 'env', rejectUnauthorized: true },
    })
    const env = { AUTHSTATE_USER_SESSION__ENABLED: 'TRUE', AUTHSTATE_USER_SESSION__PROVIDER: 'redis' }
    expect((await started({ factories, env, config })).get(users).id).toBe('redis')
    expect(config.redis.tls.ca).toBe('config')
  })

  test('wins also where one names the provider and the other does not', async () => {
    const config = { redis: { redis: { url: 'config' } } }
    expect(await redisConfig({ AUTHSTATE_REDIS__URL: 'env' }, config)).toMatchObject({ url: 'env' })
  })

  test('two variables for one property are an error that names both', async () => {
    expect(await mistakes({ AUTHSTATE_REDIS__URL: 'a', AUTHSTATE_SPI__REDIS__URL: 'b' })).toBe(
      'AUTHSTATE_REDIS__URL and AUTHSTATE_SPI__REDIS__URL say the same thing: give one of them',
    )
    expect(await mistakes({ AUTHSTATE_REDIS__TLS: 'on', AUTHSTATE_REDIS__TLS__CA: 'b' })).toContain(
      'AUTHSTATE_REDIS__TLS and AUTHSTATE_REDIS__TLS__CA say the same thing',
    )
    expect(
      await redisConfig({
        AUTHSTATE_REDIS__TLS: '{"ca":"a"}',
        AUTHSTATE_REDIS__TLS__REJECT_UNAUTHORIZED: 'true',
      }),
    ).toMatchObject({ tls: { ca: 'a', rejectUnauthorized: true } })
  })

  test('a variable that fits nothing lists what is known and the nearest name', async () => {
    expect(await mistakes({ AUTHSTATE_REDUS__URL: 'x' })).toBe(
      "AUTHSTATE_REDUS__URL: no SPI has the name 'REDUS'. Known: 'provider', 'user-session', 'redis', 'login-failure'. Did you mean AUTHSTATE_REDIS__URL?",
    )
    expect(await mistakes({ AUTHSTATE_USER_SESSION_PROVIDER: 'redis' })).toMatch(
      /Did you mean AUTHSTATE_USER_SESSION__PROVIDER\?$/,
    )
    expect(await mistakes({ AUTHSTATE_REDIS__PARTITION: '4' })).toMatch(
      /^AUTHSTATE_REDIS__PARTITION: redis \(provider 'redis'\) has no property 'partition'\..*Did you mean 'partitions'\?$/,
    )
    for (const name of [
      'AUTHSTATE_',
      'AUTHSTATE___',
      'AUTHSTATE_REDIS__',
      'AUTHSTATE_SPI',
      'AUTHSTATE_PROVIDER__X',
    ]) {
      expect(await mistakes({ [name]: 'x' })).toContain(name)
    }
  })

  test('a wrong id or word of a section names the variable', async () => {
    expect(await mistakes({ AUTHSTATE_USER_SESSION__PROVIDER: 'memroy' })).toBe(
      "AUTHSTATE_USER_SESSION__PROVIDER: 'user-session' has no provider with this id. Known: 'memory', 'redis'. Did you mean 'memory'?",
    )
    expect(await mistakes({ AUTHSTATE_REDIS__ENABLED: 'yes' })).toBe(
      'AUTHSTATE_REDIS__ENABLED: expected true or false',
    )
  })

  test('variables of others, of the tests and without a value are left alone', async () => {
    const env = {
      PATH: '/bin',
      AUTHSTATETEST: 'x',
      AUTHSTATE_TEST_REDIS: 'redis://x',
      AUTHSTATE_NOPE: undefined,
    }
    expect(await redisConfig(env)).toEqual({ partitions: 16 })
  })
})
