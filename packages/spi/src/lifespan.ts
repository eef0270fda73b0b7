import { assertSpanMs } from './assert.js'
import { ConfigurationError } from './errors.js'

/**
 * For an adapter that promises a life before anything is stored: throws unless `value` is a span that a service takes.
 *
 * @param service Its name, and the `limits` of its provider.
 * @throws {ConfigurationError} it is longer than `maxLifespanMs`
 */
export function assertLifespan(
  value: unknown,
  name: string,
  service: { readonly name: string; readonly limits: { readonly maxLifespanMs: number } },
): asserts value is number {
  assertSpanMs(value, name)
  const { maxLifespanMs } = service.limits
  if (value <= maxLifespanMs) return
  throw new ConfigurationError(
    `"${name}" must be at most ${maxLifespanMs}, the "maxLifespanMs" of ${service.name}, got ${value}`,
  )
}
