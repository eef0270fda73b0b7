// What the processes of a soak did and saw: one JSON text per line, in the order in which each process heard of it.
import { readFileSync } from 'node:fs'

/** A failure that a caller was told of: whether the step may have been taken. */
export type Failed = 'no' | 'unknown'

interface Step {
  /** Milliseconds of a clock that all processes share and nobody sets. */
  readonly began: number
  readonly ended: number
  /** Where a step was noted before it was taken, this joins the two lines. */
  readonly step?: number
}

export type Entry = Step &
  (
    | {
        readonly type: 'create'
        readonly id: string
        readonly userId?: string
        /** Between these two moments the clock of the state was read for `authenticatedAt`. */
        readonly authenticated?: readonly [from: number, to: number]
      }
    /** Every session of the user is ended, and what was authenticated before. */
    | { readonly type: 'sign-out'; readonly userId: string; readonly failed?: Failed }
    | { readonly type: 'remove'; readonly id: string; readonly failed?: Failed }
    | { readonly type: 'look'; readonly id: string; readonly isThere: boolean }
    | { readonly type: 'put'; readonly token: string }
    | { readonly type: 'consume'; readonly token: string; readonly outcome: string; readonly failed?: Failed }
    | { readonly type: 'fail'; readonly userId: string; readonly failed?: Failed }
    | { readonly type: 'write'; readonly key: string; readonly version: number }
    | { readonly type: 'read'; readonly key: string; readonly version: number }
    | {
        readonly type: 'error'
        readonly verb: string
        readonly message: string
        readonly isExpected: boolean
      }
  )

/** A step whose process was killed before it heard of its end may have been taken; half a line says nothing. */
export function readHistory(file: string): Entry[] {
  const entries = new Map<string, Entry>()
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').slice(0, -1).entries()) {
    const entry = JSON.parse(line) as Entry
    entries.set(entry.step === undefined ? `line ${index}` : `step ${entry.step}`, entry)
  }
  return [...entries.values()]
}
