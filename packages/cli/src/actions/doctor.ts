import { setTimeout as pause } from 'node:timers/promises'
import { type Examination, examine, exitCodeOf, type Finding } from 'authstate/redis/doctor'
import { wholeNumber } from '../arguments.js'
import type { Context } from '../commands/context.js'
import type { DoctorOptions } from '../commands/doctor.js'
import { configurationOf, redisOf } from '../configuration.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { counted, instant, jsonOf, painter, plain } from '../output.js'

export async function doctor(context: Context, options: DoctorOptions): Promise<void> {
  const { surroundings } = context
  const target = await redisOf(await configurationOf(options, surroundings))
  const sample = wholeNumber(options.sample ?? '0', '--sample')
  const watchMs = options.watch === undefined ? undefined : wholeNumber(options.watch, '--watch', 1) * 1_000
  for (;;) {
    const whole = await examine(target, { sample })
    const examination = options.spi === undefined ? whole : only(whole, options.spi)
    surroundings.stdout.write(
      options.json ? jsonOf(examination) : textOf(examination, context, options.verbose === true),
    )
    context.end(
      exitCodeOf(examination, { strict: options.strict === true }) === 0 ? EXIT.done : EXIT.findings,
    )
    if (watchMs === undefined) return
    await pause(watchMs, undefined, { signal: surroundings.interrupted })
  }
}

function only(examination: Examination, spi: string): Examination {
  const named = [...new Set(examination.findings.flatMap((finding) => finding.spi))].sort()
  if (!named.includes(spi)) {
    throw new CommandError(
      EXIT.configuration,
      `--spi: there is no check for '${plain(spi)}'. Known: ${named.join(', ')}`,
    )
  }
  const findings = examination.findings.filter(
    (finding) => finding.spi.length === 0 || finding.spi.includes(spi),
  )
  const summary = Object.fromEntries(
    Object.keys(examination.summary).map((verdict) => [
      verdict,
      findings.filter((finding) => finding.verdict === verdict).length,
    ]),
  ) as unknown as Examination['summary']
  return { ...examination, findings, summary }
}

const MARKS = { fail: 'FAIL', warn: 'warn', unknown: '?', ok: 'ok', skip: '–' } as const
const COLOURS = { fail: 'red', warn: 'yellow', unknown: 'yellow', ok: 'green', skip: 'dim' } as const
const GRAVEST_FIRST = ['fail', 'warn', 'unknown', 'ok', 'skip'] as const

function textOf(examination: Examination, { surroundings }: Context, isVerbose: boolean): string {
  const { server, mode, target, prefix, partitions, at, findings, summary } = examination
  const paint = painter(surroundings, surroundings.stdout)
  const shown = GRAVEST_FIRST.flatMap((verdict) =>
    findings.filter((finding) => finding.verdict === verdict),
  ).filter(({ verdict }) => isVerbose || (verdict !== 'ok' && verdict !== 'skip'))
  const width = Math.max(0, ...shown.map(({ id }) => id.length))
  const lineOf = ({ id, verdict, message, fix }: Finding): string => {
    const advice = fix === undefined ? '' : `\n${' '.repeat(width + 8)}fix: ${plain(fix)}`
    return ` ${paint(COLOURS[verdict], MARKS[verdict].padEnd(4))}  ${id.padEnd(width)}  ${plain(message)}${advice}`
  }
  const sums = [
    `${summary.fail} fail`,
    `${summary.warn} warn`,
    `${summary.unknown} unknown`,
    `${summary.ok} ok`,
  ].join(', ')
  const hidden = isVerbose
    ? []
    : [` ${paint('green', 'ok'.padEnd(4))}  ${counted(summary.ok, 'check')} (--verbose shows them)`]
  return `${[
    `${plain(server)} ${mode}  ${plain(target)}  prefix ${plain(prefix)}  ${counted(partitions, 'partition')}  ${instant(at)}`,
    ...shown.map(lineOf),
    ...hidden,
    sums,
  ].join('\n')}\n`
}
