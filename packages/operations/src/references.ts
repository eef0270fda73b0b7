import type { Clock, Keyring } from '@authstate/spi'
import { Sealer } from '@authstate/spi/sealing'

/** How long a reference names what it was made for. */
export const REFERENCE_LIFE_MS = 12 * 3_600_000

/** Which kind of session: of a user, its offline copy, or of a web application. */
export type SessionKind = 'online' | 'offline' | 'web'

/** What a reference names. */
export interface Referred {
  readonly kind: SessionKind | 'token'
  readonly id: string
}

const LETTERS = { online: 'n', offline: 'f', web: 'w', token: 't' } as const
const SHAPE = /^([nfwt])([0-9a-z]+)\.(.+)$/s

/**
 * Names sessions and tokens for people, so that no id leaves the server. A person who sees a
 * reference in an address, a log or a picture can use it only with this server. It is sealed
 * (AES-256-GCM) under the keyring of the deployment and works on every node, for one realm, for
 * twelve hours.
 */
export class References {
  readonly #sealer: Sealer | undefined
  readonly #clock: Clock

  /** @throws {ConfigurationError} the keyring cannot work */
  constructor(keyring: Keyring | undefined, clock: Clock) {
    this.#sealer = keyring && new Sealer(keyring, 'operations reference')
    this.#clock = clock
  }

  /** Whether there is a keyring to make references with. */
  get areMade(): boolean {
    return this.#sealer !== undefined
  }

  /** A reference; `undefined` without a keyring. */
  make(realmId: string, { kind, id }: Referred): string | undefined {
    const until = (this.#clock.now() + REFERENCE_LIFE_MS).toString(36)
    return this.#sealer?.seal(`${LETTERS[kind]}${until}.${id}`, [realmId]).join('.')
  }

  /** What a reference names; `undefined` when it is forged, of another realm, or older than twelve hours. */
  read(realmId: string, reference: string): Referred | undefined {
    const [keyId = '', sealed = '', ...rest] = reference.split('.')
    if (this.#sealer === undefined || rest.length > 0) return undefined
    try {
      const [, letter, until = '', id = ''] = SHAPE.exec(this.#sealer.open([keyId, sealed], [realmId])) ?? []
      const kind = ([...KINDS, 'token'] as const).find((known) => LETTERS[known] === letter)
      return kind !== undefined && Number.parseInt(until, 36) > this.#clock.now() ? { kind, id } : undefined
    } catch {
      return undefined
    }
  }
}

/** All kinds of sessions, in the order in which they are listed. */
export const KINDS: readonly SessionKind[] = ['online', 'offline', 'web']
