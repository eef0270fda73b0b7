import type { Logger } from '@authstate/spi'
import { isPromiseLike } from '@authstate/spi/internal'
import type { EventInfo, GapReason, SubscribeOptions } from './contract.js'

type Listener = (event: unknown, info: EventInfo) => void | Promise<void>

/** An event, as it arrived. Every listener gets a copy of its own. */
export interface Arrival {
  readonly json: string
  readonly info: EventInfo
}

/** Events that may wait for one slow listener. */
const MAX_WAITING = 10_000

/** Listeners by topic. */
export class Topics {
  readonly #logger: Logger
  readonly #subscriptions = new Map<string, Set<Subscription>>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  subscribe(topic: string, listener: Listener, { onGap }: SubscribeOptions = {}): () => void {
    const subscription = new Subscription(topic, listener, onGap, this.#logger)
    const all = this.#subscriptions.get(topic) ?? new Set()
    this.#subscriptions.set(topic, all.add(subscription))
    return () => {
      subscription.end()
      all.delete(subscription)
      if (all.size === 0 && this.#subscriptions.get(topic) === all) this.#subscriptions.delete(topic)
    }
  }

  dispatch(topic: string, arrival: Arrival): void {
    for (const subscription of this.#subscriptions.get(topic) ?? []) subscription.push(arrival)
  }

  /** Tells every listener of every topic. */
  gap(reason: GapReason): void {
    for (const all of this.#subscriptions.values()) for (const subscription of all) subscription.push(reason)
  }

  close(): void {
    for (const all of this.#subscriptions.values()) for (const subscription of all) subscription.end()
    this.#subscriptions.clear()
  }
}

/**
 * One listener. It gets one event at a time; while it works, its next events wait here. Other listeners do
 * not wait.
 */
class Subscription {
  readonly #topic: string
  readonly #listener: Listener
  readonly #onGap: SubscribeOptions['onGap']
  readonly #logger: Logger
  #waiting: (Arrival | GapReason)[] = []
  #busy = false
  #ended = false

  constructor(topic: string, listener: Listener, onGap: SubscribeOptions['onGap'], logger: Logger) {
    this.#topic = topic
    this.#listener = listener
    this.#onGap = onGap
    this.#logger = logger
  }

  push(what: Arrival | GapReason): void {
    if (this.#ended) return
    if (!this.#busy) {
      this.#hand(what)
      return
    }
    if (this.#waiting.length >= MAX_WAITING) this.#waiting = ['overrun']
    this.#waiting.push(what)
  }

  end(): void {
    this.#ended = true
    this.#waiting = []
  }

  #hand(what: Arrival | GapReason): void {
    let done: void | Promise<void>
    try {
      done = typeof what === 'string' ? this.#onGap?.(what) : this.#listener(JSON.parse(what.json), what.info)
    } catch (error) {
      this.#failed(error)
      return
    }
    if (!isPromiseLike(done)) return
    this.#busy = true
    done.then(
      () => this.#next(),
      (error: unknown) => {
        this.#failed(error)
        this.#next()
      },
    )
  }

  #next(): void {
    this.#busy = false
    while (!this.#busy) {
      const what = this.#waiting.shift()
      if (what === undefined) return
      this.#hand(what)
    }
  }

  #failed(error: unknown): void {
    this.#logger.error(
      { topic: this.#topic.slice(1), error: (error as Error)?.name },
      'cluster: a listener failed',
    )
  }
}
