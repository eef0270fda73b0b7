// Each check of the doctor against a server that has the fault, and against one that has not.
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { FakeClock } from '@authstate/conformance'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { ask, start, type Topology, until } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary, tls } from '../../../tools/testing/capabilities.js'
import { TcpProxy } from '../../../tools/testing/tcp-proxy.js'
import { isLocalAddress } from '../src/doctor/checks/access.js'
import { CHECKS } from '../src/doctor/examine.js'
import {
  type Examination,
  type ExamineOptions,
  examinationSchema,
  examine,
  exitCodeOf,
  type Finding,
} from '../src/doctor.js'
import { connect, type RedisOptions } from '../src/index.js'
import { elsewhere, saying, sentinelNaming } from './doubtful-servers.js'
import { everythingIn, failureOf, freshPrefix } from './support.js'

const FEW: ExamineOptions = { probes: 5 }
const isValid = new Ajv2020({ allowUnionTypes: true }).compile(examinationSchema)

/** Every answer of this file is one that the published schema allows, and holds no secret. */
async function examined(target: string | RedisOptions, options: ExamineOptions = {}): Promise<Examination> {
  const examination = await examine(target, { ...FEW, ...options })
  const text = JSON.stringify(examination)
  expect(isValid(JSON.parse(text)), JSON.stringify(isValid.errors)).toBe(true)
  expect(text).not.toMatch(/app-secret|admin-secret|sentinel-secret/)
  const total = Object.values(examination.summary).reduce((a, b) => a + b, 0)
  expect(total).toBe(examination.findings.length)
  for (const { verdict, fix } of examination.findings) {
    expect(['warn', 'fail', 'unknown'].includes(verdict)).toBe(fix !== undefined)
  }
  return examination
}

function finding({ findings }: Examination, id: string): Finding {
  const found = findings.find((item) => item.id === id)
  if (found === undefined) throw new Error(`there is no check ${id}`)
  return found
}

const verdict = (examination: Examination, id: string) => finding(examination, id).verdict

describeWith(serverBinary, 'one server', () => {
  let server: Topology
  let admin: Redis
  beforeAll(async () => {
    server = await start('single')
    admin = new Redis(server.basePort, '127.0.0.1')
  })
  afterEach(async () => {
    await admin.config('SET', 'maxmemory', '0')
    await admin.config('SET', 'maxmemory-policy', 'noeviction')
    await admin.config('SET', 'appendonly', 'no')
    await admin.config('SET', 'save', '')
    await admin.config('SET', 'client-output-buffer-limit', 'normal 0 0 0')
    await admin.config('RESETSTAT')
    await admin.flushall()
    await admin.config('RESETSTAT')
  })
  afterAll(async () => {
    admin.disconnect()
    await server.stop()
  })
  const url = () => `redis://127.0.0.1:${server.basePort}`

  test('to which one sentinel leads while another names a different master', async () => {
    const here = { host: '127.0.0.1', port: server.basePort }
    const agreeing = await sentinelNaming(here)
    const other = await sentinelNaming({ host: '127.0.0.1', port: 1 })
    const about = (...ports: number[]) => ({
      sentinels: ports.map((port) => `127.0.0.1:${port}`),
      name: 'logins',
    })
    const said = await examined(about(agreeing, other))
    expect(finding(said, 'sentinel.quorum')).toMatchObject({
      verdict: 'fail',
      message: `sentinels name different masters: 127.0.0.1:${server.basePort} and 127.0.0.1:1`,
      fix: expect.stringContaining('SENTINEL RESET logins'),
      measured: { asked: 2, answering: 2, masters: 2 },
    })
    expect(exitCodeOf(said)).toBe(1)
    expect(verdict(await examined(about(agreeing)), 'sentinel.quorum')).toBe('ok')
  })

  test('that is well set up fails nothing', async () => {
    await admin.config('SET', 'appendonly', 'yes')
    await admin.config('SET', 'maxmemory', '1gb')
    const said = await examined(url())
    expect(said).toMatchObject({ mode: 'standalone', prefix: 'authstate', partitions: 16 })
    expect(said.server).toMatch(/^(redis|valkey) \d+\.\d+/)
    expect(said.target).toBe(`127.0.0.1:${server.basePort}`)
    // How long it takes is the machine's business.
    expect(said.findings.filter((item) => item.verdict === 'fail' && item.id !== 'latency')).toEqual([])
    for (const id of [
      'eviction.policy',
      'eviction.seen',
      'memory.headroom',
      'persistence',
      'clock',
      'layout',
    ])
      expect([id, verdict(said, id)]).toEqual([id, 'ok'])
    for (const id of ['cluster.slots', 'cluster.balance', 'sentinel.quorum', 'keys.endless'])
      expect([id, verdict(said, id)]).toEqual([id, 'skip'])
    expect(exitCodeOf({ ...said, summary: { ...said.summary, fail: 0 } })).toBe(0)
    expect(exitCodeOf(said, { strict: true })).toBe(1)
  })

  test('writes nothing', async () => {
    await examined(url(), { sample: 100 })
    expect(await admin.dbsize()).toBe(0)
  })

  test.each([
    ['volatile-lru', '1gb', 'fail'],
    ['volatile-lru', '0', 'warn'],
    ['allkeys-lfu', '0', 'fail'],
  ])('that evicts by %s with maxmemory %s', async (policy, maxmemory, expected) => {
    await admin.config('SET', 'maxmemory-policy', policy)
    await admin.config('SET', 'maxmemory', maxmemory)
    const said = await examined(url())
    expect(verdict(said, 'eviction.policy')).toBe(expected)
    expect(finding(said, 'eviction.policy').fix).toMatch(/noeviction/)
    if (expected === 'fail') expect(exitCodeOf(said)).toBe(1)
  })

  test('that has evicted', async () => {
    for (let n = 0; n < 50; n++) await admin.set(`k${n}`, 'x'.repeat(1_000), 'EX', 1_000)
    await admin.config('SET', 'maxmemory-policy', 'volatile-lru')
    await admin.config('SET', 'maxmemory', '1')
    await until('an eviction', async () => (await admin.dbsize()) < 50)
    await admin.config('SET', 'maxmemory', '0')
    const said = await examined(url())
    expect(finding(said, 'eviction.seen')).toMatchObject({ verdict: 'fail', message: /evicted/ })
    expect(finding(said, 'eviction.seen').measured['evicted']).toBeGreaterThan(0)
  })

  test('that evicts while it is asked', async () => {
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
    const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
    await admin.config('SET', 'maxmemory', String(used + 2 * 1_048_576))
    let isOver = false
    const filling = (async () => {
      for (let n = 0; !isOver; n++) await admin.set(`k${n}`, 'x'.repeat(50_000)).catch(() => {})
    })()
    const evicted = async () => Number(/evicted_keys:(\d+)/.exec(await admin.info('stats'))?.[1]) > 0
    await until('an eviction', evicted)
    const said = finding(await examined(url()), 'eviction.seen')
    isOver = true
    await filling
    expect(said).toMatchObject({ verdict: 'fail', message: 'keys are being evicted right now' })
  })

  test('that refused writes since it started', async () => {
    await admin.config('SET', 'maxmemory', '1')
    await failureOf(admin.set('k', 'v'))
    await admin.config('SET', 'maxmemory', '1gb')
    const said = finding(await examined(url()), 'memory.headroom')
    expect(said).toMatchObject({ verdict: 'warn', measured: { refusedWrites: 1 } })
  })

  test('on which a script of others ran too long', async () => {
    await admin.config('SET', 'lua-time-limit', '20')
    const other = new Redis(server.basePort, '127.0.0.1')
    onTestFinished(() => other.disconnect())
    await other.ping()
    const running = failureOf(other.eval('while true do end', 0))
    await until('a refusal', async () => /BUSY/.test(String(await failureOf(admin.ping()))))
    await admin.call('SCRIPT', 'KILL')
    await running
    expect(finding(await examined(url()), 'scripts')).toMatchObject({
      verdict: 'warn',
      message: /a script ran too long/,
    })
    await admin.config('SET', 'lua-time-limit', '5000')
  })

  test.each([
    [
      'fragmented',
      { used_memory: '400000000', mem_fragmentation_ratio: '1.9' },
      'memory.fragmentation',
      'warn',
    ],
    [
      'swapped out',
      { used_memory: '400000000', mem_fragmentation_ratio: '0.7' },
      'memory.fragmentation',
      'warn',
    ],
    ['older than 6.2', { redis_version: '6.0.20', server_name: 'redis' }, 'server.version', 'fail'],
    ['older than 7.0', { redis_version: '6.2.14', server_name: 'redis' }, 'server.version', 'warn'],
    ['no Redis', { dragonfly_version: 'df-v1.21.2' }, 'server.version', 'warn'],
    ['unable to write its file', { aof_enabled: '1', aof_last_write_status: 'err' }, 'persistence', 'fail'],
  ])('that says it is %s', async (_, lines, check, expected) => {
    const client = new Redis(server.basePort, '127.0.0.1', { autoResendUnfulfilledCommands: false })
    onTestFinished(() => client.disconnect())
    const said = finding(await examined({ client: saying(client, lines) }), check)
    expect([said.verdict, said.fix]).toEqual([expected, expect.stringMatching(/./)])
  })

  test('on another host, reached in the clear and without a password', async () => {
    const client = new Redis(server.basePort, '127.0.0.1', { autoResendUnfulfilledCommands: false })
    onTestFinished(() => client.disconnect())
    await client.ping()
    const said = await examined({ client: elsewhere(client) })
    expect(finding(said, 'connection.tls')).toMatchObject({ verdict: 'warn', fix: /redis\.tls/ })
    expect(finding(said, 'connection.password')).toMatchObject({ verdict: 'fail', fix: /acl\.md/ })
    expect(exitCodeOf(said)).toBe(1)
    const near = await examined(url())
    expect([verdict(near, 'connection.tls'), verdict(near, 'connection.password')]).toEqual(['ok', 'warn'])
  })

  test('whose last snapshot failed', async () => {
    const broken = await start('single')
    onTestFinished(() => broken.stop())
    const client = new Redis(broken.basePort, '127.0.0.1', { autoResendUnfulfilledCommands: false })
    onTestFinished(() => client.disconnect())
    const [, folder = ''] = (await client.config('GET', 'dir')) as string[]
    await rm(folder, { recursive: true })
    await client.bgsave()
    await until('a failed snapshot', async () =>
      /rdb_last_bgsave_status:err/.test(await client.info('persistence')),
    )
    expect(finding(await examined({ client }), 'persistence')).toMatchObject({
      verdict: 'fail',
      message: 'the last snapshot failed',
    })
  })

  test.each([
    ['without a limit', 0, 'warn', /maxmemory is 0/],
    ['nearly full', 1.1, 'warn', /% of maxmemory/],
    ['full', 1, 'fail', /logins will soon be refused/],
  ])('that is %s', async (_, factor, expected, message) => {
    // A value that weighs more than what a connection does.
    await admin.setrange('ballast', 64 * 1_048_576, 'x')
    const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
    await admin.config('SET', 'maxmemory', String(Math.floor(used * factor)))
    const said = await examined(url())
    expect(finding(said, 'memory.headroom').verdict).toBe(expected)
    expect(finding(said, 'memory.headroom').message).toMatch(message)
  })

  test('that persists nothing, or snapshots only', async () => {
    expect(verdict(await examined(url()), 'persistence')).toBe('fail')
    await admin.config('SET', 'save', '900 1')
    const said = await examined(url())
    expect(finding(said, 'persistence')).toMatchObject({
      verdict: 'warn',
      spi: ['user-session', 'action-token'],
    })
    expect(finding(said, 'persistence').message).toMatch(/snapshots only/)
  })

  test('that has no replica', async () => {
    expect(verdict(await examined(url()), 'replication.replicas')).toBe('warn')
  })

  test('whose deployment has another number of partitions', async () => {
    const prefix = freshPrefix()
    await (await connect({ url: url(), prefix, partitions: 32 })).close()
    const said = await examined({ url: url(), prefix })
    expect(finding(said, 'layout')).toMatchObject({
      verdict: 'fail',
      measured: { partitions: 32, version: 2 },
    })
    expect(finding(said, 'layout').fix).toContain('redis.partitions to 32')
    expect(verdict(await examined({ url: url(), prefix, partitions: 32 }), 'layout')).toBe('ok')
  })

  test('whose deployment tells a consumer that this configuration does not name', async () => {
    const prefix = freshPrefix()
    await (await connect({ url: url(), prefix, changes: { consumers: ['audit'] } })).close()
    const said = finding(await examined({ url: url(), prefix }), 'layout')
    expect(said).toMatchObject({ verdict: 'fail', measured: { unnamedConsumers: 1 } })
    for (const changes of [{ consumers: ['audit'] }, { drop: ['audit'] }])
      expect(verdict(await examined({ url: url(), prefix, changes }), 'layout')).toBe('ok')
  })

  test.each([
    ['ahead', 90_000, 'fail'],
    ['behind', -90_000, 'fail'],
  ])('whose clock is far off: this host is %s', async (word, byMs, expected) => {
    const [seconds] = await admin.time()
    const clock = new FakeClock(Number(seconds) * 1_000 + byMs)
    const said = finding(await examined(url(), { clock }), 'clock')
    expect(said.verdict).toBe(expected)
    expect(said.message).toContain(word)
    // In doubt it is what it was found to be: an answer that took long says little.
    expect(Math.abs(Math.abs(Number(said.measured['aheadMs'])) - 90_000)).toBeLessThan(60_000)
  })

  test('to which answers take 50 ms, and 300 ms', async () => {
    const behind = async (delayMs: number, commandTimeoutMs: number) => {
      const proxy = await TcpProxy.start(server.basePort, { down: delayMs })
      onTestFinished(() => proxy.stop())
      return finding(await examined({ url: `redis://127.0.0.1:${proxy.port}`, commandTimeoutMs }), 'latency')
    }
    const slow = await behind(50, 600_000)
    expect(slow.verdict).toBe('warn')
    expect(slow.measured['pingP50Ms']).toBeGreaterThanOrEqual(49)
    const slower = await behind(300, 500)
    expect(slower.verdict).toBe('fail')
    expect(slower.fix).toMatch(/redis\.commandTimeoutMs/)
  })

  test('that cuts off long answers', async () => {
    await admin.config('SET', 'client-output-buffer-limit', 'normal 1048576 0 0')
    expect(finding(await examined(url()), 'output-buffers')).toMatchObject({
      verdict: 'warn',
      measured: { bytes: 1_048_576 },
    })
  })

  test('that others use: their keys, KEYS and FLUSHALL', async () => {
    await admin.set('others', '1')
    expect(verdict(await examined(url(), { sample: 100 }), 'neighbours')).toBe('warn')
    expect(verdict(await examined(url()), 'neighbours')).toBe('ok')
    await admin.keys('nothing')
    expect(finding(await examined(url()), 'neighbours')).toMatchObject({
      verdict: 'warn',
      measured: { keys: 1 },
    })
  })

  test('with a key of ours that never ends', async () => {
    const prefix = freshPrefix()
    await (await connect({ url: url(), prefix })).close()
    expect(verdict(await examined({ url: url(), prefix }, { sample: 100 }), 'keys.endless')).toBe('ok')
    // Streams of changes, and failures of a user who is locked for good, never end.
    for (const kind of ['xn', 'xh', 'lf:r:x', 'lr:r']) await admin.set(`${prefix}:{00}:${kind}`, '1')
    await admin.set(`${prefix}:{00}:us:r:x`, '1')
    expect(finding(await examined({ url: url(), prefix }, { sample: 100 }), 'keys.endless')).toMatchObject({
      verdict: 'fail',
      measured: { endless: 1 },
    })
  })

  test('behind a client with a prefix of its own, keys of ours are still ours', async () => {
    const client = new Redis(server.basePort, '127.0.0.1', {
      keyPrefix: 'app:',
      autoResendUnfulfilledCommands: false,
    })
    onTestFinished(() => client.disconnect())
    await (await connect({ client })).close()
    await client.set('authstate:{00}:us:r:x', '1')
    expect(finding(await examined({ client }, { sample: 100 }), 'keys.endless').measured['endless']).toBe(1)
    expect(verdict(await examined({ client }, { sample: 100 }), 'neighbours')).toBe('ok')
  })

  test('that a client repeats commands to', async () => {
    const client = new Redis(server.basePort, '127.0.0.1', { autoResendUnfulfilledCommands: true })
    onTestFinished(() => client.disconnect())
    const said = await examined({ client })
    expect(finding(said, 'client.options')).toMatchObject({ verdict: 'warn', measured: { options: 1 } })
    // It is the application's, and goes on.
    expect(await client.ping()).toBe('PONG')
    expect(verdict(await examined(url()), 'client.options')).toBe('ok')
  })

  test('that stopped, or is a time-out away, is an error, not a finding', async () => {
    const gone = await start('single')
    const at = `redis://127.0.0.1:${gone.basePort}`
    gone.nodes[0]?.pause()
    const error = await failureOf(examine({ url: at, connectTimeoutMs: 300 }))
    expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', applied: 'no' })
    expect(String(error)).toContain('Redis may be frozen, blocked by a long command')
    await gone.stop()
    const absent = await failureOf(examine(at))
    expect(absent).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(String(absent)).not.toContain('frozen')
  })

  test('a server that falls silent while it is asked', async () => {
    const gone = await start('single')
    onTestFinished(() => gone.stop())
    const client = new Redis(gone.basePort, '127.0.0.1', { autoResendUnfulfilledCommands: false })
    onTestFinished(() => client.disconnect())
    await client.ping()
    gone.nodes[0]?.pause()
    expect(await failureOf(examine({ client }))).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  })
})

describe('options', () => {
  test.each<[string, unknown, RegExp]>([
    ['a misspelt one', { sampel: 3 }, /Did you mean 'sample'/],
    ['a sample below 0', { sample: -1 }, /"options\.sample" must be a whole number from 0/],
    ['half a probe', { probes: 0.5 }, /"options\.probes" must be a whole number from 1/],
  ])('%s is refused', async (_, options, message) => {
    const error = await failureOf(examine('redis://127.0.0.1:1', options as ExamineOptions))
    expect(error).toBeInstanceOf(TypeError)
    expect(String(error)).toMatch(message)
  })

  test('a connection that cannot work is refused', async () => {
    expect(await failureOf(examine({ nodes: ['h'], db: 3 }))).toMatchObject({
      code: 'ERR_PROVIDER_CONFIGURATION',
    })
  })
})

describeWith(serverBinary, 'rights', () => {
  let server: Topology
  let admin: Redis
  beforeAll(async () => {
    server = await start('acl')
    admin = new Redis(server.basePort, '127.0.0.1', { ...server.users.admin })
  })
  afterAll(async () => {
    admin.disconnect()
    await server.stop()
  })
  const NEEDED =
    '+evalsha +eval +hgetall +hvals +hmget +get +zcount +xread +ping +info +time +exists +del +unlink +persist +pexpire +pttl ' +
    '+getrange +mget +set +setrange +hget +hset +hsetnx +hdel +hincrby +hkeys +hlen +zadd +zcard +zrange +zrangebyscore +zrank +zrem ' +
    '+zremrangebyscore +zscan +zscore +xadd +xrange +xrevrange'
  const as = async (rights: string): Promise<RedisOptions> => {
    await admin.call('ACL', 'SETUSER', 'me', 'reset', 'on', '>me', '~authstate:*', ...rights.split(' '))
    await admin.call('ACL', 'LOG', 'RESET')
    return { url: `redis://127.0.0.1:${server.basePort}`, username: 'me', password: 'me' }
  }

  test('of the page are enough, and nothing else is asked for', async () => {
    const said = await examined(await as(NEEDED))
    for (const id of ['rights.missing', 'rights.excess', 'connection.password', 'eviction.policy', 'scripts'])
      expect([id, verdict(said, id)]).toEqual([id, 'ok'])
    expect(finding(said, 'output-buffers')).toMatchObject({ verdict: 'unknown', fix: /administrator/ })
    // ioredis tells newer servers its name, which is not of the page.
    const refused = (await admin.call('ACL', 'LOG')) as unknown[]
    expect(refused.map(String).filter((entry) => !/setinfo/.test(entry))).toEqual([])
  })

  test('without EVAL it is an error that names the right, and no source of a script', async () => {
    const error = await failureOf(examine(await as(`${NEEDED} -eval`)))
    expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(String(error)).toContain('+eval')
    expect(everythingIn(error)).not.toContain('acl_check_cmd')
  })

  test('for changes are needed where the configuration names a consumer', async () => {
    const options = { ...(await as(NEEDED)), changes: { consumers: ['audit'] } }
    const said = finding(await examined(options), 'rights.missing')
    expect(said.verdict).toBe('fail')
    for (const right of ['+xlen', '+xtrim']) expect(said.fix).toContain(right)
  })

  test('one that is missing is named, with the line to add', async () => {
    const said = finding(await examined(await as(`${NEEDED} -zscan`)), 'rights.missing')
    expect(said).toMatchObject({ verdict: 'fail', measured: { missing: 1 } })
    expect(said.fix).toContain('+zscan')
  })

  test('without INFO what cannot be asked is unknown, never ok', async () => {
    const said = await examined(await as(`${NEEDED} -info`))
    for (const id of [
      'eviction.policy',
      'eviction.seen',
      'memory.headroom',
      'memory.fragmentation',
      'persistence',
      'replication.role',
      'replication.replicas',
      'server.version',
      'scripts',
      'neighbours',
    ]) {
      expect([id, verdict(said, id)]).toEqual([id, 'unknown'])
      expect(finding(said, id).fix).toContain('+info')
    }
    expect(said.server).toBe('unknown')
    expect(verdict(said, 'rights.missing')).toBe('ok')
  })

  test('beyond what is needed are told', async () => {
    const said = finding(
      await examined(await as(`${NEEDED} +flushall +config|get +config|set`)),
      'rights.excess',
    )
    expect(said).toMatchObject({ verdict: 'warn', measured: { excess: 2 } })
    expect(said.message).toContain('FLUSHALL, CONFIG SET')
  })

  test('a sample without SCAN is unknown', async () => {
    expect(verdict(await examined(await as(NEEDED), { sample: 10 }), 'keys.endless')).toBe('unknown')
    expect(verdict(await examined(await as(`${NEEDED} +scan`), { sample: 10 }), 'keys.endless')).toBe('ok')
  })
})

describeWith(tls, 'TLS', () => {
  test('a certificate that ends soon is told in days', async () => {
    const server = await start('tls')
    onTestFinished(() => server.stop())
    const said = await examined({ url: `rediss://127.0.0.1:${server.basePort}`, tls: { ...server.tls } })
    // The servers of tests have one for two days.
    expect(finding(said, 'connection.tls')).toMatchObject({ verdict: 'warn', measured: { days: 1 } })
    expect(verdict(said, 'connection.password')).toBe('ok')
  })
})

describeWith(serverBinary, 'several servers', () => {
  test('a replica is told', async () => {
    const server = await start('replica')
    onTestFinished(() => server.stop())
    const replica = server.nodes[1]?.port
    const said = await examined(`redis://127.0.0.1:${replica}`)
    expect(finding(said, 'replication.role')).toMatchObject({ verdict: 'fail', message: /READONLY/ })
    const master = `redis://127.0.0.1:${server.basePort}`
    expect(verdict(await examined(master), 'replication.role')).toBe('ok')
    expect(finding(await examined(master), 'replication.replicas')).toMatchObject({
      verdict: 'warn',
      fix: /minReplicas/,
    })
    expect(verdict(await examined({ url: master, minReplicas: 1 }), 'replication.replicas')).toBe('ok')
    server.nodes[1]?.pause()
    const behind = await until('a replica that is behind', async () => {
      const { measured, ...rest } = finding(await examined(master), 'replication.replicas')
      return Number(measured['lagS']) > 1 ? rest : undefined
    })
    server.nodes[1]?.resume()
    expect(behind).toMatchObject({ verdict: 'warn', message: /brings back what was ended/ })
  })

  test('sentinels: three that agree, one that does not answer, a name that nobody knows', async () => {
    const server = await start('sentinel')
    onTestFinished(() => server.stop())
    const about = { sentinels: [...server.sentinels], name: server.name }
    // They find each other when they hear of each other.
    const said = await until('three sentinels that agree', async () => {
      const examination = await examined(about)
      const { measured } = finding(examination, 'sentinel.quorum')
      return measured['known'] === 3 && measured['up'] === 3 ? examination : undefined
    })
    expect(said.mode).toBe('sentinel')
    expect(finding(said, 'sentinel.quorum')).toMatchObject({ verdict: 'ok', measured: { known: 3, up: 3 } })
    const client = new Redis({ sentinels: about.sentinels, name: about.name, sentinelCommandTimeout: 500 })
    onTestFinished(() => client.disconnect())
    expect(verdict(await examined({ client }), 'sentinel.quorum')).toBe('unknown')
    const absent = { host: '127.0.0.1', port: 1 }
    expect(
      verdict(await examined({ ...about, sentinels: [...about.sentinels, absent] }), 'sentinel.quorum'),
    ).toBe('warn')
    expect(
      await failureOf(examine({ sentinels: about.sentinels, name: 'nobody', connectTimeoutMs: 500 })),
    ).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    const [, , , , second, third] = server.nodes
    await Promise.all([second?.stop(), third?.stop()])
    const alone = await until('two sentinels that are down', async () => {
      const examination = await examined({ ...about, sentinels: about.sentinels.slice(0, 1) })
      const { measured } = finding(examination, 'sentinel.quorum')
      return measured['up'] === 1 ? examination : undefined
    })
    expect(finding(alone, 'sentinel.quorum')).toMatchObject({ verdict: 'fail', message: /cannot agree/ })
    expect(exitCodeOf(alone)).toBe(1)
  })

  test('a Cluster: all slots, then one that nobody has', async () => {
    const server = await start('cluster', { replicas: 0 })
    onTestFinished(() => server.stop())
    const nodes = [`127.0.0.1:${server.basePort}`]
    const said = await examined({ nodes })
    expect(said.mode).toBe('cluster')
    expect(finding(said, 'cluster.slots')).toMatchObject({ verdict: 'ok', measured: { covered: 16_384 } })
    expect(finding(said, 'cluster.balance')).toMatchObject({ verdict: 'ok', measured: { masters: 3 } })
    const lopsided = await examined({ nodes, partitions: 1 })
    expect(finding(lopsided, 'cluster.balance')).toMatchObject({ verdict: 'warn', measured: { most: 1 } })
    for (const { port } of server.nodes) {
      await ask(port, ['CONFIG', 'SET', 'cluster-require-full-coverage', 'no'])
    }
    // No partition lies in this one, so what is asked is answered.
    await Promise.all(server.nodes.map(({ port }) => ask(port, ['CLUSTER', 'DELSLOTS', '1']).catch(() => '')))
    const after = await examined({ nodes })
    expect(finding(after, 'cluster.slots')).toMatchObject({ verdict: 'fail' })
    expect(exitCodeOf(after)).toBe(1)
  })
})

test('every check has a row on its page', () => {
  const page = readFileSync(new URL('../../../docs/doctor.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| <a id="([\w-]+)"><\/a>`([\w.-]+)` \|/gm)].map(([, anchor, id]) => [
    id,
    anchor,
  ])
  expect(rows).toEqual(CHECKS.map(({ id }) => [id, id.replaceAll('.', '')]))
})

test.each([
  ['127.0.0.1', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['10.0.0.1', false],
  ['::ffff:10.0.0.1', false],
  ['fe80::1', false],
])('%s is an address of this host: %s', (address, isLocal) => expect(isLocalAddress(address)).toBe(isLocal))
