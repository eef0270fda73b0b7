// What a node says of its Redis when it starts.
import { RecordingLogger } from '@authstate/conformance'
import { ConfigurationError } from '@authstate/spi'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'
import { start, type Topology } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { connect } from '../src/index.js'
import { elsewhere, saying } from './doubtful-servers.js'
import { failureOf, freshPrefix, open } from './support.js'

describeWith(serverBinary, 'a node that starts', () => {
  let server: Topology
  let admin: Redis
  beforeAll(async () => {
    server = await start('single')
    admin = new Redis(server.basePort, '127.0.0.1')
  })
  afterEach(async () => {
    await admin.config('SET', 'maxmemory', '0')
    await admin.flushall()
  })
  afterAll(async () => {
    admin.disconnect()
    await server.stop()
  })
  const url = () => `redis://127.0.0.1:${server.basePort}`
  const options = { autoResendUnfulfilledCommands: false }
  const given = async () => {
    const client = new Redis(server.basePort, '127.0.0.1', options)
    onTestFinished(() => client.disconnect())
    await client.ping()
    return client
  }
  const said = async (target: Parameters<typeof connect>[0]) => {
    const logger = new RecordingLogger()
    const connection = await connect(target, { logger })
    await connection.close()
    const at = (level: string) =>
      logger.entries
        .filter((entry) => entry.level === level)
        .map(({ message, fields }) => ({ message, fields: fields as Readonly<Record<string, unknown>> }))
    return { warnings: at('warn'), infos: at('info') }
  }

  test('on a server that is only plain warns of nothing, and names in one line what could be better', async () => {
    const { warnings, infos } = await said({ url: url(), prefix: freshPrefix() })
    expect(warnings).toEqual([])
    expect(infos).toHaveLength(1)
    expect(infos[0]?.fields).toMatchObject({
      checks: expect.arrayContaining(['memory.headroom', 'persistence', 'replication.replicas']),
    })
  })

  test('warns of a full server, and starts: also when it is strict', async () => {
    await admin.setrange('ballast', 64 * 1_048_576, 'x')
    const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
    // What there is of it left is enough for a start.
    await admin.config('SET', 'maxmemory', String(Math.floor(used * 1.05)))
    for (const strict of [false, true]) {
      const { warnings } = await said({ url: url(), prefix: freshPrefix(), strict })
      expect(warnings.map(({ fields }) => fields['check'])).toEqual(['memory.headroom'])
      expect(warnings[0]?.message).toMatch(/logins will soon be refused; raise maxmemory/)
    }
  })

  test('asks each master once more than for its policy, and never runs what it may not', async () => {
    const prefix = freshPrefix()
    await open({ url: url(), prefix })
    await admin.config('RESETSTAT')
    await (await connect({ url: url(), prefix, ioredis: { enableReadyCheck: false } })).close()
    const stats = await admin.info('commandstats')
    expect(/cmdstat_info:calls=(\d+)/.exec(stats)?.[1]).toBe('2')
    expect(stats).not.toMatch(/cmdstat_(config\|get|scan|keys|latency|slowlog)/)
  })

  test('without INFO warns of nothing, and starts', async () => {
    await admin.call('ACL', 'SETUSER', 'limited', 'reset', 'on', '>secret', '~*', '&*', '+@all', '-info')
    onTestFinished(async () => void (await admin.call('ACL', 'DELUSER', 'limited')))
    const { warnings, infos } = await said({
      url: url(),
      username: 'limited',
      password: 'secret',
      prefix: freshPrefix(),
      ioredis: { enableReadyCheck: false },
    })
    expect(warnings).toEqual([])
    expect(infos[0]?.fields['unknown']).toContain('memory.headroom')
  })

  test.each([
    [
      'that is too old',
      (client: Redis) => saying(client, { redis_version: '6.0.20' }),
      'server.version',
      /6\.0\.20/,
    ],
    ['on another host, in the clear', elsewhere, 'connection.tls', /unencrypted/],
    ['on another host, without a password', elsewhere, 'connection.password', /no password/],
  ])('on a server %s warns, and does not start when it is strict', async (_, doubtful, check, message) => {
    const client = doubtful(await given())
    const { warnings } = await said({ client, prefix: freshPrefix() })
    expect(warnings.find(({ fields }) => fields['check'] === check)?.message).toMatch(message)
    const error = await failureOf(connect({ client, prefix: freshPrefix(), strict: true }))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect((error as Error).message).toMatch(/^redis\.strict: /)
    expect((error as Error).message).toMatch(message)
    // It is the application's, and goes on.
    expect(await client.ping()).toBe('PONG')
  })
})
