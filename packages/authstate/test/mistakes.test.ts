import { memoryActionTokens } from '@authstate/action-token'
import { describe, expect, test } from 'vitest'
import { createdSession } from '../../user-session/src/conformance/fixture.js'
import {
  type AuthStateConfig,
  ConfigurationError,
  createAuthState,
  type RealmSettings,
} from '../src/index.js'
import { services } from '../src/services.js'

/** Why a configuration that does not compile stops the start. */
async function refusal(config: unknown): Promise<string> {
  const error: unknown = await createAuthState(config as AuthStateConfig).then(
    (state) => state.close(),
    (reason) => reason,
  )
  expect(error).toBeInstanceOf(ConfigurationError)
  return (error as Error).message
}

describe('a mistyped key stops the start, with what is known and what was probably meant', () => {
  test.each([
    [
      'an option',
      { realm: () => undefined },
      /no option 'realm'\. Known: .*'realms'.* Did you mean 'realms'\?/,
    ],
    ['the option that matters most', { provder: 'redis' }, /no option 'provder'.* Did you mean 'provider'\?/],
    ['an SPI', { spi: { 'user-sesion': {} } }, /spi\.user-sesion.*Known: .*Did you mean 'user-session'\?/],
    [
      'a property of memory',
      { spi: { 'action-token': { maxLifespan: '1d' } } },
      /spi\.action-token\.maxLifespan.*Known: .*Did you mean 'maxLifespanMs'\?/,
    ],
    [
      'a property of Redis',
      { provider: 'redis', redis: { url: 'redis://127.0.0.1:1', partition: 4 } },
      /redis\.partition: .*Known: .*Did you mean 'partitions'\?/,
    ],
    [
      'a property in the section of a provider that is not used',
      { spi: { 'action-token': { redis: { maxLifespan: 1 } } } },
      /spi\.action-token\.redis\.maxLifespan.*Did you mean 'maxLifespanMs'\?/,
    ],
  ])('%s', async (_, config, message) => expect(await refusal(config)).toMatch(message))
})

describe('a wrong value stops the start', () => {
  test.each([
    [
      'a provider for all',
      { provider: 'redsi' },
      /^provider: .*Known: 'memory', 'redis'.*Did you mean 'redis'\?/,
    ],
    [
      'a provider of one SPI',
      { spi: { 'user-session': { provider: 'memroy' } } },
      /spi\.user-session\.provider: .*Did you mean 'memory'\?/,
    ],
    ['a section that is none', { spi: { 'user-session': 5 } }, /spi\.user-session: expected an object/],
    ['sections that are none', { spi: 5 }, /spi: expected an object/],
    ['no sections at all', { spi: null }, /spi: expected an object/],
    [
      'a span that is none',
      { spi: { 'action-token': { maxLifespanMs: '5 minutes' } } },
      /spi\.action-token\.maxLifespanMs: expected a number of milliseconds, or a span such as '500ms', '30s', '5m'/,
    ],
    [
      'a type',
      { spi: { 'action-token': { maxDataBytes: 'long' } } },
      /spi\.action-token\.maxDataBytes: expected number/,
    ],
    [
      'an address from a variable that is not set',
      { provider: 'redis', redis: { url: undefined } },
      /redis: needs exactly one of .*; none is given, or it is undefined/,
    ],
    ['nowhere to go', { provider: 'redis' }, /redis: .*url, client, sentinels or nodes/],
    [
      'two ways to go',
      { provider: 'redis', redis: { url: 'redis://127.0.0.1:1', nodes: ['127.0.0.1:1'] } },
      /redis: .*url and nodes are given/,
    ],
    [
      'a Redis that nothing uses',
      { redis: { url: 'redis://127.0.0.1:1' } },
      /redis: nothing uses it\. Set provider: 'redis'/,
    ],
    [
      'a keyring without its current key',
      { keyring: { current: 'b', keys: { a: 'x'.repeat(32) } } },
      /keyring\.current/,
    ],
  ])('%s', async (_, config, message) => expect(await refusal(config)).toMatch(message))

  test('all at once, and never with the value', async () => {
    const message = await refusal({
      provider: 'redis',
      redis: { url: 'secret-url', partitions: 'secret-number' },
      spi: { 'action-token': { maxDataBytes: 'secret-size' } },
    })
    for (const place of ['redis.url', 'redis.partitions', 'spi.action-token.maxDataBytes']) {
      expect(message).toContain(place)
    }
    expect(message).not.toContain('secret')
  })
})

describe('what would start and provide nothing stops the start', () => {
  const SPIS = services.map(({ name }) => name).filter((name) => name !== 'redis')
  const mine = { ...memoryActionTokens(), id: 'mine' }
  const off = Object.fromEntries(SPIS.map((name) => [name, { enabled: false }]))

  test('an id that only the connection has', async () => {
    const message = await refusal({ provider: 'default' })
    for (const name of SPIS) expect(message).toContain(`provider: '${name}' has no provider with this id`)
    expect(message).toMatch(/Known: 'memory', 'redis'\. Say spi: \{ 'cluster': \{ provider: 'memory' \} \}/)
  })

  test('also from the environment', async () => {
    expect(await refusal({ env: { AUTHSTATE_PROVIDER: 'default' } })).toContain(
      "provider: 'user-session' has no",
    )
  })

  test('an id that one SPI of many has', async () => {
    const message = await refusal({ provider: 'mine', providers: [mine] })
    expect(message).toContain("provider: 'user-session' has no provider with this id")
    expect(message).not.toContain("'action-token' has no")
  })

  test('sections that switch everything off', async () => {
    expect(await refusal({ spi: off })).toMatch(/^spi: every service is switched off/)
    expect(await refusal({ spi: off, provider: 'default' })).toMatch(/^spi: every service is switched off/)
  })

  test('a provider of the application that nothing selects', async () => {
    expect(await refusal({ providers: [mine] })).toMatch(
      /^providers: nothing uses 'mine' of 'action-token', 'memory' is selected\. .*provider: 'mine'/,
    )
  })

  test('what is left on purpose starts', async () => {
    const { cluster: _, ...rest } = off
    const configs: AuthStateConfig[] = [
      { spi: rest },
      { providers: [] },
      { providers: [mine], provider: 'memory' },
      { providers: [mine], spi: { 'action-token': { provider: 'memory' } } },
      { providers: [mine], env: { AUTHSTATE_PROVIDER: 'memory' } },
      {
        providers: [mine],
        provider: 'mine',
        spi: { ...rest, cluster: { enabled: false }, 'action-token': {} },
      },
    ]
    for (const config of configs) await (await createAuthState(config)).close()
  })
})

describe('settings of a realm are checked by the first service that reads them', () => {
  const start = (settings: unknown) => createAuthState({ realms: () => settings as RealmSettings })

  test.each([
    [{ bruteforce: {} }, TypeError, /no property 'bruteforce'.*Did you mean 'bruteForce'\?/],
    [
      { bruteForce: { failurefactor: 3 } },
      TypeError,
      /bruteForce" has no property 'failurefactor'.*'failureFactor'\?/,
    ],
    [
      { bruteForce: { failureFactor: 0 } },
      RangeError,
      /"realms\(realmId\)\.bruteForce\.failureFactor" must be 1 or more/,
    ],
    [
      { bruteForce: { failureFactor: '3' } },
      TypeError,
      /"realms\(realmId\)\.bruteForce\.failureFactor" must be a number/,
    ],
    [{ bruteForce: 5 }, TypeError, /"realms\(realmId\)\.bruteForce" must be an object/],
  ])('%j', async (settings, type, message) => {
    await using state = await start(settings)
    const created = state.authSessions.createRoot('acme')
    await expect(created).rejects.toThrow(type)
    await expect(created).rejects.toThrow(message)
    await expect(
      state.userSessions.create('acme', { userId: 'u', loginUsername: 'u' }).then(createdSession),
    ).rejects.toThrow(message)
  })
})

test('node and keyring have no other properties than theirs', async () => {
  await expect(createAuthState({ node: { nam: 'a' } } as never)).rejects.toThrow(
    /"node" has no property 'nam'.*Did you mean 'name'\?/,
  )
  await expect(
    createAuthState({ keyring: { current: 'a', keys: {}, previous: 'b' } } as never),
  ).rejects.toThrow(/"keyring" has no property 'previous'/)
})

describe('a wrong type of an option is the caller’s mistake', () => {
  test.each([
    ['config', 'redis'],
    ['providers', { providers: {} }],
    ['realms', { realms: {} }],
    ['instrument', { instrument: {} }],
    ['clock.now', { clock: {} }],
    ['logger.debug', { logger: {} }],
    ['node.name', { node: { name: 5 } }],
    ['env', { env: null }],
  ])('%s', async (name, config) => {
    const start = createAuthState(config as AuthStateConfig)
    await expect(start).rejects.toThrow(TypeError)
    await expect(start).rejects.toThrow(`"${name}"`)
  })
})

test('names that every object has are unknown names, and pollute nothing', async () => {
  const config = JSON.parse('{"spi":{"__proto__":{"provider":"redis"}},"redis":{"constructor":{}}}')
  expect(await refusal(config)).toContain('__proto__')
  expect(({} as { provider?: unknown }).provider).toBeUndefined()
})

test('what is mistyped does not compile', () => {
  const configs: AuthStateConfig[] = [
    // @ts-expect-error an option
    { realm: () => undefined },
    // @ts-expect-error an SPI
    { spi: { 'user-sesion': {} } },
    // @ts-expect-error a word of a section
    { spi: { 'user-session': { provder: 'redis' } } },
    // @ts-expect-error a property
    { spi: { 'action-token': { maxLifespan: '1d' } } },
    // @ts-expect-error a property in the section of a provider
    { spi: { 'action-token': { redis: { maxLifespan: '1d' } } } },
    // @ts-expect-error a property of Redis
    { redis: { partition: 4 } },
    // @ts-expect-error a unit
    { spi: { 'action-token': { maxLifespanMs: '1 fortnight' } } },
    // @ts-expect-error a type
    { spi: { 'realm-cache': { enabled: 'no' } } },
    // and what is right does
    { provider: 'redis', redis: { url: 'redis://127.0.0.1', partitions: 16, commandTimeoutMs: '2s' } },
    { redis: { sentinels: ['a:26379', { host: 'b' }], name: 'main', tls: true } },
    { spi: { 'action-token': { provider: 'redis', maxLifespanMs: '1d', redis: { maxDataBytes: 10 } } } },
    { spi: { 'realm-cache': { regions: { users: { maxEntries: 5, ttlMs: '30s', enabled: false } } } } },
    { provider: 'mine', providers: [] },
  ]
  expect(configs).toHaveLength(13)
})
