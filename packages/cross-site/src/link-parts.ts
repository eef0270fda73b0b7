import type { ChangedRecord, JoinAnswer, RedisConnection, SiteJoiner } from '@authstate/redis'
import type { Clock, Logger } from '@authstate/spi'
import type { Backup } from './backup.js'
import type { CheckedConfig, OtherSite } from './config.js'
import type { BackupOutcome } from './errors.js'
import type { LinkInfo, LinkState } from './public.js'

/** What a `Link` is made of. */
export interface LinkParts {
  readonly to: string
  readonly other: OtherSite
  readonly config: CheckedConfig
  /** How the other site is told, by service. */
  readonly backups: ReadonlyMap<string, Backup>
  /** Of this site. */
  readonly connection: RedisConnection
  /** That of the deployment there, where one was given to it. */
  readonly clock?: Clock | undefined
  /** Of this site: a Redis that says the same is this one. */
  readonly epoch: () => string
  readonly logger: Logger
  readonly onChange: (link: Omit<LinkInfo, 'behind'>) => void
  /** The clock there began to be off by more than is usual, or is no longer. */
  readonly onClock: (offsetMs: number) => void
  /** This site reaches the other one, which cannot reach this one. */
  readonly onOneWay: (peerSeesUs: LinkState) => void
}

/** What the other site said of itself. */
export interface Hello {
  readonly epoch: string
  readonly membership: number
}

/** A record, and what other sites have to know of it. */
export interface Told {
  readonly joiner: SiteJoiner
  readonly record: ChangedRecord
  readonly state: string
}

/** What came of telling a record. `refused`: the other site answered, and would not take it. */
export interface Telling {
  readonly outcome: BackupOutcome | 'refused'
  readonly answer?: JoinAnswer
}

/** What sites say to each other; another one is not understood. */
export const PROTOCOL = '1'
