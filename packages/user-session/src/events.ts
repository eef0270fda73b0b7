import { Emitter, type Logger } from '@authstate/spi'
import type { UserSessionEvent, UserSessionEventType } from './contract.js'

/** Names of events, with what each tells. */
type UserSessionEvents = {
  readonly [Type in UserSessionEventType]: UserSessionEvent & { readonly type: Type }
}

/** Who listens to what happens to sessions. */
export class Listeners extends Emitter<UserSessionEvents> {
  constructor(logger: Logger) {
    super({ owner: 'user-session', events: ['created', 'removed', 'expired'], logger })
  }
}
