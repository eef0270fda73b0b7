import { randomBytes } from 'node:crypto'
import type { Clock, Keyring } from '@authstate/spi'
import { Sealer } from '@authstate/spi/sealing'

/** What is sealed: a form of an operator, the name of a user, of a client or of a network, a place in a list, what is to be said. */
type Purpose = 'form' | 'user' | 'client' | 'network' | 'cursor' | 'said'

const LIFE_MS = 12 * 3_600_000
const SHAPE = /^([0-9a-z]+)\.(.*)$/s

/** A keyring of one process, for a console that was given none. */
export const ownKeyring = (): Keyring => ({
  current: 'own',
  keys: { own: randomBytes(32).toString('base64url') },
})

/**
 * Seals texts that leave the server and come back within twelve hours, so that only this deployment
 * can read or make them. Addresses and forms hold no name of a user, and a form works for one
 * operator only.
 */
export class Seals {
  readonly #sealer: Sealer
  readonly #clock: Clock

  /** @throws {ConfigurationError} the keyring cannot work */
  constructor(keyring: Keyring, clock: Clock) {
    this.#sealer = new Sealer(keyring, 'console')
    this.#clock = clock
  }

  /** @param place Where it is good: a realm, an operator. */
  seal(purpose: Purpose, text: string, ...place: readonly string[]): string {
    const until = (this.#clock.now() + LIFE_MS).toString(36)
    return this.#sealer.seal(`${until}.${text}`, [purpose, ...place]).join('.')
  }

  /** What was sealed; `undefined` when it is forged, of another place, or older than twelve hours. */
  open(purpose: Purpose, sealed: string, ...place: readonly string[]): string | undefined {
    const [keyId = '', text = '', ...rest] = sealed.split('.')
    if (rest.length > 0) return undefined
    try {
      const opened = SHAPE.exec(this.#sealer.open([keyId, text], [purpose, ...place]))
      const [, until = '', content] = opened ?? []
      return Number.parseInt(until, 36) > this.#clock.now() ? content : undefined
    } catch {
      return undefined
    }
  }
}
