import { concealError, missingRight, refusalText } from '@authstate/redis'
import { ConfigurationError, StoreUnavailableError } from '@authstate/spi'

/** What the start of a reader ends with, when it could not read the channel. */
export function startFailure(error: Error): Error {
  const cause = concealError(error)
  const refusal = refusalText(cause)
  if (refusal === undefined) {
    return new StoreUnavailableError('cluster.join: the work channel could not be read', {
      cause,
      applied: 'no',
    })
  }
  const message = `cluster.join: the work channel cannot be read: ${refusal}`
  return missingRight(cause) !== undefined
    ? new ConfigurationError(message, { cause })
    : new StoreUnavailableError(message, { cause, applied: 'no' })
}
