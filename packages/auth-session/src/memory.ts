import { describedSchema, isExpired, type ProviderFactory } from '@authstate/spi'
import { assertNoProperties, entriesOfNow, inSlices, Pruner } from '@authstate/spi/internal'
import { AuthSessions } from './auth-sessions.js'
import { type AuthSessionConfig, authSessionConfig } from './config.js'
import { type AuthSessionProvider, authSessionSpi } from './contract.js'
import {
  type EndOfRoot,
  RecordStore,
  type RootRecord,
  type RootRecords,
  type StepResult,
} from './record-store.js'
import type { RootName } from './store.js'

/** Keeps authentication sessions in this process. They are lost with it and not shared. */
export function memoryAuthSessions(): ProviderFactory<AuthSessionProvider, AuthSessionConfig>
export function memoryAuthSessions(
  ...given: unknown[]
): ProviderFactory<AuthSessionProvider, AuthSessionConfig> {
  assertNoProperties(given, 'memoryAuthSessions', authSessionSpi, 'memory')
  return {
    spi: authSessionSpi,
    id: 'memory',
    config: describedSchema(authSessionConfig),
    create: (context, config) => new AuthSessions(context, config, new RecordStore(new MemoryRecords())),
  }
}

class MemoryRecords implements RootRecords {
  readonly #records = new Map<string, RootRecord>()
  readonly #pruner = new Pruner(this.#records)

  read(root: RootName): RootRecord | undefined {
    return this.#records.get(textOf(root))
  }

  change<T>(root: RootName, step: (record: RootRecord | undefined) => StepResult<T>): T {
    const text = textOf(root)
    const before = this.#records.get(text)
    const { record, answer } = step(before)
    if (record === undefined) this.#records.delete(text)
    else if (record !== before) this.#records.set(text, record)
    return answer
  }

  async count(realmId: string, now: number): Promise<number> {
    let living = 0
    await inSlices(entriesOfNow(this.#records), ([, record]) => {
      if (record.realmId === realmId && !isExpired(record.expiresAt, now)) living += 1
    })
    return living
  }

  async removeByRealm(realmId: string): Promise<EndOfRoot[]> {
    const removed: EndOfRoot[] = []
    await inSlices(entriesOfNow(this.#records), ([text, record]) => {
      if (record.realmId !== realmId) return
      this.#records.delete(text)
      removed.push(record)
    })
    return removed
  }

  forget(now: number): void {
    this.#pruner.prune(({ expiresAt }) => isExpired(expiresAt, now))
  }

  close(): void {
    this.#records.clear()
  }
}

const textOf = ({ realmId, id }: RootName): string => JSON.stringify([realmId, id])
