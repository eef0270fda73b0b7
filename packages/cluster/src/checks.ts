import {
  assertBoolean,
  assertFunction,
  assertKnown,
  assertName,
  assertOneOf,
  assertSpanMs,
  type Known,
} from '@authstate/spi'
import { MAX_TIMER_MS } from './config.js'
import type {
  LockOptions,
  PublishOptions,
  RunOnceOptions,
  RunOnceOrWaitOptions,
  SubscribeOptions,
} from './contract.js'
import type { Delivery } from './rules.js'

/** How long a lease keeps others away after its holder died, when nothing else is asked for. */
const DEFAULT_LEASE_MS = 30_000

/** @see Keycloak behaviour: the lock time-out of the global lock */
const DEFAULT_LOCK_WAIT_MS = 900_000

const PUBLISH: Known<PublishOptions> = { scope: true, skipSender: true }
const SUBSCRIBE: Known<SubscribeOptions> = { onGap: true }
const LOCK: Known<LockOptions> = { waitMs: true, leaseMs: true }

const SCOPES = ['all', 'others', 'site', 'other-sites'] as const

export function checkPublish(
  topic: unknown,
  options: PublishOptions,
): Pick<Delivery, 'scope' | 'skipSender'> {
  assertName(topic, 'topic')
  assertKnown(options, 'options', PUBLISH)
  const { scope = 'all', skipSender = false } = options
  assertOneOf(scope, 'scope', SCOPES)
  assertBoolean(skipSender, 'skipSender')
  return { scope, skipSender }
}

export function checkSubscribe(topic: unknown, listener: unknown, options: unknown): void {
  assertName(topic, 'topic')
  assertFunction(listener, 'listener')
  if (options === undefined) return
  assertKnown(options, 'options', SUBSCRIBE)
  if (options.onGap !== undefined) assertFunction(options.onGap, 'onGap')
}

/** How long a lease lasts and how long somebody waits for one, with defaults filled in. */
export interface LeaseTimes {
  readonly leaseMs: number
  readonly waitMs: number
}

/** Names that the options of a task may have, by whether the caller waits for the task of another. */
export const TASK_OPTIONS: {
  readonly once: Known<RunOnceOptions>
  readonly wait: Known<RunOnceOrWaitOptions>
} = {
  once: { leaseMs: true },
  wait: { leaseMs: true, waitMs: true },
}

export function checkTask(
  key: unknown,
  options: RunOnceOrWaitOptions,
  task: unknown,
  known: Known<RunOnceOptions> = TASK_OPTIONS.wait,
): LeaseTimes {
  assertName(key, 'key')
  assertFunction(task, 'task')
  const { leaseMs, waitMs } = times(options, known)
  return { leaseMs, waitMs: waitMs ?? leaseMs }
}

export function checkLock(namespace: unknown, options: LockOptions, work: unknown): LeaseTimes {
  assertName(namespace, 'namespace')
  assertFunction(work, 'work')
  const { leaseMs, waitMs } = times(options, LOCK)
  return { leaseMs, waitMs: waitMs ?? DEFAULT_LOCK_WAIT_MS }
}

function times(
  options: LockOptions,
  known: Known<RunOnceOptions>,
): { leaseMs: number; waitMs: number | undefined } {
  assertKnown(options, 'options', known)
  const { leaseMs = DEFAULT_LEASE_MS, waitMs } = options
  for (const [name, value] of Object.entries({ leaseMs, waitMs })) {
    if (value === undefined) continue
    assertSpanMs(value, name)
    if (value > MAX_TIMER_MS) throw new RangeError(`"${name}" must be at most ${MAX_TIMER_MS}, got ${value}`)
  }
  return { leaseMs, waitMs }
}
