import { describedSchema, type ProviderFactory } from '@authstate/spi'
import { type LoginFailureConfig, loginFailureConfig } from './config.js'
import { type LoginFailureProvider, loginFailureSpi } from './contract.js'
import { LoginFailures } from './login-failures.js'
import { MemoryStore } from './memory-store.js'

/** Counts failures in this process. They are lost with it and not shared. */
export function memoryLoginFailures(): ProviderFactory<LoginFailureProvider, LoginFailureConfig> {
  return {
    spi: loginFailureSpi,
    id: 'memory',
    config: describedSchema(loginFailureConfig),
    create: (context, config) => new LoginFailures(context, config, new MemoryStore()),
  }
}
