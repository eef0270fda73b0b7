import { inspect } from 'node:util'
import { walk } from './copies.js'
import type { LogEntry } from './recording-logger.js'

/** Shorter words occur in texts by chance. */
const SHORTEST = 16
/** A value alone in a field, or between quotes, is meant even when it is short. */
const SHORTEST_ALONE = 4
/** Enough of them to find who prints; a race has more. */
const MOST = 5_000

const QUOTED = /['"`“]([^'"`“”]+)['"`”]/g

/** Finds keys, ids, tokens and values of a case in what a provider logs and throws. */
export class Secrets {
  readonly #known = new Set<string>()
  readonly #given = new Set<string>()
  /** What a function was given with: a topic, a type of event. A log may say which listener failed. */
  readonly #kinds = new Set<string>()
  readonly #errors = new Map<string, { readonly verb: string; readonly error: Error }>()

  /** Notes what a case gives to a verb. */
  gave(args: readonly unknown[]): void {
    const [first] = args
    if (typeof first === 'string' && args.some((item) => typeof item === 'function')) this.#kinds.add(first)
    walk(args, (item) => {
      if (typeof item !== 'string' || this.#given.size >= MOST) return
      if (item.length >= SHORTEST_ALONE) this.#given.add(item)
      this.got(item)
    })
  }

  /** Notes what a verb answers. */
  got(value: unknown): void {
    walk(value, (item) => {
      if (typeof item === 'string' && this.#known.size < MOST && isDistinctive(item)) this.#known.add(item)
    })
  }

  threw(verb: string, error: unknown): void {
    if (error instanceof Error && this.#errors.size < MOST)
      this.#errors.set(`${verb} ${error.message}`, { verb, error })
  }

  /** One sentence each, without the value. */
  findings(entries: readonly LogEntry[]): string[] {
    const thrown = [...this.#errors.values()].flatMap(({ verb, error }) => {
      const texts = textsOf(error)
      // What tells of misuse quotes names of arguments and what is allowed, which a case may have given as well.
      const found = this.#partOf(texts) ?? (isMisuse(error) ? undefined : this.#quotedIn(texts))
      return found === undefined
        ? []
        : [`${verb} throws an error whose text holds ${kindOf(found)} of the case`]
    })
    const logged = entries.flatMap(({ level, fields, message }) => {
      const texts = [message, ...textsOf(fields)]
      const found = this.#partOf(texts) ?? this.#quotedIn([message]) ?? this.#fieldOf(fields)
      if (found === undefined) return []
      const line = message.replaceAll(found, '…')
      return [`a log entry holds ${kindOf(found)} of the case: ${level} ${JSON.stringify(line)}`]
    })
    return [...new Set([...thrown, ...logged])]
  }

  #partOf(texts: readonly string[]): string | undefined {
    for (const item of this.#known) if (texts.some((text) => text.includes(item))) return item
    return undefined
  }

  #quotedIn(texts: readonly string[]): string | undefined {
    const quoted = texts.flatMap((text) => [...text.matchAll(QUOTED)].map(([, word = '']) => word))
    return quoted.find((word) => this.#isName(word))
  }

  #fieldOf(fields: object): string | undefined {
    let found: string | undefined
    walk(fields, (item) => {
      if (typeof item === 'string' && this.#isName(item)) found = item
    })
    return found
  }

  #isName = (word: string): boolean => this.#given.has(word) && !this.#kinds.has(word)
}

const isMisuse = ({ name }: Error): boolean => /^(Type|Range|Configuration)Error$/.test(name)

/** An id, a token or a sentence: no word of a text, no name of a property or an outcome. */
const isDistinctive = (text: string): boolean => text.length >= SHORTEST && /\d|[^\w.-]/.test(text)

const kindOf = (found: string): string => (isDistinctive(found) ? 'an id, a token or a value' : 'a name')

function textsOf(value: object): string[] {
  const texts: string[] = []
  const seen = new Set<unknown>()
  const go = (item: unknown): void => {
    if (typeof item === 'string') texts.push(item)
    if (typeof item !== 'object' || item === null || seen.has(item)) return
    seen.add(item)
    if (item instanceof Error) {
      texts.push(item.message)
      go(item.cause)
      if (item instanceof AggregateError) item.errors.forEach(go)
      for (const part of Object.values(item)) go(part)
    } else
      texts.push(
        inspect(item, { depth: 6, maxStringLength: null, maxArrayLength: null, customInspect: false }),
      )
  }
  go(value)
  return texts
}
