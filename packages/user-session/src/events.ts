import { Emitter, type EventOf, type Logger } from '@authstate/spi'
import type { Notes } from './checks.js'
import type { UserSessionEvents, UserSessionEventType } from './contract.js'

/** Who listens to what happens to sessions. Those who ask for notes stand apart: nobody else gets them. */
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
   * Calls whoever listens for the event.
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
