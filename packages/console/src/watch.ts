import type { Operations } from '@authstate/operations'
import type { Clock } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { Health } from 'authstate'
import { type Figures, MOST_REALMS } from './figures.js'
import { awaySentence, ifProvided, isAway, isClosed } from './trouble.js'

/** What lives in a realm. */
export interface RealmFigures {
  readonly realmId: string
  readonly online: number
  readonly offline: number
  readonly web: number
  /** Logins under way. */
  readonly logins: number
  /** Users and networks that are locked out now; absent where lock-outs are switched off. */
  readonly locked?: number
  /** There are more of them than were counted. */
  readonly isMoreLocked: boolean
}

/** What the watch saw. */
export interface Sight {
  /** When it was seen, ms since the epoch; 0 when nothing was seen yet. */
  readonly at: number
  readonly realms: readonly RealmFigures[]
  /** Realms that did not answer. */
  readonly silent: readonly string[]
  /** How many nodes live; absent if that is unknown. */
  readonly nodes?: number
  readonly health: Health
  /** Why the store could not be asked, when that was found out. */
  readonly away?: { readonly since: number; readonly sentence: string }
}

const NOTHING: Sight = { at: 0, realms: [], silent: [], health: { ok: false, providers: [] } }
const LEAST_AGE_MS = 2_000
const MS_PER_REALM = 500
const PATIENCE_MS = 1_500

/** Looks at the deployment for all operators: however many they are, the store is asked once. */
export class Watch {
  readonly #operations: Operations
  readonly #figures: Figures
  readonly #clock: Clock
  #sight: Sight = NOTHING
  #lookedAt = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | undefined

  constructor(operations: Operations, figures: Figures, clock: Clock) {
    this.#operations = operations
    this.#figures = figures
    this.#clock = clock
  }

  /** What was seen last. */
  get sight(): Sight {
    return this.#sight
  }

  /** What is there now, or, while the store is slow to answer, what was seen last. */
  async look(): Promise<Sight> {
    const age = Math.abs(this.#clock.now() - this.#lookedAt)
    const mostAge = Math.max(LEAST_AGE_MS, this.#sight.realms.length * MS_PER_REALM)
    if (age > mostAge) {
      const looking = this.lookAgain()
      await (this.#sight.at === 0 ? looking : inTime(looking, PATIENCE_MS))
    }
    return this.#sight
  }

  /** Looks now. Calls that come meanwhile get the same answer. */
  lookAgain(): Promise<void> {
    this.#looking ??= this.#ask().finally(() => {
      this.#lookedAt = this.#clock.now()
      this.#looking = undefined
    })
    return this.#looking
  }

  async #ask(): Promise<void> {
    const { cluster } = this.#operations
    try {
      const known = await this.#operations.realms()
      this.#figures.follow(known)
      const realms = known.slice(0, MOST_REALMS)
      const [health, nodes, ...answers] = await Promise.all([
        this.#operations.health(),
        settled(ifProvided(() => cluster.nodes())),
        ...realms.map((realmId) => settled(this.#realm(realmId))),
      ])
      const asked = answers.length > 0 ? answers : [nodes]
      const errors = asked.flatMap((answer) => ('error' in answer ? [answer.error] : []))
      if (errors.length === asked.length && errors.every(isAway)) return this.#goAway(errors[0], health)
      const seen = answers.flatMap((answer) => ('value' in answer ? [answer.value] : []))
      for (const { realmId, online } of seen) this.#figures.sample(realmId, online)
      this.#figures.sampleFailed()
      const count = 'value' in nodes ? nodes.value?.nodes.length : undefined
      this.#sight = {
        at: this.#clock.now(),
        realms: seen,
        silent: realms.filter((realmId) => !seen.some((of) => of.realmId === realmId)),
        ...(count !== undefined && { nodes: count }),
        health,
      }
    } catch (error) {
      this.#goAway(error, isClosed(error) ? NOTHING.health : this.#sight.health)
    }
  }

  #goAway(error: unknown, health: Health): void {
    const since = this.#sight.away?.since ?? this.#clock.now()
    this.#figures.sampleFailed()
    this.#sight = { ...this.#sight, health, away: { since, sentence: awaySentence(error) } }
  }

  async #realm(realmId: string): Promise<RealmFigures> {
    const { sessions, failures } = this.#operations
    const [counts, logins, locked] = await Promise.all([
      sessions.count(realmId),
      sessions.countLogins(realmId),
      ifProvided(() => failures.locked(realmId, { limit: 100 })),
    ])
    return {
      realmId,
      ...counts,
      logins,
      ...(locked && { locked: locked.items.length }),
      isMoreLocked: locked?.cursor !== undefined,
    }
  }
}

type Settled<T> = { readonly value: T } | { readonly error: unknown }

const settled = <T>(promise: Promise<T>): Promise<Settled<T>> =>
  promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )

/** Waits for something, but not for longer than this. */
export async function inTime(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<void>((resolve) => {
    timer = timers.setTimeout(resolve, ms)
  })
  await Promise.race([promise, late])
  timers.clearTimeout(timer)
}
