import { AssertionError } from 'node:assert'
import { show } from './show.js'
import type { Level } from './suite.js'

/** Which guarantee is meant, and of what. */
export interface Guarantee {
  readonly spi: string
  readonly target: string
  /** Name of the case, `verb: behaviour`. */
  readonly guarantee: string
  readonly level: Level
  /** Where the guarantee comes from. */
  readonly source: string
}

/** A guarantee that does not hold. The message is a bug report, the cause what the case threw. */
export class ConformanceFailure extends Error implements Guarantee {
  override readonly name = 'ConformanceFailure'
  readonly spi: string
  readonly target: string
  readonly guarantee: string
  readonly level: Level
  readonly source: string
  /** What the case did, one line each; the last ones if there were many. */
  readonly steps: readonly string[]
  /** Repeats the case. Absent when it asked for no random numbers. */
  readonly seed?: number
  /** What was compared, for runners that show a difference. */
  readonly expected?: unknown
  readonly actual?: unknown

  constructor(guarantee: Guarantee, cause: unknown, steps: readonly string[], seed: number | undefined) {
    super(report(guarantee, cause, steps, seed), { cause })
    this.spi = guarantee.spi
    this.target = guarantee.target
    this.guarantee = guarantee.guarantee
    this.level = guarantee.level
    this.source = guarantee.source
    this.steps = steps
    if (seed !== undefined) this.seed = seed
    if (isComparison(cause)) {
      this.expected = cause.expected
      this.actual = cause.actual
    }
    // The place to look at is where the case found out, not where this report was written.
    const frames = cause instanceof Error ? framesOf(cause) : ''
    if (frames !== '') this.stack = `${this.name}: ${this.message}\n${frames}`
  }
}

function report(
  { spi, target, guarantee, level, source }: Guarantee,
  cause: unknown,
  steps: readonly string[],
  seed: number | undefined,
): string {
  const facts: (readonly [string, string] | undefined)[] = [
    ['guarantee', guarantee],
    ['source', source],
    ['target', `${target}, a provider of ${spi}; level ${level}`],
    ...findings(cause),
    seed === undefined ? undefined : ['seed', `${seed}, repeat with AUTHSTATE_TEST_SEED=${seed}`],
    steps.length === 0 ? undefined : ['steps', steps.join('\n')],
  ]
  const lines = facts.flatMap((fact) => (fact === undefined ? [] : [field(...fact)]))
  return `${target} does not keep a guarantee of ${spi}\n\n${lines.join('\n')}\n`
}

const WIDTH = 'guarantee  '.length

function field(name: string, text: string): string {
  return `  ${name.padEnd(WIDTH)}${text.replaceAll('\n', `\n${' '.repeat(WIDTH + 2)}`)}`
}

function findings(cause: unknown): (readonly [string, string])[] {
  if (!isComparison(cause)) return [['error', show(cause, 1_000)]]
  const { message, generatedMessage, operator, expected, actual } = cause
  const said = generatedMessage || message === '' ? [] : ([['check', message]] as const)
  if (operator === 'rejects' || operator === 'throws' || operator === 'fail')
    return said.length > 0 ? [...said] : [['check', message]]
  return [...said, ['expected', expectation(operator, expected)], ['got', show(actual, 1_000)]]
}

function expectation(operator: string, expected: unknown): string {
  const not = operator.startsWith('not') || operator === 'doesNotMatch' ? 'anything but ' : ''
  return not + show(expected, 1_000)
}

// Not only instanceof: a suite may bring a comparison of its own.
function isComparison(error: unknown): error is AssertionError {
  return error instanceof AssertionError
}

function framesOf({ stack = '' }: Error): string {
  const first = stack.search(/^ {4}at /m)
  return first === -1 ? '' : stack.slice(first)
}
