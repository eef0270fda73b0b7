import type { Logger } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { Bus } from './bus.js'
import { checkTask, TASK_OPTIONS } from './checks.js'
import type {
  Lease,
  RunOnceOptions,
  RunOnceOrWaitOptions,
  RunOnceOrWaitResult,
  RunOnceResult,
} from './contract.js'
import { HeldLease, type Leases } from './leases.js'

type Task<R> = (lease: Lease) => R | Promise<R>

type Outcome = RunOnceOrWaitResult<unknown>

/** What the node that executed says when it is done. A fence names one run. */
interface Finished {
  readonly key: string
  readonly fence: number
  /** JSON; absent when the task threw or returned nothing. */
  readonly result?: string
  readonly failed?: true
}

const FINISHED = 'task-finished'

/** Runs that may be remembered for a caller who has not yet heard that it lost. */
const MAX_REMEMBERED = 1_000

/** Does a thing once, of all nodes that would. */
export class Tasks {
  readonly #leases: Leases
  readonly #bus: Bus
  readonly #logger: Logger
  /** Calls of this node that share one answer, by key. */
  readonly #shared = new Map<string, Promise<Outcome>>()
  readonly #finished = new Map<string, Finished>()
  readonly #waiting = new Map<string, (finished: Finished | undefined) => void>()

  constructor(leases: Leases, bus: Bus, logger: Logger) {
    this.#leases = leases
    this.#bus = bus
    this.#logger = logger
    bus.listen(FINISHED, (message) => this.#hear(message as Finished))
  }

  async runOnce<R>(key: string, options: RunOnceOptions, task: Task<R>): Promise<RunOnceResult<R>> {
    const { leaseMs } = checkTask(key, options, task, TASK_OPTIONS.once)
    const lease = await this.#leases.acquire({ kind: 'task', key }, leaseMs)
    if (!(lease instanceof HeldLease)) return { executed: false }
    return { executed: true, result: await this.#execute(key, lease, task) }
  }

  runOnceOrWait<R>(
    key: string,
    options: RunOnceOrWaitOptions,
    task: Task<R>,
  ): Promise<RunOnceOrWaitResult<R>> {
    const shared = this.#shared.get(key)
    if (shared !== undefined) return shared as Promise<RunOnceOrWaitResult<R>>
    const answer = this.#runOrWait(key, options, task).finally(() => this.#shared.delete(key))
    this.#shared.set(key, answer)
    return answer
  }

  close(): void {
    for (const resolve of this.#waiting.values()) resolve(undefined)
    this.#waiting.clear()
  }

  async #runOrWait<R>(
    key: string,
    options: RunOnceOrWaitOptions,
    task: Task<R>,
  ): Promise<RunOnceOrWaitResult<R>> {
    const { leaseMs, waitMs } = checkTask(key, options, task)
    const lease = await this.#leases.acquire({ kind: 'task', key }, leaseMs, true)
    if (!(lease instanceof HeldLease)) return this.#await(key, lease.fence, waitMs)
    return { outcome: 'executed', result: await this.#execute(key, lease, task) }
  }

  async #execute<R>(key: string, lease: HeldLease, task: Task<R>): Promise<R> {
    let finished: Finished = { key, fence: lease.fence, failed: true }
    try {
      const result = await task(lease)
      finished = { key, fence: lease.fence, ...encodeResult(result) }
      return result
    } finally {
      // Whoever waits lost before this; whoever comes after it executes.
      if ((await this.#leases.release(lease)) === 'awaited') {
        this.#bus.publish(FINISHED, finished).catch((error: Error) => {
          this.#logger.warn({ error: error.name }, 'cluster: the result of a task could not be published')
        })
      }
    }
  }

  async #await<R>(key: string, fence: number, waitMs: number): Promise<RunOnceOrWaitResult<R>> {
    const run = nameOf(key, fence)
    let timer: NodeJS.Timeout | undefined
    const finished =
      this.#finished.get(run) ??
      (await new Promise<Finished | undefined>((resolve) => {
        this.#waiting.set(run, resolve)
        timer = timers.setTimeout(() => resolve(undefined), waitMs)
      }))
    timers.clearTimeout(timer)
    this.#waiting.delete(run)
    if (finished === undefined) return { outcome: 'unknown' }
    if (finished.failed) return { outcome: 'failed' }
    return {
      outcome: 'completed',
      result: finished.result === undefined ? undefined : JSON.parse(finished.result),
    }
  }

  #hear(finished: Finished): void {
    const run = nameOf(finished.key, finished.fence)
    const resolve = this.#waiting.get(run)
    if (resolve !== undefined) {
      resolve(finished)
      return
    }
    // The caller who lost to this run may not have been told yet that it did.
    if (!this.#shared.has(finished.key)) return
    if (this.#finished.size === MAX_REMEMBERED)
      this.#finished.delete(this.#finished.keys().next().value ?? '')
    this.#finished.set(run, finished)
  }
}

const nameOf = (key: string, fence: number): string => `${fence}:${key}`

function encodeResult(result: unknown): Pick<Finished, 'result' | 'failed'> {
  try {
    const json = JSON.stringify(result)
    return json === undefined ? {} : { result: json }
  } catch {
    return { failed: true }
  }
}
