import { Redis } from 'ioredis'
import type { Finding, Report } from '../finding.js'
import { forEach } from '../for-each.js'
import type { Surroundings } from '../measure.js'
import { commandTime, timeBetween } from '../redis-info.js'
import { median, quantile } from '../statistics.js'
import type { Operation, Place, Subject } from '../subject.js'
import { open as openTokens } from '../subjects/action-tokens.js'
import { open as openFloor } from '../subjects/floor-scripts.js'
import { open as openFailures } from '../subjects/login-failures.js'
import { open as openSessions } from '../subjects/user-sessions.js'

const CALLS = 100
const BATCHES = 25
/** Of the batches of one side: others who want the processor make a batch longer, never shorter. */
const BEST = 0.1

/**
 * The most that the scripts of a verb may take in the server, over its floor script: half as much again as when it was set. And
 * the most commands that they may run, themselves among them: as many as when it was set, and a part of one for what runs now and then.
 * One more command is seen on any machine.
 */
const MOST: readonly (readonly [
  operation: string,
  of: 'sessions' | 'failures' | 'tokens',
  atMost: number,
  commands: number,
])[] = [
  ['create', 'sessions', 3.2, 12.8],
  ['light touch', 'sessions', 3.3, 3.4],
  ['full touch', 'sessions', 3.5, 12.4],
  ['failure', 'failures', 2.8, 3.4],
  ['single use', 'tokens', 2.5, 8.3],
]

/** What each script takes in the server beside the least that its writes take. */
export async function measure({ url }: Surroundings): Promise<Report> {
  const redis = new Redis(url)
  const place = (prefix: string): Place => ({ url, nodes: [], prefix, variant: 'batched' })
  const subjects = {
    sessions: await openSessions(place('floors-s')),
    failures: await openFailures(place('floors-f')),
    tokens: await openTokens(place('floors-t')),
  }
  const floor = await openFloor(place('floors'))
  try {
    const findings: Finding[] = []
    for (const [name, of, atMost, commands] of MOST) {
      const { ours, least, calls } = await besideEachOther(
        redis,
        operationOf(subjects[of], name),
        operationOf(floor, name),
      )
      findings.push({
        target: 'D12',
        name: `${name}: commands that its scripts run`,
        value: calls,
        unit: 'commands',
        bound: { atMost: commands },
      })
      findings.push({
        target: 'D12',
        name: `${name}: time of its scripts in the server, over a script that only writes`,
        value: ours / least,
        unit: 'x',
        bound: { atMost },
        detail: `${ours.toFixed(1)} over ${least.toFixed(1)} us`,
      })
    }
    return { findings }
  } finally {
    for (const subject of [...Object.values(subjects), floor]) await subject.close()
    redis.disconnect()
  }
}

const operationOf = ({ operations }: Subject, name: string): Operation => {
  const operation = operations[name]
  if (operation === undefined) throw new Error(`there is no operation "${name}"`)
  return operation
}

/** Time in the server of one operation of each, us, batch by batch in turn; and the commands of one of ours. */
async function besideEachOther(redis: Redis, ours: Operation, least: Operation) {
  const times: [number[], number[]] = [[], []]
  const calls: number[] = []
  let turn = 0
  for (let batch = 0; batch < BATCHES; batch++) {
    for (const [side, operation] of [ours, least].entries()) {
      const before = await commandTime(redis)
      const first = turn
      await forEach(CALLS, async (n) => operation(first + n))
      const after = await commandTime(redis)
      times[side]?.push(timeBetween(before, after) / CALLS)
      if (side === 0) calls.push((after.calls - before.calls) / CALLS)
    }
    turn += CALLS
  }
  const [mine = 0, other = 0] = times.map((side) => quantile(side, BEST))
  return { ours: mine, least: other, calls: median(calls) }
}
