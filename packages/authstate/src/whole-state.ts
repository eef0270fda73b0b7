import type { ProviderRegistry } from '@authstate/registry'
import { type Provider, type Service, StoreUnavailableError } from '@authstate/spi'
import { services } from './services.js'

type Step<A extends unknown[]> = ((provider: Provider, ...args: A) => Promise<unknown>) | undefined

interface Failure {
  readonly name: string
  readonly error: unknown
}

/**
 * Asks every service that is provided and has the step, all at once. One that fails keeps no other from being done.
 *
 * @throws {StoreUnavailableError} stores did not answer; names their services
 * @throws {AggregateError} something else went wrong; names the services and holds the errors
 */
export async function askAll<A extends unknown[]>(
  registry: ProviderRegistry,
  stepOf: (service: Service) => Step<A>,
  args: A,
): Promise<void> {
  const asked = (services as readonly Service[]).flatMap((service) => {
    const step = stepOf(service)
    const provider = step && registry.find(service.spi)
    return step === undefined || provider === undefined ? [] : [{ name: service.name, step, provider }]
  })
  const failures: Failure[] = []
  const work = asked.map(async ({ name, step, provider }) => {
    try {
      await step(provider, ...args)
    } catch (error) {
      failures.push({ name, error })
    }
  })
  await Promise.all(work)
  if (failures.length > 0) throw errorOf(failures, asked.length)
}

function errorOf(failures: readonly Failure[], asked: number): Error {
  const errors = failures.map(({ error }) => error)
  const message = `not done by ${failures.map(({ name }) => name).join(', ')}; it is safe to repeat`
  if (!errors.every(isUnavailable)) return new AggregateError(errors, message)
  const isUntouched = failures.length === asked && errors.every(({ applied }) => applied === 'no')
  return new StoreUnavailableError(message, {
    cause: errors.length === 1 ? errors[0] : new AggregateError(errors, message),
    applied: isUntouched ? 'no' : 'unknown',
  })
}

const isUnavailable = (error: unknown): error is StoreUnavailableError =>
  error instanceof StoreUnavailableError
