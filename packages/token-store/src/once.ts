import type { ActionTokenProvider } from '@authstate/action-token'
import { digestOf } from './digest.js'

/** What became of a message. */
export type OnceOutcome = 'done' | 'done-before' | 'other'

/** Lets each message be heeded once, by its id: a copy of it does nothing, another one of the same id is refused. */
export class Once {
  readonly #tokens: ActionTokenProvider
  readonly #realmId: string

  constructor(tokens: ActionTokenProvider, realmId: string) {
    this.#tokens = tokens
    this.#realmId = realmId
  }

  /**
   * Does what a message asks for.
   *
   * A message that comes twice at the same time may be done twice, which is the same as once: a
   * caller that answers "done" has seen it done. When it fails, its id is free again.
   */
  async run(
    kind: string,
    names: readonly string[],
    message: string,
    lifespanMs: number,
    act: () => Promise<unknown>,
  ): Promise<OnceOutcome> {
    const key = digestOf(...names)
    const hash = digestOf(message)
    const isFirst = await this.#tokens.putIfAbsent(this.#realmId, kind, key, { data: { hash }, lifespanMs })
    if (!isFirst) {
      const held = (await this.#tokens.get(this.#realmId, kind, key))?.data
      if (held !== undefined && held['hash'] !== hash) return 'other'
      if (held?.['done'] === true) return 'done-before'
    }
    try {
      await act()
    } catch (error) {
      // A store that fails here as well keeps an id that is not done: the same message is done again.
      await this.#tokens.remove(this.#realmId, kind, key).catch(() => {})
      throw error
    }
    await this.#tokens.replace(this.#realmId, kind, key, { hash, done: true })
    return 'done'
  }
}
