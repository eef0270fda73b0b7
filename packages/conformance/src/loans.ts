import { isDeepStrictEqual } from 'node:util'
import { changeable, copied, isSpoilt, spoil } from './copies.js'

/** One call, between what it was given and what it answers. */
export interface Loan {
  /** What the provider is given: copies of the arguments. */
  readonly given: readonly unknown[]
  /** Call with the answer; gives the case a copy of it. */
  answered<T>(value: T): T
  /** Call when there is no answer. */
  ended(): void
}

/**
 * Finds a provider that hands out its own objects, or keeps those it was given.
 *
 * The case works on copies. After each call the kit changes the provider's side of them, as a careless caller would.
 * What is stored must not show that.
 */
export class Loans {
  readonly #lent = new WeakMap<object, string>()
  readonly #findings = new Set<string>()

  /** One sentence each. */
  get findings(): readonly string[] {
    return [...this.#findings]
  }

  /** @param isShared The contract says that the answer is shared: it stays as it is. */
  begin(verb: string, args: readonly unknown[], isShared: boolean): Loan {
    const before = copied(args)
    const given = copied(args)
    // What a callback gave belongs to the case, and may be the answer.
    const passesThrough = isShared || args.some(hasFunction)
    const ended = () => {
      if (!isDeepStrictEqual(given, before)) this.#findings.add(`${verb} changes an object that it was given`)
      if (isShared) return
      spoil(given)
      for (const item of changeable(given)) this.#lent.set(item, `${verb} was given`)
    }
    return {
      given,
      ended,
      answered: (value) => {
        if (!passesThrough) this.#look(verb, value)
        const copy = passesThrough ? value : copied(value)
        ended()
        if (passesThrough) return copy
        spoil(value)
        for (const item of changeable(value)) this.#lent.set(item, `${verb} handed out`)
        return copy
      },
    }
  }

  #look(verb: string, value: unknown): void {
    for (const item of changeable(value)) {
      const before = this.#lent.get(item)
      if (before === undefined) continue
      this.#findings.add(
        `${verb} hands out an object that ${before} before: who changes it changes what others see. Hand out a copy, or freeze it`,
      )
      return
    }
    if (isSpoilt(value)) {
      this.#findings.add(
        `${verb} answers with a change that the caller made, after the call, to an object it had given or was handed out. Store a copy`,
      )
    }
  }
}

const hasFunction = (item: unknown): boolean =>
  typeof item === 'function' ||
  (typeof item === 'object' &&
    item !== null &&
    Object.values(item).some((part) => typeof part === 'function'))
