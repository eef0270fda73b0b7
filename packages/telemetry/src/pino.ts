import { assertFunction, assertOptions, type Known } from '@authstate/spi'
import { LEVELS, type LineLogger, writeLines } from './lines.js'
import { checkState, type ObservedState } from './state.js'

export type { LineLogger } from './lines.js'
export type { ObservedState } from './state.js'

/** What {@link instrument} takes. */
export interface PinoOptions {
  readonly logger: LineLogger
}

const OPTIONS: Known<PinoOptions> = { logger: true }

/**
 * Lines in a log about what an operator has to know: calls that failed, lock-outs, tokens that were used again, a channel that is
 * not followed. What repeats is one line per ten seconds, with a `count`.
 *
 * No line holds an id, a name, a realm, an address or a message of an error.
 *
 * @returns Stops it, and writes what was only counted so far.
 * @throws {TypeError} an option is unknown or of the wrong type
 */
export function instrument(state: ObservedState, options: PinoOptions): () => void {
  checkState(state)
  assertOptions(options, 'options', OPTIONS)
  const { logger } = options
  for (const level of LEVELS) assertFunction(logger?.[level], `options.logger.${level}`)
  return writeLines(state, logger)
}
