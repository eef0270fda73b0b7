import type { SiteTopic } from '@authstate/cluster/sites'
import type { ChangeReaderOptions, RedisConnection, SiteJoiner } from '@authstate/redis'
import type { Clock, Logger } from '@authstate/spi'
import type { Backup } from './backup.js'
import type { CheckedConfig } from './config.js'
import type { SiteEmitter } from './events.js'

/** What `Sites` are made of. */
export interface SitesParts {
  readonly connection: RedisConnection
  readonly config: CheckedConfig
  readonly logger: Logger
  readonly events: SiteEmitter
  readonly joiners: readonly SiteJoiner[]
  /** What of the work channel travels. */
  readonly work: readonly (SiteTopic | 'everything')[]
  readonly consumer: string
  readonly reading: ChangeReaderOptions
  /** How changes of each service are sent to each site. */
  readonly backups: (to: string) => ReadonlyMap<string, Backup>
  readonly clocks: Readonly<Record<string, Clock>>
}
