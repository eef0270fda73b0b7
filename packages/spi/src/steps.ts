import { StoreUnavailableError } from './errors.js'

/**
 * The values of steps that one verb is made of, once all of them have ended.
 *
 * @param isBegun Another step of the verb was taken before.
 * @throws the first failure; its `applied` is `'unknown'` where another step was taken or may have been, since `'no'` would
 *   be true of that one step alone
 */
export async function allSteps<T>(steps: readonly Promise<T>[], isBegun = false): Promise<T[]> {
  const settled = await Promise.allSettled(steps)
  const failed = settled.find((step) => step.status === 'rejected')
  if (failed === undefined) return settled.map((step) => (step as PromiseFulfilledResult<T>).value)
  const reason: unknown = failed.reason
  const nothingDone =
    !isBegun && settled.every((step) => step.status === 'rejected' && wasNotApplied(step.reason))
  if (nothingDone || !wasNotApplied(reason)) throw reason
  throw new StoreUnavailableError(`${reason.message}; other parts of it may have been done`, {
    cause: reason,
    applied: 'unknown',
  })
}

function wasNotApplied(reason: unknown): reason is StoreUnavailableError {
  return reason instanceof StoreUnavailableError && reason.applied === 'no'
}

/** The value of one step, see {@link allSteps}. */
export function nextStep<T>(step: Promise<T>, isBegun: boolean): Promise<T> {
  return isBegun ? allSteps([step], true).then(([value]) => value as T) : step
}
