import type { AuthState } from 'authstate'
import type { Redis } from 'ioredis'

/** Rounds of each race. */
export const ROUNDS = 20

/** Where a race runs: a Redis, and a state over it. */
export interface Surroundings {
  readonly url: string
  readonly redis: Redis
  readonly state: AuthState
  /** Of the keys of the store that is compared. */
  readonly prefix: string
}

/** What went wrong, of how many: `'20 of 20'`. */
export type Outcome = Promise<string>

/** A race, on the usual store of a framework and on the adapter of authstate. */
export interface Race {
  readonly framework: string
  readonly what: string
  /** What the usual store is called. */
  readonly peer: string
  onPeer(surroundings: Surroundings): Outcome
  onOurs(surroundings: Surroundings): Outcome
}

/** Runs the rounds of a race one after the other, and counts those that went wrong. */
export async function count(round: (n: number) => Promise<boolean>): Outcome {
  let wrong = 0
  for (let n = 0; n < ROUNDS; n++) if (await round(n)) wrong += 1
  return `${wrong} of ${ROUNDS}`
}
