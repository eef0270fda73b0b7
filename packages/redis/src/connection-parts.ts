import type { Clock, Logger, NodeIdentity } from '@authstate/spi'
import type { RedisClient } from './client.js'
import type { KeySpace } from './key-space.js'

/** What an `OpenConnection` is made of. */
export interface ConnectionParts {
  readonly client: RedisClient
  readonly keys: KeySpace
  readonly commandTimeoutMs: number
  /** Whether the client sends a command again when its connection broke. */
  readonly mayRepeat: boolean
  /** Called for every failure of a command. */
  readonly onFailure: (error: unknown) => void
  readonly makeReader: (holdMs?: number, reconnects?: boolean) => Promise<RedisClient>
  readonly makeListener: (key: string) => Promise<RedisClient>
  /** Taken as it is; `undefined`: the connection measures the deployment's, see its `goBy`. */
  readonly givenClock: Clock | undefined
  readonly logger: Logger
  /** Named in reports of commands. */
  readonly node?: NodeIdentity | undefined
  /** Lets go of the client once nothing is in flight. */
  readonly end: () => void
}
