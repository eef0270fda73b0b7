import { describedSchema, type ProviderFactory } from '@authstate/spi'
import { assertNoProperties } from '@authstate/spi/internal'
import { type UserSessionConfig, userSessionConfig } from './config.js'
import { type UserSessionProvider, userSessionSpi } from './contract.js'
import { MemoryRecords } from './memory/records.js'
import { RecordStore } from './record-store.js'
import { UserSessions } from './user-sessions.js'

/** Keeps sessions in this process. They are lost with it and not shared. */
export function memoryUserSessions(): ProviderFactory<UserSessionProvider, UserSessionConfig>
export function memoryUserSessions(
  ...given: unknown[]
): ProviderFactory<UserSessionProvider, UserSessionConfig> {
  assertNoProperties(given, 'memoryUserSessions', userSessionSpi, 'memory')
  return {
    spi: userSessionSpi,
    id: 'memory',
    config: describedSchema(userSessionConfig),
    create: (context, config) =>
      new UserSessions(context, config, (parts) => new RecordStore(parts, new MemoryRecords())),
  }
}
