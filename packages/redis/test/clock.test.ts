// What a connection sends so that its node goes by the clock of the deployment.
import { FakeClock, faultyClient, RecordingLogger } from '@authstate/conformance'
import { ConfigurationError, StoreUnavailableError } from '@authstate/spi'
import { Cluster, Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { ask, start, until } from '../../../tools/servers/topology.mjs'
import {
  cluster,
  clusterNodes,
  describeWith,
  hostClock,
  redis,
  redisUrl,
  serverBinary,
} from '../../../tools/testing/capabilities.js'
import { HostClock } from '../../../tools/testing/host-clock.js'
import { TcpProxy } from '../../../tools/testing/tcp-proxy.js'
import { connect, defineScript, type RedisClient, type RedisConnection } from '../src/index.js'
import { readClock } from '../src/scripts.js'
import { failureOf, freshPrefix, open } from './support.js'

/** Notes the time that a command carried beside the time of the server that took it. */
const note = defineScript({
  name: 'test.note',
  lua: "local t = redis.call('TIME') return redis.call('RPUSH', KEYS[1], ARGV[1] .. ' ' .. t[1] * 1000 + math.floor(t[2] / 1000))",
  record: 'test',
  change: 'full',
  keys: ['list'],
  args: ['now'],
  decode: Number,
})

const off = { autoResendUnfulfilledCommands: false }

function given(client: RedisClient): RedisClient {
  onTestFinished(() => client.disconnect())
  return client
}

describeWith(redis, 'a clock that is given', () => {
  test('is taken as it is: nothing is measured, and no command more is sent', async () => {
    const clock = new FakeClock()
    const connection = await connect({ url: redisUrl(), prefix: freshPrefix() }, { clock })
    onTestFinished(() => connection.close())
    expect(connection.clock).toBe(clock)
    const measured = await open({ url: redisUrl(), prefix: freshPrefix() })
    const sent = (item: RedisConnection) => item.stats().sent - item.stats().reloaded
    expect(sent(measured) - sent(connection)).toBe(2)
    expect(connection.warnings()).toEqual([])
  })
})

describeWith(redis, 'the clock of a deployment', () => {
  test('is that of Redis', async () => {
    const connection = await open({ url: redisUrl(), prefix: freshPrefix() })
    const raw = given(new Redis(redisUrl())) as Redis
    const before = connection.clock.now()
    const [seconds, us] = await raw.time()
    const after = connection.clock.now()
    const server = Number(seconds) * 1000 + Number(us) / 1000
    const off = connection.clock.uncertaintyMs ?? 0
    expect(server).toBeGreaterThan(before - off - 1)
    expect(server).toBeLessThan(after + off + 2)
    expect(off).toBeGreaterThan(0)
  })

  test('survives that the server forgets its scripts', async () => {
    const faulty = faultyClient(given(new Redis(redisUrl(), off)))
    const connection = await open({ client: faulty.client, prefix: freshPrefix() })
    faulty.arm(readClock, {
      when: 'before',
      error: new Error('NOSCRIPT No matching script. Please use EVAL.'),
    })
    await expect(connection.checkHealth()).resolves.toBeUndefined()
  })

  test('a server that is loading cannot tell the time: the start says so', async () => {
    const faulty = faultyClient(given(new Redis(redisUrl(), off)))
    faulty.arm(readClock, {
      when: 'before',
      error: new Error('LOADING Redis is loading the dataset in memory'),
    })
    const error = await failureOf(
      connect({ client: faulty.client, prefix: freshPrefix() }, { logger: new RecordingLogger() }),
    )
    expect(error).toBeInstanceOf(StoreUnavailableError)
    expect((error as Error).message).toContain('LOADING')
  })

  test('a server that refuses TIME in scripts is asked by TIME alone, which is said once', async () => {
    const logger = new RecordingLogger()
    const faulty = faultyClient(given(new Redis(redisUrl(), off)))
    faulty.arm(readClock, {
      when: 'before',
      error: new Error("ERR The user executing the script can't run this command or subcommand"),
    })
    const connection = await open({ client: faulty.client, prefix: freshPrefix() }, logger)
    const said = logger.entries.filter(({ message }) => message.includes('refuses TIME in scripts'))
    expect(said).toHaveLength(1)
    const raw = given(new Redis(redisUrl())) as Redis
    const [seconds] = await raw.time()
    expect(Math.abs(connection.clock.now() / 1000 - Number(seconds))).toBeLessThan(2)
  })
})

describeWith(cluster, 'the clock of a Cluster', () => {
  test('is measured anew when the client has heard of other masters, or of slots with another one', async () => {
    const client = given(new Cluster(clusterNodes()))
    const connection = await open({ client, prefix: freshPrefix() })
    for (const event of ['refresh', '+node', '-node']) {
      await until('the answers', () => connection.stats().pending === 0)
      const { sent } = connection.stats()
      ;(client as Cluster).emit(event)
      expect(connection.stats().sent).toBeGreaterThan(sent)
    }
  })
})

describeWith(serverBinary, 'a user without the right to read the time', () => {
  test('cannot start, and is told which right is missing', async () => {
    const server = await start('single')
    onTestFinished(() => server.stop())
    const all = ['SETUSER', 'u', 'on', '>a-long-password', '~*', '+@all', '-time']
    await ask(server.basePort, ['ACL', ...all])
    const user = { username: 'u', password: 'a-long-password' }
    const error = await failureOf(
      connect({ url: `redis://127.0.0.1:${server.basePort}`, ...user }, { logger: new RecordingLogger() }),
    )
    expect(error).toBeInstanceOf(ConfigurationError)
    expect((error as Error).message).toMatch(/may not run TIME.*"\+time".*docs\/acl\.md/)
  })
})

describeWith(hostClock, 'a server that takes the place of another', () => {
  test.each([
    ['ahead', 3_600_000],
    ['behind', -3_600_000],
  ])(
    'whose clock is %s: no command that reaches it carries the time of the one before',
    async (_, aheadMs) => {
      const [first, second] = await Promise.all([
        start('single'),
        start('single', { env: () => new HostClock(aheadMs).env }),
      ])
      onTestFinished(async () => {
        await Promise.all([first.stop(), second.stop()])
      })
      const proxy = await TcpProxy.start(first.basePort)
      onTestFinished(() => proxy.stop())
      const connection = await open({ url: `redis://127.0.0.1:${proxy.port}`, commandTimeoutMs: 30_000 })
      const list = connection.keys.shared('list')
      const write = () =>
        connection.run(note, { list }, { now: connection.clock.now() }).then(Boolean, () => false)
      expect(await write()).toBe(true)
      for (let round = 0; round < 5; round++) {
        proxy.goTo(round % 2 === 0 ? second.basePort : first.basePort)
        // Hammers while the connection is lost, made anew and measured.
        await until(
          'a command on the other server',
          async () => (await Promise.all(Array.from({ length: 20 }, write))).some(Boolean),
          { timeoutMs: 50_000, everyMs: 0 },
        )
      }
      const raw = given(new Redis(second.basePort)) as Redis
      const notes = (await raw.lrange(list, 0, -1)).map((line) => line.split(' ').map(Number))
      expect(notes.length).toBeGreaterThan(20)
      const worst = Math.max(...notes.map(([carried = 0, server = 0]) => Math.abs(carried - server)))
      // What lies between reading the clock and the script: it is never near the hour that the servers are apart.
      expect(worst).toBeLessThan(60_000)
    },
  )
})

describeWith(redis, 'the correction of a server that is behind', () => {
  const raw = () => given(new Redis(redisUrl())) as Redis
  const MOST = 10_000_000
  const read = async (client: Redis, key: string, floor: number, seen = '', lower = 0) =>
    readClock.decode(await client.eval(readClock.lua, 1, key, floor, MOST, seen, lower))
  const serverUs = async (client: Redis) => {
    const [seconds, us] = await client.time()
    return Number(seconds) * 1_000_000 + Number(us)
  }

  test('is stored once it is needed, added to every answer, and lengthened by a later one', async () => {
    const client = raw()
    const key = `${freshPrefix()}:clock`
    onTestFinished(() => void client.del(key))
    const plain = await read(client, key, 0)
    expect(plain.behindUs).toBe(0)
    expect(await client.exists(key)).toBe(0)
    const floor = (await serverUs(client)) + 3_000_000
    const first = await read(client, key, floor)
    expect(first.nowUs).toBe(floor)
    expect(await client.pttl(key)).toBe(-1)
    const next = await read(client, key, 0)
    expect(next.nowUs).toBeGreaterThanOrEqual(floor)
    expect(next.behindUs).toBeGreaterThan(2_000_000)
    const further = (await serverUs(client)) + 5_000_000
    expect((await read(client, key, further)).nowUs).toBe(further)
    expect((await read(client, key, 0)).behindUs).toBeGreaterThan(4_000_000)
  })

  test('wears off, a millisecond in a second, and is removed at its end', async () => {
    const client = raw()
    const key = `${freshPrefix()}:clock`
    const now = await serverUs(client)
    await client.set(key, `3000000 ${now - 1_000_000_000}`)
    const { behindUs } = await read(client, key, 0)
    expect(behindUs).toBeLessThanOrEqual(2_000_000)
    expect(behindUs).toBeGreaterThan(1_900_000)
    await client.set(key, `3000000 ${now - 4_000_000_000}`)
    expect((await read(client, key, 0)).behindUs).toBe(0)
    expect(await client.exists(key)).toBe(0)
  })

  test('is lowered by who knows that it is too large, once, and removed when nothing is left of it', async () => {
    const client = raw()
    const key = `${freshPrefix()}:clock`
    onTestFinished(() => void client.del(key))
    const { kept } = await read(client, key, (await serverUs(client)) + 4_000_000)
    expect(kept).toBe(await client.get(key))
    const lowered = await read(client, key, 0, kept, 3_000_000)
    expect(lowered.behindUs).toBeGreaterThan(900_000)
    expect(lowered.behindUs).toBeLessThanOrEqual(1_000_000)
    expect(await client.get(key)).toBe(lowered.kept)
    // Another node found the same: its turn is over.
    const late = await read(client, key, 0, kept, 3_000_000)
    expect(late.behindUs).toBeGreaterThan(900_000)
    const none = await read(client, key, 0, late.kept, 3_000_000)
    expect([none.behindUs, none.kept, await client.exists(key)]).toEqual([0, '', 0])
  })

  test('is not made for a server that is further behind than ten seconds, which is said', async () => {
    const client = raw()
    const key = `${freshPrefix()}:clock`
    const floor = (await serverUs(client)) + MOST + 1_000_000
    const answer = await read(client, key, floor)
    expect(answer.isTooFarBehind).toBe(true)
    expect(answer.nowUs).toBeLessThan(floor)
    expect(await client.exists(key)).toBe(0)
  })

  test('what cannot be read in its place counts as none', async () => {
    const client = raw()
    const key = `${freshPrefix()}:clock`
    await client.set(key, 'junk')
    expect((await read(client, key, 0)).behindUs).toBe(0)
    expect(await client.exists(key)).toBe(0)
  })
})
