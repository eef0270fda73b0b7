import { type Script, scriptSaying } from '../script.js'
import { type Annotation, type Asked, type Wanted, withNotes } from './annotations.js'

/** A consumer of changes, as the configuration names it. */
export interface ChangeConsumer {
  readonly name: string
  /** Kinds of records; left out: all. */
  readonly kinds?: readonly string[] | undefined
  /** `endings`: only of what ends. */
  readonly notes?: 'all' | 'endings' | undefined
  /** Whether the note of an ending says what ended: user, clients, reason. */
  readonly details?: boolean | undefined
}

/** What consumers ask for, by their names: words, in their order. */
export type RecordedConsumers = ReadonlyMap<string, string>

const DETAILS = 'details'

/** What a consumer asks for as it is recorded: `kind.all` or `kind.endings`, `*` for every kind, and `details`. */
function wordsOf({ kinds = ['*'], notes = 'all', details = false }: ChangeConsumer): string {
  const words = kinds.map((kind) => `${kind}.${notes}`)
  return [...new Set(details ? [...words, DETAILS] : words)].sort().join(' ')
}

/** The name of a consumer, which alone asks for notes of every change, without details. */
export const nameOf = (consumer: string | ChangeConsumer): string =>
  typeof consumer === 'string' ? consumer : consumer.name

/** The consumers of a configuration as they are recorded. */
export const recordedAs = (consumers: readonly (string | ChangeConsumer)[]): RecordedConsumers =>
  new Map(
    consumers.map((consumer) => [
      nameOf(consumer),
      wordsOf(typeof consumer === 'string' ? { name: consumer } : consumer),
    ]),
  )

/** Consumers that are recorded and that a node does not know. */
export function unknownConsumers(recorded: RecordedConsumers, known: RecordedConsumers): readonly string[] {
  return [...recorded.keys()].filter((name) => !known.has(name)).sort()
}

/** Consumers of which not all that they ask for is recorded. */
export function lackingConsumers(asking: RecordedConsumers, recorded: RecordedConsumers): readonly string[] {
  return [...asking].flatMap(([name, words]) => {
    const has = new Set(recorded.get(name)?.split(' '))
    return words.split(' ').every((word) => has.has(word)) ? [] : [name]
  })
}

/** What words ask for, of one consumer or of several. */
class WantedByWords implements Wanted {
  readonly details: boolean
  readonly #words: ReadonlySet<string>

  constructor(words: readonly string[]) {
    this.#words = new Set(words)
    this.details = this.#words.has(DETAILS)
  }

  asksFor({ kind, isEnding }: Pick<Annotation, 'kind' | 'isEnding'>): boolean {
    return [kind, '*'].some(
      (name) => this.#words.has(`${name}.all`) || (isEnding && this.#words.has(`${name}.endings`)),
    )
  }
}

/** What the consumers of a deployment ask of every script. */
export class Noting implements Asked {
  readonly maxNotes: number
  readonly consumers: RecordedConsumers
  readonly #all: Wanted
  readonly #each: ReadonlyMap<string, Wanted>
  readonly #scripts = new WeakMap<Script, Script>()

  constructor(consumers: RecordedConsumers, maxNotes: number) {
    this.consumers = consumers
    this.maxNotes = maxNotes
    const words = [...consumers].map(([name, text]) => [name, text.split(' ')] as const)
    this.#all = new WantedByWords(words.flatMap(([, of]) => of))
    this.#each = new Map(words.map(([name, of]) => [name, new WantedByWords(of)]))
  }

  get details(): boolean {
    return this.#all.details
  }

  asksFor(change: Pick<Annotation, 'kind' | 'isEnding'>): boolean {
    return this.#all.asksFor(change)
  }

  /** What one consumer asks for; `undefined`: it is not recorded. */
  wantedBy(consumer: string): Wanted | undefined {
    return this.#each.get(consumer)
  }

  /** A script as it is to be sent: with notes of what is asked for. */
  script<S extends Script>(script: S): S {
    let noting = this.#scripts.get(script)
    if (noting === undefined) {
      const lua = withNotes(script.annotated, this)
      noting = lua === undefined ? script : scriptSaying(script, lua)
      this.#scripts.set(script, noting)
    }
    return noting as S
  }

  /** Whether others ask for the same. */
  equals(consumers: RecordedConsumers): boolean {
    return fingerprint(this.consumers) === fingerprint(consumers)
  }
}

const fingerprint = (consumers: RecordedConsumers): string => JSON.stringify([...consumers].sort())
