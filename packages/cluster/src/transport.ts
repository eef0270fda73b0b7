import type { ChannelStatus } from './contract.js'
import type { LeaseStore } from './leases.js'
import type { Delivery } from './rules.js'

/** An event on its way. `topic` starts with a character that says whose it is, the application's or this package's. */
export interface Message extends Pick<Delivery, 'scope' | 'skipSender'> {
  readonly topic: string
  readonly json: string
}

/** What connects a node with the others. */
export interface Transport {
  readonly leases: LeaseStore
  /** Resolves when the message is safe. */
  send(message: Message): Promise<void>
  /** Asks who lives and brings the view up to date. */
  refresh(): Promise<void>
  channel(): ChannelStatus
  /** Why the channel is not live, where something has to be done about it. */
  readonly trouble?: string | undefined
  startedAt(): number
  /** Events and nodes that could not be read so far. @default 0 */
  readonly unreadable?: number
  checkHealth(): Promise<void>
  leave(): Promise<void>
}
