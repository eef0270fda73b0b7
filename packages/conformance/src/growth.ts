import { types } from 'node:util'
import type { FakeClock } from './fake-clock.js'

/** How often a case is played on a store that can be measured. Growth is more after each of them. */
const ROUNDS = 3

/** After this long nothing of a case is of use: longer than any ceiling. */
const LIFETIME_MS = 100 * 365 * 86_400_000

export interface Growing {
  readonly clock: FakeClock
  /** Plays the case again, in realms of other names. */
  readonly play: (round: number) => Promise<void>
  /** The nodes that the case has so far. */
  readonly providers: readonly object[]
  readonly size: () => number | Promise<number>
}

/**
 * Plays a case again and again, lets everything expire in between, and throws when the store holds more each time. A
 * case that can be played once only shows nothing.
 */
export async function assertNoGrowth({ clock, play, providers, size }: Growing): Promise<void> {
  const sizes: number[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    if (round > 1 && !(await succeeds(() => play(round)))) return
    clock.advance(LIFETIME_MS)
    for (const provider of providers) await succeeds(() => sweep(provider))
    sizes.push(await size())
    const [now = 0, before = -1] = sizes.slice(-2).reverse()
    if (now <= before) return
  }
  throw new Error(
    `the store grows without bound: the case was played ${ROUNDS} times, and when all that it wrote had expired, the store held ${sizes.join(', then ')} entries`,
  )
}

async function sweep(provider: object): Promise<void> {
  const verb: unknown = Reflect.get(provider, 'sweep')
  const swept: unknown = typeof verb === 'function' ? Reflect.apply(verb, provider, []) : undefined
  if (types.isPromise(swept)) await swept
}

async function succeeds(work: () => Promise<void>): Promise<boolean> {
  try {
    await work()
    return true
  } catch {
    return false
  }
}
