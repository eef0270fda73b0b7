import assert from 'node:assert/strict'
import { refusesMisspelling, taker } from '@authstate/conformance'
import type {
  ClusterProvider,
  LockOptions,
  LockSession,
  PublishOptions,
  RunOnceOptions,
  RunOnceOrWaitOptions,
  SubscribeOptions,
} from '../contract.js'
import type { Add } from './fixture.js'

/** Properties that nobody reads. */
export function misspelling(add: Add): void {
  add.basic(
    'arguments: a misspelt property is refused by name, and nothing is done',
    'issue: bad input',
    async ({ provider }) => {
      const never = (): never => assert.fail('must not be called')
      const locks = (call: (options: LockOptions) => unknown) => [
        taker<LockOptions>({ waitMs: 1, leaseMs: 1 }, call),
      ]
      await refusesMisspelling<ClusterProvider>({
        publish: [
          taker<PublishOptions>({ scope: 'all', skipSender: false }, (options) =>
            provider.publish('topic', 1, options),
          ),
        ],
        subscribe: [
          taker<SubscribeOptions>({ onGap: never }, (options) => provider.subscribe('topic', never, options)),
        ],
        runOnce: [
          taker<RunOnceOptions>({ leaseMs: 1 }, (options) => provider.runOnce('key', options, never)),
        ],
        runOnceOrWait: [
          taker<RunOnceOrWaitOptions>({ leaseMs: 1, waitMs: 1 }, (options) =>
            provider.runOnceOrWait('key', options, never),
          ),
        ],
        withLock: locks((options) => provider.withLock('namespace', options, never)),
        lockSession: [],
        view: [],
        refresh: [],
        onViewChange: [],
        channel: [],
        onChannelChange: [],
        startedAt: [],
      })
      await refusesMisspelling<LockSession>({
        withLock: locks((options) => provider.lockSession().withLock('namespace', options, never)),
      })
    },
  )
}
