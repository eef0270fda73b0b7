import { hostname } from 'node:os'
import {
  type AnyProviderFactory,
  ConfigurationError,
  ProviderClosedError,
  type RealmSettings,
} from '@authstate/spi'
import { describe, expect, test } from 'vitest'
import { createProviderRegistry } from '../src/index.js'
import { factory, logins, type Probe, recordingLogger, redis, started, users } from './support.js'

/** Three factories in a chain that note what happens to them. */
function chain(notes: string[], faults: Partial<Record<string, Error>> = {}): AnyProviderFactory[] {
  const noting = (spi: typeof users, extras: object): AnyProviderFactory =>
    factory(spi, 'x', {
      ...extras,
      async create() {
        await Promise.resolve()
        const fault = faults[`create ${spi.name}`]
        if (fault) throw fault
        notes.push(`create ${spi.name}`)
        return {
          async close() {
            notes.push(`close ${spi.name}`)
            const failure = faults[`close ${spi.name}`]
            if (failure) throw failure
          },
        }
      },
    })
  return [noting(users, { dependsOn: [logins] }), noting(logins, { dependsOn: [redis] }), noting(redis, {})]
}
const CREATED = ['create redis', 'create login-failure', 'create user-session']
const CLOSED = ['close user-session', 'close login-failure', 'close redis']

describe('start()', () => {
  test('creates in the order of dependencies, awaiting each', async () => {
    const notes: string[] = []
    await started({ factories: chain(notes) })
    expect(notes).toEqual(CREATED)
  })

  test('is one start however often it is called', async () => {
    const notes: string[] = []
    const registry = createProviderRegistry({ factories: chain(notes) })
    const first = registry.start()
    expect(registry.start()).toBe(first)
    await first
    expect(registry.start()).toBe(first)
    expect(notes).toEqual(CREATED)
  })

  test('checks everything before it creates anything', async () => {
    const notes: string[] = []
    const registry = createProviderRegistry({
      factories: chain(notes),
      config: { 'user-session': { nope: 1 } },
    })
    await expect(registry.start()).rejects.toThrow(ConfigurationError)
    expect(notes).toEqual([])
  })

  test('after a failure closes what was started in reverse and passes the error on', async () => {
    const notes: string[] = []
    const fault = new Error('no route')
    const logger = recordingLogger()
    const faults = { 'create user-session': fault, 'close login-failure': new Error('stuck') }
    const registry = createProviderRegistry({ factories: chain(notes, faults), logger })
    await expect(registry.start()).rejects.toBe(fault)
    expect(notes).toEqual(['create redis', 'create login-failure', 'close login-failure', 'close redis'])
    expect(logger.lines).toMatchObject([{ fields: { spi: 'login-failure' } }])
    expect(() => registry.get(users)).toThrow('could not be started')
    expect(await registry.health()).toEqual({ ok: false, providers: [] })
    await registry.close()
    expect(notes).toHaveLength(4)
  })

  test('a factory that creates nothing is an error', async () => {
    const registry = createProviderRegistry({ factories: [factory(users, 'x', { create: () => undefined })] })
    await expect(registry.start()).rejects.toThrow("user-session: the factory 'x' created no provider")
  })

  test('get and find before it say so', () => {
    const registry = createProviderRegistry({ factories: [factory(users, 'x')] })
    expect(() => registry.get(users)).toThrow(ConfigurationError)
    expect(() => registry.find(users)).toThrow('await registry.start() first')
  })

  test('get of an SPI that nobody provides lists what is provided, find answers undefined', async () => {
    const registry = await started({ factories: [factory(users, 'x'), factory(logins, 'x')] })
    expect(() => registry.get(redis)).toThrow(
      new ConfigurationError("'redis' has no provider. Known: 'user-session', 'login-failure'"),
    )
    expect(registry.find(redis)).toBeUndefined()
  })
})

describe('close()', () => {
  test('closes in reverse, once', async () => {
    const notes: string[] = []
    const registry = await started({ factories: chain(notes) })
    const first = registry.close()
    expect(registry.close()).toBe(first)
    await first
    await registry.close()
    expect(notes).toEqual([...CREATED, ...CLOSED])
  })

  test('waits for a start in progress', async () => {
    const notes: string[] = []
    const registry = createProviderRegistry({ factories: chain(notes) })
    const starting = registry.start()
    await registry.close()
    await starting
    expect(notes).toEqual([...CREATED, ...CLOSED])
  })

  test('closes every provider when one fails, then throws what failed', async () => {
    const notes: string[] = []
    const faults = { 'close user-session': new Error('a'), 'close redis': new Error('b') }
    const registry = await started({ factories: chain(notes, faults) })
    const error = await registry.close().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(AggregateError)
    expect((error as AggregateError).errors).toEqual([faults['close user-session'], faults['close redis']])
    expect((error as AggregateError).message).toBe("providers that failed to close: 'user-session', 'redis'")
    expect(notes).toEqual([...CREATED, ...CLOSED])
  })

  test('after it, and while it runs, everything but health and describe is closed', async () => {
    const registry = await started({
      factories: [factory(users, 'x', { uses: [logins] }), factory(logins, 'x')],
    })
    const { context } = registry.get(users)
    const closing = registry.close()
    expect(() => registry.get(users)).toThrow(ProviderClosedError)
    await closing
    expect(() => registry.find(users)).toThrow(ProviderClosedError)
    expect(() => context.get(logins)).toThrow(ProviderClosedError)
    expect(await registry.health()).toEqual({ ok: false, providers: [] })
    expect(registry.describe().spis['user-session']?.started).toBe(false)
  })

  test('before a start it makes a start impossible', async () => {
    const registry = createProviderRegistry({ factories: [factory(users, 'x')] })
    await registry.close()
    await expect(registry.start()).rejects.toThrow(ProviderClosedError)
  })

  test('is what await using calls', async () => {
    const notes: string[] = []
    {
      await using registry = createProviderRegistry({ factories: chain(notes) })
      await registry.start()
    }
    expect(notes).toEqual([...CREATED, ...CLOSED])
  })
})

describe('the context of a factory', () => {
  test('gives what is declared in dependsOn and uses', async () => {
    let found: unknown
    const create: AnyProviderFactory['create'] = (context) => {
      found = [context.get(logins).id, context.find(redis)?.id]
      return {}
    }
    await started({
      factories: [
        factory(users, 'x', { dependsOn: [logins], uses: [redis], create }),
        factory(logins, 'a'),
        factory(redis, 'b'),
      ],
    })
    expect(found).toEqual(['a', 'b'])
  })

  test('refuses what is not declared and says how to declare it', async () => {
    for (const verb of ['get', 'find'] as const) {
      const create: AnyProviderFactory['create'] = (context) => context[verb](logins) ?? {}
      const registry = createProviderRegistry({
        factories: [factory(users, 'x', { create }), factory(logins, 'x')],
      })
      await expect(registry.start()).rejects.toThrow(
        new ConfigurationError(
          `user-session (provider 'x') asks for 'login-failure', but its factory does not name it: name it in "dependsOn" or "uses"`,
        ),
      )
    }
  })

  test('get of a used SPI that nobody provides is an error, find answers undefined', async () => {
    const registry = await started({ factories: [factory(users, 'x', { uses: [redis] })] })
    const { context } = registry.get(users)
    expect(context.find(redis)).toBeUndefined()
    expect(() => context.get(redis)).toThrow("asks for 'redis', which has no provider")
  })

  test('carries the clock, the logger and the node', async () => {
    const clock = { now: () => 7 }
    const logger = recordingLogger()
    const node = { name: 'n1', site: 'A', route: 'r1' }
    const registry = await started({ factories: [factory(users, 'x')], clock, logger, node })
    expect(registry.get(users).context).toMatchObject({ clock, logger, node })
  })

  test('a node without a name gets one of its own', async () => {
    const names = new Set<string>()
    for (let round = 0; round < 50; round++) {
      const registry = createProviderRegistry({ factories: [], node: { site: 'A' } })
      const { name, site } = registry.describe().node
      expect(name).toMatch(new RegExp(`^${hostname().split('.')[0]}-[A-Za-z0-9]{6}$`))
      expect(site).toBe('A')
      names.add(name)
    }
    expect(names.size).toBe(50)
  })

  test('resolves realms with defaults, synchronously where the source is', async () => {
    const contextWith = async (
      realms?: (realmId: string) => RealmSettings | undefined | Promise<RealmSettings | undefined>,
    ) => (await started({ factories: [factory(users, 'x')], realms })).get<Probe>(users).context
    expect((await contextWith()).realm('r')).toMatchObject({ ssoSessionIdleTimeoutMs: 1_800_000 })
    const sync = await contextWith((realmId) =>
      realmId === 'r' ? { ssoSessionIdleTimeoutMs: 5 } : undefined,
    )
    expect(sync.realm('r')).toMatchObject({ ssoSessionIdleTimeoutMs: 5, ssoSessionMaxLifespanMs: 36_000_000 })
    expect(sync.realm('other')).toMatchObject({ ssoSessionIdleTimeoutMs: 1_800_000 })
    const later = (await contextWith(async () => ({ notBefore: 9 }))).realm('r')
    expect(later).toBeInstanceOf(Promise)
    expect(await later).toMatchObject({ notBefore: 9, rememberMe: true })
  })

  test('lets the error of the source of realms pass', async () => {
    const fault = new Error('database away')
    const throwing = await started({
      factories: [factory(users, 'x')],
      realms: () => {
        throw fault
      },
    })
    expect(() => throwing.get(users).context.realm('r')).toThrow(fault)
    const rejecting = await started({ factories: [factory(users, 'x')], realms: () => Promise.reject(fault) })
    await expect(rejecting.get(users).context.realm('r')).rejects.toBe(fault)
  })
})

describe('health()', () => {
  test('asks every running provider', async () => {
    const checkHealth = async () => {
      throw new Error('connect ECONNREFUSED')
    }
    const thrower = () => {
      throw 'text'
    }
    const registry = await started({
      factories: [
        factory(users, 'x', { create: () => ({ checkHealth: async () => {} }) }),
        factory(logins, 'y', { create: () => ({ checkHealth }) }),
        factory(redis, 'z', { create: () => ({ checkHealth: thrower }) }),
      ],
    })
    expect(await registry.health()).toEqual({
      ok: false,
      providers: [
        { spi: 'user-session', provider: 'x', ok: true, latencyMs: expect.any(Number) },
        {
          spi: 'login-failure',
          provider: 'y',
          ok: false,
          latencyMs: expect.any(Number),
          error: 'connect ECONNREFUSED',
        },
        { spi: 'redis', provider: 'z', ok: false, latencyMs: expect.any(Number), error: 'the check failed' },
      ],
    })
  })

  test('a provider without a check is well', async () => {
    const registry = await started({ factories: [factory(users, 'x')] })
    expect(await registry.health()).toMatchObject({ ok: true, providers: [{ ok: true }] })
  })

  test('is not well before the start', async () => {
    const registry = createProviderRegistry({ factories: [factory(users, 'x')] })
    expect(await registry.health()).toEqual({ ok: false, providers: [] })
  })
})

describe('options', () => {
  test.each([
    [undefined, '"options"'],
    [{ factories: undefined }, '"factories"'],
    [{ factories: [null] }, '"factories[0]"'],
    [{ factories: [{ spi: {}, id: 'x', create() {} }] }, '"factories[0].spi"'],
    [{ factories: [{ spi: users, id: 'provider', create() {} }] }, '"factories[0].id"'],
    [{ factories: [{ spi: users, id: '__proto__', create() {} }] }, '"factories[0].id"'],
    [{ factories: [{ spi: users, id: 7, create() {} }] }, '"factories[0].id"'],
    [{ factories: [{ spi: users, id: 'x' }] }, '"factories[0].create"'],
    [{ factories: [], env: 'x' }, '"env"'],
    [{ factories: [], realms: {} }, '"realms"'],
    [{ factories: [], instrument: {} }, '"instrument"'],
    [{ factories: [], clock: {} }, '"clock.now"'],
    [{ factories: [], logger: {} }, '"logger.debug"'],
    [{ factories: [], node: { name: '' } }, '"node.name"'],
    [{ factories: [], node: { site: 7 } }, '"node.site"'],
    [{ factories: [], node: 'n1' }, '"node"'],
  ])('%j is a TypeError that names the argument', (options, name) => {
    expect(() => createProviderRegistry(options as never)).toThrow(TypeError)
    expect(() => createProviderRegistry(options as never)).toThrow(name)
  })
})

test('a keyring that cannot work is refused when the registry is built, without the secret', () => {
  const keyring = { current: 'a', keys: { a: 'hunter2' } }
  const build = () => createProviderRegistry({ factories: [], keyring })
  expect(build).toThrow(ConfigurationError)
  expect(build).toThrow(/keyring\.keys\.a: a secret must have at least 32 bytes/)
  expect(build).not.toThrow(/hunter2/)
})
