import { ConfigurationError, parseDuration } from '@authstate/spi'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createProviderRegistry } from '../src/index.js'
import { factory, logins, redis, started, users } from './support.js'

const CANARY = 'hunter2'

describe('describe()', () => {
  test('says what is selected, why, and what is known', async () => {
    const registry = await started({
      factories: [factory(users, 'memory'), factory(users, 'redis'), factory(logins, 'memory')],
      config: { provider: 'redis' },
      node: { name: 'n1', site: 'A' },
    })
    expect(registry.describe()).toEqual({
      node: { name: 'n1', site: 'A' },
      spis: {
        'user-session': {
          selected: 'redis',
          reason: 'configured for all',
          started: true,
          neededBy: [],
          known: ['memory', 'redis'],
          properties: {},
        },
        'login-failure': {
          selected: 'memory',
          reason: 'only one',
          started: true,
          neededBy: [],
          known: ['memory'],
          properties: {},
        },
      },
    })
  })

  test("gives each property's effective value and its origin", async () => {
    const schema = z.strictObject({
      partitions: z.number().default(16),
      sweepMs: z.preprocess(parseDuration, z.number()).default(1_000),
      prefix: z.string().optional(),
      limit: z.number().optional(),
    })
    const registry = createProviderRegistry({
      factories: [factory(redis, 'redis', { config: schema })],
      config: { redis: { sweepMs: '30s', limit: 1 } },
      env: { AUTHSTATE_REDIS__LIMIT: '2' },
    })
    await registry.start()
    expect(registry.describe().spis['redis']?.properties).toEqual({
      partitions: { value: 16, origin: 'default' },
      sweepMs: { value: 30_000, origin: 'config' },
      limit: { value: 2, origin: 'env' },
    })
  })

  test('before the start it tells what would be started', () => {
    const schema = z.strictObject({ partitions: z.number().default(16), prefix: z.string().optional() })
    const registry = createProviderRegistry({
      factories: [factory(redis, 'redis', { config: schema })],
      config: { redis: { prefix: 'x' } },
    })
    expect(registry.describe().spis['redis']).toMatchObject({
      started: false,
      properties: { partitions: { value: 16, origin: 'default' }, prefix: { value: 'x', origin: 'config' } },
    })
  })

  test('refuses a configuration that names something unknown', () => {
    const registry = createProviderRegistry({ factories: [factory(redis, 'redis')], config: { rediss: {} } })
    expect(() => registry.describe()).toThrow(ConfigurationError)
  })

  test('masks secrets by name, by the factory and by the schema, at any depth', async () => {
    const schema = z.looseObject({
      pin: z.string().meta({ secret: true }),
      tls: z.strictObject({
        ca: z.string(),
        phrase: z.string().meta({ secret: true }),
        passphrase: z.string(),
      }),
    })
    const names = [
      'password',
      'clientSecret',
      'token',
      'apiKey',
      'keys',
      'keyring',
      'credentials',
      'dbPass',
      'listed',
    ]
    const registry = await started({
      factories: [factory(redis, 'redis', { config: schema, secrets: ['listed'] })],
      config: {
        redis: {
          ...Object.fromEntries(names.map((name) => [name, CANARY])),
          pin: CANARY,
          tls: { ca: 'shown', phrase: CANARY, passphrase: CANARY },
          users: [{ name: 'shown', password: CANARY }],
          keyPrefix: 'shown',
        },
      },
    })
    const { properties } = registry.describe().spis['redis'] ?? {}
    expect(JSON.stringify(properties)).not.toContain(CANARY)
    for (const name of names) expect(properties?.[name]?.value).toBe('***')
    expect(properties).toMatchObject({
      keyPrefix: { value: 'shown' },
      tls: { value: { ca: 'shown' } },
      users: { value: [{ name: 'shown', password: '***' }] },
    })
  })

  test('masks the secret of a property that the schema lists as one', async () => {
    const schema = z.strictObject({
      tls: z.strictObject({ ca: z.string(), phrase: z.string().meta({ secret: true }) }),
    })
    const registry = await started({
      factories: [factory(redis, 'redis', { config: schema })],
      config: { redis: { tls: { ca: 'shown', phrase: CANARY } } },
    })
    expect(registry.describe().spis['redis']?.properties['tls']?.value).toEqual({
      ca: 'shown',
      phrase: '***',
    })
  })

  test('masks what the schema marks, wherever it stands and however it is written down', async () => {
    const marks = [
      { secret: true },
      { writeOnly: true },
      { format: 'password' },
      { 'x-secret': true },
      { sensitive: true },
    ]
    const leaf = (mark: Record<string, unknown>) => z.string().meta(mark)
    const shared = z.strictObject({ inner: leaf({ secret: true }) }).meta({ id: 'shared' })
    const schema = z.strictObject({
      ...Object.fromEntries(marks.map((mark, index) => [`leaf${index}`, leaf(mark)])),
      optional: leaf({ writeOnly: true }).optional(),
      defaulted: leaf({ writeOnly: true }).default(CANARY),
      outer: z.string().optional().meta({ secret: true }),
      list: z.array(leaf({ secret: true })),
      pair: z.tuple([z.string(), leaf({ secret: true })]),
      record: z.record(z.string(), leaf({ secret: true })),
      union: z.union([z.number(), leaf({ secret: true })]),
      deep: z.strictObject({
        list: z.array(z.strictObject({ leaf: leaf({ format: 'password' }), shown: z.string() })),
      }),
      one: shared,
      other: shared,
    })
    const given = {
      ...Object.fromEntries(marks.map((_, index) => [`leaf${index}`, CANARY])),
      optional: CANARY,
      outer: CANARY,
      list: [CANARY],
      pair: ['shown', CANARY],
      record: { anything: CANARY },
      union: CANARY,
      deep: { list: [{ leaf: CANARY, shown: 'shown' }] },
      one: { inner: CANARY },
      other: { inner: CANARY },
    }
    const registry = createProviderRegistry({
      factories: [factory(redis, 'redis', { config: schema })],
      config: { redis: given },
    })
    for (const _ of ['before the start', 'after it']) {
      const { properties } = registry.describe().spis['redis'] ?? {}
      expect(JSON.stringify(properties)).not.toContain(CANARY)
      expect(properties).toMatchObject({
        pair: { value: ['shown', '***'] },
        deep: { value: { list: [{ leaf: '***', shown: 'shown' }] } },
      })
      await registry.start()
    }
    await registry.close()
  })

  test('masks names that sound secret, misspelt and in pairs, below what a schema says nothing of', async () => {
    const registry = await started({
      factories: [factory(redis, 'redis', { config: z.looseObject({}) })],
      config: {
        redis: {
          pasword: CANARY,
          pwd: CANARY,
          headers: { Authorization: CANARY, Cookie: CANARY, Accept: 'shown' },
          lines: [['authorization', CANARY]],
          entries: [
            { name: 'password', value: CANARY },
            { name: 'host', value: 'shown' },
          ],
          deep: [{ list: [{ privateKey: CANARY, PASS_PHRASE: CANARY }] }],
        },
      },
    })
    const { properties } = registry.describe().spis['redis'] ?? {}
    expect(JSON.stringify(properties)).not.toContain(CANARY)
    expect(properties).toMatchObject({
      headers: { value: { Accept: 'shown' } },
      entries: {
        value: [
          { name: 'password', value: '***' },
          { name: 'host', value: 'shown' },
        ],
      },
    })
  })

  test('a value that the schema refuses is not shown before the start either', async () => {
    const registry = createProviderRegistry({
      factories: [
        factory(redis, 'redis', { config: z.strictObject({ db: z.number().optional(), name: z.string() }) }),
      ],
      config: { redis: { db: CANARY, name: 'shown', colour: CANARY } },
    })
    const { properties } = registry.describe().spis['redis'] ?? {}
    expect(properties).toMatchObject({
      db: { value: '***' },
      name: { value: 'shown' },
      colour: { value: '***' },
    })
    await expect(registry.start()).rejects.not.toThrow(CANARY)
  })

  test.each([
    ['https://hunter2@host/path', 'https://***@host/path'],
    ['Server=db;User=sa;Password=hunter2;Port=1', 'Server=db;User=sa;Password=***;Port=1'],
    ['Bearer hunter2', 'Bearer ***'],
    ['https://host/#access_token=hunter2', 'https://host/#access_token=***'],
    ['-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----', '***'],
    ['redis://user:hunter2@host:6379/0', 'redis://user:***@host:6379/0'],
    ['rediss://:hunter2@host', 'rediss://:***@host'],
    ['redis://user:hun@ter2/#hunter2@host', 'redis://user:***@host'],
    ['redis://host:6379/0', 'redis://host:6379/0'],
    ['redis://host/0?password=hunter2&db=1', 'redis://host/0?password=***&db=1'],
    ['see redis://a:hunter2@b', 'see redis://a:***@b'],
    ['me@example.org', 'me@example.org'],
  ])('masks the password in %s', async (url, shown) => {
    const registry = await started({
      factories: [factory(redis, 'redis', { config: z.looseObject({}) })],
      config: { redis: { url, urls: [url] } },
    })
    expect(registry.describe().spis['redis']?.properties).toMatchObject({
      url: { value: shown },
      urls: { value: [shown] },
    })
  })

  test('shows instances and functions as what they are, and survives circles', async () => {
    const circle: Record<string, unknown> = { name: 'x' }
    circle['self'] = circle
    const registry = await started({
      factories: [factory(redis, 'redis', { config: z.looseObject({}) })],
      config: { redis: { client: new Map(), make: () => CANARY, circle, big: 1n } },
    })
    const { properties } = registry.describe().spis['redis'] ?? {}
    expect(properties).toMatchObject({
      client: { value: '[object]' },
      make: { value: '[function]' },
      circle: { value: { name: 'x', self: '[circular]' } },
      big: { value: '[bigint]' },
    })
    expect(() => JSON.stringify(properties)).not.toThrow()
  })
})
