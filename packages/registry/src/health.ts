import type { AnyProviderFactory, Provider } from '@authstate/spi'
import { isError, timers } from '@authstate/spi/internal'

/** Whether everything that was started can serve. */
export interface Health {
  /** `false` also before the start and after the close. */
  readonly ok: boolean
  /** In the order of the start. */
  readonly providers: readonly ProviderHealth[]
}

/** Whether one provider can serve. */
export interface ProviderHealth {
  /** Name of the SPI. */
  readonly spi: string
  /** Id of the provider. */
  readonly provider: string
  readonly ok: boolean
  /** How long its check took; about 0 for a provider without one, which counts as well. */
  readonly latencyMs: number
  /** Why it cannot serve. */
  readonly error?: string
  /** What an operator should know although it can serve, a sentence each. Absent when there is nothing. */
  readonly warnings?: readonly string[]
}

/** Asks all at once. */
export async function checkHealth(
  started: boolean,
  running: Iterable<{ readonly factory: AnyProviderFactory; readonly provider: Provider }>,
): Promise<Health> {
  if (!started) return { ok: false, providers: [] }
  const providers = await Promise.all(
    Array.from(running, async ({ factory, provider }): Promise<ProviderHealth> => {
      const startedAt = timers.monotonicMs()
      const failure = await failureOf(provider)
      const warnings = provider.warnings?.() ?? []
      return {
        spi: factory.spi.name,
        provider: factory.id,
        ok: failure === undefined,
        latencyMs: timers.monotonicMs() - startedAt,
        ...(failure !== undefined && { error: failure }),
        ...(warnings.length > 0 && { warnings }),
      }
    }),
  )
  return { ok: providers.every(({ ok }) => ok), providers }
}

async function failureOf(provider: Provider): Promise<string | undefined> {
  try {
    await provider.checkHealth?.()
    return undefined
  } catch (error) {
    return isError(error) ? error.message : 'the check failed'
  }
}
