/** What is read of vitest's JSON report. */
export interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[]
      readonly title: string
      readonly status: string
    }[]
  }[]
}
export function readReport(file: string): Report | undefined
export function totals(report: Report | undefined): { passed: number; failed: number; skipped: number }
/** Reasons, each with the tests it concerns. `filtered`: vitest was asked for some tests by name only. */
export function missing(
  report: Report | undefined,
  options: { filtered: boolean },
): [reason: string, tests: string[]][]
export function storeTable(report: Report | undefined): string | undefined
export function leftOut(report: Report | undefined): string[]
