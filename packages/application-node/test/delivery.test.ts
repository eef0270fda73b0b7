// Many receivers over real connections, some of which never answer, and processes that are killed. `npm run test:long` sends to a
// thousand, kills a process, and has Redis fail over; DELIVERY_TARGETS says how many.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { RecordingLogger } from '@authstate/conformance'
import { httpClientSpi, undiciHttpClient } from '@authstate/http-client'
import { redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import type { AnyProviderFactory } from '@authstate/spi'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { start, until } from '../../../tools/servers/topology.mjs'
import { describeWith, redis, redisUrl, serverBinary } from '../../../tools/testing/capabilities.js'
import { startChild } from '../../../tools/testing/child.js'
import { applicationNodeSpi, memoryApplicationNodes } from '../src/index.js'
import type { ApplicationNodeOptions } from '../src/options.js'
import { redisApplicationNodes } from '../src/redis.js'

const MINUTES = { timeout: 120_000 }
const TARGETS = Number(process.env['DELIVERY_TARGETS'] ?? 60)
const HANGING = Math.max(2, Math.round(TARGETS / 100))
const isLong = process.env['DELIVERY_TARGETS'] !== undefined

/** A token that the sink can read. */
const sign: ApplicationNodeOptions['sign'] = (claims) =>
  Buffer.from(JSON.stringify(claims)).toString('base64url')

interface Sink {
  readonly port: number
  /** Called when a request came. */
  onRequest: () => void
  readonly sids: string[]
  readonly ids: string[]
}

type Handler = (host: string, response: ServerResponse, sid: string) => void

/** A server of all hosts. */
async function sink(handle: Handler): Promise<Sink> {
  const found: Sink = { port: 0, onRequest: () => {}, sids: [], ids: [] }
  const server = createServer((request, response) => {
    const host = String(request.headers.host).split(':')[0] ?? ''
    found.onRequest()
    void read(request).then((body) => {
      const token = new URLSearchParams(body).get('logout_token') ?? body
      const claims = JSON.parse(Buffer.from(token, 'base64url').toString()) as Record<string, string>
      found.sids.push(claims['sid'] ?? '')
      found.ids.push(claims['jti'] ?? '')
      handle(host, response, claims['sid'] ?? '')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return Object.assign(found, { port: (server.address() as AddressInfo).port })
}

async function read(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}

const optionsAt = (port: number): ApplicationNodeOptions => ({
  clients: (_realmId, clientId) => ({
    backchannelLogoutUri: `http://${clientId}.example.test:${port}/logout`,
    allowInsecure: true,
    egress: [`127.0.0.0/8`],
  }),
  issuer: () => 'https://login.example.com',
  sign,
})

async function sender(
  factory: AnyProviderFactory,
  properties: Readonly<Record<string, unknown>>,
  more: { readonly factories?: readonly AnyProviderFactory[]; readonly redis?: object } = {},
) {
  const registry = createProviderRegistry({
    factories: [
      factory,
      undiciHttpClient({ env: {}, resolve: async () => ['127.0.0.1'] }),
      ...(more.factories ?? []),
    ],
    config: {
      ...(more.redis && { redis: more.redis }),
      spi: {
        'application-node': { provider: factory.id, [factory.id]: properties },
        'http-client': { provider: 'undici', undici: { maxConnections: 16 } },
      },
    },
    logger: new RecordingLogger(),
  })
  await registry.start()
  onTestFinished(() => registry.close())
  return Object.assign(registry.get(applicationNodeSpi), { http: registry.get(httpClientSpi) })
}

const redisOptions = (prefix = `test-${randomUUID()}`) => ({ url: redisUrl(), prefix, partitions: 2 })

const ended = (sessionId: string, clientIds: readonly string[]) =>
  ({
    type: 'session-ended',
    userId: 'alice',
    sessionId,
    at: 1_700_000_000_000,
    clients: clientIds.map((clientId) => ({ clientId })),
  }) as const

async function sendsToMany(nodes: Awaited<ReturnType<typeof sender>>, to: Sink): Promise<void> {
  const clients = Array.from({ length: TARGETS }, (_, index) => `t${index}`)
  const peak = { all: 0, host: 0 }
  // As the sender sees them: a server hears late that a connection was closed.
  to.onRequest = () => {
    const { open, byOrigin } = nodes.http.stats()
    peak.all = Math.max(peak.all, open)
    peak.host = Math.max(peak.host, ...Object.values(byOrigin).map((origin) => origin.open))
  }
  const isThere = new Promise<void>((resolve) => {
    nodes.on('delivered', () => nodes.stats().delivered === TARGETS - HANGING && resolve())
  })
  const begun = performance.now()
  const { deliveryId } = await nodes.announce('r', ended('s', clients))
  const announced = performance.now() - begun
  await isThere
  const took = performance.now() - begun
  const states = (await nodes.delivery('r', deliveryId))?.targets.map(({ state }) => state) ?? []
  expect(states.filter((state) => state === 'delivered')).toHaveLength(TARGETS - HANGING)
  expect(took).toBeLessThan(10_000)
  expect(peak.all).toBeLessThanOrEqual(16)
  expect(peak.host).toBe(1)
  if (isLong)
    console.info(
      `${TARGETS - HANGING} of ${TARGETS} delivered in ${took.toFixed(0)} ms, announced in ${announced.toFixed(0)} ms; sockets ${peak.all}`,
    )
}

const hanging: Handler = (host, response) => {
  if (Number(host.slice(1).split('.')[0]) >= HANGING) response.writeHead(200).end()
}

describe('nodes 21: of many receivers some hang, and the others are told', () => {
  test('in memory', MINUTES, async () => {
    const to = await sink(hanging)
    await sendsToMany(await sender(memoryApplicationNodes(optionsAt(to.port)), {}), to)
  })

  const onRedis = isLong ? describeWith : () => {}
  onRedis(redis, 'on Redis', () => {
    test('in Redis', MINUTES, async () => {
      const to = await sink(hanging)
      const nodes = await sender(
        redisApplicationNodes(optionsAt(to.port)),
        {},
        {
          factories: [redisConnection()],
          redis: redisOptions(),
        },
      )
      await sendsToMany(nodes, to)
    })
  })
})

test('nodes 12: one node is dead, one hangs, and the third is told at once', MINUTES, async () => {
  const to = await sink((host, response) => {
    if (host !== 't1.example.test') response.writeHead(204).end()
  })
  const nodes = await sender(
    memoryApplicationNodes({
      ...optionsAt(to.port),
      clients: (_realmId, clientId) => ({
        managementUrl: `http://${clientId}.example.test:${clientId === 't0' ? 1_024 : to.port}/`,
        allowInsecure: true,
        egress: ['127.0.0.0/8'],
      }),
    }),
    { deadlineMs: 400, leaseMs: 1_000, retryBaseMs: 60_000, retryMaxMs: 60_000 },
  )
  const begun = performance.now()
  const told: Record<string, number> = {}
  nodes.on('*', ({ clientId }) => {
    told[clientId] ??= performance.now() - begun
  })
  const { deliveryId } = await nodes.announce(
    'r',
    { type: 'all-sessions-ended', at: 1_700_000_000_000 },
    { clientIds: ['t0', 't1', 't2'] },
  )
  expect(performance.now() - begun).toBeLessThan(250)
  await expect.poll(() => Object.keys(told).length, { timeout: 10_000 }).toBe(3)
  expect(told['t2']).toBeLessThan(told['t1'] ?? 0)
  const states = (await nodes.delivery('r', deliveryId))?.targets.map(({ state, reason }) => [state, reason])
  expect(states).toEqual([
    ['retrying', 'connect'],
    ['retrying', 'timeout'],
    ['delivered', undefined],
  ])
})

describeWith(redis, 'processes', () => {
  const killed = isLong ? test : () => {}
  killed(
    'nodes 17: one that is killed between sending and storing that has another send again',
    MINUTES,
    async () => {
      let isKilled = false
      const arrived: (() => void)[] = []
      const arrival = new Promise<void>((resolve) => arrived.push(resolve))
      const to = await sink((_host, response) => {
        if (isKilled) response.writeHead(200).end()
        for (const resolve of arrived) resolve()
      })
      const prefix = `test-${randomUUID()}`
      const program = new URL('./fixtures/killed-sender.ts', import.meta.url).pathname
      const child = startChild(program, [redisUrl(), prefix, String(to.port)])
      const deliveryId = await child.next()
      await arrival
      child.signal('SIGKILL')
      await child.ended
      isKilled = true
      const nodes = await sender(
        redisApplicationNodes(optionsAt(to.port)),
        { pollMs: 20 },
        {
          factories: [redisConnection()],
          redis: redisOptions(prefix),
        },
      )
      const delivery = await nodes.settled('r', deliveryId, { waitMs: 20_000 })
      expect(delivery?.targets.map(({ state, attempts }) => [state, attempts])).toEqual([['delivered', 2]])
      expect(to.sids).toEqual(['s', 's'])
      expect(new Set(to.ids).size).toBe(2)
    },
  )

  test('nodes 23: scripts that Redis forgot are sent again, and nothing is lost', MINUTES, async () => {
    const raw = new Redis(redisUrl())
    onTestFinished(() => raw.disconnect())
    const to = await sink((_host, response) => {
      void raw.script('FLUSH').then(() => response.writeHead(200).end())
    })
    const nodes = await sender(
      redisApplicationNodes(optionsAt(to.port)),
      { pollMs: 20 },
      {
        factories: [redisConnection()],
        redis: redisOptions(),
      },
    )
    const ids = await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        const { deliveryId } = await nodes.announce('r', ended(`s${index}`, ['t1', 't2']))
        return deliveryId
      }),
    )
    for (const id of ids) expect((await nodes.settled('r', id, { waitMs: 20_000 }))?.settled).toBe(true)
    expect(to.sids).toHaveLength(20)
    expect(new Set(to.sids).size).toBe(10)
  })
})

if (isLong)
  describeWith(serverBinary, 'a failover', () => {
    test('nodes 23: while messages are under way loses none', MINUTES, async () => {
      const topology = await start('sentinel', { downAfterMs: 800 })
      onTestFinished(() => topology.stop())
      const to = await sink((_host, response) => {
        setImmediate(() => response.writeHead(200).end())
      })
      const { sentinels, name } = topology
      const prefix = `test-${randomUUID()}`
      const nodes = await sender(
        redisApplicationNodes(optionsAt(to.port)),
        { pollMs: 50, deadlineMs: 1_000, leaseMs: 3_000 },
        {
          factories: [redisConnection()],
          redis: { sentinels, name, prefix, partitions: 2, commandTimeoutMs: 1_000, minReplicas: 1 },
        },
      )
      const sids = Array.from({ length: 300 }, (_, index) => `s${index}`)
      const ids: string[] = []
      for (const [index, sid] of sids.entries()) {
        if (index === 150) await topology.nodes[0]?.stop({ crash: true })
        const announced = await until(
          'an announcement',
          () =>
            nodes.announce('r', ended(sid, ['t1', 't2', 't3']), { dedupeKey: sid }).then(
              ({ deliveryId }) => deliveryId,
              () => undefined,
            ),
          { timeoutMs: 60_000 },
        )
        ids.push(String(announced))
      }
      for (const id of ids) {
        const delivery = await until(
          'a delivery that is settled',
          () =>
            nodes.settled('r', id, { waitMs: 5_000 }).then(
              (found) => found?.settled && found,
              () => undefined,
            ),
          { timeoutMs: 60_000 },
        )
        expect(delivery ? delivery.targets.map(({ state }) => state) : []).toEqual(Array(3).fill('delivered'))
      }
      expect(new Set(to.sids).size).toBe(300)
      console.info(`300 sessions, ${to.sids.length} messages for 900 targets over a failover`)
    })
  })
