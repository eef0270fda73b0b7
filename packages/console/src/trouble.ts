import { ConfigurationError, IncompleteError, isProviderError, ProviderClosedError } from '@authstate/spi'

/** Whether the store could not be asked: what was known before is worth showing. */
export const isAway = (error: unknown): boolean =>
  isProviderError(error) && error.code === 'ERR_STORE_UNAVAILABLE'

/** What an error says, fit for a page: our own messages hold no id, and of others nothing is shown. */
export function sentenceOf(error: unknown): string {
  if (error instanceof IncompleteError) {
    const causes = Object.values(error.failures).filter(isProviderError)
    return [error.message, ...new Set(causes.map(({ message }) => message))].join('. ')
  }
  return isProviderError(error) ? error.message : 'something went wrong here; the log of the node says more'
}

/** Why nothing newer is to be had. */
export const awaySentence = (error: unknown): string => `The store does not answer: ${sentenceOf(error)}.`

/** What a service answers; `undefined` where it is switched off. */
export async function ifProvided<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof ConfigurationError) return undefined
    throw error
  }
}

/** Whether the state was closed under the console. */
export const isClosed = (error: unknown): boolean => error instanceof ProviderClosedError
