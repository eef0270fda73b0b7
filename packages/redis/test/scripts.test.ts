import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { start, type Topology } from '../../../tools/servers/topology.mjs'
import { describeWith, redis, redisUrl, serverBinary } from '../../../tools/testing/capabilities.js'
import { connect, defineScript, type RedisClient, type RedisConnection } from '../src/index.js'
import { scriptParameters } from '../src/script.js'
import { count, freshPrefix, open, unseenScript } from './support.js'

describe('a descriptor', () => {
  const script = defineScript({
    name: 'test.move',
    lua: "return redis.call('RENAME', KEYS[1], KEYS[2])",
    record: 'test',
    change: 'full',
    keys: ['from', 'to'],
    args: ['now', 'by'],
    decode: String,
  })

  test('puts names in order', () => {
    const parameters = scriptParameters(script, { to: 'b', from: 'a' }, { by: 2, now: '1' })
    expect(parameters).toEqual([script.sha1, 2, 'a', 'b', '1', 2])
  })

  test('names for a Cluster one key more of the same slot, which is never there', () => {
    const of = (from: string) => scriptParameters(script, { from, to: 'b' }, { by: 2, now: 1 }, true)
    expect(of('p:{0a}:us:r:{1}')).toEqual([script.sha1, 3, 'p:{0a}:us:r:{1}', 'b', 'p:{0a}', 1, 2])
    expect(of('p:layout')).toEqual([script.sha1, 2, 'p:layout', 'b', 1, 2])
  })

  test('does not compile with a name left out or misspelt', () => {
    // @ts-expect-error "to" is missing
    scriptParameters(script, { from: 'a' }, { by: 2, now: 1 })
    // @ts-expect-error "noww" is no argument
    scriptParameters(script, { from: 'a', to: 'b' }, { by: 2, noww: 1 })
  })

  test('knows the hash by which Redis knows the source', () => {
    expect(defineScript({ ...script, lua: 'return 1' }).sha1).toBe('e0e1f9fabfc9d4800c877a703b823ac0578ff8db')
    expect(Object.isFrozen(script)).toBe(true)
  })

  test('has snippets in the place of their names, of its own and of every package', () => {
    const include = { one: 'local one = 1', two: '-- include: one\nlocal two = one + one' }
    const lua = '-- Adds.\nif x then\n  -- include: two\nend\n-- include: one, keep\nreturn one'
    const included = defineScript({ ...script, lua, include })
    const [before, keep, after] = included.lua.split(/^(-- Makes Redis keep[\s\S]+^end\n)$/m)
    expect(before).toBe('-- Adds.\nif x then\nlocal one = 1\nlocal two = one + one\nend\nlocal one = 1\n')
    expect(keep).toContain('local function keep(key, ms)')
    expect(after).toBe('\nreturn one')
    expect(included.sha1).toBe(defineScript({ ...script, lua: included.lua }).sha1)
    expect(included).not.toHaveProperty('include')
  })

  test.each(['tow', 'constructor', ''])('refuses the unknown snippet %j where it is defined', (name) => {
    const lua = `-- include: one, ${name}\nreturn one`
    expect(() => defineScript({ ...script, lua, include: { one: 'local one = 1' } })).toThrow(
      new TypeError(
        `test.move includes '${name}'. A snippet is one of: beside, digests, enter, follows, grace, joins, keep, living-behind, moments, one, prune, raise, rank-behind, walk`,
      ),
    )
  })

  test('refuses a snippet that includes itself', () => {
    const include = { one: '-- include: two', two: '-- include: one' }
    expect(() => defineScript({ ...script, lua: '-- include: one', include })).toThrow(
      new TypeError("test.move includes 'one', which includes itself"),
    )
  })
})

/** Every partition at once, several times: what arrives must be what was asked, each exactly once. */
async function expectCounts(connection: RedisConnection, rounds = 3): Promise<void> {
  const calls = connection.keys.all.map((partition) => ({
    keys: { counter: connection.keys.key(partition, 'n', freshPrefix()) },
    args: { by: 1 },
  }))
  for (let round = 1; round <= rounds; round++) {
    expect(await connection.runEach(count, calls)).toEqual(calls.map(() => round))
  }
}

const off = { autoResendUnfulfilledCommands: false }
const clusterOff = { retryDelayOnFailover: 0, redisOptions: off }

describeWith(serverBinary, 'scripts', () => {
  let single: Topology
  let cluster: Topology
  beforeAll(async () => {
    const begun = [start('single'), start('cluster', { replicas: 0 })] as const
    ;[single, cluster] = await Promise.all(begun)
  })
  afterAll(() => Promise.all([single.stop(), cluster.stop()]))
  const url = () => `redis://127.0.0.1:${single.basePort}`
  const nodes = () => cluster.startupNodes

  const clients: [string, () => RedisClient][] = [
    ['ioredis 6', () => new Redis(url(), off)],
    ['ioredis 6 with keyPrefix', () => new Redis(url(), { ...off, keyPrefix: 'app:' })],
    ['ioredis 6 with auto-pipelining', () => new Redis(url(), { ...off, enableAutoPipelining: true })],
    ['ioredis 6 with RESP2', () => new Redis(url(), { ...off, protocol: 2 })],
    ['ioredis 6 with RESP3 replies', () => new Redis(url(), { ...off, replyMapping: 'resp3' })],
    ['ioredis 5', () => new Redis5(url(), off)],
    ['ioredis 5 with keyPrefix', () => new Redis5(url(), { ...off, keyPrefix: 'app:' })],
    ['ioredis 5 with auto-pipelining', () => new Redis5(url(), { ...off, enableAutoPipelining: true })],
    ['a Cluster, ioredis 6', () => new Cluster(nodes(), clusterOff)],
    [
      'a Cluster, ioredis 6, with keyPrefix',
      () => new Cluster(nodes(), { ...clusterOff, keyPrefix: 'app:' }),
    ],
    [
      'a Cluster, ioredis 6, with auto-pipelining and keyPrefix',
      () => new Cluster(nodes(), { ...clusterOff, keyPrefix: 'app:', enableAutoPipelining: true }),
    ],
    ['a Cluster, ioredis 5', () => new Cluster5(nodes(), clusterOff)],
    [
      'a Cluster, ioredis 5, with auto-pipelining',
      () => new Cluster5(nodes(), { ...clusterOff, enableAutoPipelining: true }),
    ],
  ]

  describe.each(clients)('over %s', (_, make) => {
    const openGiven = async () => {
      const client = make()
      onTestFinished(() => client.disconnect())
      return open({ client, prefix: freshPrefix() })
    }

    test('reach their keys, all at once', async () => expectCounts(await openGiven()))

    test('are sent again where a server forgot them', async () => {
      const connection = await openGiven()
      await expectCounts(connection, 1)
      for (const { port } of [...single.nodes, ...cluster.nodes]) {
        const admin = new Redis({ port })
        await admin.script('FLUSH')
        admin.disconnect()
      }
      const { reloaded } = connection.stats()
      await expectCounts(connection, 2)
      expect(connection.stats().reloaded).toBeGreaterThan(reloaded)
      expect(connection.stats().failed).toBe(0)
    })

    test('next to reads', async () => {
      const connection = await openGiven()
      const key = (n: number) => connection.keys.key(n % 16, 'none', String(n))
      const all = await Promise.all(
        Array.from({ length: 64 }, (_, n) =>
          Promise.all([
            connection.hgetall('test.read', key(n)),
            connection.hmget('test.read', key(n), ['a']),
            connection.countAfter('test.read', key(n), 0),
            connection.run(count, { counter: connection.keys.key(n % 16, 'c', String(n)) }, { by: n + 1 }),
          ]),
        ),
      )
      expect(all).toEqual(Array.from({ length: 64 }, (_, n) => [{}, [null], 0, n + 1]))
    })
  })

  test('over a client that we make with auto-pipelining', async () => {
    const ioredis = { enableAutoPipelining: true }
    await expectCounts(await open({ url: url(), ioredis, prefix: freshPrefix() }))
    await expectCounts(await open({ nodes: nodes(), ioredis, prefix: freshPrefix() }))
  })

  test('the keys of one step lie where the Cluster wants them, whatever their number', async () => {
    const many = defineScript({
      name: 'test.many',
      lua: "for i = 1, 5 do redis.call('SET', KEYS[i], ARGV[1], 'PX', 5000) end return #KEYS",
      record: 'test',
      change: 'full',
      keys: ['a', 'b', 'c', 'd', 'e'],
      args: ['value'],
      decode: Number,
    })
    const none = defineScript({ ...many, name: 'test.none', lua: 'return #KEYS', keys: [], change: 'none' })
    const connection = await open({ nodes: nodes(), prefix: freshPrefix() })
    for (const partition of connection.keys.all) {
      const key = (name: string) => connection.keys.key(partition, 'm', `{${name}}:${name}`)
      const keys = { a: key('a'), b: key('b'), c: key('c'), d: key('d'), e: key('e') }
      expect(await connection.run(many, keys, { value: 1 })).toBe(6)
    }
    expect(await connection.run(none, {}, { value: 1 })).toBe(0)
  })
})

describeWith(redis, 'the source of a script', () => {
  test('is sent once, and then only its hash', async () => {
    const connection = await open({ url: redisUrl(), prefix: freshPrefix() })
    const script = unseenScript()
    const before = connection.stats()
    for (let n = 0; n < 5; n++)
      expect(await connection.run(script, { key: 'k' }, { value: n })).toEqual(['k', `${n}`])
    const { sent, reloaded } = connection.stats()
    expect({ sent: sent - before.sent, reloaded: reloaded - before.reloaded }).toEqual({
      sent: 6,
      reloaded: 1,
    })
  })

  test('is sent by everybody who asks before it is there', async () => {
    const connection = await open({ url: redisUrl(), prefix: freshPrefix() })
    const script = unseenScript()
    const calls = Array.from({ length: 8 }, (_, n) => ({ keys: { key: 'k' }, args: { value: n } }))
    expect(await connection.runEach(script, calls)).toEqual(calls.map(({ args }) => ['k', `${args.value}`]))
  })

  test('that fails tells which script it was, and nothing of what it was given', async () => {
    const connection = await connect({ url: redisUrl(), prefix: freshPrefix() })
    onTestFinished(() => connection.close())
    const failing = defineScript({
      ...unseenScript(),
      name: 'test.failing',
      lua: 'return nil .. KEYS[1] .. ARGV[1]',
    })
    const call = connection.run(failing, { key: 's3cret' }, { value: 's3cret' })
    await expect(call).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      applied: 'unknown',
      message: 'test.failing: Redis did not complete the command',
    })
  })
})
