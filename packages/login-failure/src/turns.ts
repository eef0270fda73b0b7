import { Lifecycle } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'

/** Pauses between looks at reservations that another node may give back. */
const PAUSE_MS = { first: 10, most: 200 }

interface Waiter {
  readonly goOn: (itsTurn: boolean) => void
  readonly timer: NodeJS.Timeout
}

interface Queue {
  readonly names: readonly string[]
  readonly waiting: Set<Waiter>
  /** Something was given back since the last try. */
  changed: boolean
  wake: (() => void) | undefined
}

/**
 * Queues of callers that need the same things, in the order they came, for a bounded time.
 *
 * Only the first of a queue tries; it tries again as soon as something is given back in this process, and now and
 * then for what other processes give back.
 */
export class Turns {
  readonly #waitMs: number
  readonly #maxWaiting: number
  readonly #queues = new Map<string, Queue>()
  /** Queues by each of the things that they need. */
  readonly #needing = new Map<string, Set<Queue>>()
  readonly #lifecycle = new Lifecycle('login-failure')

  constructor(waitMs: number, maxWaiting: number) {
    this.#waitMs = waitMs
    this.#maxWaiting = maxWaiting
  }

  /**
   * Calls `attempt` until it answers something else than `undefined`.
   *
   * @param names What is needed: calls that need exactly the same wait in the same queue.
   * @returns `undefined` when the time was over, or too many were waiting
   */
  async take<T>(names: readonly string[], attempt: () => Promise<T | undefined>): Promise<T | undefined> {
    const dueAt = timers.monotonicMs() + this.#waitMs
    const before = this.#queues.get(keyOf(names))
    const queue = before ?? this.#open(names)
    if (before !== undefined && !(await this.#turnOf(queue))) return undefined
    try {
      for (let pauseMs = PAUSE_MS.first; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS.most)) {
        this.#lifecycle.assertOpen()
        queue.changed = false
        const result = await attempt()
        if (result !== undefined) return result
        const leftMs = dueAt - timers.monotonicMs()
        if (leftMs <= 0) return undefined
        // Nodes that began to wait together shall not look together.
        if (!queue.changed) await pause(queue, Math.min(leftMs, pauseMs * (0.5 + Math.random() / 2)))
      }
    } finally {
      this.#leave(queue)
    }
  }

  /** Something was given back: calls that need it try again. */
  changed(names: readonly string[]): void {
    for (const name of names) {
      for (const queue of this.#needing.get(name) ?? []) {
        queue.changed = true
        queue.wake?.()
      }
    }
  }

  /** Callers that wait fail with a `ProviderClosedError`. */
  close(): void {
    this.#lifecycle.close()
    for (const queue of this.#queues.values()) {
      queue.wake?.()
      for (const { goOn, timer } of queue.waiting) {
        timers.clearTimeout(timer)
        goOn(true)
      }
      queue.waiting.clear()
    }
  }

  #open(names: readonly string[]): Queue {
    const queue: Queue = { names, waiting: new Set(), changed: false, wake: undefined }
    this.#queues.set(keyOf(names), queue)
    for (const name of names) this.#needing.set(name, (this.#needing.get(name) ?? new Set()).add(queue))
    return queue
  }

  #turnOf(queue: Queue): Promise<boolean> {
    if (queue.waiting.size >= this.#maxWaiting) return Promise.resolve(false)
    return new Promise((goOn) => {
      const waiter: Waiter = {
        goOn,
        timer: timers.setTimeout(() => {
          queue.waiting.delete(waiter)
          goOn(false)
        }, this.#waitMs),
      }
      queue.waiting.add(waiter)
    })
  }

  #leave(queue: Queue): void {
    const [next] = queue.waiting
    if (next === undefined) {
      this.#queues.delete(keyOf(queue.names))
      for (const name of queue.names) {
        const others = this.#needing.get(name)
        others?.delete(queue)
        if (others?.size === 0) this.#needing.delete(name)
      }
      return
    }
    queue.waiting.delete(next)
    timers.clearTimeout(next.timer)
    next.goOn(true)
  }
}

function pause(queue: Queue, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      timers.clearTimeout(timer)
      queue.wake = undefined
      resolve()
    }
    const timer = timers.setTimeout(end, ms)
    queue.wake = end
  })
}

const keyOf = (names: readonly string[]): string => names.join('\n')
