import type { CaseResult } from '../check-suite.js'

/** A suite on one target. */
export interface Run {
  readonly spi: string
  readonly target: string
  readonly results: readonly CaseResult[]
}

export interface Totals {
  readonly passed: number
  readonly failed: number
  readonly leftOut: number
}

export function totalsOf(results: readonly CaseResult[]): Totals {
  const count = (outcome: CaseResult['outcome']): number =>
    results.filter((item) => item.outcome === outcome).length
  return { passed: count('passed'), failed: count('failed'), leftOut: count('left out') }
}
