import type { Bound, Fact, Finding, Report } from '../finding.js'
import { type CommandTime, timeBetween } from '../redis-info.js'
import type { Servers } from '../servers.js'
import { bandOfMedian, inTurns, median } from '../statistics.js'
import type { SlotResult } from '../subject.js'
import { Worker } from '../workers.js'
import { bounds, type Cell, type Figure, type Group, type Ratio, type Runner } from './comparison.js'

const SLOT_MS = 70
/** The compiler has settled by then; a busy machine gets there later. */
const WARM_UP = { operations: 15_000, slotMs: 150, slots: 12 }

export interface RatioOptions {
  readonly rounds: number
  /** Targets that are wanted; the cells of others are not run. */
  readonly wanted: (target: string) => boolean
  readonly say: (line: string) => void
}

/** Results of one cell: by runner, one per round. */
type Rounds = ReadonlyMap<string, readonly SlotResult[]>

export async function runGroup(group: Group, servers: Servers, options: RatioOptions): Promise<Report> {
  const ratios = group.ratios.filter(({ target }) => options.wanted(target))
  const cells = Object.entries(group.cells).filter(([name]) => ratios.some((ratio) => ratio.cell === name))
  if (cells.length === 0) return { findings: [] }
  if (group.cluster && servers.nodes.length === 0) {
    const reason = 'there is no Cluster'
    return { findings: [], missing: ratios.map(({ target, cell }) => ({ target, name: cell, reason })) }
  }
  await servers.flush()
  const workers = new Map<string, Worker>()
  const partners: Worker[] = []
  const absent = new Map<string, string>()
  try {
    const needed = new Set(cells.flatMap(([, { runners }]) => runners))
    for (const name of needed) {
      const { subject, variant = 'plain', partner, checkout } = group.runners[name] as Runner
      const place = { url: servers.url, nodes: servers.nodes, prefix: `b${workers.size}`, variant }
      try {
        workers.set(name, await Worker.open(subject, place, checkout))
        if (partner === true) {
          partners.push(await Worker.open(subject, { ...place, variant: 'partner' }, checkout))
        }
      } catch (error) {
        const reason = (error as Error).message.split('\n').slice(0, 2).join(' ')
        absent.set(name, reason)
        options.say(`  ${name}: ${reason}`)
      }
    }
    const findings: Finding[] = []
    const facts: Fact[] = []
    for (const [name, cell] of cells) {
      const rounds = await runCell(cell, workers, options.rounds, () => servers.commandUs())
      facts.push(...[...rounds].map(([runner, results]) => factOf(name, runner, results)))
      for (const ratio of ratios.filter(({ cell }) => cell === name))
        findings.push(...findingsOf(ratio, rounds))
      options.say(`  ${name}: ${[...rounds].map(([runner, r]) => `${runner} ${figure(r)}`).join(' · ')}`)
    }
    const missing = ratios.flatMap(({ target, cell, of, over }) => {
      const reason = absent.get(of) ?? absent.get(over)
      return reason === undefined ? [] : [{ target, name: `${cell}: ${of} over ${over}`, reason }]
    })
    return { findings, missing, facts }
  } finally {
    await Promise.all([...workers.values(), ...partners].map((worker) => worker.close()))
  }
}

async function runCell(
  cell: Cell,
  workers: ReadonlyMap<string, Worker>,
  rounds: number,
  commandUs: () => Promise<CommandTime>,
): Promise<Rounds> {
  const runners = cell.runners.filter((name) => workers.has(name))
  const results = new Map<string, SlotResult[]>(runners.map((name) => [name, []]))
  const { operation, callers, pace = 'each', slotMs = SLOT_MS } = cell
  const run = (name: string, ms: number) =>
    (workers.get(name) as Worker).run({ operation, callers, pace, ms })
  for (const name of runners) {
    for (let slots = 0, done = 0; slots < WARM_UP.slots && done < WARM_UP.operations; slots++)
      done += (await run(name, WARM_UP.slotMs)).operations
  }
  for (const names of inTurns(runners, rounds)) {
    for (const name of names) {
      const before = await commandUs()
      const result = await run(name, slotMs)
      const serverUsPerOperation = timeBetween(before, await commandUs()) / result.operations
      results.get(name)?.push({ ...result, serverUsPerOperation })
    }
  }
  return results
}

const READ: Readonly<Record<Figure, (result: SlotResult) => number>> = {
  throughput: (result) => result.perSecond,
  cpu: (result) => result.cpuUsPerOperation,
  server: (result) => result.serverUsPerOperation ?? Number.NaN,
  p50: (result) => result.p50Us,
  p99: (result) => result.p99Us,
}

function findingsOf(ratio: Ratio, rounds: Rounds): Finding[] {
  const [ours, theirs] = [rounds.get(ratio.of), rounds.get(ratio.over)]
  if (ours === undefined || theirs === undefined) return []
  return bounds(ratio).map(([figure, bound]) => {
    const ratios = ours.map(
      (result, round) => READ[figure](result) / READ[figure](theirs[round] as SlotResult),
    )
    const goal = goalOf(ratio, figure)
    return {
      target: ratio.target,
      name: `${ratio.cell}, ${figure}: ${ratio.of} over ${ratio.over}`,
      value: median(ratios),
      unit: 'x',
      bound,
      band: bandOfMedian(ratios),
      ...(goal !== undefined && { goal }),
    }
  })
}

function goalOf({ goal }: Ratio, figure: Figure): Bound | undefined {
  if (figure === 'throughput' && goal?.throughput !== undefined) return { atLeast: goal.throughput }
  if (figure === 'server' && goal?.server !== undefined) return { atMost: goal.server }
  return undefined
}

const medianOf = (results: readonly SlotResult[], read: (result: SlotResult) => number) =>
  median(results.map(read))

const factOf = (cell: string, runner: string, results: readonly SlotResult[]): Fact => ({
  group: cell,
  name: runner,
  values: {
    'ops/s': Math.round(medianOf(results, (r) => r.perSecond)),
    ...(Number.isFinite(results[0]?.p50Us) && {
      'p50 us': Math.round(medianOf(results, (r) => r.p50Us)),
      'p99 us': Math.round(medianOf(results, (r) => r.p99Us)),
    }),
    'client CPU us/op': Number(medianOf(results, (r) => r.cpuUsPerOperation).toPrecision(3)),
    'server us/op in commands': Number(medianOf(results, READ.server).toPrecision(3)),
  },
})

const figure = (results: readonly SlotResult[]): string =>
  `${(medianOf(results, (r) => r.perSecond) / 1_000).toFixed(1)}k ${medianOf(results, (r) => r.cpuUsPerOperation).toPrecision(3)}us, server ${medianOf(results, READ.server).toPrecision(3)}us`
