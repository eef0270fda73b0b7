import { Emitter, type EventOf, type Logger } from '@authstate/spi'
import type { Notes } from './checks.js'
import type { UserSessionEvents, UserSessionEventType } from './contract.js'

/** Listeners to events of sessions. Listeners that ask for notes are kept apart: no others get notes. */
export class Listeners extends Emitter<UserSessionEvents> {
  readonly #withNotes: Emitter<UserSessionEvents>

  constructor(logger: Logger) {
    const options = {
      owner: 'user-session',
      events: ['created', 'removed', 'expired', 'client-removed'],
      logger,
    } as const
    super(options)
    this.#withNotes = new Emitter(options)
  }

  override on<Type extends UserSessionEventType | '*'>(
    type: Type,
    listener: (event: EventOf<UserSessionEvents, Type>) => unknown,
    asksNotes = false,
  ): () => void {
    return asksNotes ? this.#withNotes.on(type, listener) : super.on(type, listener)
  }

  override has(type: UserSessionEventType): boolean {
    return super.has(type) || this.#withNotes.has(type)
  }

  /** Whether somebody wants the notes of sessions that end so. */
  asksNotes(type: 'removed' | 'expired'): boolean {
    return this.#withNotes.has(type)
  }

  /**
   * Calls the listeners of the event.
   *
   * @param notes Asked for only when somebody wants them.
   */
  override emit<Type extends UserSessionEventType>(
    type: Type,
    fields: Omit<UserSessionEvents[Type], 'type'>,
    notes?: () => Notes | undefined,
  ): void {
    super.emit(type, fields)
    if (!this.#withNotes.has(type)) return
    const read = notes?.()
    this.#withNotes.emit(type, read ? { ...fields, notes: read } : fields)
  }

  override clear(): void {
    super.clear()
    this.#withNotes.clear()
  }
}
