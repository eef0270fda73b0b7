import type { CaseResult } from '../check-suite.js'
import { type Run, totalsOf } from './results.js'

/** What a JSON report says of the run itself. */
export interface ReportHead {
  /** Version of the kit. */
  readonly version: string
  readonly node: string
  readonly seed: number
}

/** A report for programs. `format` changes when a reader would have to. */
export function jsonReport(runs: readonly Run[], head: ReportHead): string {
  const report = {
    format: 1,
    ...head,
    totals: totalsOf(runs.flatMap(({ results }) => results)),
    targets: runs.map(({ spi, target, results }) => ({
      spi,
      target,
      totals: totalsOf(results),
      cases: results.map(caseRecord),
    })),
  }
  return `${JSON.stringify(report, undefined, 2)}\n`
}

function caseRecord(result: CaseResult): Record<string, unknown> {
  const { guarantee, level, source, outcome, durationMs } = result
  const what = { guarantee, level, source, outcome, durationMs: Math.round(durationMs) }
  if (result.outcome === 'left out') return { ...what, reason: result.reason }
  if (result.outcome === 'passed') return what
  const { message, steps, seed } = result.failure
  return { ...what, failure: { message, steps, ...(seed !== undefined && { seed }) } }
}
