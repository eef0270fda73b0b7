import { Emitter, type Logger } from '@authstate/spi'
import type { LoginFailureEvents } from './contract.js'

/** Tells listeners what happened to counts and locks. */
export class Events extends Emitter<LoginFailureEvents> {
  constructor(logger: Logger) {
    super({
      owner: 'login-failure',
      events: ['temporary-lock', 'permanent-lock', 'unlock', 'success-after-failures'],
      logger,
    })
  }
}
