/** What is read of vitest's JSON report. */
export interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[]
      readonly title: string
      readonly status: string
      readonly failureMessages?: readonly string[]
    }[]
  }[]
}
export function readReport(file: string): Report | undefined
export function totals(report: Report | undefined): { passed: number; failed: number; skipped: number }
/** A text for each case that failed, and for each file that did with no case: its name, and how the messages begin. */
export function failures(report: Report | undefined): string[]
/** Reasons, each with the tests it concerns. `filtered`: vitest was asked for some tests by name only. */
export function missing(
  report: Report | undefined,
  options: { filtered: boolean },
): [reason: string, tests: string[]][]
export function storeTable(report: Report | undefined): string | undefined
export function leftOut(report: Report | undefined): string[]
