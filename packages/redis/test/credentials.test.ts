// Passwords that rotate, while connections are cut.
import { randomUUID } from 'node:crypto'
import { RecordingLogger } from '@authstate/conformance'
import { ConfigurationError } from '@authstate/spi'
import { Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { ask, start, type Topology } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { examine } from '../src/doctor.js'
import { connect, type RedisOptions } from '../src/index.js'
import { endClient, type Ioredis, makeClient } from '../src/make-client.js'
import { parseOptions } from '../src/options.js'
import { becomeReady } from '../src/ready.js'
import { count, everythingIn, failureOf, freshPrefix, listen, open } from './support.js'

/** What all passwords of this file begin with, so that a leak is seen. */
const SECRET = 'rotating-secret'

describe.each(['single', 'sentinel', 'cluster'] as const)('on %s', (kind) => {
  describeWith(serverBinary, 'credentials', () => {
    let topology: Topology
    beforeAll(async () => {
      topology = await start(kind, kind === 'cluster' ? { replicas: 0 } : {})
    }, 60_000)
    afterAll(() => topology.stop())

    /** Those that know the user: not the sentinels. */
    const servers = () => {
      const sentinels = new Set((topology.sentinels ?? []).map(({ port }) => port))
      return topology.nodes.filter(({ port }) => !sentinels.has(port))
    }
    const rotate = async (user: string, password: string) => {
      for (const { port } of servers()) {
        await ask(port, ['ACL', 'SETUSER', user, 'on', 'resetpass', `>${password}`, '~*', '&*', '+@all'])
        await ask(port, ['CLIENT', 'KILL', 'USER', user])
      }
    }
    const way = (): RedisOptions => {
      if (kind === 'sentinel') return { sentinels: [...topology.sentinels], name: topology.name }
      if (kind === 'cluster') return { nodes: servers().map(({ port }) => `127.0.0.1:${port}`) }
      return { url: `redis://127.0.0.1:${topology.basePort}` }
    }

    test.each([
      ['at once', <T>(value: T): T | Promise<T> => value],
      ['in a moment', async <T>(value: T) => value],
    ])(
      'that are answered %s are asked for at each connection, and what is old heals',
      async (_, answered) => {
        const username = `app-${randomUUID()}`
        let password = `${SECRET}-1`
        let asked = 0
        const credentials = () => {
          asked += 1
          return answered({ username, password })
        }
        await rotate(username, password)
        const logger = new RecordingLogger()
        const options = { ...way(), prefix: freshPrefix(), credentials, commandTimeoutMs: 500 }
        const connection = await open(options, logger)
        const add = () => connection.run(count, { counter: connection.keys.key(1, 'n') }, { by: 1 })
        expect(await add()).toBe(1)
        const before = asked

        password = `${SECRET}-2`
        await rotate(username, password)
        await expect.poll(() => add().catch(() => 0), { timeout: 20_000 }).toBeGreaterThan(1)
        expect(asked).toBeGreaterThan(before)

        // The servers know before the source does.
        await rotate(username, `${SECRET}-3`)
        const error = await failureOf(add())
        expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
        expect(await failureOf(add())).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
        password = `${SECRET}-3`
        await expect.poll(() => add().catch(() => 0), { timeout: 20_000 }).toBeGreaterThan(2)

        const examination = await examine(options, { probes: 5 })
        expect(examination.findings.find(({ id }) => id === 'connection.password')?.verdict).toBe('ok')
        expect(everythingIn(error, logger.entries, examination)).not.toContain(SECRET)
      },
      60_000,
    )

    test('are asked for by a client of ioredis 5 as well', async () => {
      const username = `app-${randomUUID()}`
      let password = `${SECRET}-1`
      let asked = 0
      await rotate(username, password)
      const config = parseOptions({
        ...way(),
        commandTimeoutMs: 500,
        credentials: () => {
          asked += 1
          return { username, password }
        },
      })
      const load = async () => (await import('ioredis5')) as unknown as Ioredis
      const client = await makeClient(config, undefined, load)
      onTestFinished(() => endClient(client))
      client.on('error', () => {})
      await becomeReady(client, config)
      expect(client).toBeInstanceOf(kind === 'cluster' ? Cluster5 : Redis5)
      expect(await client.get('absent')).toBeNull()
      const before = asked

      password = `${SECRET}-2`
      await rotate(username, password)
      const answer = () => client.get('absent').catch(() => 'not yet')
      await expect.poll(answer, { timeout: 20_000 }).toBeNull()
      expect(asked).toBeGreaterThan(before)
    }, 60_000)

    test('that are wrong stop the start, which says where they come from', async () => {
      const username = `app-${randomUUID()}`
      await rotate(username, `${SECRET}-right`)
      const credentials = () => ({ username, password: `${SECRET}-wrong` })
      const error = await failureOf(
        connect({ ...way(), prefix: freshPrefix(), credentials, connectTimeoutMs: 2_000 }),
      )
      expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
      expect(String(error)).toContain('what redis.credentials answers')
      expect(everythingIn(error)).not.toContain(SECRET)
    })
  })
})

describe('a function', () => {
  const url = 'redis://127.0.0.1:1'

  test.each<[string, () => unknown]>([
    ['that answers nothing', () => undefined],
    ['that answers a text', () => SECRET],
    ['that answers no password', () => ({ username: SECRET })],
    ['that answers an empty password', async () => ({ password: '' })],
    ['that answers a misspelt name', async () => ({ userName: 'u', password: 'a-secret' })],
    ['that answers a number', async () => ({ username: 7, password: SECRET })],
  ])('%s is told what it must answer, and nothing of what it did', async (_, credentials) => {
    const error = await failureOf(connect({ url, credentials: credentials as never }))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect((error as Error).message).toMatch(/^redis\.credentials: must answer/)
    expect(everythingIn(error)).not.toContain(SECRET)
  })

  test.each<[string, () => never | Promise<never>]>([
    [
      'that throws',
      () => {
        throw new RangeError(SECRET)
      },
    ],
    ['that rejects', async () => Promise.reject(new RangeError(SECRET))],
  ])('%s is named with what it failed with, and no word of it', async (_, credentials) => {
    const error = await failureOf(connect({ url, credentials }))
    expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', applied: 'no' })
    expect((error as Error).message).toMatch(/redis\.credentials failed with RangeError$/)
    expect(everythingIn(error)).not.toContain(SECRET)
  })

  test('that never answers is waited for no longer than a connection', async () => {
    const error = await failureOf(
      connect({ url, credentials: () => new Promise<never>(() => {}), connectTimeoutMs: 20 }),
    )
    expect((error as Error).message).toMatch(/no answer within 20 ms/)
  })

  test('is refused where ioredis is too old to ask it', async () => {
    const config = parseOptions({ url, credentials: () => ({ password: SECRET }) })
    const load = async () => ({ Redis, Cluster: Cluster5 }) as unknown as Ioredis
    const error = await failureOf(makeClient(config, undefined, load))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect((error as Error).message).toMatch(/^redis\.credentials: needs ioredis 5\.9 or later/)
  })

  test('is not asked once the client has ended', async () => {
    const { port } = await listen()
    let asked = 0
    const credentials = () => {
      asked += 1
      return { password: SECRET }
    }
    await failureOf(connect({ url: `redis://127.0.0.1:${port}`, credentials, connectTimeoutMs: 50 }))
    const atEnd = asked
    await new Promise((resolve) => setImmediate(resolve))
    expect(asked).toBe(atEnd)
  })

  test.each<[string, object, RegExp]>([
    [
      'beside a password',
      { url, password: SECRET },
      /gives the user that connects, and so does password: give it once/,
    ],
    ['beside a user name', { url, username: 'app' }, /and so does username/],
    ['beside those in the address', { url: `redis://app:${SECRET}@127.0.0.1:1` }, /and so does the address/],
    [
      'beside a client',
      { client: new Redis({ lazyConnect: true }) },
      /has no effect with client: set it on the client/,
    ],
  ])('%s is refused', async (_, options, message) => {
    const credentials = () => ({ password: SECRET })
    const error = await failureOf(connect({ ...options, credentials } as RedisOptions))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(String(error)).toMatch(message)
    expect(everythingIn(error)).not.toContain(SECRET)
  })

  test('that is none is refused', async () => {
    const error = await failureOf(connect({ url, credentials: SECRET as never }))
    expect(String(error)).toMatch(/redis\.credentials: must be a function/)
    expect(String(error)).not.toContain(SECRET)
  })
})
