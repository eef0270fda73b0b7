import type { SiteConflict, SiteJoiner } from '@authstate/redis'
import { Emitter, type Logger } from '@authstate/spi'
import type { FailurePolicy } from './backup.js'
import type { BackupOutcome } from './errors.js'
import type { LinkInfo, LinkState } from './public.js'
import type { PushInfo } from './push/contract.js'

/** What happens between sites, by the name of the event. */
export interface SiteEvents {
  /** A link changed its state, or the reason for it. */
  readonly link: { readonly type: 'link'; readonly link: Omit<LinkInfo, 'behind'> }
  /** A push of this site was asked for, or its status changed: every node hears of it, within a heartbeat. */
  readonly push: { readonly type: 'push'; readonly push: PushInfo }
  /** A verb waited for a site that did not confirm it. */
  readonly 'backup-failed': {
    readonly type: 'backup-failed'
    readonly to: string
    readonly spi: string
    readonly verb: string
    readonly outcome: BackupOutcome
    readonly onFailure: FailurePolicy
  }
  /** A token was redeemed at two sites that did not hear of each other. Its family is revoked. */
  readonly 'single-use-conflict': SiteConflict & {
    readonly type: 'single-use-conflict'
    readonly spi: string
  }
  /** More changed in a partition than notes are kept: that partition is sent to other sites as a whole. */
  readonly 'outbox-overflow': { readonly type: 'outbox-overflow'; readonly partition: number }
  /** The clock of another site began to be off by more than `clock.warnMs`, or is no longer. */
  readonly clock: {
    readonly type: 'clock'
    readonly to: string
    readonly offsetMs: number
    readonly isOff: boolean
  }
  /** Redis of this site lost what it had sent to other sites of these partitions: they are asked for it. */
  readonly rewound: { readonly type: 'rewound'; readonly partitions: readonly number[] }
  /** This site reaches another one, which cannot reach this one. */
  readonly 'one-way': { readonly type: 'one-way'; readonly to: string; readonly peerSeesUs: LinkState }
  /** Two sites exchanged one refresh token, more often than it may be used. Its client session has ended at every site. */
  readonly 'rotation-fork': {
    readonly type: 'rotation-fork'
    readonly realmId: string
    readonly sessionId: string
    readonly offline: boolean
    readonly clientId: string
  }
}

const EVENTS = [
  'link',
  'push',
  'backup-failed',
  'single-use-conflict',
  'outbox-overflow',
  'clock',
  'one-way',
  'rewound',
  'rotation-fork',
] as const

/** Calls the listeners. */
export const siteEmitter = (logger: Logger) =>
  new Emitter<SiteEvents>({
    owner: 'cross-site',
    events: EVENTS,
    logger,
  })

export type SiteEmitter = ReturnType<typeof siteEmitter>

/** What a link hears of another site, for the log and for listeners. */
export const newsOfLink = (events: SiteEmitter, logger: Logger, to: string, warnMs: number) => ({
  onClock: (offsetMs: number) => {
    const isOff = Math.abs(offsetMs) > warnMs
    if (isOff) logger.warn({ to, offsetMs }, 'the clock of another site is off')
    events.emit('clock', { to, offsetMs, isOff })
  },
  onOneWay: (peerSeesUs: LinkState) => {
    logger.warn({ to, peerSeesUs }, 'this site reaches another one that cannot reach this one')
    events.emit('one-way', { to, peerSeesUs })
  },
})

/** A joiner that tells what its joins have found. What a joiner of a plugin found under a name of its own has no listeners. */
export const telling = (joiner: SiteJoiner, events: SiteEmitter): SiteJoiner =>
  Object.create(joiner, {
    join: {
      value: async (...given: Parameters<SiteJoiner['join']>) => {
        const answer = await joiner.join(...given)
        for (const { type, ...fields } of answer.found ?? []) {
          const name = EVENTS.find((event) => event === type)
          if (name !== undefined) events.emit(name, fields as never)
        }
        return answer
      },
    },
  }) as SiteJoiner
