import { type Script, scriptSaying } from '../script.js'
import { type Annotation, type Asked, withNotes } from './annotations.js'

/** Who asks to be told of changes, as the configuration says it. */
export interface ChangeConsumer {
  readonly name: string
  /** Kinds of records; left out: all. */
  readonly kinds?: readonly string[] | undefined
  /** `endings`: only of what ends. */
  readonly notes?: 'all' | 'endings' | undefined
  /** Whether the note of an ending says what is gone: user, clients, reason. */
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

/** What the consumers of a deployment ask of every script. */
export class Noting implements Asked {
  readonly maxNotes: number
  readonly consumers: RecordedConsumers
  readonly details: boolean
  readonly #words: ReadonlySet<string>
  readonly #scripts = new WeakMap<Script, Script>()

  constructor(consumers: RecordedConsumers, maxNotes: number) {
    this.consumers = consumers
    this.maxNotes = maxNotes
    this.#words = new Set([...consumers.values()].flatMap((words) => words.split(' ')))
    this.details = this.#words.has(DETAILS)
  }

  asksFor({ kind, isEnding }: Annotation): boolean {
    return [kind, '*'].some(
      (name) => this.#words.has(`${name}.all`) || (isEnding && this.#words.has(`${name}.endings`)),
    )
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
