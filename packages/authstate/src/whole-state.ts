import type { ProviderRegistry } from '@authstate/registry'
import { IncompleteError, type Provider, type Service } from '@authstate/spi'

type Step<A extends unknown[]> = ((provider: Provider, ...args: A) => Promise<unknown>) | undefined

/**
 * Asks every service of these that is provided and has the step, all at once. One that fails keeps no other from being done.
 *
 * @throws {IncompleteError} at least one service failed; names it and holds its error
 * @throws {ProviderClosedError} the registry is closed; no service was asked
 */
export async function askAll<A extends unknown[]>(
  registry: ProviderRegistry,
  services: readonly Service[],
  stepOf: (service: Service) => Step<A>,
  args: A,
): Promise<void> {
  const asked = services.flatMap((service) => {
    const step = stepOf(service)
    const provider = step && registry.find(service.spi)
    return step === undefined || provider === undefined ? [] : [{ name: service.name, step, provider }]
  })
  const outcomes = await Promise.allSettled(asked.map(async ({ step, provider }) => step(provider, ...args)))
  const failures = outcomes.flatMap((outcome, index) =>
    outcome.status === 'rejected' ? [[asked[index]?.name ?? '', outcome.reason] as const] : [],
  )
  if (failures.length > 0) throw new IncompleteError(Object.fromEntries(failures))
}
