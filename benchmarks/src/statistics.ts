export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  if (sorted.length === 0) return Number.NaN
  const place = (sorted.length - 1) * share
  const below = sorted[Math.floor(place)] as number
  const above = sorted[Math.ceil(place)] as number
  return below + (above - below) * (place - Math.floor(place))
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

const RESAMPLES = 2_000

/** The 95 % band of the median, by bootstrap; the same values give the same band. */
export function bandOfMedian(values: readonly number[]): readonly [low: number, high: number] {
  const random = mulberry32(values.length)
  const medians = Array.from({ length: RESAMPLES }, () =>
    median(values.map(() => values[Math.floor(random() * values.length)] as number)),
  )
  return [quantile(medians, 0.025), quantile(medians, 0.975)]
}

/** A small seeded generator: `Math.random` cannot be repeated. */
export function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/**
 * For each round, everybody once, in an order drawn anew: nobody always follows the same neighbour, whose work may
 * linger in the server. The same names give the same orders.
 */
export function inTurns(names: readonly string[], rounds: number): readonly (readonly string[])[] {
  const random = mulberry32(names.length)
  return Array.from({ length: rounds }, () => {
    const left = [...names]
    return names.map(() => left.splice(Math.floor(random() * left.length), 1)[0] as string)
  })
}
