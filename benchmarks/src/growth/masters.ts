import { Redis } from 'ioredis'
import type { Fact, Report } from '../finding.js'
import type { Surroundings } from '../measure.js'
import { serverCpuUs } from '../redis-info.js'
import { inTurns, median } from '../statistics.js'
import { Worker } from '../workers.js'

const VERBS = ['create', 'get', 'light touch', 'refresh']
const SLOT = { callers: 64, ms: 150 }
const WARM_UP_MS = 1_000
const MOST_ROUNDS = 9
/** What is worked out beyond what was measured. */
const MASTERS = [1, 3, 6, 16]
const SLOTS = 16_384

/** A deployment under measure: the same program against one server or the masters of a Cluster. */
interface Deployment {
  readonly name: string
  readonly worker: Worker
  readonly masters: readonly Redis[]
}

interface Turn {
  readonly perSecond: number
  readonly clientUs: number
  /** CPU of all masters together, for one call. */
  readonly serverUs: number
  /** Of that CPU, what the busiest master had. */
  readonly share: number
}

/** One server, a Cluster of one master and one of three, beside each other; and what that says about more. */
export async function measure({ url, nodes, lone, rounds }: Surroundings): Promise<Report> {
  const deployments: Deployment[] = []
  try {
    deployments.push(await deploy('one server', url, []))
    deployments.push(await deploy('Cluster of 1 master', url, lone))
    deployments.push(await deploy('Cluster of 3 masters', url, nodes))
    const facts: Fact[] = []
    const serverUs: Record<string, number> = {}
    for (const verb of VERBS) {
      const turns = await besideEachOther(verb, deployments, Math.min(rounds, MOST_ROUNDS))
      for (const { name } of deployments) facts.push(factOf(verb, name, turns.get(name) as Turn[]))
      serverUs[verb] = median((turns.get('Cluster of 3 masters') as Turn[]).map((turn) => turn.serverUs))
    }
    const slots = await slotsOfPartitions(deployments[0]?.masters[0] as Redis, nodes[0] as string)
    return { findings: [], facts: [...facts, ...MASTERS.map((n) => extrapolated(n, slots, serverUs))] }
  } finally {
    for (const { worker, masters } of deployments) {
      await worker.close()
      for (const master of masters) master.disconnect()
    }
  }
}

async function deploy(name: string, url: string, nodes: readonly string[]): Promise<Deployment> {
  const variant = nodes.length > 0 ? 'cluster' : 'batched'
  const worker = await Worker.open('user-sessions', { url, nodes, prefix: 'masters', variant })
  const masters = (nodes.length > 0 ? nodes.map((node) => `redis://${node}`) : [url]).map(
    (at) => new Redis(at),
  )
  return { name, worker, masters }
}

async function besideEachOther(
  operation: string,
  deployments: readonly Deployment[],
  rounds: number,
): Promise<ReadonlyMap<string, readonly Turn[]>> {
  const turns = new Map<string, Turn[]>(deployments.map(({ name }) => [name, []]))
  for (const { worker } of deployments) await worker.run({ ...SLOT, operation, ms: WARM_UP_MS })
  for (const names of inTurns([...turns.keys()], rounds)) {
    for (const name of names) {
      const deployment = deployments.find((one) => one.name === name) as Deployment
      turns.get(name)?.push(await turnOf(deployment, operation))
    }
  }
  return turns
}

async function turnOf({ worker, masters }: Deployment, operation: string): Promise<Turn> {
  const before = await Promise.all(masters.map(serverCpuUs))
  const { operations, perSecond, cpuUsPerOperation } = await worker.run({ ...SLOT, operation })
  const after = await Promise.all(masters.map(serverCpuUs))
  const used = after.map((us, master) => us - (before[master] as number))
  const all = used.reduce((sum, us) => sum + us, 0)
  return {
    perSecond,
    clientUs: cpuUsPerOperation,
    serverUs: all / operations,
    share: Math.max(...used) / all,
  }
}

function factOf(verb: string, name: string, turns: readonly Turn[]): Fact {
  const of = (read: (turn: Turn) => number) => median(turns.map(read))
  return {
    group: 'masters on this machine, 64 callers in one process',
    name: `${verb}: ${name}`,
    values: {
      'ops/s': Math.round(of((turn) => turn.perSecond)),
      'client CPU us/op': round3(of((turn) => turn.clientUs)),
      'server CPU us/op, all masters': round3(of((turn) => turn.serverUs)),
      'share of the busiest master': of((turn) => turn.share).toFixed(2),
    },
  }
}

/** Slots of the tags that the keys of sessions carry. */
async function slotsOfPartitions(server: Redis, node: string): Promise<readonly number[]> {
  const tags = new Set<string>()
  for await (const keys of server.scanStream({ match: 'masters:*', count: 1_000 }) as AsyncIterable<
    string[]
  >) {
    for (const key of keys) for (const [tag] of key.matchAll(/\{[^}]*\}(?=:us:)/g)) tags.add(tag)
  }
  const master = new Redis(`redis://${node}`)
  try {
    return await Promise.all([...tags].map((tag) => master.cluster('KEYSLOT', tag)))
  } finally {
    master.disconnect()
  }
}

/** Masters with a core each, between which the slots are divided evenly: the one with the most partitions is full first. */
function extrapolated(
  masters: number,
  slots: readonly number[],
  serverUs: Readonly<Record<string, number>>,
): Fact {
  const partitions = Array.from({ length: masters }, () => 0)
  for (const slot of slots) partitions[Math.floor((slot * masters) / SLOTS)]! += 1
  const most = Math.max(...partitions)
  const share = most / slots.length
  return {
    group: `extrapolated: calls per second, a core for each master, ${slots.length} partitions`,
    name: masters === 1 ? '1 master' : `${masters} masters`,
    values: {
      'partitions of the busiest': most,
      'as many as': `${(1 / share).toFixed(1)} masters`,
      ...Object.fromEntries(
        Object.entries(serverUs).map(([verb, us]) => [verb, Math.round(1e6 / us / share)]),
      ),
    },
  }
}

const round3 = (value: number) => Number(value.toPrecision(3))
