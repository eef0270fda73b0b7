import { randomInt } from 'node:crypto'

/** The variable that repeats what a random case did: the failure names its value. */
export const SEED_VARIABLE = 'AUTHSTATE_TEST_SEED'

const SEEDS = 2 ** 31

/** The seed of a run: what the variable says, else a new one. */
export function chooseSeed(env: Readonly<Record<string, string | undefined>> = process.env): number {
  const given = env[SEED_VARIABLE]
  return given === undefined || given === '' ? randomInt(SEEDS) : parseSeed(given, SEED_VARIABLE)
}

/** @throws {RangeError} it is no seed */
export function parseSeed(text: string, name: string): number {
  const seed = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (seed < SEEDS) return seed
  throw new RangeError(`"${name}" must be a whole number from 0 to ${SEEDS - 1}`)
}

/** Random numbers that can be had again. For test data, not for secrets. */
export class Chance {
  readonly #seed: number
  #state: number
  #isUsed = false

  constructor(seed: number) {
    this.#seed = seed
    this.#state = seed >>> 0
  }

  /** The seed, where something was drawn from it. */
  get usedSeed(): number | undefined {
    return this.#isUsed ? this.#seed : undefined
  }

  get seed(): number {
    this.#isUsed = true
    return this.#seed
  }

  /** From 0 to below 1 (mulberry32). */
  readonly random = (): number => {
    this.#isUsed = true
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
