import { assertOptions, type Known, type Provider } from '@authstate/spi'
import { ConformanceFailure, type Guarantee } from './failure.js'
import { leftOut, reasonFor } from './left-out.js'
import { ALL_VERBS, missingVerbs } from './missing-verbs.js'
import { type CaseOptions, runCase } from './run-case.js'
import { RUN_OPTIONS, type RunOptions } from './run-suite.js'
import { chooseSeed } from './seeded.js'
import { Strays } from './strays.js'
import type { Case, Suite } from './suite.js'
import type { Target } from './target.js'

/** What came of one case. */
export type CaseResult = Guarantee & { readonly durationMs: number } & (
    | { readonly outcome: 'passed' }
    | { readonly outcome: 'failed'; readonly failure: ConformanceFailure }
    | { readonly outcome: 'left out'; readonly reason: string }
  )

/** {@link RunOptions} for a run without a test runner. */
export interface CheckOptions<P extends Provider> extends RunOptions {
  /** Which cases to run. @default all */
  readonly select?: ((item: Case<P>) => boolean) | undefined
  /** Told of every case before it runs. */
  readonly onCase?: ((item: Case<P>) => void) | undefined
  /** Told of every result as it comes. */
  readonly onResult?: ((result: CaseResult) => void) | undefined
  /**
   * `true`: an error that nobody waits for, such as the rejection of a promise that was let go, fails the case it came
   * up in. For a process of its own; beside a test runner, which listens itself, leave it. @default false
   */
  readonly catchStrays?: boolean | undefined
}

const OPTIONS: Known<CheckOptions<Provider>> = {
  ...RUN_OPTIONS,
  select: true,
  onCase: true,
  onResult: true,
  catchStrays: true,
}

/**
 * Runs a suite without a test runner, one case after the other. Failures are results.
 *
 * @throws {TypeError} an option is unknown, or the target is wrong
 */
export async function checkSuite<P extends Provider>(
  suite: Suite<P>,
  target: Target<P>,
  options: CheckOptions<P> = {},
): Promise<CaseResult[]> {
  assertOptions<CheckOptions<Provider>>(options, 'options', OPTIONS)
  const {
    select = () => true,
    onCase,
    onResult,
    seed = chooseSeed(),
    timeoutMs,
    catchStrays,
  }: CheckOptions<P> = options
  leftOut(suite, target)
  const strays = catchStrays === true ? new Strays() : undefined
  strays?.listen()
  try {
    return await checkCases(suite, target, suite.cases.filter(select), {
      onCase,
      onResult,
      seed,
      timeoutMs,
      settle: strays?.settle,
    })
  } finally {
    strays?.stop()
  }
}

interface Conditions<P extends Provider> extends CaseOptions {
  readonly onCase: ((item: Case<P>) => void) | undefined
  readonly onResult: ((result: CaseResult) => void) | undefined
}

async function checkCases<P extends Provider>(
  suite: Suite<P>,
  target: Target<P>,
  cases: readonly Case<P>[],
  { onCase, onResult, ...options }: Conditions<P>,
): Promise<CaseResult[]> {
  const results: CaseResult[] = []
  const missing = cases.length === 0 ? undefined : await missingVerbs(suite, target)
  if (missing !== undefined) {
    const { spi, target: on, guarantee } = missing
    const { level, source } = ALL_VERBS
    const result = {
      spi,
      target: on,
      guarantee,
      level,
      source,
      durationMs: 0,
      outcome: 'failed',
      failure: missing,
    } as const
    onResult?.(result)
    return [result]
  }
  for (const item of cases) {
    onCase?.(item)
    const begun = performance.now()
    const verdict = await judge(suite, target, item, options)
    const { level, name, source } = item
    const guarantee: Guarantee = { spi: suite.spi.name, target: target.name, guarantee: name, level, source }
    const result = { ...guarantee, durationMs: performance.now() - begun, ...verdict }
    results.push(result)
    onResult?.(result)
  }
  return results
}

async function judge<P extends Provider>(
  suite: Suite<P>,
  target: Target<P>,
  item: Case<P>,
  options: CaseOptions,
) {
  const reason = reasonFor(item, target)
  if (reason !== undefined) return { outcome: 'left out', reason } as const
  try {
    return await runCase(suite, target, item, options)
  } catch (error) {
    if (error instanceof ConformanceFailure) return { outcome: 'failed', failure: error } as const
    throw error
  }
}
