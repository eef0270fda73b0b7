import { describedSchema, type ProviderFactory } from '@authstate/spi'
import { assertNoProperties } from '@authstate/spi/internal'
import { type LoginFailureConfig, loginFailureConfig } from './config.js'
import { type LoginFailureProvider, loginFailureSpi } from './contract.js'
import { LoginFailures } from './login-failures.js'
import { MemoryStore } from './memory-store.js'

/** Counts failures in this process. They are lost with it and not shared. */
export function memoryLoginFailures(): ProviderFactory<LoginFailureProvider, LoginFailureConfig>
export function memoryLoginFailures(
  ...given: unknown[]
): ProviderFactory<LoginFailureProvider, LoginFailureConfig> {
  assertNoProperties(given, 'memoryLoginFailures', loginFailureSpi, 'memory')
  return {
    spi: loginFailureSpi,
    id: 'memory',
    config: describedSchema(loginFailureConfig),
    create: (context, config) => new LoginFailures(context, config, new MemoryStore()),
  }
}
