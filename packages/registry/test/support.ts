import {
  type AnyProviderFactory,
  ConfigurationError,
  defineSpi,
  type Logger,
  type Provider,
  type ProviderContext,
  type Spi,
  type StandardSchemaV1,
} from '@authstate/spi'
import { createProviderRegistry, type ProviderRegistryOptions } from '../src/index.js'

/** A provider that says who built it and with what. */
export interface Probe extends Provider {
  readonly id: string
  readonly config: unknown
  readonly context: ProviderContext
}

export const users = defineSpi<Probe>('user-session')
export const logins = defineSpi<Probe>('login-failure')
export const redis = defineSpi<Probe>('redis')

type Extras = Partial<Omit<AnyProviderFactory, 'spi' | 'id' | 'config'>> & {
  readonly config?: StandardSchemaV1<unknown, unknown>
}

export function factory(spi: Spi<Probe>, id: string, extras: Extras = {}): AnyProviderFactory {
  return { spi, id, create: (context, config): Probe => ({ id, config, context }), ...extras }
}

/** The error of a start that is expected to fail because of its configuration. */
export async function mistakesOf(options: ProviderRegistryOptions): Promise<string> {
  const error: unknown = await createProviderRegistry(options)
    .start()
    .then(
      () => undefined,
      (reason: unknown) => reason,
    )
  if (!(error instanceof ConfigurationError))
    throw new Error('the start did not fail on its configuration', { cause: error })
  return error.message
}

export async function started(options: ProviderRegistryOptions) {
  const registry = createProviderRegistry(options)
  await registry.start()
  return registry
}

export function recordingLogger(): Logger & { readonly lines: { fields: object; message: string }[] } {
  const lines: { fields: object; message: string }[] = []
  const write = (fields: object, message: string): void => {
    lines.push({ fields, message })
  }
  return { lines, debug: write, info: write, warn: write, error: write }
}
