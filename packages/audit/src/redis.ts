import { describedSchema, type ProviderContext, type ProviderFactory } from '@authstate/spi'
import { assertNoProperties } from '@authstate/spi/internal'
import { type RedisConnection, redisConnectionSpi } from 'authstate/redis'
import { AuditLog } from './audit-log.js'
import { type RedisAuditConfig, redisAuditConfig } from './config.js'
import { type AuditLine, type AuditProvider, auditSpi } from './contract.js'
import { entryOf } from './entry.js'
import { SECRETS, USES } from './factory.js'
import * as scripts from './scripts.js'
import type { AuditStore, Following, Scan, StoredLine } from './store.js'

/** Keeps lines in one stream of the Redis of the deployment: every node writes to it, every node and the command read it. */
export function redisAudit(): ProviderFactory<AuditProvider, RedisAuditConfig>
export function redisAudit(...given: unknown[]): ProviderFactory<AuditProvider, RedisAuditConfig> {
  assertNoProperties(given, 'redisAudit', auditSpi, 'redis')
  return {
    spi: auditSpi,
    id: 'redis',
    dependsOn: [redisConnectionSpi],
    uses: USES.filter((spi) => spi !== redisConnectionSpi),
    secrets: SECRETS,
    config: describedSchema(redisAuditConfig),
    create: (context, config) => new AuditLog(context, config, new RedisStore(context, config)),
  }
}

/** Lines of one command. */
const BATCH = 256

class RedisStore implements AuditStore {
  readonly #redis: RedisConnection
  readonly #context: ProviderContext
  readonly #config: RedisAuditConfig
  readonly #keys: { readonly audit: string }

  constructor(context: ProviderContext, config: RedisAuditConfig) {
    this.#context = context
    this.#redis = context.get(redisConnectionSpi)
    this.#config = config
    this.#keys = { audit: this.#redis.keys.shared('audit') }
  }

  async append(lines: readonly AuditLine[], signal: AbortSignal): Promise<void> {
    const { maxLines, keepMs } = this.#config
    for (let start = 0; start < lines.length && !signal.aborted; start += BATCH) {
      const texts = lines.slice(start, start + BATCH).map((line) => JSON.stringify(line))
      const oldest = Math.max(0, this.#context.clock.now() - keepMs)
      await this.#redis.run(scripts.append, this.#keys, {
        lines: JSON.stringify(texts),
        oldest,
        maxLines,
        keepMs,
      })
    }
  }

  async *scan({ first, since, place }: Scan): AsyncGenerator<StoredLine> {
    const oldest = `${Math.max(since, this.#context.clock.now() - this.#config.keepMs, 0)}`
    const isNewest = first === 'newest'
    for (let behind = place; ; ) {
      const start = behind === undefined ? undefined : `(${behind}`
      const found = await this.#read(first, isNewest ? [start ?? '+', oldest] : [laterOf(start, oldest), '+'])
      for (const { id, text } of found) {
        const entry = entryOf(text, Number.parseInt(id, 10))
        if (entry !== undefined) yield { entry, place: id }
      }
      behind = found.at(-1)?.id
      if (behind === undefined || found.length < BATCH) return
    }
  }

  async follow(): Promise<Following> {
    let last = (await this.#read('newest', ['+', '-'], 1))[0]?.id ?? '0-0'
    return {
      next: async () => {
        const found = await this.#read('oldest', [`(${last}`, '+'])
        last = found.at(-1)?.id ?? last
        return found.flatMap(({ id, text }) => {
          const entry = entryOf(text, Number.parseInt(id, 10))
          return entry === undefined ? [] : [{ entry, place: id }]
        })
      },
      close: async () => {},
    }
  }

  checkHealth(): Promise<void> {
    return this.#redis.checkHealth()
  }

  #read(first: Scan['first'], [from, to]: readonly [from: string, to: string], limit = BATCH) {
    return this.#redis.run(scripts.read, this.#keys, { first, from, to, limit })
  }
}

/** Where a reading of oldest lines begins. */
function laterOf(start: string | undefined, oldest: string): string {
  return start !== undefined && Number.parseInt(start.slice(1), 10) >= Number(oldest) ? start : oldest
}
