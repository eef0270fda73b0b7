import { Emitter, type Logger } from '@authstate/spi'
import type { WebSessionEvents } from './contract.js'

/** The listeners of one provider. */
export class Listeners extends Emitter<WebSessionEvents> {
  constructor(logger: Logger) {
    super({ owner: 'web-session', events: ['created', 'removed', 'refused'], logger })
  }
}
