import { Redis } from 'ioredis'
import type { Fact, Report } from '../finding.js'
import type { Surroundings } from '../measure.js'
import { serverCpuUs } from '../redis-info.js'
import { bandOfMedian, inTurns, median, quantile } from '../statistics.js'
import { REQUESTS_OF_LOGIN, stormOfLogins } from './logins.js'
import { stormOfRefreshes } from './refreshes.js'
import { ServerProcess } from './server-process.js'
import type { Storm } from './storm.js'
import type { StateIn } from './world.js'

/** Few for logins: each keeps a core busy with its password for some 30 ms. */
const CONNECTIONS = { logins: 8, refreshes: 32 }
const SECONDS = { logins: 3, refreshes: 2 }
const MOST_ROUNDS = 5
const SERVERS: Readonly<Record<string, StateIn>> = {
  'authstate on Redis': 'redis',
  'express-session, JSON under SET and GET': 'express-session',
  'authstate in memory': 'memory',
}
const PEER = 'express-session, JSON under SET and GET'

type Kind = keyof typeof CONNECTIONS

interface Round {
  readonly perSecond: number
  readonly serverMs: number
  readonly redisMs: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Logins and refreshes of the example server, beside the same server as one would build it without authstate. */
export async function measure({ url, rounds }: Surroundings): Promise<Report> {
  const redis = new Redis(url)
  const servers = new Map<string, ServerProcess>()
  try {
    for (const [name, stateIn] of Object.entries(SERVERS)) {
      servers.set(name, await ServerProcess.start(stateIn, url))
    }
    const facts: Fact[] = []
    for (const kind of ['logins', 'refreshes'] as const) {
      facts.push(...(await besideEachOther(kind, servers, redis, Math.min(rounds, MOST_ROUNDS))))
    }
    return { findings: [], facts }
  } finally {
    for (const server of servers.values()) server.stop()
    redis.disconnect()
  }
}

async function besideEachOther(
  kind: Kind,
  servers: ReadonlyMap<string, ServerProcess>,
  redis: Redis,
  count: number,
): Promise<Fact[]> {
  const names = [...servers.keys()]
  const rounds = new Map<string, Round[]>(names.map((name) => [name, []]))
  // A token that is on its way when a turn ends is lost: what is left everywhere is what everybody has.
  const tokensLeft = () => Math.min(...[...servers.values()].map(({ tokens }) => tokens.length))
  for (const [round, turns] of inTurns(names, count + 1).entries()) {
    const connections = kind === 'logins' ? CONNECTIONS.logins : Math.min(CONNECTIONS.refreshes, tokensLeft())
    for (const name of turns) {
      const result = await stormOn(servers.get(name) as ServerProcess, kind, connections, redis)
      if (round > 0) rounds.get(name)?.push(result) // the first is warm-up
    }
  }
  const peers = rounds.get(PEER) as Round[]
  return names.map((name) =>
    factOf(kind, name, servers.get(name) as ServerProcess, rounds.get(name) as Round[], peers),
  )
}

async function stormOn(server: ServerProcess, kind: Kind, connections: number, redis: Redis): Promise<Round> {
  const [cpuBefore, redisBefore] = [await server.cpuUs(), await serverCpuUs(redis)]
  const storm = kind === 'logins' ? stormOfLogins : stormOfRefreshes
  const { done, seconds, latenciesMs }: Storm = await storm(server.origin, server.tokens, {
    connections,
    seconds: SECONDS[kind],
  })
  return {
    perSecond: done / seconds,
    serverMs: ((await server.cpuUs()) - cpuBefore) / 1_000 / done,
    redisMs: ((await serverCpuUs(redis)) - redisBefore) / 1_000 / done,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
  }
}

const GROUPS: Readonly<Record<Kind, string>> = {
  logins: `login storm on the example server: ${CONNECTIONS.logins} connections, ${REQUESTS_OF_LOGIN} requests to a login`,
  refreshes: `refresh storm on the example server: ${CONNECTIONS.refreshes} connections, 1 request to a refresh`,
}

function factOf(
  kind: Kind,
  name: string,
  server: ServerProcess,
  rounds: readonly Round[],
  peers: readonly Round[],
): Fact {
  const of = (read: (round: Round) => number) => median(rounds.map(read))
  const ratios = rounds.map(({ serverMs }, round) => (peers[round] as Round).serverMs / serverMs)
  const band = bandOfMedian(ratios).map((value) => value.toFixed(2))
  return {
    group: GROUPS[kind],
    name,
    values: {
      'per second': round3(of((r) => r.perSecond)),
      'per second and core of the server': round3(1_000 / of((r) => r.serverMs)),
      'that, over express-session': name === PEER ? '1' : median(ratios).toFixed(2),
      band: name === PEER ? '' : band.join('–'),
      'p50, ms': round3(of((r) => r.p50Ms)),
      'p99, ms': round3(of((r) => r.p99Ms)),
      'server CPU, ms': round3(of((r) => r.serverMs)),
      ...(kind === 'logins' && { 'of it the password, ms': round3(server.passwordUs / 1_000) }),
      'Redis CPU, ms': SERVERS[name] === 'memory' ? '' : round3(of((r) => r.redisMs)),
    },
  }
}

const round3 = (value: number) => Number(value.toPrecision(3))
