import { assertSpelt, type Known, type Provider } from '@authstate/spi'
import { knownNames, quote } from '@authstate/spi/internal'
import { type Case, levels, type Suite } from './suite.js'
import type { Target } from './target.js'

/** A case that is not run, and why. */
export interface LeftOutCase {
  readonly name: string
  readonly reason: string
}

const TARGET: Known<Target<Provider>> = { name: true, leaveOut: true, open: true }

/**
 * The cases that are not run for a target, each with the reason it gives.
 *
 * @throws {TypeError} a property of the target is misspelt; what it leaves out is neither a level nor a case, or has no reason
 */
export function leftOut<P extends Provider>(suite: Suite<P>, target: Target<P>): LeftOutCase[] {
  assertSpelt<Target<P>>(target, 'target', TARGET)
  const names = suite.cases.map(({ name }) => name)
  for (const [what, reason] of Object.entries(target.leaveOut ?? {})) {
    if (!names.includes(what) && !levels.some((level) => level === what)) {
      throw new TypeError(
        `"leaveOut" of ${target.name}: ${quote(what)} is no level and no case of ${suite.spi.name}. ${knownNames(what, levels)}`,
      )
    }
    if (typeof reason !== 'string' || reason.trim() === '')
      throw new TypeError(`"leaveOut" of ${target.name}: ${quote(what)} needs a reason`)
  }
  return suite.cases.flatMap((item) => {
    const reason = reasonFor(item, target)
    return reason === undefined ? [] : [{ name: item.name, reason }]
  })
}

/** Why a case is not run for a target; `undefined` when it is. */
export function reasonFor(
  { level, name }: Pick<Case<Provider>, 'level' | 'name'>,
  { leaveOut = {} }: Pick<Target<Provider>, 'leaveOut'>,
): string | undefined {
  if (Object.hasOwn(leaveOut, name)) return leaveOut[name]
  return Object.hasOwn(leaveOut, level) ? `${level}: ${leaveOut[level]}` : undefined
}
