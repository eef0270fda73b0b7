import { Emitter, type Logger } from '@authstate/spi'
import type { ActionTokenEvents } from './contract.js'

/** The listeners of one provider. */
export class Listeners extends Emitter<ActionTokenEvents> {
  constructor(logger: Logger) {
    super({ owner: 'action-token', events: ['consumed', 'replayed', 'family-revoked'], logger })
  }
}
