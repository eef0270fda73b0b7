import { type Clock, describedSchema, type ProviderFactory } from '@authstate/spi'
import { assertNoProperties } from '@authstate/spi/internal'
import { AuditLog } from './audit-log.js'
import { type MemoryAuditConfig, memoryAuditConfig } from './config.js'
import { type AuditLine, type AuditProvider, auditSpi } from './contract.js'
import { SECRETS, USES } from './factory.js'
import type { AuditStore, Following, Scan, StoredLine } from './store.js'

/** Keeps the last lines in this process: for development, and for tests. */
export function memoryAudit(): ProviderFactory<AuditProvider, MemoryAuditConfig>
export function memoryAudit(...given: unknown[]): ProviderFactory<AuditProvider, MemoryAuditConfig> {
  assertNoProperties(given, 'memoryAudit', auditSpi, 'memory')
  return {
    spi: auditSpi,
    id: 'memory',
    uses: USES,
    secrets: SECRETS,
    config: describedSchema(memoryAuditConfig),
    create: (context, config) =>
      new AuditLog(context, config, new MemoryStore(context.clock, config.maxLines)),
  }
}

class MemoryStore implements AuditStore {
  readonly #clock: Clock
  readonly #maxLines: number
  #lines: StoredLine[] = []
  #total = 0

  constructor(clock: Clock, maxLines: number) {
    this.#clock = clock
    this.#maxLines = maxLines
  }

  async append(lines: readonly AuditLine[]): Promise<void> {
    const writtenAt = this.#clock.now()
    for (const line of lines) {
      this.#total += 1
      this.#lines.push({ entry: freeze({ ...line, writtenAt }), place: `${this.#total}` })
    }
    // A quarter more than asked for, so that not each line moves all of them.
    if (this.#lines.length > this.#maxLines * 1.25) this.#lines = this.#lines.slice(-this.#maxLines)
  }

  async *scan({ first, since, place }: Scan): AsyncGenerator<StoredLine> {
    const lines = this.#lines.slice(-this.#maxLines).filter(({ entry }) => entry.writtenAt >= since)
    const isNewest = first === 'newest'
    const behind = place === undefined ? undefined : Number(place)
    for (const line of isNewest ? lines.reverse() : lines) {
      const n = Number(line.place)
      if (behind === undefined || (isNewest ? n < behind : n > behind)) yield line
    }
  }

  async follow(): Promise<Following> {
    let seen = this.#total
    return {
      next: async () => {
        const lines = this.#lines.filter(({ place }) => Number(place) > seen)
        seen = this.#total
        return lines
      },
      close: async () => {},
    }
  }
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const part of Object.values(value)) freeze(part)
  return Object.freeze(value)
}
