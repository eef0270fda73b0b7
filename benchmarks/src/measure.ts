// Programs that measure once: counts, growth, disconnects. Each in a process of its own.
import type { Report } from './finding.js'

/** What a measuring program is told. */
export interface Surroundings {
  readonly url: string
  /** The masters of a Cluster, where the program asked for one. */
  readonly nodes: readonly string[]
  /** The master of a Cluster of one. */
  readonly lone: readonly string[]
  readonly rounds: number
  /** `true`: no figure that depends on how busy the machine is. */
  readonly quick: boolean
  /** `true`: a million sessions instead of a hundred thousand. */
  readonly full: boolean
}

export type Measure = (surroundings: Surroundings) => Promise<Report>

export type Answer = { readonly report: Report } | { readonly failed: string }

/** The child's side. */
export function answer(measure: Measure): void {
  process.once('message', async (surroundings: Surroundings) => {
    let answered: Answer
    try {
      answered = { report: await measure(surroundings) }
    } catch (error) {
      answered = { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }
    }
    process.send?.(answered, () => process.exit())
  })
}
