import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RecordingLogger } from '@authstate/conformance'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { ask, freeBase, start, type Topology, until } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary, tls } from '../../../tools/testing/capabilities.js'
import { connect, type RedisOptions } from '../src/index.js'
import { everythingIn, failureOf } from './support.js'

/** What the start says of options that do not fit the server. */
async function saidOf(options: RedisOptions): Promise<string> {
  const logger = new RecordingLogger()
  const error = await failureOf(connect({ connectTimeoutMs: 2_000, ...options }, { logger }))
  expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', applied: 'no' })
  expect(everythingIn(error, logger.entries)).not.toContain('s3cret')
  return String(error)
}

describeWith(serverBinary, 'a start with a wrong password says so, and where to look', () => {
  let server: Topology
  beforeAll(async () => {
    server = await start('acl')
  })
  afterAll(() => server.stop())
  const at = () => `127.0.0.1:${server.basePort}`

  test.each<[string, () => RedisOptions, RegExp]>([
    ['an address', () => ({ url: `redis://app:s3cret@${at()}` }), /: WRONGPASS \(.* wrong, see redis\.url, /],
    [
      'a Cluster',
      () => ({ nodes: [at()], username: 'app', password: 's3cret' }),
      /WRONGPASS \(.* wrong, see redis\.username and redis\.password\)$/,
    ],
    [
      'a client',
      () => {
        const client = new Redis(server.basePort, { username: 'app', password: 's3cret', lazyConnect: true })
        onTestFinished(() => client.disconnect())
        return { client }
      },
      /: WRONGPASS \(.* wrong, see the options of the client\)$/,
    ],
    ['none', () => ({ url: `redis://${at()}` }), /: NOAUTH \(a password is required, see redis\.url, /],
  ])('%s', async (_, options, message) => expect(await saidOf(options())).toMatch(message))
})

describeWith(tls, 'a start that mistakes TLS says so, and what to set', () => {
  let server: Topology
  let plain: Topology
  beforeAll(async () => {
    ;[server, plain] = await Promise.all([start('tls', { sentinels: true }), start('single')])
  })
  afterAll(() => Promise.all([server.stop(), plain.stop()]))
  const at = () => `127.0.0.1:${server.basePort}`

  test.each<[string, () => RedisOptions, RegExp]>([
    [
      'TLS to a server without',
      () => ({ url: `rediss://127.0.0.1:${plain.basePort}` }),
      /\(the server (does|may) not speak TLS there/,
    ],
    [
      'TLS to a Cluster without',
      () => ({ nodes: [`127.0.0.1:${plain.basePort}`], tls: true }),
      /\(the server (does|may) not speak TLS there/,
    ],
    [
      'no TLS to a server with',
      () => ({ url: `redis://${at()}` }),
      /may want TLS: redis\.tls, or rediss:\/\/ in redis\.url/,
    ],
    ['no TLS to a Cluster with', () => ({ nodes: [at()] }), /may want TLS: redis\.tls/],
    [
      'an authority that nobody trusts',
      () => ({ url: `rediss://${at()}` }),
      /\(this host does not trust .*: redis\.tls\.ca\)$/,
    ],
    [
      'no certificate where one is wanted',
      () => ({ url: `rediss://${at()}`, tls: { ca: server.tls.ca, servername: 'localhost' } }),
      /the server wants a certificate of this client: redis\.tls\.cert and redis\.tls\.key\)$/,
    ],
    [
      'another name',
      () => ({ url: `rediss://${at()}`, tls: { ...server.tls, servername: 'elsewhere' } }),
      /\(its certificate is for another name: redis\.tls\.servername\)$/,
    ],
    [
      'a wrong password of the sentinels',
      () => ({ sentinels: server.sentinels.slice(0, 1), name: 'mymaster', sentinelPassword: 's3cret' }),
      /WRONGPASS.*see redis\.sentinelUsername and redis\.sentinelPassword\)$/,
    ],
    [
      'sentinels over TLS, and nothing said of it',
      () => ({ sentinels: server.sentinels.slice(1), name: 'mymaster' }),
      /\(.*redis\.sentinelTls/,
    ],
  ])('%s', async (_, options, message) => expect(await saidOf(options())).toMatch(message))
})

describeWith(serverBinary, 'a start while Redis loads its data says so', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'authstate-loading-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test.each<[string, (port: number) => RedisOptions]>([
    ['an address', (port) => ({ url: `redis://127.0.0.1:${port}` })],
    [
      'a client that does not look first',
      (port) => {
        const client = new Redis(port, { enableReadyCheck: false, autoResendUnfulfilledCommands: false })
        onTestFinished(() => client.disconnect())
        return { client }
      },
    ],
  ])('%s', async (_, options) => {
    const port = await freeBase(1)
    const binary = process.env['AUTHSTATE_TEST_REDIS_BINARY'] ?? 'redis-server'
    const flags = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '3600 1000000']
    const run = (...more: string[]) => {
      const child = spawn(binary, [...flags, ...more], { stdio: 'ignore' })
      onTestFinished(() => void child.kill('SIGKILL'))
      return { child, exited: new Promise((resolve) => child.on('exit', resolve)) }
    }
    const writer = run()
    await until('the server', () => ask(port, ['PING']))
    await ask(port, ['EVAL', "for i = 1, 20000 do redis.call('SET', 'k' .. i, i) end", '0'])
    await ask(port, ['SAVE'])
    writer.child.kill('SIGKILL')
    await writer.exited
    // Slow on purpose: 0.5 ms a key. It answers between two pieces of 1 KiB, some 40 ms apart.
    run('--key-load-delay', '500', '--loading-process-events-interval-bytes', '1024')
    await until('the server to load', () =>
      ask(port, ['PING']).catch(({ message }: Error) => /LOADING/.test(message)),
    )
    expect(await saidOf({ ...options(port), connectTimeoutMs: 2_000 })).toMatch(/LOADING/)
  })
})
