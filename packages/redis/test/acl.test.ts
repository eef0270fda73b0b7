import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { redisTarget, runSuite } from '@authstate/conformance'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { start, type Topology } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { actionTokenKeySpace, actionTokenSuite } from '../../action-token/src/conformance.js'
import { redisActionTokens } from '../../action-token/src/redis.js'
import { defineScript, type RedisClient } from '../src/index.js'
import { RIGHTS, RIGHTS_FOR_CHANGES } from '../src/rights.js'
import { count, open } from './support.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const page = readFileSync(`${root}docs/acl.md`, 'utf8')
const [rule = [], forCluster = [], forDatabase = [], forReplicas = [], forChanges = [], forSentinels = []] = [
  ...page.matchAll(/^```acl\n([^`]*)^```$/gm),
].map(([, block = '']) => block.trim().split(/\s+/))

const PASSWORD = 'a-long-password'
/** The rule of the page for keys under another prefix. */
const ruleFor = (prefix: string) => rule.map((word) => word.replace(/^([~&])authstate:\*$/, `$1${prefix}*`))
const setUser = (admin: Redis, words: readonly string[]) =>
  admin.call('ACL', 'SETUSER', 'authstate', 'reset', 'on', `>${PASSWORD}`, ...words)
const user = { username: 'authstate', password: PASSWORD }

/** What Redis refused, without what the page says may be refused. */
async function refused(admin: Redis): Promise<string[]> {
  const log = (await admin.call('ACL', 'LOG')) as unknown[]
  return log.map((entry) => JSON.stringify(entry)).filter((entry) => !entry.includes('client|setinfo'))
}

describe('the rule on the page', () => {
  const allowed = new Set(rule.flatMap((word) => (word.startsWith('+') ? [word.slice(1)] : [])))
  const folders = readdirSync(`${root}packages`).filter((folder) =>
    existsSync(`${root}packages/${folder}/src`),
  )
  const sources = folders.flatMap((folder) =>
    readdirSync(`${root}packages/${folder}/src`, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.lua'))
      .map((file) => {
        const path = `packages/${folder}/src/${file}`
        return { path, text: readFileSync(root + path, 'utf8') }
      }),
  )
  const calls = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/redis\.p?call\(\s*(?:'([A-Z]+)'|(.*))/g)].map(([, name, other]) => ({
      path,
      name,
      other,
    })),
  )

  test('allows what the scripts call', () => {
    expect(calls.length).toBeGreaterThan(10)
    expect(calls.filter(({ other }) => other !== undefined)).toEqual([])
    const withChanges = new Set([...allowed, ...[...forChanges, ...forCluster].map((word) => word.slice(1))])
    const missing = calls.filter(({ name = '' }) => !withChanges.has(name.toLowerCase()))
    expect(missing.map(({ path, name }) => `${path}: ${name}`)).toEqual([])
  })

  test('is what a node asks for at its start, but for INFO and channels, which may be refused', () => {
    const mayBeRefused = ['info', 'publish', 'subscribe']
    expect([...RIGHTS].sort()).toEqual([...allowed].filter((name) => !mayBeRefused.includes(name)).sort())
  })

  test('and more of a node that tells consumers of changes', () => {
    expect(RIGHTS_FOR_CHANGES.map((name) => `+${name}`)).toEqual(forChanges)
  })

  test('and nothing that nobody needs', () => {
    const ofScripts = new Set(calls.map(({ name = '' }) => name.toLowerCase()))
    const ofOurs = [
      'evalsha',
      'eval',
      'hgetall',
      'hvals',
      'hmget',
      'get',
      'zcount',
      'xread',
      'ping',
      'info',
      'subscribe',
    ]
    expect([...allowed].filter((item) => !ofScripts.has(item) && !ofOurs.includes(item))).toEqual([])
  })
})

describeWith(serverBinary, 'a user with exactly these rights', () => {
  let server: Topology
  let admin: Redis
  beforeAll(async () => {
    server = await start('single')
    admin = new Redis({ port: server.basePort })
    await setUser(admin, ruleFor('test-'))
  })
  afterAll(async () => {
    admin.disconnect()
    await server.stop()
  })

  let client: RedisClient | undefined
  /** The provider has the user's rights; the kit looks at the keys with those of an administrator. */
  const limited = () => {
    client ??= new Proxy(
      new Redis({ port: server.basePort, ...user, autoResendUnfulfilledCommands: false }) as RedisClient,
      {
        get: (target, name) => {
          const value: unknown = name === 'call' ? admin.call.bind(admin) : Reflect.get(target, name)
          return typeof value === 'function' ? value.bind(target) : value
        },
      },
    )
    return client
  }
  afterAll(() => client?.disconnect())

  runSuite(
    actionTokenSuite,
    redisTarget({
      name: 'least rights',
      spi: actionTokenSuite.spi,
      factories: [redisActionTokens()],
      keySpace: actionTokenKeySpace,
      client: limited,
    }),
    { describe, test },
  )

  test('was never refused anything', async () => {
    expect(await limited().ping()).toBe('PONG')
    expect(await refused(admin)).toEqual([])
  })

  test('can do nothing else', async () => {
    const raw = limited() as unknown as Redis
    const tried = await Promise.allSettled([
      raw.get('foreign'),
      raw.eval("return redis.call('GET', KEYS[1])", 1, 'foreign'),
      raw.eval("return redis.call('FLUSHALL')", 0),
      raw.keys('*'),
      raw.scan(0),
      raw.config('GET', '*'),
      raw.publish('a', 'b'),
      raw.subscribe('a'),
    ])
    for (const item of tried) {
      expect(item).toMatchObject({
        status: 'rejected',
        reason: { message: expect.stringMatching(/NOPERM|ACL failure|can't run this command/) },
      })
    }
  })

  test('may need one more for the number of a database', async () => {
    const connect = () => open({ url: `redis://127.0.0.1:${server.basePort}/3`, prefix: 'numbered', ...user })
    await setUser(admin, ruleFor('numbered'))
    await expect(connect()).rejects.toThrow(/could not connect to .*: NOPERM/)
    await setUser(admin, [...ruleFor('numbered'), ...forDatabase])
    await (await connect()).checkHealth()
  })
})

describeWith(serverBinary, 'a user who lacks one right', () => {
  let server: Topology
  let admin: Redis
  beforeAll(async () => {
    server = await start('single')
    admin = new Redis({ port: server.basePort })
  })
  afterAll(async () => {
    admin.disconnect()
    await server.stop()
  })
  const connect = () => open({ url: `redis://127.0.0.1:${server.basePort}`, prefix: 'one-less', ...user })

  test.each(RIGHTS)('%s: the start says so, and says what to add', async (name) => {
    await setUser(admin, [...ruleFor('one-less'), `-${name}`])
    await expect(connect()).rejects.toThrow(new RegExp(`"?\\+${name}\\b.*docs/acl\\.md`))
  })

  test('to touch the keys: the start says so', async () => {
    await setUser(admin, ruleFor('other'))
    await expect(connect()).rejects.toThrow(/docs\/acl\.md/)
  })

  test.each(RIGHTS)('%s, taken away later: what it is needed for fails, and names it', async (name) => {
    await setUser(admin, ruleFor('one-less'))
    const connection = await connect()
    await admin.call('ACL', 'SETUSER', 'authstate', `-${name}`)
    // In a script Redis does not say which command it refused: the line tells.
    const command = name.toUpperCase()
    const call = defineScript({
      ...count,
      lua: `local key = KEYS[1]\nreturn redis.call('${command}', key, ARGV[1], '1', '2')`,
    })
    const heard = await connection
      .run(call, { counter: connection.keys.key(0, 'n') }, { by: 1 })
      .then(String, (error: Error) => error.message)
    if (/number of args/i.test(heard) || !/refused/.test(heard)) return
    expect(heard).toContain(`"${name}"`)
  })
})

describeWith(serverBinary, 'a user with these rights on a master with replicas', () => {
  test('may wait for them, with one right more', async () => {
    const topology = await start('replica')
    onTestFinished(() => topology.stop())
    const admin = new Redis({ port: topology.basePort })
    onTestFinished(() => admin.disconnect())
    // A replica that has just copied everything confirms nothing for a second.
    await admin.set('first', '1')
    expect(await admin.wait(2, 10_000)).toBe(2)
    await setUser(admin, rule)
    const url = `redis://127.0.0.1:${topology.basePort}`
    const connect = () => open({ url, ...user, minReplicas: 2 })
    await expect(connect()).rejects.toThrow('redis.wait: Redis refused the command (NOPERM)')
    await setUser(admin, [...rule, ...forReplicas])
    const connection = await connect()
    const set = defineScript({ ...count, lua: "return redis.call('SET', KEYS[1], ARGV[1])", decode: String })
    const counter = connection.keys.key(0, 'n')
    const write = (by: number) => connection.run(set, { counter }, { by })
    expect(await write(1)).toBe('OK')
    await setUser(admin, rule.concat('-wait'))
    await expect(write(2)).rejects.toMatchObject({
      applied: 'unknown',
      message: 'test.count: Redis did it, but its replicas could not be asked: NOPERM',
    })
    expect(await admin.get(counter)).toBe('2')
  })
})

describeWith(serverBinary, 'a user with these rights on a Cluster', () => {
  test('reaches all of it', async () => {
    const cluster = await start('cluster', { replicas: 0 })
    onTestFinished(() => cluster.stop())
    const admins = cluster.nodes.map(({ port }) => new Redis({ port }))
    onTestFinished(() => {
      for (const item of admins) item.disconnect()
    })
    await Promise.all(admins.map((item) => setUser(item, [...rule, ...forCluster])))
    const connection = await open({ nodes: cluster.startupNodes, ...user })
    const everywhere = connection.keys.all.map((partition) =>
      connection.hgetall('test.read', connection.keys.key(partition, 'x')),
    )
    expect(await Promise.all(everywhere)).toEqual(everywhere.map(() => ({})))
    for (const item of admins) expect(await refused(item)).toEqual([])
  })
})

describeWith(serverBinary, 'users with these rights behind sentinels', () => {
  test('find the master', async () => {
    const topology = await start('sentinel')
    onTestFinished(() => topology.stop())
    const ports = topology.sentinels.map(({ port }) => port)
    const watched = ports.map((port) => new Redis({ port }))
    const servers = topology.nodes
      .filter(({ port }) => !ports.includes(port))
      .map(({ port }) => new Redis({ port }))
    onTestFinished(() => {
      for (const item of [...watched, ...servers]) item.disconnect()
    })
    await Promise.all(watched.map((item) => setUser(item, forSentinels)))
    await Promise.all(servers.map((item) => setUser(item, rule)))
    const { sentinels, name } = topology
    const connection = await open({
      sentinels,
      name,
      ...user,
      sentinelUsername: user.username,
      sentinelPassword: user.password,
    })
    await connection.checkHealth()
    for (const item of [...watched, ...servers]) expect(await refused(item)).toEqual([])
  })
})
