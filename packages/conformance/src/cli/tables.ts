import type { Provider } from '@authstate/spi'
import type { CaseResult } from '../check-suite.js'
import { reasonFor } from '../left-out.js'
import { type Case, levels, type Suite } from '../suite.js'
import type { Target } from '../target.js'
import { totalsOf } from './results.js'

/** Columns as wide as what is in them; numbers to the right. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, String(cell).length)
    })
  }
  const line = (row: readonly (string | number)[]): string =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return typeof cell === 'number' ? String(cell).padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  return rows.map((row) => `${line(row)}\n`).join('')
}

/** What came of one target: a line per level, then each failure as a report, then what was left out and why. */
export function targetReport(results: readonly CaseResult[]): string {
  const rows = levels.flatMap((level) => {
    const ofLevel = results.filter((item) => item.level === level)
    const { passed, failed, leftOut } = totalsOf(ofLevel)
    return ofLevel.length === 0 ? [] : [[level, passed, failed, leftOut]]
  })
  const failures = results.flatMap((item) =>
    item.outcome === 'failed' ? [`\nFAILED ${item.failure.message}`] : [],
  )
  const omitted = results.flatMap((item) =>
    item.outcome === 'left out' ? [[`  ${item.guarantee}`, item.reason]] : [],
  )
  return [
    table([['level', 'passed', 'failed', 'left out'], ...rows]),
    ...failures,
    ...(omitted.length === 0 ? [] : ['\nLeft out\n', table(omitted)]),
  ].join('')
}

export function summary(results: readonly CaseResult[]): string {
  const { passed, failed, leftOut } = totalsOf(results)
  const seconds = results.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1_000
  const cases = results.length === 1 ? '1 case' : `${results.length} cases`
  return `${cases}: ${passed} passed, ${failed} failed, ${leftOut} left out, in ${seconds.toFixed(1)} s\n`
}

/** The cases of a suite with level and source, and what a target leaves out of them. */
export function caseTable(
  suite: Suite<Provider>,
  target: Target<Provider> | undefined,
  select: (item: Case<Provider>) => boolean,
): string {
  const rows = suite.cases.filter(select).map((item) => {
    const reason = target && reasonFor(item, target)
    return [item.level, item.name, item.source, ...(reason === undefined ? [] : [`left out, ${reason}`])]
  })
  return table([['level', 'case', 'source'], ...rows])
}
