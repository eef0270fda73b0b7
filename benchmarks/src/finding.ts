/** What a measurement may be at most, or must be at least. */
export type Bound = { readonly atMost: number } | { readonly atLeast: number }

/** One measured figure, held against its target. */
export interface Finding {
  /** Id of the target: `'D1'`, `'R5'`. */
  readonly target: string
  readonly name: string
  readonly value: number
  readonly unit: Unit
  readonly bound: Bound
  /** A higher floor than the target, where the first measurements showed room for one. */
  readonly goal?: Bound
  /** 95 % band of the median, where rounds were measured. */
  readonly band?: readonly [low: number, high: number]
  /** What the figure is made of, in a few words. */
  readonly detail?: string
}

export type Unit = 'commands' | 'round trips' | 'x' | 'bytes' | 'of all' | 'sessions' | 'entries' | 'ms'

/** A target that could not be measured, and why. */
export interface Missing {
  readonly target: string
  readonly name: string
  readonly reason: string
}

/** A figure that is shown and not held against anything. */
export interface Fact {
  readonly group: string
  readonly name: string
  readonly values: Readonly<Record<string, number | string>>
}

/** What one program of measurements answers. */
export interface Report {
  readonly findings: readonly Finding[]
  readonly missing?: readonly Missing[]
  readonly facts?: readonly Fact[]
}

export function isMet(value: number, bound: Bound): boolean {
  return 'atMost' in bound ? value <= bound.atMost : value >= bound.atLeast
}
