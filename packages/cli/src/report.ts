import { isError } from '@authstate/spi/internal'
import { ConfigurationError, IncompleteError, StoreUnavailableError } from 'authstate'
import { CommandError, EXIT, type ExitCode } from './exit-codes.js'
import { plain } from './output.js'
import type { Surroundings } from './surroundings.js'

const AGAIN = 'what was done stays, and the command can be run again'

/** Says what went wrong, and what to end with. */
export function report(error: unknown, { stderr, interrupted }: Surroundings): ExitCode {
  if (interrupted.aborted) {
    const said = error instanceof CommandError && error.exitCode === EXIT.interrupted ? error.message : AGAIN
    stderr.write(`\ninterrupted: ${said}\n`)
    return EXIT.interrupted
  }
  const message = isError(error) ? error.message : 'it failed'
  stderr.write(`error: ${message.split('\n').map(plain).join('\n')}\n`)
  if (error instanceof CommandError) return error.exitCode
  if (error instanceof ConfigurationError) return EXIT.configuration
  if (isAway(error)) return EXIT.unavailable
  return error instanceof TypeError || error instanceof RangeError ? EXIT.usage : EXIT.findings
}

const isAway = (error: unknown): boolean =>
  error instanceof StoreUnavailableError ||
  (error instanceof IncompleteError &&
    Object.values(error.failures).some((part) => part instanceof StoreUnavailableError))
