import { assertFunction, assertOneOf } from './assert.js'
import { assertOptions, type Known } from './known.js'
import type { Logger } from './logger.js'
import { isError } from './plain.js'

/** The event of a name, or any event for `'*'`. */
export type EventOf<Events, Name> = Name extends keyof Events ? Events[Name] : Events[keyof Events]

/** What an {@link Emitter} is made of. */
export interface EmitterOptions<Events> {
  /** Named in the log: `'user-session'`. */
  readonly owner: string
  /** Every event there is: `on` refuses other names. */
  readonly events: readonly (keyof Events & string)[]
  readonly logger: Logger
}

const OPTIONS: Known<EmitterOptions<unknown>> = { owner: true, events: true, logger: true }

interface Entry {
  readonly listener: (event: never) => unknown
  failed: boolean
}

/**
 * Tells listeners what happened: what every provider with an `on` verb uses.
 *
 * No listener can harm the caller, the process or another listener. What one throws, or rejects with when it is an async
 * function, is logged once; the listener stays. The log names the event and the class of the error, never its message.
 *
 * @typeParam Events names of events, with what each tells. Every event has its name as `type`.
 */
export class Emitter<Events extends { readonly [Name in keyof Events]: { readonly type: Name } }> {
  readonly #options: EmitterOptions<Events>
  readonly #entries = new Map<string, Set<Entry>>()

  /** @throws {TypeError} an option is unknown */
  constructor(options: EmitterOptions<Events>) {
    assertOptions<EmitterOptions<Events>>(options, 'options', OPTIONS)
    this.#options = options
  }

  /**
   * Adds a listener for one event, or for all of them with `'*'`. A function can be added twice; each stops for itself.
   *
   * @returns stops listening; calling it twice is the same as once
   * @throws {TypeError} the event is unknown, or the listener is not a function
   */
  on<Name extends (keyof Events & string) | '*'>(
    event: Name,
    listener: (event: EventOf<Events, Name>) => unknown,
  ): () => void {
    assertOneOf(event, 'event', [...this.#options.events, '*'])
    assertFunction(listener, 'listener')
    const entries = this.#entries.get(event) ?? new Set()
    this.#entries.set(event, entries)
    const entry: Entry = { listener: listener as Entry['listener'], failed: false }
    entries.add(entry)
    return () => void entries.delete(entry)
  }

  /** Whether somebody listens: where it costs something to find out what happened. */
  has(event: keyof Events & string): boolean {
    return (this.#entries.get(event)?.size ?? 0) + (this.#entries.get('*')?.size ?? 0) > 0
  }

  /** Calls the listeners of the event in the order in which they came, those for all events last. */
  emit<Name extends keyof Events & string>(name: Name, fields: Omit<Events[Name], 'type'>): void {
    if (!this.has(name)) return
    const event = { ...fields, type: name }
    for (const which of [name, '*']) {
      const entries = this.#entries.get(which)
      // A copy: a listener may add or stop others. One that was stopped meanwhile hears no more.
      for (const entry of entries ? [...entries] : []) if (entries?.has(entry)) this.#call(entry, name, event)
    }
  }

  /** Ends all listening. */
  clear(): void {
    for (const entries of this.#entries.values()) entries.clear()
    this.#entries.clear()
  }

  #call(entry: Entry, name: string, event: object): void {
    try {
      const returned = entry.listener(event as never)
      // An async function fails through its promise, which may be of another realm or library.
      if (isPromiseLike(returned)) returned.then(undefined, (error) => this.#report(entry, name, error))
    } catch (error) {
      this.#report(entry, name, error)
    }
  }

  #report(entry: Entry, event: string, error: unknown): void {
    if (entry.failed) return
    entry.failed = true
    this.#options.logger.error(
      { event, error: isError(error) ? error.name : typeof error },
      `${this.#options.owner}: a listener failed; later failures of it are not logged`,
    )
  }
}

/** Whether a value can be waited for: a promise of whatever realm or library. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}
