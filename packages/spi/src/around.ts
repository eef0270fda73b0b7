/** Runs something inside of something else, such as the context of a span: calls `run` at once and answers what that answered. */
export type Around = <T>(run: () => T) => T

/** What `run` answers inside of `around`. An `around` that fails before it has called `run` is left out: it is no reason to fail. */
export function runAround<T>(around: Around | undefined, run: () => T): T {
  if (around === undefined) return run()
  let hasBegun = false
  try {
    return around(() => {
      hasBegun = true
      return run()
    })
  } catch (error) {
    if (hasBegun) throw error
    return run()
  }
}
