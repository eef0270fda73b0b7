import { assertOptions, type Known, type Provider } from '@authstate/spi'
import { leftOut, reasonFor } from './left-out.js'
import { ALL_VERBS, missingVerbs } from './missing-verbs.js'
import { DEFAULT_TIMEOUT_MS, runCase } from './run-case.js'
import { chooseSeed } from './seeded.js'
import type { Suite } from './suite.js'
import type { Target } from './target.js'

/** The functions of a test runner: vitest, node:test and jest have them; for mocha hand in `it` as `test`. */
export interface Runner {
  /** Names a group of tests; `body` registers them. */
  describe(name: string, body: () => void): unknown
  readonly test: RunnerTest
}

/** A runner's `test`, with the `skip` that the common ones have on it. */
export interface RunnerTest {
  /** @param timeoutMs How long the runner should wait: longer than the kit, whose failures say more. */
  (name: string, body: () => Promise<void>, timeoutMs?: number): unknown
  /** Lists a test that is not run. */
  skip?(name: string, body: () => Promise<void>): unknown
}

/** How the cases of a suite are run. */
export interface RunOptions {
  /** What random cases draw from. @default `AUTHSTATE_TEST_SEED`, else a new one */
  readonly seed?: number | undefined
  /** Ms of real time after which a case has failed. @default 30_000 */
  readonly timeoutMs?: number | undefined
}

export const RUN_OPTIONS: Known<RunOptions> = { seed: true, timeoutMs: true }

/** Time that a runner gives a case beyond the kit's own, for opening and closing stores. */
const SLACK_MS = 30_000

/**
 * Registers every case of a suite with the runner: a fresh store, clock and provider for each.
 *
 * What the target leaves out is one skipped test per reason, whose name says it. Of a provider that lacks methods of the
 * contract only the first test fails, which names them: no case is run on it.
 *
 * @throws {TypeError} an option is unknown, or the target is wrong
 */
export function runSuite<P extends Provider>(
  suite: Suite<P>,
  target: Target<P>,
  { describe, test }: Runner,
  options: RunOptions = {},
): void {
  assertOptions<RunOptions>(options, 'options', RUN_OPTIONS)
  const { seed = chooseSeed(), timeoutMs = DEFAULT_TIMEOUT_MS }: RunOptions = options
  const omitted = leftOut(suite, target)
  let looked: ReturnType<typeof missingVerbs> | undefined
  const missing = () => (looked ??= missingVerbs(suite, target))
  describe(`${suite.spi.name} conformance: ${target.name}`, () => {
    if (suite.verbs !== undefined && suite.verbs.length > 0) {
      const { name, level, source } = ALL_VERBS
      test(
        `${name} [${level}, ${source}]`,
        async () => {
          const failure = await missing()
          if (failure !== undefined) throw failure
        },
        timeoutMs + SLACK_MS,
      )
    }
    for (const item of suite.cases) {
      if (reasonFor(item, target) !== undefined) continue
      const body = async function (this: unknown): Promise<void> {
        raiseTimeout(this, timeoutMs + SLACK_MS)
        if ((await missing()) !== undefined) return
        await runCase(suite, target, item, { seed, timeoutMs })
      }
      test(`${item.name} [${item.level}, ${item.source}]`, body, timeoutMs + SLACK_MS)
    }
    const { skip = test } = test
    for (const reason of new Set(omitted.map((item) => item.reason))) {
      const count = omitted.filter((item) => item.reason === reason).length
      skip(`left out, ${count === 1 ? '1 case' : `${count} cases`}: ${reason}`, async () => {})
    }
  })
}

/** Mocha takes no time with a test, but gives it a context that does. */
function raiseTimeout(context: unknown, ms: number): void {
  const { timeout } = (context ?? {}) as { timeout?: unknown }
  if (typeof timeout === 'function') timeout.call(context, ms)
}
