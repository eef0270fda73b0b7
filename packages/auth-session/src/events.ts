import { Emitter, type Logger } from '@authstate/spi'
import type { AuthSessionEvents } from './contract.js'

/** The listeners of one provider. */
export class Listeners extends Emitter<AuthSessionEvents> {
  constructor(logger: Logger) {
    super({
      owner: 'auth-session',
      events: ['created', 'removed', 'tab-added', 'tab-removed', 'promoted'],
      logger,
    })
  }
}
