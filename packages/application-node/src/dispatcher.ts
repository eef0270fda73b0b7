import { setMaxListeners } from 'node:events'
import { randomId } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import { type AttemptContext, type AttemptOutcome, attempt, isHostDown } from './attempt.js'
import { afterFailure } from './rules.js'
import type { Claimed, MessageState, NodeStore, StoredMessage, Terms } from './store.js'

/** What a dispatcher needs. */
export interface DispatcherOptions extends Omit<AttemptContext, 'signal' | 'onSending'> {
  readonly store: NodeStore
  readonly terms: () => Terms
  /** Called for each message whose state was stored. */
  readonly onSettled: (message: StoredMessage) => void
  /** Called if the store did not answer and no caller waits for that. */
  readonly onTrouble: (error: unknown) => void
}

/**
 * Sends what is due: as many requests at once as the configuration says, two to one client and one
 * to one host. So a host that does not answer takes only one place.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #owner = randomId()
  readonly #sending = new Map<StoredMessage, Promise<void>>()
  readonly #stop = new AbortController()
  #round: Promise<number> | undefined
  #wake: (() => void) | undefined
  #isWoken = false
  #timer: ReturnType<typeof timers.setInterval> | undefined
  attempts = 0

  constructor(options: DispatcherOptions) {
    this.#options = options
    // Each request under way listens.
    setMaxListeners(0, this.#stop.signal)
    if (!options.config.dispatch) return
    this.#timer = timers.setInterval(() => this.nudge(), options.config.pollMs)
    this.#timer.unref()
  }

  /** Requests under way. */
  get sending(): number {
    return this.#sending.size
  }

  /** Something may be due: looks, and waits for nothing. */
  nudge(): void {
    if (this.#options.config.dispatch) this.deliverDue().catch(this.#options.onTrouble)
  }

  /** Sends until nothing is due and nothing is under way. Calls that come while it runs wait for the same run. */
  deliverDue(): Promise<number> {
    this.#isWoken = true
    this.#wake?.()
    this.#round ??= this.#run().finally(() => {
      this.#round = undefined
    })
    return this.#round
  }

  /** Sends nothing more; gives back what is under way, so that another process can send it at once. */
  async close(): Promise<void> {
    timers.clearInterval(this.#timer)
    this.#stop.abort()
    this.#wake?.()
    await this.#round?.catch(() => {})
  }

  async #run(): Promise<number> {
    let sent = 0
    try {
      while (!this.#stop.signal.aborted) {
        this.#isWoken = false
        const { messages, ended } = await this.#claim()
        for (const message of ended) this.#options.onSettled(message)
        for (const message of messages) this.#start(message)
        sent += messages.length
        if (this.#sending.size === 0 && ended.length === 0 && !this.#isWoken) return sent
        const isFull = this.#sending.size >= this.#options.config.maxConcurrent
        if ((messages.length === 0 && ended.length === 0) || isFull) await this.#change()
      }
      return sent
    } finally {
      await Promise.all(this.#sending.values())
    }
  }

  /** Resolves when a request ended, or somebody asked to look again. */
  async #change(): Promise<void> {
    if (this.#isWoken && this.#sending.size < this.#options.config.maxConcurrent) return
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    if (this.#stop.signal.aborted) return
    await Promise.race([woken, ...this.#sending.values()])
    this.#wake = undefined
  }

  #claim(): Promise<Claimed> {
    const { store, config, clock, terms } = this.#options
    const limit = config.maxConcurrent - this.#sending.size
    if (limit <= 0) return Promise.resolve({ messages: [], ended: [] })
    const now = clock.now()
    return store.claim({
      now,
      leaseUntil: now + config.leaseMs,
      owner: this.#owner,
      limit,
      maxPerClient: config.maxConcurrentPerClient,
      sending: [...this.#sending.keys()].map(({ realmId, target: { clientId, host } }) => ({
        realmId,
        clientId,
        host,
      })),
      terms: terms(),
    })
  }

  #start(message: StoredMessage): void {
    const work = this.#send(message)
      .catch(this.#options.onTrouble)
      .finally(() => {
        this.#sending.delete(message)
        // A claim that is under way was told that this one is still sent.
        this.#isWoken = true
      })
    this.#sending.set(message, work)
  }

  async #send(message: StoredMessage): Promise<void> {
    const { store, clock, terms, onSettled } = this.#options
    const outcome = await attempt(message, {
      ...this.#options,
      signal: this.#stop.signal,
      onSending: () => {
        this.attempts += 1
      },
    })
    const now = clock.now()
    const state = this.#stateAfter(message, outcome, now)
    const isDown = outcome.outcome === 'failed' && isHostDown(outcome.reason) && state.state === 'retrying'
    const stored = await store.settle(message, {
      owner: this.#owner,
      state,
      laneFreeAt: isDown ? state.nextAt : now,
      terms: { ...terms(), now },
    })
    // What is given back is as if it had not been taken.
    if (stored !== undefined && outcome.outcome !== 'stopped') onSettled({ ...message, state: stored })
  }

  #stateAfter({ state }: StoredMessage, outcome: AttemptOutcome, now: number): MessageState {
    const { attempts, diesAt } = state
    switch (outcome.outcome) {
      case 'delivered':
        return { state: 'delivered', attempts, diesAt, lastStatus: outcome.status, nextAt: now }
      case 'stopped':
        return { ...state, attempts: attempts - 1, state: attempts > 1 ? 'retrying' : 'queued', nextAt: now }
      case 'failed': {
        const isUnsent = NOT_SENT.has(outcome.reason)
        const counted = isUnsent && !outcome.isPassing ? { ...state, attempts: attempts - 1 } : state
        return afterFailure(counted, outcome, this.#options.config, now, Math.random)
      }
    }
  }
}

/** Reasons for which nothing was sent: such an attempt is none. */
const NOT_SENT: ReadonlySet<string> = new Set([
  'egress',
  'host-not-allowed',
  'no-host',
  'no-target',
  'configuration',
  'newer-session',
])
