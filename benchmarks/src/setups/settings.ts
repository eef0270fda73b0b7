import type { Fact, Report } from '../finding.js'
import type { Surroundings } from '../measure.js'
import { inTurns, median } from '../statistics.js'
import type { SlotResult } from '../subject.js'
import { Worker } from '../workers.js'
import { type Setup, startSetups } from './servers.js'

const VERBS = ['get', 'create', 'refresh']
const CALLERS = [1, 8, 64]
const SLOT_MS = 100
const WARM_UP_MS = 1_000
const MOST_ROUNDS = 9

/** What a call takes where Redis is not a bare server on the same machine, and with how many callers at once. */
export async function measure({ rounds }: Surroundings): Promise<Report> {
  const { ready, missing } = await startSetups()
  const workers = new Map<string, Worker>()
  try {
    for (const setup of ready) workers.set(setup.name, await open(setup))
    const facts: Fact[] = []
    for (const operation of VERBS) {
      for (const worker of workers.values()) {
        await worker.run({ operation, callers: 64, ms: WARM_UP_MS })
      }
      const results = new Map<string, SlotResult[]>()
      for (const names of inTurns([...workers.keys()], Math.min(rounds, MOST_ROUNDS))) {
        for (const name of names) {
          for (const callers of CALLERS) {
            const result = await (workers.get(name) as Worker).run({ operation, callers, ms: SLOT_MS })
            const key = `${name}/${callers}`
            results.set(key, [...(results.get(key) ?? []), result])
          }
        }
      }
      for (const name of workers.keys()) facts.push(factOf(operation, name, results))
      for (const { name, reason } of missing)
        facts.push({ group: groupOf(operation), name, values: { reason } })
    }
    return { findings: [], facts }
  } finally {
    for (const worker of workers.values()) await worker.close()
    for (const setup of ready) await setup.stop()
  }
}

const open = ({ url, variant, redis }: Setup) =>
  Worker.open('user-sessions', {
    ...{ url, nodes: [], prefix: 'setups', variant },
    ...(redis !== undefined && { redis }),
  })

const groupOf = (operation: string) => `${operation}: ways to reach Redis, and callers at once`

function factOf(operation: string, name: string, results: ReadonlyMap<string, readonly SlotResult[]>): Fact {
  const of = (callers: number, read: (result: SlotResult) => number) =>
    median((results.get(`${name}/${callers}`) as readonly SlotResult[]).map(read))
  const columns = CALLERS.flatMap((callers): [string, number][] => [
    ...(callers === 1
      ? []
      : ([[`${callers}: ops/s`, Math.round(of(callers, ({ perSecond }) => perSecond))]] as [
          string,
          number,
        ][])),
    [`${callers}: p50 us`, Math.round(of(callers, ({ p50Us }) => p50Us))],
    [`${callers}: p99 us`, Math.round(of(callers, ({ p99Us }) => p99Us))],
  ])
  return { group: groupOf(operation), name, values: Object.fromEntries(columns) }
}
