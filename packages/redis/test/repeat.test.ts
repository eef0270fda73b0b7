import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { start, type Topology, type TopologyKind, until } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import type { RedisConnection, RedisOptions } from '../src/index.js'
import { count, failureOf, freshPrefix, open, roundTrips } from './support.js'

const WRITERS = 32
const KILLS = 8

interface Outcome {
  readonly calls: number
  readonly values: number[]
  readonly failures: { applied?: string }[]
}

/** Counts from many places at once while the connections of everybody are cut again and again. */
async function countUnderKills(
  connection: RedisConnection,
  servers: readonly Redis[],
  keys: readonly string[],
) {
  const outcomes = new Map(
    keys.map((key) => [key, { calls: 0, values: [], failures: [] } as Outcome & { calls: number }]),
  )
  let over = false
  const write = async (writer: number) => {
    const counter = keys[writer % keys.length] as string
    const outcome = outcomes.get(counter) as Outcome & { calls: number }
    while (!over) {
      outcome.calls += 1
      await connection.run(count, { counter }, { by: 1 }).then(
        (value) => outcome.values.push(value),
        (error) => outcome.failures.push(error),
      )
      // Not in the tick in which all others failed: a writer that never yields would keep the client from coming back.
      if (outcome.values.length % 8 === 0 || outcome.failures.length > 0)
        await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer))
  for (let kill = 0; kill < KILLS; kill++) {
    const server = servers[kill % servers.length] as Redis
    await roundTrips(server, 100 + 37 * kill)
    await server.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  }
  over = true
  await Promise.all(writers)
  return outcomes
}

const kinds: [string, TopologyKind, (topology: Topology) => RedisOptions][] = [
  ['one server', 'single', ({ basePort }) => ({ url: `redis://127.0.0.1:${basePort}` })],
  ['a Cluster', 'cluster', ({ startupNodes }) => ({ nodes: startupNodes })],
]

for (const [name, kind, options] of kinds) {
  describeWith(serverBinary, `connections that are cut on ${name}`, () => {
    let topology: Topology
    let servers: Redis[] = []
    beforeAll(async () => {
      topology = await start(kind, { replicas: 0 })
      servers = topology.nodes.map(({ port }) => new Redis({ port }))
    })
    afterAll(async () => {
      for (const item of servers) item.disconnect()
      await topology.stop()
    })

    test('nothing is applied twice, and what succeeded was applied', async () => {
      const connection = await open({
        ...options(topology),
        // A command whose answer was lost must end with its connection: this long it would be seen as pending.
        commandTimeoutMs: 120_000,
        prefix: freshPrefix(),
      })
      const keys = connection.keys.all.map((partition) => connection.keys.key(partition, 'n'))
      const outcomes = await countUnderKills(connection, servers, keys)

      let failures = 0
      for (const [counter, { calls, values, failures: failed }] of outcomes) {
        const applied = await until('a connection', () => connection.run(count, { counter }, { by: 0 }))
        const unclear = failed.filter((error) => error.applied === 'unknown').length
        for (const error of failed) expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
        expect(applied).toBeLessThanOrEqual(calls)
        expect(applied).toBeGreaterThanOrEqual(values.length)
        // What was refused for certain is in nobody's count.
        expect(applied).toBeLessThanOrEqual(values.length + unclear)
        // A reply is the count after its own step: two alike, or one beyond the end, would be a step that nobody asked for.
        expect(new Set(values).size).toBe(values.length)
        expect(Math.max(0, ...values)).toBeLessThanOrEqual(applied)
        failures += failed.length
      }
      expect(failures).toBeGreaterThan(0)
      // Several times a second a connection asks for the time by itself.
      await until('nothing to be pending', () => connection.stats().pending === 0)
    })
  })
}

describeWith(serverBinary, 'a given client that sends again', () => {
  let server: Topology
  beforeAll(async () => {
    server = await start('single')
  })
  afterAll(() => server.stop())

  test('is warned of, and its refusals prove nothing', async () => {
    const client = new Redis({ port: server.basePort })
    onTestFinished(() => client.disconnect())
    const connection = await open({ client, prefix: freshPrefix() })
    await client.config('SET', 'maxmemory', '1')
    const error = await failureOf(connection.run(count, { counter: connection.keys.key(0, 'n') }, { by: 1 }))
    await client.config('SET', 'maxmemory', '0')
    expect(String(error)).toContain('Redis refused the command (OOM)')
    expect(error).toMatchObject({ applied: 'unknown' })
  })
})
