import type { AnyProviderFactory, Provider, Spi } from '@authstate/spi'
import { assertNoOptions } from '@authstate/spi/internal'
import { providerTarget } from './provider-target.js'
import type { Target } from './target.js'

/**
 * A store inside this process: every node of a case is the same provider, unless it has a name or a clock of its own.
 *
 * @param factories A function makes them anew for each case, where what they make shares a store.
 */
export function memoryTarget<P extends Provider>(
  spi: Spi<P>,
  factories: readonly AnyProviderFactory[] | (() => readonly AnyProviderFactory[]),
  name?: string,
): Target<P>
export function memoryTarget<P extends Provider>(
  spi: Spi<P>,
  factories: readonly AnyProviderFactory[] | (() => readonly AnyProviderFactory[]),
  name = 'memory',
  ...given: unknown[]
): Target<P> {
  assertNoOptions(given, 'memoryTarget(spi, factories, name)')
  return providerTarget({ spi, name, factories, nodes: 'one' })
}
