import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { isProviderError, randomId } from '@authstate/spi'
import { isError, nearest, timers } from '@authstate/spi/internal'
import { wholeNumber } from '../arguments.js'
import type { Context } from '../commands/context.js'
import type { LoadOptions } from '../commands/load.js'
import { openState } from '../configuration.js'
import { confirm } from '../confirm.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { drive, type Measured, type Second, type Times } from '../load/drive.js'
import { NEEDED, SCENARIOS, type Scenario, Work } from '../load/scenarios.js'
import { jsonOf } from '../output.js'
import type { Surroundings } from '../surroundings.js'

/** Operations under way at once: beyond that a server is lost, and the memory of this process is bound. */
const MAX_IN_FLIGHT = 5_000
/** How much of what was asked for has to be done. */
const LEAST_SHARE = 0.99
/** From here on it is this process that has no time left. */
const BUSY = 0.9
/** How long taking away what was made may take. */
const REMOVE_MS = 30_000
/** Between two lines that are not overwritten. */
const LINE_MS = 10_000

interface Verdict extends Measured {
  readonly scenario: Scenario
  readonly rps: number
  /** How much of its time this process was busy, 0 to 1. */
  readonly busy: number
  readonly fit: boolean
  /** What was not met. */
  readonly findings: readonly string[]
}

/** Puts a deployment under load, and says whether it holds. */
export async function putUnderLoad(context: Context, options: LoadOptions): Promise<void> {
  const { surroundings } = context
  const { stdout, stderr, interrupted } = surroundings
  const scenario = scenarioOf(options.scenario ?? 'mixed')
  const rps = wholeNumber(options.rps ?? '100', '--rps', 1)
  const durationMs = minutesOf(options.minutes ?? '1') * 60_000
  const sessions = wholeNumber(options.sessions ?? '1000', '--sessions', 1)
  const mostP99 = wholeNumber(options.p99 ?? '250', '--p99', 1)
  await confirm(options, surroundings, `put this deployment under ${rps} operations per second`)
  const { state } = await openState(options, surroundings, NEEDED)
  const realm = `load-${randomId()}`
  try {
    const work = new Work(state, { scenario, realm, sessions })
    await work.prepare(interrupted)
    const before = performance.eventLoopUtilization()
    const measured = await drive(
      { rps, durationMs, maxInFlight: MAX_IN_FLIGHT },
      (n) => work.operate(n),
      kindOf,
      { now: timers.monotonicMs, pause: (ms) => pause(ms) },
      interrupted,
      liveLine(surroundings, rps),
    )
    const busy = performance.eventLoopUtilization(before).utilization
    if (stderr.isTerminal) stderr.write('\n')
    const findings = findingsOf(measured, rps, mostP99, busy)
    const fit = findings.length === 0 && !interrupted.aborted
    const verdict = { scenario, rps, ...measured, busy, fit, findings }
    stdout.write(options.json ? jsonOf(verdict) : textOf(verdict, interrupted.aborted))
    context.end(interrupted.aborted ? EXIT.interrupted : fit ? EXIT.done : EXIT.findings)
  } finally {
    const left = await remove(() => state.removeRealm(realm))
    if (left)
      stderr.write(
        `warning: what was made could not all be taken away; it ends by itself. Its realm is ${realm}\n`,
      )
    await state.close()
  }
}

/** Whether something is left. */
async function remove(work: () => Promise<void>): Promise<boolean> {
  const late = pause(REMOVE_MS, true, { ref: false })
  return Promise.race([
    late,
    work().then(
      () => false,
      () => true,
    ),
  ])
}

function scenarioOf(text: string): Scenario {
  const known = SCENARIOS.find((name) => name === text)
  if (known !== undefined) return known
  const near = nearest(text, SCENARIOS)
  throw new CommandError(
    EXIT.configuration,
    `--scenario must be one of ${SCENARIOS.join(', ')}, got ${JSON.stringify(text)}.${near === undefined ? '' : ` Did you mean '${near}'?`}`,
  )
}

function minutesOf(text: string): number {
  const minutes = /^\d{1,5}(\.\d{1,4})?$/.test(text) ? Number(text) : 0
  if (minutes > 0) return minutes
  throw new CommandError(EXIT.usage, `--minutes must be a number above 0, got ${JSON.stringify(text)}`)
}

/** A code or the name of a class: never a message. */
const kindOf = (error: unknown): string =>
  isProviderError(error) ? error.code : isError(error) ? error.name : 'unknown'

function findingsOf(
  { due, done, times, errors }: Measured,
  rps: number,
  mostP99: number,
  busy: number,
): string[] {
  const failed = Object.values(errors).reduce((sum, count) => sum + count, 0)
  return [
    ...(failed > 0 ? [`${failed} of ${due} operations failed`] : []),
    ...(done < due * LEAST_SHARE ? [`${done} of ${due} operations were done at ${rps} per second`] : []),
    ...(times.p99 > mostP99 ? [`99 of 100 took up to ${ms(times.p99)}, more than ${mostP99} ms`] : []),
    ...(busy > BUSY
      ? ['this process had no time left: it measured itself. Use a machine with more, or several']
      : []),
  ]
}

const ms = (time: number): string => `${time < 10 ? time.toFixed(2) : Math.round(time)} ms`

const timesText = ({ p50, p90, p99, p999, max }: Times): string =>
  `p50 ${ms(p50)}  p90 ${ms(p90)}  p99 ${ms(p99)}  p99.9 ${ms(p999)}  max ${ms(max)}`

function liveLine({ stderr }: Surroundings, rps: number) {
  let saidAt = 0
  return ({ elapsedMs, perSecond, times, inFlight, errors }: Second): void => {
    const line = `${Math.round(elapsedMs / 1_000)} s  ${Math.round(perSecond)} of ${rps} per second  ${timesText(times)}  under way ${inFlight}  errors ${errors}`
    if (stderr.isTerminal) stderr.write(`\r${line.slice(0, stderr.columns - 1)}\x1b[K`)
    else if (elapsedMs - saidAt >= LINE_MS) {
      saidAt = elapsedMs
      stderr.write(`${line}\n`)
    }
  }
}

function textOf({ scenario, rps, ...of }: Verdict, wasInterrupted: boolean): string {
  const { elapsedMs, done, due, perSecond, times, errors, busy, fit, findings } = of
  const kinds = Object.entries(errors).map(([kind, count]) => `${count} ${kind}`)
  const rows = [
    ['scenario', `${scenario}, ${rps} per second for ${Math.round(elapsedMs / 1_000)} s`],
    ['done', `${done} of ${due}, ${Math.round(perSecond)} per second`],
    ['times', timesText(times)],
    ['errors', kinds.join(', ') || 'none'],
    ['this process', `busy for ${Math.round(busy * 100)} % of the time`],
    ['verdict', wasInterrupted ? 'none: interrupted' : fit ? 'it holds' : 'it does not hold'],
    ...findings.map((finding) => ['', finding]),
  ]
  return rows.map(([name = '', value = '']) => `${name.padEnd(12)}  ${value}\n`).join('')
}
