import type { ChangedRecord, JoinAnswer, RedisConnection, SiteJoiner } from '@authstate/redis'
import { type Clock, type Logger, StoreUnavailableError } from '@authstate/spi'
import type { Backup } from './backup.js'
import type { CheckedConfig, OtherSite } from './config.js'
import type { BackupOutcome } from './errors.js'
import type { LinkInfo, LinkState } from './public.js'

/** What a `Link` is made of. */
export interface LinkParts {
  readonly to: string
  readonly other: OtherSite
  readonly config: CheckedConfig
  /** How changes are sent to the other site, by service. */
  readonly backups: ReadonlyMap<string, Backup>
  /** Of this site. */
  readonly connection: RedisConnection
  /** The clock of the deployment there, if one was given. */
  readonly clock?: Clock | undefined
  /** A text that no other node has. */
  readonly node: string
  /** The epoch of this site: a Redis with the same epoch is this site's own. */
  readonly epoch: () => string
  readonly logger: Logger
  readonly onChange: (link: Omit<LinkInfo, 'behind'>) => void
  /** The clock there began to be off by more than `clock.warnMs`, or no longer is. */
  readonly onClock: (offsetMs: number) => void
  /** The other site went offline by itself and comes back by itself. @param since When it began to fail, ms since the epoch. */
  readonly onBack: (since: number) => void
  /** This site reaches the other one, which cannot reach this one. */
  readonly onOneWay: (peerSeesUs: LinkState) => void
}

/** What this node counts of a link. */
export class LinkCounts {
  /** How often the other site did not take a record. */
  refused = 0
  /** Verbs that are waiting for the other site. */
  waiting = 0
  /** Verbs that the other site did not confirm. */
  unconfirmed = 0
  /** Verbs that decided in the place of the other site, while it was offline. */
  unguarded = 0
}

/** What the other site says about itself. */
export interface Hello {
  readonly epoch: string
  readonly membership: number
  /** Whether it knew this site with other data than it has now. */
  readonly lostUs: boolean
}

/** A record, and what other sites have to know of it. */
export interface Told {
  readonly joiner: SiteJoiner
  readonly record: ChangedRecord
  readonly state: string
}

/** What came of sending a record. `refused`: the other site answered, and did not take it. */
export interface Telling {
  readonly outcome: BackupOutcome | 'refused'
  readonly answer?: JoinAnswer
}

/** Version of the protocol between sites. Another version is refused. */
export const PROTOCOL = '1'

/** What an error says about a change that was sent. */
export const outcomeOf = (error: unknown): BackupOutcome =>
  error instanceof StoreUnavailableError && error.applied === 'no' ? 'not-applied' : 'unknown'
