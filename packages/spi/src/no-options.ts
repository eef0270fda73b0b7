import { isPlainObject } from './plain.js'
import type { Spi } from './provider.js'
import { quote } from './suggest.js'

/**
 * Throws when options are given to what takes none, or takes none beyond those that it has. Whatever else is given may come from a caller
 * that does not know what it calls, such as a timer or a list: it is passed over, as JavaScript does.
 *
 * @param given The arguments beyond those that are known.
 * @param call What was called, with its arguments: `'endUser(realmId, userId)'`.
 * @throws {TypeError} one of them is an object of options
 */
export function assertNoOptions(given: readonly unknown[], call: string): void {
  if (!given.some(isPlainObject)) return
  throw new TypeError(`${call} takes no other argument, but options were given to it`)
}

/** {@link assertNoOptions} for the function of a factory, whose properties are in the configuration. */
export function assertNoProperties(given: readonly unknown[], factory: string, spi: Spi, id: string): void {
  if (given.every((value) => value === undefined)) return
  const place = spi.name === 'redis' ? 'redis: { … }' : `spi: { ${quote(spi.name)}: { ${id}: { … } } }`
  throw new TypeError(
    `${factory}() takes no argument: say the properties of the provider in the configuration, as ${place}`,
  )
}
